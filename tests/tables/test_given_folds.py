"""Folds from splitters and pairs: what scikit-learn gives, in our row numbers, and refusals."""

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit

from rosenblatt.tables.given_folds import check_pair, given_folds

RNG = np.random.default_rng(0)
LABELS, GROUPS = RNG.integers(0, 2, 40), RNG.integers(0, 8, 40)


@pytest.mark.parametrize(
    ("cv", "groups"),
    [(KFold(4), None), (StratifiedKFold(3), None), (GroupKFold(4), GROUPS)],
    ids=lambda x: type(x).__name__,
)
def test_splitters_give_what_they_give(cv, groups):
    expected = list(cv.split(np.zeros((40, 1)), LABELS, groups))
    for mine, theirs in zip(given_folds(cv, 40, LABELS, groups), expected, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))


def test_a_splitter_gets_rows_in_the_order_of_time():
    times = RNG.permutation(40)
    folds = given_folds(TimeSeriesSplit(3, gap=2), 40, LABELS, None, times)
    for (training, held_out), (a, b) in zip(folds, TimeSeriesSplit(3, gap=2).split(times), strict=True):
        assert sorted(times[training]) == a.tolist()
        assert sorted(times[held_out]) == b.tolist()


def test_pairs_may_be_masks_and_come_once():
    mask = np.arange(6) < 4
    ((training, held_out),) = given_folds(iter([(mask, ~mask)]), 6)
    assert training.tolist() == [0, 1, 2, 3]
    assert held_out.tolist() == [4, 5]


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (7, "split 3 .* is not a pair"),
        (([0, 1], []), "fewer than 1 held-out row,"),
        (([0, 1], [9]), "held-out rows must be row numbers from 0 to 5"),
        (([0.5], [1]), "training rows must be row numbers"),
        (([0, 1], [1, 2]), "held-out rows that are among its training rows"),
        (([0, 4], [3]), "earlier than some of its training rows"),
    ],
)
def test_pairs_that_are_no_split_are_refused(pair, words):
    with pytest.raises(ValueError, match=words):
        check_pair(pair, 6, 3, times=np.arange(6))


def test_splitters_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="cv gives 40 splits, of which each trains a network; at most 10"):
        given_folds(KFold(40), 40, most=10)
    with pytest.raises(ValueError, match="gives no split"):
        given_folds([], 40)
    with pytest.raises(ValueError, match="earlier than some"):
        given_folds(KFold(3), 40, times=np.arange(40))
    with pytest.raises(ValueError, match="cv is 'five'"):
        given_folds("five", 40)
