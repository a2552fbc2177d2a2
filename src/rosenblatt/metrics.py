"""How good predictions are: the measures that estimators, tables, searches and diagnoses share.

Takes targets, predictions, perhaps weights of the rows. Returns one number. Never fits anything. The module lies at the
bottom of the package, so that every part can import it: it needs NumPy only, until a measure of scikit-learn's is used.

Classes are labels (integers, shape (n,)) and probabilities or products of them (shape (n, k)): where a measure needs no
probabilities, the largest decides. Numbers have the shape (n, k).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    *("ACCURACY", "AUC", "AUC_ERROR", "BALANCED_ACCURACY", "BALANCED_ERROR", "ERROR", "F1", "F1_ERROR", "LOG_LOSS"),
    *("D2_ABSOLUTE", "D2_POISSON", "MEAN_ABSOLUTE", "POISSON", "R2", "ROOT_MEAN_SQUARE", "d2_quantiles", "pinball"),
    *("Metric", "best_index", "is_better"),
]

Array = NDArray[Any]
Measure = Callable[[Array, Array, Array | None], float]
MIN_PROBABILITY = 1e-7
"""What float32 can tell from zero beside one."""


@dataclass(frozen=True)
class Metric:
    """A measure, and how to read it.

    Attributes
    ----------
    name : str
        In words.
    measure : callable
        ``measure(target, prediction, weights)``; None for equal weights.
    greater_is_better : bool
    needs_probabilities : bool
        Whether it sees more of the probabilities of classes than which one is largest.
    """

    name: str
    measure: Measure
    greater_is_better: bool = False
    needs_probabilities: bool = False

    def complement(self, name: str) -> Metric:
        """One minus this metric, which is better in the other direction."""
        measure = self.measure
        return Metric(name, lambda *given: 1 - measure(*given), not self.greater_is_better, self.needs_probabilities)


def is_better(score: float, than: float, *, greater: bool, margin: float = 0.0) -> bool:
    """Whether a score is better by more than a margin: NaN is never better, and every number is better than NaN."""
    gain = score - than if greater else than - score
    return bool(gain > margin or (np.isnan(than) and not np.isnan(score)))


def best_index(scores: Sequence[float], *, greater: bool) -> int:
    """The first of the best scores, NaN never among them; 0 if all are NaN."""
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
    """One minus F1: of the second of two classes, of several the mean."""
    n_classes = probabilities.shape[1]
    weights = np.ones(len(labels)) if weights is None else weights
    predicted = probabilities.argmax(axis=1)
    true, claimed = np.bincount(labels, weights, n_classes), np.bincount(predicted, weights, n_classes)
    hits = np.bincount(labels, weights * (labels == predicted), n_classes)
    f1 = 2 * hits / np.maximum(true + claimed, 1e-300)
    return float(1 - (f1[1] if n_classes == 2 else f1[true + claimed > 0].mean()))


def auc_error(labels: Array, probabilities: Array, weights: Array | None = None) -> float:
    """One minus the area under the ROC curve; of several classes the mean of each against the rest that occurs."""
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


def root_mean_square(y: Array, prediction: Array, weights: Array | None = None) -> float:
    """The root of the (weighted) mean squared error over rows and targets."""
    return float(np.sqrt(np.average(np.mean(np.square(prediction - y, dtype=np.float64), axis=1), weights=weights)))


def mean_absolute(y: Array, prediction: Array, weights: Array | None = None) -> float:
    """The (weighted) mean absolute error over rows and targets."""
    return float(np.average(np.mean(np.abs(prediction - y, dtype=np.float64), axis=1), weights=weights))


def poisson_deviance(y: Array, prediction: Array, weights: Array | None = None) -> float:
    """The (weighted) mean of p - y log(p): half the Poisson deviance but for what does not depend on p."""
    p = np.maximum(prediction.astype(np.float64), 1e-12)
    return float(np.average(np.mean(p - y * np.log(p), axis=1), weights=weights))


def pinball_loss(y: Array, prediction: Array, weights: Array | None = None, *, quantiles: tuple[float, ...]) -> float:
    """The (weighted) mean pinball loss of one column for each quantile."""
    levels, error = np.array(quantiles), y - prediction.astype(np.float64)
    return float(np.average(np.mean(np.maximum(levels * error, (levels - 1) * error), axis=1), weights=weights))


def r2(y: Array, prediction: Array, weights: Array | None = None) -> float:
    """R2, the mean over targets; of a constant target 1 for perfect predictions and 0 for others."""
    w = 1.0 if weights is None else weights[:, None]
    errors = np.sum(w * (y - prediction) ** 2, axis=0, dtype=np.float64)
    spread = np.sum(w * (y - np.average(y, axis=0, weights=weights)) ** 2, axis=0, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(spread > 0, 1 - errors / spread, errors == 0)
    return float(np.average(scores))


def d2_absolute(y: Array, prediction: Array, weights: Array | None = None) -> float:
    """The share of the absolute error of the median that is avoided."""
    from sklearn.metrics import d2_absolute_error_score

    return float(d2_absolute_error_score(y, prediction, sample_weight=weights))


def d2_poisson(y: Array, prediction: Array, weights: Array | None = None) -> float:
    """The share of the Poisson deviance of the mean that is avoided; the mean over targets."""
    from sklearn.metrics import d2_tweedie_score

    columns = zip(y.T, np.maximum(prediction, 1e-12).T, strict=True)
    return float(np.mean([d2_tweedie_score(t, p, power=1, sample_weight=weights) for t, p in columns]))


def d2_pinball(y: Array, prediction: Array, weights: Array | None = None, *, quantiles: tuple[float, ...]) -> float:
    """The share of the pinball loss of the constant quantile that is avoided; the mean over quantiles."""
    from sklearn.metrics import d2_pinball_score

    columns = zip(prediction.T, quantiles, strict=True)
    return float(np.mean([d2_pinball_score(y[:, 0], p, alpha=q, sample_weight=weights) for p, q in columns]))


ROOT_MEAN_SQUARE = Metric("root mean squared error", root_mean_square)
MEAN_ABSOLUTE = Metric("mean absolute error", mean_absolute)
POISSON = Metric("Poisson deviance", poisson_deviance)
R2 = Metric("R2", r2, greater_is_better=True)
D2_ABSOLUTE = Metric("D2 of the absolute error", d2_absolute, greater_is_better=True)
D2_POISSON = Metric("D2 of the Poisson deviance", d2_poisson, greater_is_better=True)


def pinball(quantiles: tuple[float, ...]) -> Metric:
    """The pinball loss of one column for each quantile."""
    return Metric("pinball loss", partial(pinball_loss, quantiles=quantiles))


def d2_quantiles(quantiles: tuple[float, ...]) -> Metric:
    """The share of the pinball loss that is avoided."""
    name = "D2 of the pinball loss, mean of quantiles"
    return Metric(name, partial(d2_pinball, quantiles=quantiles), greater_is_better=True)
