"""How certain a score is that was measured on so many rows.

Takes targets, predictions and a metric. Returns the ends of an interval, with the name of the method. Never trains or
predicts: the interval says how the score would vary with other rows, and not how a model would with another training.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.metrics import ACCURACY, Metric

__all__ = ["Interval", "difference_interval", "score_interval", "score_of", "wilson"]

Array = NDArray[Any]
LEVEL = 0.95
QUANTILE = 1.959963984540054
"""Of the normal distribution, at (1 + LEVEL) / 2."""
DRAWS = 400
MAX_UNITS = 2000
"""Rows, or groups, that are drawn at a time. Of more, the spread is that of so many, reduced by the root law."""
MIN_UNITS = 8
"""With fewer rows or groups, an interval would say nothing."""


@dataclass(frozen=True)
class Interval:
    """The ends of an interval that covers a score with probability 0.95, and how they were found."""

    low: float
    high: float
    method: str


def score_of(metric: Metric, truth: Array, predictions: Array, weights: Array | None = None) -> float:
    """A score; NaN where the metric is not defined, such as a share of the deviance where every count is 0."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return float(metric.measure(truth, predictions, weights))
        except (ArithmeticError, ValueError):
            return math.nan


def score_interval(
    metric: Metric, truth: Array, predictions: Array, weights: Array | None = None, groups: Array | None = None
) -> Interval | None:
    """An interval of a score; None if there are too few rows, or if the metric cannot be computed of drawn ones.

    The accuracy of rows that count equally has Wilson's interval (1927, JASA 22). Every other score has the percentile
    bootstrap (Efron 1979) of rows, or of whole groups where rows have some, with a fixed seed.

    Parameters
    ----------
    metric : Metric
    truth, predictions : ndarray
        As its measure takes them.
    weights : ndarray of shape (n_rows,), optional
    groups : ndarray of shape (n_rows,), optional
        Rows of one group are alike, so that whole groups are drawn.
    """
    if metric is ACCURACY and weights is None and groups is None:
        return wilson(score_of(metric, truth, predictions), len(truth))

    def measure(rows: NDArray[np.int64]) -> float:
        return score_of(metric, truth[rows], predictions[rows], None if weights is None else weights[rows])

    return bootstrap(measure, len(truth), groups)


def difference_interval(
    metric: Metric,
    truth: Array,
    predictions: Array,
    others: Array,
    weights: Array | None = None,
    groups: Array | None = None,
) -> Interval | None:
    """The interval of how much better `predictions` are than `others` for the same rows, which are drawn together."""
    sign = 1 if metric.greater_is_better else -1

    def gain(rows: NDArray[np.int64]) -> float:
        own = None if weights is None else weights[rows]
        scores = (score_of(metric, truth[rows], found[rows], own) for found in (predictions, others))
        return sign * (next(scores) - next(scores))

    return bootstrap(gain, len(truth), groups)


def wilson(share: float, n: int) -> Interval | None:
    """The interval of a share of n rows."""
    if n < 1:
        return None
    z2 = QUANTILE**2 / n
    center = (share + z2 / 2) / (1 + z2)
    half = QUANTILE * math.sqrt(share * (1 - share) / n + z2 / (4 * n)) / (1 + z2)
    low, high = (0.0 if share == 0 else center - half), (1.0 if share == 1 else center + half)
    return Interval(max(0.0, low), min(1.0, high), "Wilson")


def bootstrap(measure: Callable[[NDArray[np.int64]], float], n_rows: int, groups: Array | None) -> Interval | None:
    """The percentile interval of a measure of rows."""
    units = None if groups is None else rows_by_group(groups)
    n_units, what = (n_rows, "rows") if units is None else (len(units), "groups")
    if n_units < MIN_UNITS:
        return None
    rng = np.random.default_rng(0)
    n_drawn = min(n_units, MAX_UNITS)
    found = np.empty(DRAWS)
    for i in range(DRAWS):
        drawn = rng.integers(n_units, size=n_drawn)
        found[i] = measure(drawn if units is None else np.concatenate([units[unit] for unit in drawn]))
    found = found[np.isfinite(found)]
    if len(found) < DRAWS / 2:
        return None
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    if n_drawn < n_units:
        center, shrink = measure(np.arange(n_rows)), math.sqrt(n_drawn / n_units)
        middle = float(np.median(found))
        low, high = center + shrink * (low - middle), center + shrink * (high - middle)
    return Interval(float(low), float(high), f"bootstrap of {what}")


def rows_by_group(groups: Array) -> list[NDArray[np.int64]]:
    """The rows of each group."""
    order = np.argsort(groups, kind="stable")
    ends = np.flatnonzero(np.diff(groups[order])) + 1
    return np.split(order, ends)
