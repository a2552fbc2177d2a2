"""How good predictions are: the measures that estimators, tables, searches and diagnoses share.

Takes targets, predictions and perhaps weights of the rows. Returns one number. Never fits anything. Every part of the
package can import this module, which imports scikit-learn only when one of its measures is used.

For classes, targets are labels (integers, shape (n,)) and predictions are probabilities or multiples of them, shape
(n, k): a measure that needs no probabilities takes the largest. Numbers have the shape (n, k).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    *("ACCURACY", "AUC", "AUC_ERROR", "BALANCED_ACCURACY", "BALANCED_ERROR", "ERROR", "F1", "F1_ERROR", "LOG_LOSS"),
    *("D2_ABSOLUTE", "D2_POISSON", "MEAN_ABSOLUTE", "POISSON", "R2", "ROOT_MEAN_SQUARE", "d2_quantiles", "pinball"),
    *("Metric", "best_index", "is_better", "quantiles_of"),
]

Array = NDArray[Any]
Measure = Callable[[Array, Array, Array | None], float]
MIN_PROBABILITY = 1e-7
"""The least distance from one that float32 can represent."""
MIN_ROWS = 2
"""With a single row, nothing is better than a constant."""


@dataclass(frozen=True)
class Metric:
    """A measure, and how to read it."""

    name: str
    measure: Measure  # of target, prediction and weights, which are None if they are equal
    greater_is_better: bool = False
    needs_probabilities: bool = False  # of classes; otherwise it matters only which class has the largest

    def complement(self, name: str) -> Metric:
        """One minus this metric, which is better in the other direction."""
        measure = self.measure
        return Metric(name, lambda *given: 1 - measure(*given), not self.greater_is_better, self.needs_probabilities)


def is_better(score: float, than: float, *, greater: bool, margin: float = 0.0) -> bool:
    """Whether a score is better by more than `margin`. Finite numbers are better than NaN and infinity, never worse."""
    gain = score - than if greater else than - score
    return bool(np.isfinite(score) and (gain > margin or not np.isfinite(than)))


def best_index(scores: Sequence[float], *, greater: bool) -> int:
    """The index of the first of the best scores. NaN is never best; if all are NaN, it is 0."""
    best = 0
    for i, score in enumerate(scores):
        if is_better(score, scores[best], greater=greater):
            best = i
    return best


# Classes -----------------------------------------------------------------------------------------------------------


def error_rate(labels: Array, probabilities: Array, weights: Array | None = None) -> float:
    """The (weighted) share of rows whose most probable class is wrong."""
    return float(np.average(probabilities.argmax(axis=1) != labels, weights=weights))


def log_loss(labels: Array, probabilities: Array, weights: Array | None = None) -> float:
    """The (weighted) mean of -log(probability of the right class)."""
    right = np.maximum(probabilities[np.arange(len(labels)), labels], MIN_PROBABILITY)
    return float(np.average(-np.log(right), weights=weights))


def balanced_error(labels: Array, probabilities: Array, weights: Array | None = None) -> float:
    """The mean over the classes of the (weighted) share of their rows whose most probable class is wrong."""
    wrong = probabilities.argmax(axis=1) != labels
    weights = np.ones(len(labels)) if weights is None else weights
    totals = np.bincount(labels, weights)
    errors = np.bincount(labels, weights * wrong, minlength=len(totals))
    return float(np.mean(errors[totals > 0] / totals[totals > 0]))


def f1_error(labels: Array, probabilities: Array, weights: Array | None = None) -> float:
    """One minus F1: that of the second of two classes, or the mean of several classes."""
    n_classes = probabilities.shape[1]
    weights = np.ones(len(labels)) if weights is None else weights
    predicted = probabilities.argmax(axis=1)
    true, claimed = np.bincount(labels, weights, n_classes), np.bincount(predicted, weights, n_classes)
    hits = np.bincount(labels, weights * (labels == predicted), n_classes)
    f1 = 2 * hits / np.maximum(true + claimed, 1e-300)
    return float(1 - (f1[1] if n_classes == 2 else f1[true + claimed > 0].mean()))


def auc_error(labels: Array, probabilities: Array, weights: Array | None = None) -> float:
    """One minus the area under the ROC curve; with several classes, the mean over those that occur."""
    from sklearn.metrics import roc_auc_score

    n_classes = probabilities.shape[1]
    present = [1] if n_classes == 2 else np.unique(labels)
    areas = [
        roc_auc_score(labels == k, probabilities[:, k], sample_weight=weights)
        for k in present
        if 0 < np.count_nonzero(labels == k) < len(labels)
    ]
    return 1 - float(np.mean(areas)) if areas else 0.5


ERROR = Metric("error rate", error_rate)
LOG_LOSS = Metric("log loss", log_loss, needs_probabilities=True)
BALANCED_ERROR = Metric("balanced error", balanced_error)
F1_ERROR = Metric("1 - F1", f1_error)
AUC_ERROR = Metric("1 - area under the ROC curve", auc_error, needs_probabilities=True)
ACCURACY = ERROR.complement("accuracy")
BALANCED_ACCURACY = BALANCED_ERROR.complement("balanced accuracy")
F1 = F1_ERROR.complement("F1")
AUC = AUC_ERROR.complement("area under the ROC curve")


# Numbers -----------------------------------------------------------------------------------------------------------


def row_mean(losses: Array, weights: Array | None) -> float:
    """The (weighted) mean over rows of the mean over columns."""
    return float(np.average(np.mean(losses, axis=1), weights=weights))


def poisson_deviance(y: Array, prediction: Array, weights: Array | None = None) -> float:
    """The (weighted) mean of p - y log(p): half the Poisson deviance without the terms that do not depend on p."""
    p = np.maximum(prediction.astype(np.float64), 1e-12)
    return row_mean(p - y * np.log(p), weights)


def r2(y: Array, prediction: Array, weights: Array | None = None) -> float:
    """R2, averaged over targets; for a constant target it is 1 if the predictions are perfect, else 0."""
    w = 1.0 if weights is None else weights[:, None]
    errors = np.sum(w * (y - prediction) ** 2, axis=0, dtype=np.float64)
    spread = np.sum(w * (y - np.average(y, axis=0, weights=weights)) ** 2, axis=0, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(spread > 0, 1 - errors / spread, errors == 0)
    return float(np.average(scores))


def d2_pinball(y: Array, prediction: Array, q: float, weights: Array | None) -> float:
    """The reduction of the pinball loss relative to the quantile of each column, averaged over columns.

    It is scikit-learn's ``d2_pinball_score`` without its checks, which an interval would repeat for hundreds of draws.
    """
    truth, found = np.asarray(y, np.float64), np.asarray(prediction, np.float64)
    if weights is None:  # the middle of all numbers with the least loss
        constants = np.percentile(truth, q * 100, axis=0, method="averaged_inverted_cdf")
    else:
        constants = np.concatenate([quantiles_of(column, (q,), weights) for column in truth.T])

    def losses(error: Array) -> Array:
        return np.asarray(np.average(np.maximum(q * error, (q - 1) * error), weights=weights, axis=0))

    own, guessed = losses(truth - found), losses(truth - constants)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.average(np.where(guessed > 0, 1 - own / guessed, own == 0)))


def d2_absolute(y: Array, prediction: Array, weights: Array | None = None) -> float:
    """The reduction of the absolute error relative to predicting the median; of one row as `r2`."""
    if len(y) < MIN_ROWS:
        return float((y == prediction).all())
    return d2_pinball(y, prediction, 0.5, weights)


def d2_poisson(y: Array, prediction: Array, weights: Array | None = None) -> float:
    """The reduction of the Poisson deviance relative to predicting the mean, averaged over targets.

    Of one row, or of a target that is the same in all rows, it is as `r2`.
    """
    from sklearn.metrics import d2_tweedie_score

    def share(t: Array, p: Array) -> float:
        if (t == t[0]).all():
            return float((t == p).all())
        return float(d2_tweedie_score(t, np.maximum(p, 1e-12), power=1, sample_weight=weights))

    return float(np.mean([share(t, p) for t, p in zip(y.T, prediction.T, strict=True)]))


def quantiles_of(values: Array, levels: Sequence[float], weights: Array | None = None) -> NDArray[np.float64]:
    """Quantiles of numbers; with weights, the smallest number below which at least this share of the weight lies."""
    if weights is not None:  # equal weights are none
        kept = weights > 0
        values, weights = values[kept], weights[kept]
    if weights is None or weights.min() == weights.max():
        return np.asarray(np.quantile(values, levels), np.float64)
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order], dtype=np.float64)
    places = np.searchsorted(reached, np.asarray(levels) * reached[-1] * (1 - 1e-12))
    return np.asarray(values[order][np.minimum(places, len(values) - 1)], np.float64)


ROOT_MEAN_SQUARE = Metric(
    "root mean squared error", lambda y, p, weights: math.sqrt(row_mean(np.square(p - y, dtype=np.float64), weights))
)
MEAN_ABSOLUTE = Metric("mean absolute error", lambda y, p, weights: row_mean(np.abs(p - y, dtype=np.float64), weights))
POISSON = Metric("Poisson deviance", poisson_deviance)
R2 = Metric("R2", r2, greater_is_better=True)
D2_ABSOLUTE = Metric("D2 of the absolute error", d2_absolute, greater_is_better=True)
D2_POISSON = Metric("D2 of the Poisson deviance", d2_poisson, greater_is_better=True)


def pinball(quantiles: tuple[float, ...]) -> Metric:
    """The (weighted) mean pinball loss of predictions with a column for each quantile."""
    levels = np.array(quantiles)

    def loss(y: Array, prediction: Array, weights: Array | None) -> float:
        error = y - prediction.astype(np.float64)
        return row_mean(np.maximum(levels * error, (levels - 1) * error), weights)

    return Metric("pinball loss", loss)


def d2_quantiles(quantiles: tuple[float, ...]) -> Metric:
    """The reduction of the pinball loss relative to predicting the constant quantile, averaged over quantiles."""

    def score(y: Array, prediction: Array, weights: Array | None) -> float:
        if len(y) < MIN_ROWS:
            return float((y == prediction).all())
        columns = zip(prediction.T, quantiles, strict=True)
        return float(np.mean([d2_pinball(y[:, [0]], p[:, None], q, weights) for p, q in columns]))

    return Metric("D2 of the pinball loss, mean of quantiles", score, greater_is_better=True)
