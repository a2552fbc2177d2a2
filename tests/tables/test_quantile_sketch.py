"""The quantile sketch: its stated error in any order and however it is merged; exact while there are few numbers."""

import json

import numpy as np
import pytest

from rosenblatt.tables.quantile_sketch import MAX_EXACT_VALUES, QuantileSketch

RNG = np.random.default_rng(0)
N = 400_000
NORMAL = RNG.standard_normal(N)


def sawtooth(values):
    """The lowest, the highest, the second lowest, ...: each block spans everything that is still to come."""
    ordered = np.sort(values)
    return np.stack([ordered[: len(ordered) // 2], ordered[: len(ordered) // 2 - 1 : -1]], axis=1).ravel()


ORDERS = {
    "random": NORMAL,
    "sorted": np.sort(NORMAL),
    "reversed": np.sort(NORMAL)[::-1],
    "heavy-tailed": RNG.standard_cauchy(N),
    "duplicated": np.where(RNG.random(N) < 0.5, 0.0, NORMAL),
    "zipf": np.append(RNG.zipf(1.2, N), np.arange(10**6, 10**6 + MAX_EXACT_VALUES)).astype(np.float64),
    "sawtooth": sawtooth(NORMAL),
    "sorted blocks in random order": np.sort(NORMAL).reshape(-1, 1000)[RNG.permutation(N // 1000)].ravel(),
}


def sketch_of(values, block=10_000):
    sketch = QuantileSketch()
    for start in range(0, len(values), block):
        sketch.add(values[start : start + block])
    return sketch


def worst_rank_error(sketch, values):
    """By which share of the values the cells misjudge how many values are at most as large as any number."""
    ordered, (cells, counts) = np.sort(values), sketch.cells()
    below = np.append(0, np.cumsum(counts))
    right = below[np.searchsorted(cells, ordered, side="right")] - np.searchsorted(ordered, ordered, side="right")
    left = below[np.searchsorted(cells, ordered, side="left")] - np.searchsorted(ordered, ordered, side="left")
    return max(np.abs(right).max(), np.abs(left).max()) / len(values)


def require_bound(sketch, values):
    cells, counts = sketch.cells()
    assert not sketch.is_exact
    assert 0 < sketch.error < 0.001
    assert worst_rank_error(sketch, values) <= sketch.error
    assert counts.sum() == sketch.n_finite == len(values)
    assert counts.min() > 0
    assert (np.diff(cells) > 0).all()
    assert (cells[0], cells[-1]) == (sketch.lowest, sketch.highest) == (values.min(), values.max())
    assert np.isin(cells, values).all()


@pytest.mark.parametrize("order", ORDERS)
def test_ranks_are_right_within_the_stated_error(order):
    require_bound(sketch_of(ORDERS[order]), ORDERS[order])


def test_the_two_ways_of_halving_take_turns():
    sketch = sketch_of(np.tile(NORMAL, 5))
    plain, arrays = sketch.to_state()
    assert plain["n_levels"] > 5
    assert np.abs(arrays["raised"] - arrays["lowered"]).max() == 1
    assert arrays["raised"][0] > 10
    weights = 2.0 ** np.arange(len(arrays["raised"]))
    assert sketch.error == (max(weights @ arrays["raised"], weights @ arrays["lowered"]) + 1) / (5 * N)


@pytest.mark.parametrize("order", ["random", "sorted", "zipf"])
def test_any_order_of_merging_keeps_the_bound(order):
    values = ORDERS[order]
    ends = np.sort(np.append(RNG.integers(0, len(values), 5), [0, len(values), 10, 200_000]))
    parts = [sketch_of(values[a:b]) for a, b in zip(ends[:-1], ends[1:], strict=True)]
    assert any(part.is_exact for part in parts)
    for chosen in (range(len(parts)), reversed(range(len(parts))), RNG.permutation(len(parts))):
        merged = QuantileSketch()
        for i in chosen:
            merged.merge(parts[i])
        require_bound(merged, values)


def test_merging_pairs_of_pairs_keeps_the_bound_and_the_parts():
    parts = [sketch_of(part) for part in NORMAL.reshape(4, -1)]
    before = [part.cells() for part in parts]
    for a, b in ((0, 1), (2, 3), (0, 2)):
        if a != 0 or b != 2:
            parts[a].merge(parts[b])
    parts[0].merge(parts[2])
    require_bound(parts[0], NORMAL)
    for i in (1, 3):
        np.testing.assert_array_equal(parts[i].cells(), before[i])


def test_few_different_numbers_are_counted_exactly():
    values = RNG.integers(-30_000, 30_000, N) / 4
    sketch = sketch_of(values)
    assert sketch.is_exact
    assert sketch.error == 0
    np.testing.assert_array_equal(sketch.cells(), np.unique(values, return_counts=True))
    assert sketch.n_distinct == len(np.unique(values))
    assert sketch.n_once == (np.unique(values, return_counts=True)[1] == 1).sum()


def test_the_last_number_that_is_kept_exactly_and_the_first_beyond():
    values = np.arange(MAX_EXACT_VALUES, dtype=np.float64)
    sketch = sketch_of(values)
    assert sketch.is_exact
    sketch.add([0.5])
    np.testing.assert_array_equal(sketch.cells()[0], np.sort(np.append(values, 0.5)))
    sketch.add(values)
    assert not sketch.is_exact


def test_nan_and_infinities_are_counted_apart():
    sketch = sketch_of(np.array([np.nan, 1.5, np.inf, -np.inf, np.inf, np.nan, np.nan]))
    assert (sketch.n_missing, sketch.n_lowest, sketch.n_highest, sketch.n_finite) == (3, 1, 2, 1)
    assert not sketch.are_whole
    assert [part.tolist() for part in sketch.cells()] == [[1.5], [1]]


def test_a_sketch_of_nothing():
    sketch = QuantileSketch()
    sketch.add([])
    assert [len(part) for part in sketch.cells()] == [0, 0]
    assert (sketch.n_distinct, sketch.error, sketch.are_whole) == (0, 0.0, True)


def test_reading_changes_nothing():
    read, unread = QuantileSketch(), QuantileSketch()
    for block in NORMAL.reshape(-1, 5_000):
        read.add(block)
        unread.add(block)
        read.cells()
        assert read.n_distinct >= read.n_once
    np.testing.assert_array_equal(read.cells(), unread.cells())


def test_numbers_that_all_differ_are_known_to_and_others_estimated():
    running = RNG.permutation(N).astype(np.float64)
    assert sketch_of(running).n_distinct == N
    for n in (80_000, 200_000):
        values = RNG.integers(0, n, N).astype(np.float64)
        distinct, counts = np.unique(values, return_counts=True)
        sketch = sketch_of(values)
        assert sketch.n_distinct == pytest.approx(len(distinct), rel=0.06)
        assert sketch.n_once == pytest.approx((counts == 1).sum(), rel=0.2)
        assert sketch.are_whole


def test_the_memory_of_a_sketch_is_bounded():
    sketch = sketch_of(NORMAL)
    for _ in range(12):  # 1.6 billion numbers
        sketch.merge(sketch_of_state(sketch))
    assert sketch.n_finite == N * 2**12
    _, arrays = sketch.to_state()
    assert sum(array.nbytes for array in arrays.values()) < 4_000_000
    assert sketch.error < 0.001


def sketch_of_state(sketch):
    plain, arrays = sketch.to_state()
    return QuantileSketch.from_state(json.loads(json.dumps(plain)), arrays)


@pytest.mark.parametrize("values", [NORMAL, NORMAL[:100]], ids=["sketched", "exact"])
def test_a_sketch_that_is_sent_goes_on_as_the_one_at_home(values):
    home = sketch_of(values)
    sent = sketch_of_state(home)
    for sketch in (home, sent):
        sketch.add(NORMAL[::-1] + 1)
    np.testing.assert_array_equal(sent.cells(), home.cells())
    assert (sent.error, sent.n_distinct, sent.n_once) == (home.error, home.n_distinct, home.n_once)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("known", np.array([2.0, 1.0])),
        ("known", np.array([1.0, np.nan])),
        ("known", np.array([1, 2])),
        ("known_counts", np.array([1, 1])),
        ("known_counts", np.array([4, -1])),
        ("raised", np.zeros(3, np.int64)),
        ("ends", np.zeros(1)),
        ("sample_hashes", np.array([1], np.uint64)),
        ("waiting", None),
    ],
)
def test_a_state_that_does_not_fit_together_is_refused(name, array):
    sketch = QuantileSketch()
    sketch.add(np.array([1.0, 2.0, 2.0]))
    sketch.merge(QuantileSketch())
    plain, arrays = sketch.to_state()
    plain["n_finite"] = 3
    whole = {"known": np.array([1.0, 2.0]), "known_counts": np.array([1, 2]), "waiting": np.empty(0)}
    assert QuantileSketch.from_state(plain, arrays | whole).n_distinct == 2
    with pytest.raises(ValueError, match="the state of a summary is not of the known form"):
        QuantileSketch.from_state(plain, arrays | whole | {name: array})
