"""Statistics of counted cells are those of the rows, to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rosenblatt.tables.counted_cells import bin_counts, distinct_counts, percentiles, quantiles_that_occur, shares_of

CELLS = st.lists(st.tuples(st.floats(-1e6, 1e6).map(lambda x: x + 0.0), st.integers(1, 50)), min_size=1, max_size=40)
PERCENTS = st.lists(st.floats(0, 100), min_size=1, max_size=5)


def expanded(cells):
    values, counts = np.array([value for value, _ in cells]), np.array([count for _, count in cells])
    return values, counts, np.repeat(values, counts)


@given(CELLS, PERCENTS)
def test_percentiles_are_those_of_numpy(cells, percents):
    values, counts, rows = expanded(cells)
    expected = np.percentile(rows, percents)
    np.testing.assert_array_equal(percentiles(values, counts, percents), expected)
    np.testing.assert_array_equal(percentiles(rows, None, percents), expected)


@given(CELLS, st.integers(2, 30))
def test_quantiles_that_occur_are_those_of_numpy(cells, n):
    values, counts, rows = expanded(cells)
    shares = np.linspace(0.05, 0.95, n)
    expected = np.quantile(rows, shares, method="inverted_cdf")
    np.testing.assert_array_equal(quantiles_that_occur(values, counts, shares), expected)


@given(CELLS)
def test_distinct_values_and_bins_are_those_of_numpy(cells):
    values, counts, rows = expanded(cells)
    for found, expected in zip(distinct_counts(values, counts), np.unique(rows, return_counts=True), strict=True):
        np.testing.assert_array_equal(found, expected)
    bins = (np.abs(values) % 7).astype(np.int64)
    np.testing.assert_array_equal(bin_counts(bins, 9, counts), np.bincount(np.repeat(bins, counts), minlength=9))


def test_no_cells_have_no_distinct_values():
    assert [len(part) for part in distinct_counts(np.empty(0), np.empty(0, np.int64))] == [0, 0]


@pytest.mark.parametrize(
    ("counts", "total", "expected"),
    [([1, 1, 2], 8, [2, 2, 4]), ([1, 1, 1], 4, [2, 1, 1]), ([0, 0], 5, [0, 0]), ([3, 4], 7, [3, 4])],
)
def test_shares_add_up(counts, total, expected):
    assert shares_of(counts, total) == expected
