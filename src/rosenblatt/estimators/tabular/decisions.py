"""Where predictions of classes and intervals are decided on.

Takes probabilities, or quantiles, of rows that were not trained on. Returns factors of the classes, or the quantiles of
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
    """Factors of the classes' probabilities by which the largest product decides best; ones where nothing is gained.

    Each class's factor in turn is the best of powers of two from 1/16 to 16. With more than 50 classes all are one.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
    probabilities : ndarray of shape (n, k)
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
    """Which two quantiles enclose so much, or a `ValueError`."""
    known = np.array(quantiles, dtype=float)
    wanted = np.array([(1 - coverage) / 2, (1 + coverage) / 2])
    columns = np.abs(known - wanted[:, None]).argmin(axis=1)
    if np.abs(known[columns] - wanted).max() > 1e-6:
        raise ValueError(
            f"coverage {coverage} needs the quantiles {wanted[0]:.6g} and {wanted[1]:.6g}, but the model was fitted "
            f"with {tuple(quantiles)}."
        )
    return [int(column) for column in columns]
