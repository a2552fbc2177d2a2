"""How much of a score is chance: rows that scored networks, and the choice of their epochs by the same rows.

Takes a fitted tabular estimator, and metrics. Returns numbers. Never predicts.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.estimators.tabular.scoring import is_on_common_rows, is_on_later_rows
from rosenblatt.metrics import Metric
from rosenblatt.tables.score_intervals import QUANTILE, Interval

__all__ = ["chooses_by_scored_rows", "error_by_rows", "fold_error", "n_scored", "optimism", "rows_of_a_network"]

Array = NDArray[Any]
HELD_OUT_BY_ONE = 0.2
OPTIMISM = 1.25
"""Standard errors of a fold's score that the best epoch gains by chance: the mean in simulated tables of 400 rows."""


def n_scored(model: Any) -> int:
    """How many rows scored the model in `fit`; an estimate for models of older files."""
    known = getattr(model, "n_scored_", None)
    if known is not None:
        return int(known)
    single = len(model.ensemble_.members) == 1
    return max(1, round(float(model.n_rows_) * (HELD_OUT_BY_ONE if single else 1)))


def rows_of_a_network(model: Any) -> float:
    """How many rows a network held out."""
    shared = is_on_common_rows(model.score_on_)  # all networks hold out the same rows
    return max(1.0, n_scored(model) / (1 if shared else len(model.ensemble_.members)))


def chooses_by_scored_rows(model: Any) -> bool:
    """Whether the rows that score the networks also choose their epochs, which makes the score optimistic."""
    return bool(model.n_groups_ is None and not is_on_later_rows(model.score_on_))


def error_by_rows(interval: Interval, n_rows: int) -> float:
    """The standard error that the score of a single row would have, by the interval of so many."""
    return (interval.high - interval.low) / (2 * QUANTILE) * math.sqrt(n_rows)


def optimism(model: Any, by_rows: float) -> float:
    """By how much a score of `fit` is too good on average, as the best of many epochs is best by chance, too."""
    return OPTIMISM * by_rows / math.sqrt(rows_of_a_network(model)) if chooses_by_scored_rows(model) else 0.0


def fold_error(model: Any, value: float) -> float:
    """The standard error of a network's held-out metric: of a share of its rows, or of a mean of its errors."""
    n = rows_of_a_network(model)
    if not hasattr(model, "classes_"):
        return abs(value) * spread_of_errors(model, model.goal.metric) / math.sqrt(n)
    share = min(max(value, 1 / n), 1.0)
    return math.sqrt(max(share * (1 - share), 1 / n) / n)


def spread_of_errors(model: Any, metric: Metric) -> float:
    """The standard deviation of the rows' losses as a share of their mean, by the out-of-fold errors."""
    errors = np.abs(model.residuals_)
    squared = metric.name == "root mean squared error"
    losses = errors**2 if squared else errors
    mean = float(losses.mean())
    return float(losses.std()) / mean / (2 if squared else 1) if mean > 0 else 0.0
