"""How classes and intervals are chosen from predictions.

Takes out-of-fold probabilities, or the quantiles of a model. Returns factors for the classes, or the two quantiles of
an interval. Never changes a probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.metrics import Metric, is_better

__all__ = ["best_decisions", "interval_columns"]

Array = NDArray[Any]
FACTORS = tuple(2.0 ** (step / 4) for step in range(-16, 17))
ROUNDS, MAX_CLASSES = 2, 50
MARGIN = 1e-12


def best_decisions(metric: Metric, labels: Array, probabilities: Array, weights: Array | None = None) -> Array:
    """Factors for the classes' probabilities (n, k): choosing the class with the largest product improves the metric.

    For one class after the other, the best power of two from 1/16 to 16 is chosen. Without an improvement, and with
    more than 50 classes, all factors are one.
    """
    n_classes = probabilities.shape[1]
    best = np.ones(n_classes)
    if n_classes > MAX_CLASSES:
        return best
    best_value = metric.measure(labels, probabilities, weights)
    for _ in range(ROUNDS if n_classes > 2 else 1):
        for k in range(1 if n_classes == 2 else 0, n_classes):
            for factor in FACTORS:
                tried = best.copy()
                tried[k] = factor
                value = metric.measure(labels, probabilities * tried, weights)
                if is_better(value, best_value, greater=metric.greater_is_better, margin=MARGIN):
                    best, best_value = tried, value
    return best


def interval_columns(coverage: float, quantiles: Sequence[float]) -> list[int]:
    """Which two of the quantiles enclose a share of `coverage`; raises a `ValueError` if none do."""
    known = np.array(quantiles, dtype=float)
    wanted = np.array([(1 - coverage) / 2, (1 + coverage) / 2])
    columns = np.abs(known - wanted[:, None]).argmin(axis=1)
    if np.abs(known[columns] - wanted).max() > 1e-6:
        raise ValueError(
            f"coverage {coverage} needs the quantiles {wanted[0]:.6g} and {wanted[1]:.6g}, but the model was fitted "
            f"with {tuple(quantiles)}."
        )
    return [int(column) for column in columns]
