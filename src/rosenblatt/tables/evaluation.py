"""Scores of predictions of unseen rows, beside the best guess without a model.

Takes the targets of training and held-out rows, and predictions. Returns an `Evaluation` of plain numbers. Never
predicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.metrics import ACCURACY, LOG_LOSS, MEAN_ABSOLUTE, R2, ROOT_MEAN_SQUARE, Metric
from rosenblatt.tables.targets import Target

__all__ = ["Evaluation", "evaluate"]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Evaluation:
    """Scores on held-out rows. The baseline predicts the most frequent class, or the mean, of the training rows.

    `scores` are metrics by name, the main one first, each as (model, baseline): accuracy and log loss (the baseline's
    probabilities are the shares of the classes), or R2 and errors in the target's unit. `confusion[i, j]` counts rows
    of class i predicted as j; `residuals` are the quantiles `QUANTILES` of target minus prediction.
    """

    n_rows: int
    scores: dict[str, tuple[float, float]]
    baseline_name: str
    confusion: NDArray[np.int64] | None = None
    residuals: NDArray[np.float64] | None = None


def evaluate(training: Target, held_out: Target, predictions: NDArray[Any]) -> Evaluation:
    """Score predictions of held-out rows: numbers [n_rows], or probabilities of the classes [n_rows, n_classes]."""
    n_rows, classes = len(predictions), held_out.classes
    if classes is None:
        metrics: tuple[Metric, ...] = (R2, ROOT_MEAN_SQUARE, MEAN_ABSOLUTE)
        truth, found = held_out.values[:, None], predictions[:, None]
        guess, baseline_name = np.full((n_rows, 1), training.values.mean()), "always the mean"
    else:
        metrics, truth, found = (ACCURACY, LOG_LOSS), held_out.values, predictions
        shares = np.bincount(training.values, minlength=len(classes)) / len(training.values)
        guess, baseline_name = np.tile(shares, (n_rows, 1)), f"always {classes[shares.argmax()]}"
    scores = {m.name: (m.measure(truth, found, None), m.measure(truth, guess, None)) for m in metrics}
    if classes is None:
        return Evaluation(n_rows, scores, baseline_name, residuals=np.quantile(truth - found, QUANTILES))
    confusion = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(confusion, (truth, found.argmax(axis=1)), 1)
    return Evaluation(n_rows, scores, baseline_name, confusion)
