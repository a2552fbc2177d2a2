"""Statistics of cells of which each stands for a number of rows.

Takes numbers and how many rows each stands for, or None if that is one each. Returns what NumPy computes of the rows
themselves, to the last bit. Never makes an array as long as the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["bin_counts", "distinct_counts", "percentiles", "quantiles_that_occur", "shares_of"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def distinct_counts(values: NDArray[Any], counts: Counts | None) -> tuple[NDArray[Any], Counts]:
    """The different values, ascending, and how many rows have each; NaN must not be among them."""
    if counts is None:
        distinct, numbers = np.unique(values, return_counts=True)
        return distinct, numbers.astype(np.int64)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(ordered) else np.empty(0, np.int64)
    return ordered[starts], np.add.reduceat(counts[order], starts) if len(starts) else np.empty(0, np.int64)


def bin_counts(bins: NDArray[Any], n_bins: int, counts: Counts | None) -> Counts:
    """How many rows are in each of the bins 0 ... n_bins - 1."""
    if counts is None:
        return np.bincount(bins, minlength=n_bins).astype(np.int64, copy=False)
    found = np.zeros(n_bins, np.int64)
    np.add.at(found, bins, counts)
    return found


def percentiles(values: Floats, counts: Counts | None, percents: Sequence[float]) -> Floats:
    """What `np.percentile` gives: values at these percents of the rows, interpolated between neighbouring rows."""
    if counts is None:
        return np.asarray(np.percentile(values, percents))
    distinct, numbers = distinct_counts(values, counts)
    ends = np.cumsum(numbers)
    places = np.true_divide(percents, 100) * (ends[-1] - 1)
    below = np.floor(places)
    share = places - below
    low, high = (
        distinct[np.searchsorted(ends, np.minimum(row, ends[-1] - 1), side="right")] for row in (below, below + 1)
    )
    width = high - low
    found: Floats = np.where(share >= 0.5, high - width * (1 - share), low + width * share)  # NumPy's two forms
    return found


def quantiles_that_occur(values: Floats, counts: Counts | None, shares: Floats) -> Floats:
    """What `np.quantile` gives by the method "inverted_cdf": the least values with at least these shares of rows."""
    if counts is None:
        return np.asarray(np.quantile(values, shares, method="inverted_cdf"))
    distinct, numbers = distinct_counts(values, counts)
    ends = np.cumsum(numbers)
    rows = np.maximum(np.ceil(shares * ends[-1]), 1)
    return np.asarray(distinct[np.searchsorted(ends, rows, side="left")])


def shares_of(counts: Sequence[int], total: int) -> list[int]:
    """Integers in proportion to `counts` that add up to `total`: the largest remainders are rounded up."""
    given = np.array(counts, np.float64)
    if given.sum() in (0, total):
        return list(counts)
    exact = given * (total / given.sum())
    rounded = np.floor(exact).astype(np.int64)
    largest = np.argsort(rounded - exact, kind="stable")
    rounded[largest[: total - int(rounded.sum())]] += 1
    return [int(count) for count in rounded]
