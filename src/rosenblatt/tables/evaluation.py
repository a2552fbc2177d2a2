"""How good predictions of rows are that the model has not seen, beside the best guess without a model.

Takes the targets of training and held-out rows, and predictions. Returns an `Evaluation` of plain numbers. Never
predicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.targets import Target

__all__ = ["Evaluation", "evaluate"]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Evaluation:
    """Scores on held-out rows. The baseline always says the most frequent class, or the mean, of the training rows.

    `score` is the accuracy or R2. `errors` are further measures by name, each as (model, baseline): log loss, or root
    mean squared and mean absolute error in the target's unit. `confusion[i, j]` counts rows of class i predicted as j;
    `residuals` are the quantiles `QUANTILES` of target minus prediction.
    """

    n_rows: int
    score_name: str
    score: float
    baseline: float
    baseline_name: str
    errors: dict[str, tuple[float, float]]
    confusion: NDArray[np.int64] | None = None
    residuals: NDArray[np.float64] | None = None


def evaluate(training: Target, held_out: Target, predictions: NDArray[Any]) -> Evaluation:
    """Score predictions.

    Parameters
    ----------
    training, held_out : Target
        Of the rows that were trained on, and of those that were predicted.
    predictions : ndarray
        Numbers, shape (n_rows,), or probabilities of the classes, shape (n_rows, n_classes).
    """
    if held_out.classes is None:
        return evaluate_numbers(held_out.values, predictions, float(training.values.mean()))
    labels, n_classes = held_out.values, len(held_out.classes)
    predicted = predictions.argmax(axis=1)
    shares = np.bincount(training.values, minlength=n_classes) / len(training.values)
    majority = int(shares.argmax())
    log_losses = (log_loss(predictions[np.arange(len(labels)), labels]), log_loss(shares[labels]))
    return Evaluation(
        n_rows=len(labels),
        score_name="accuracy",
        score=float(np.mean(predicted == labels)),
        baseline=float(np.mean(labels == majority)),
        baseline_name=f"always {held_out.classes[majority]}",
        errors={"log loss": log_losses},
        confusion=np.bincount(labels * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes),
    )


def log_loss(probabilities: NDArray[np.float64]) -> float:
    """Mean of -log p; p is at least 1e-7, what float32 can tell from zero beside one."""
    return float(-np.mean(np.log(np.maximum(probabilities, 1e-7))))


def evaluate_numbers(values: NDArray[np.float64], predictions: NDArray[Any], mean: float) -> Evaluation:
    """R2 and errors of a regression."""
    residuals, guess = values - predictions, values - mean
    variation = float(np.sum(np.square(values - values.mean())))
    scores = [1 - float(np.sum(np.square(r))) / variation if variation else float("nan") for r in (residuals, guess)]
    return Evaluation(
        n_rows=len(values),
        score_name="R²",
        score=scores[0],
        baseline=scores[1],
        baseline_name="always the mean",
        errors={
            "root mean squared error": (rms(residuals), rms(guess)),
            "mean absolute error": (float(np.mean(np.abs(residuals))), float(np.mean(np.abs(guess)))),
        },
        residuals=np.quantile(residuals, QUANTILES),
    )


def rms(values: NDArray[np.float64]) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(np.square(values))))
