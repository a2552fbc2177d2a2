"""Groups of copies, and splits that keep them together."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from rosenblatt.tables.splits import (
    copies_in,
    copies_of,
    first_rows,
    fold_rows,
    forward_folds,
    split_rows,
)

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(40, 3))


def test_rows_are_copies_if_all_cells_are_equal_and_nan_equals_nan():
    rows = np.array([[0.0, np.nan], [1, 2], [-0.0, np.nan], [3, 4], [1, 3], [5, 6], [1, 2], [2, 1]])
    groups = copies_in(rows)
    assert groups[0] == groups[2]
    assert groups[1] == groups[6]
    assert len(set(groups)) == 6
    assert first_rows(groups).tolist() == [0, 1, 3, 4, 5, 7]
    with_codes = [np.array([0, 1, 2, 3, 4, 4]), np.array([-1, -1, -1, -1, 2, 2], dtype=np.int32)]
    assert len(set(copies_of(with_codes, 6))) == 5


@pytest.mark.parametrize(
    "rows",
    [
        np.repeat(ROWS[:8], 5, axis=0),
        np.repeat(ROWS[:8], 50, axis=0),
        np.repeat(ROWS[:, :1], 5, axis=0),
        np.repeat(np.c_[ROWS[:, 0] > 0, ROWS[:, 0], np.ones(40)], 5, axis=0),
        np.repeat(RNG.integers(0, 10, (20, 3)), 5, axis=0),
    ],
)
def test_copies_are_found_however_many_there_are(rows):
    groups = copies_in(rows)
    assert len(set(groups)) == len(np.unique(rows, axis=0))


def test_sparse_rows_are_compared_as_dense_ones_are():
    rows = np.repeat(np.where(RNG.random((30, 8)) < 0.5, ROWS[:30, :1], 0), 2, axis=0)
    sparse = csr_matrix(np.ones(rows.shape))
    sparse.data[:] = rows.ravel()  # zeros too
    dense, found = copies_in(rows), copies_in(sparse)
    assert (np.equal.outer(dense, dense) == np.equal.outer(found, found)).all()


@pytest.mark.parametrize(
    "rows",
    [
        ROWS,  # none is equal
        np.repeat(ROWS[:4], 5, axis=0),  # too few
        np.tile([[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]], (20, 1)),  # few values in all
        np.repeat(np.arange(6), 10)[:, None],
        RNG.integers(0, 3, (60, 3)),  # of 27 combinations
    ],
)
def test_rows_that_repeat_by_nature_are_no_copies(rows):
    assert copies_in(rows) is None


@pytest.mark.parametrize("sizes", [np.full(40, 5), RNG.integers(1, 9, 40), np.r_[200, np.ones(39, int)]])
@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_copies_stay_together_and_classes_have_their_shares(sizes, labelled, seed):
    rng = np.random.default_rng(seed)
    label = (np.arange(40) % 4 == 0).astype(int)
    order = rng.permutation(sizes.sum())
    groups, labels = np.repeat(np.arange(40), sizes)[order], np.repeat(label, sizes)[order] if labelled else None
    splits = [split_rows(len(groups), 0.25, seed, labels, groups), *fold_rows(groups, 4, seed, labels)]
    for training, held_out in splits:
        assert not set(groups[training]) & set(groups[held_out])
        assert sorted([*training, *held_out]) == list(range(len(groups)))
        assert len(training)
        assert len(held_out)
        if sizes.max() < 10:
            assert len(held_out) == pytest.approx(len(groups) / 4, abs=2 * float(sizes.max()))
        if sizes.max() < 10 and labelled:
            assert labels[held_out].sum() == pytest.approx(labels.sum() / 4, abs=float(sizes.max()))
    assert sorted(np.concatenate([held_out for _, held_out in splits[1:]])) == list(range(len(groups)))


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.99])
def test_each_class_keeps_a_group_to_train_on(share):
    groups = np.repeat(np.arange(12), 3)
    labels = np.repeat([0] * 8 + [1] * 3 + [2], 3)
    for seed in range(10):
        training, held_out = split_rows(36, share, seed, labels, groups)
        assert set(labels[training]) == {0, 1, 2}
        assert len(held_out)


@pytest.mark.parametrize("seed", range(8))
def test_a_group_that_is_larger_than_the_held_out_part_trains(seed):
    groups = np.repeat(np.arange(24), [100] * 4 + [1] * 20)
    _, held_out = split_rows(len(groups), 0.2, seed, None, groups)
    assert groups[held_out].min() > 3


def test_the_latest_rows_are_held_out_and_equal_times_stay_together():
    times = np.random.default_rng(0).permutation(np.repeat(np.arange(20), 5))
    training, held_out = split_rows(100, 0.2, 0, None, None, times)
    assert set(times[held_out]) == {16, 17, 18, 19}
    assert set(times[training]) == set(range(16))
    assert len(training) + len(held_out) == 100
    assert np.array_equal(held_out, split_rows(100, 0.2, 9, np.arange(100) % 2, None, times)[1])
    ties = np.repeat([1.5, 2.5], [95, 5])
    assert len(split_rows(100, 0.4, 0, times=ties)[1]) == 5


@pytest.mark.parametrize("n_folds", [1, 2, 4, 7])
def test_forward_folds_validate_on_later_rows_only(n_folds):
    times = np.random.default_rng(1).integers(0, 60, 400).astype(float)
    folds = forward_folds(times, n_folds)
    assert len(folds) == n_folds
    for (training, held_out), (next_training, _) in zip(folds, [*folds[1:], (np.arange(400), None)], strict=True):
        assert times[training].max() < times[held_out].min()
        assert set(next_training) == set(training) | set(held_out)  # each part is held out once, then it trains
        assert len(held_out) == pytest.approx(200 / n_folds, abs=15)
    assert len(folds[0][0]) == pytest.approx(200, abs=10)


def test_there_are_no_more_forward_folds_than_times_allow():
    assert len(forward_folds(np.repeat([1, 2, 3], 10), 5)) == 2
    assert len(forward_folds(np.array([7, 8]), 5)) == 1


def test_what_cannot_be_held_out_is_refused():
    one = np.zeros(30, int)
    with pytest.raises(ValueError, match="all 30 rows are of one group"):
        fold_rows(one, 3, 0)
    with pytest.raises(ValueError, match="all 30 rows are of one group"):
        split_rows(30, 0.2, 0, None, one)
    with pytest.raises(ValueError, match="the time of all 30 rows is 0, so that no row is later"):
        forward_folds(one, 3)
