"""What tabular estimators may be trained for: losses, metrics that choose epochs, scores.

Goes in: targets and predictions. Comes out: numbers. Metrics are the smaller the better, scores the larger; a score of
a regression is the share of the loss of the best constant that is avoided (for the squared error: R2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from rosenblatt import nn

__all__ = [
    "CLASS_METRICS",
    "REGRESSIONS",
    "ClassMetric",
    "RegressionLoss",
    "best_decisions",
    "cumulative",
    "from_cumulative",
    "places_of",
    "quantile_regression",
    "regression_of",
    "root_mean_square",
]

Array = NDArray[Any]
Measure = Callable[[Array, Array, Array | None], float]


@dataclass(frozen=True)
class RegressionLoss:
    """A loss of regressions, and what belongs to it.

    Attributes
    ----------
    loss : str or nn.Loss
    output : str
        Activation of the head.
    units : str
        How targets are scaled; see `fit_units`.
    metric, score : callable
        Of (targets, predictions, weights), both of shape (n_rows, n).
    score_name : str
    """

    loss: Any
    output: str
    units: str
    metric: Measure
    score: Measure
    score_name: str


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


def pinball(quantiles: tuple[float, ...]) -> Measure:
    """The (weighted) mean pinball loss of one column for each quantile."""
    levels = np.array(quantiles)

    def measure(y: Array, prediction: Array, weights: Array | None = None) -> float:
        error = y - prediction.astype(np.float64)
        return float(np.average(np.mean(np.maximum(levels * error, (levels - 1) * error), axis=1), weights=weights))

    return measure


def r2(y: Array, prediction: Array, weights: Array | None = None) -> float:
    """R2, the mean over targets."""
    return float(metrics.r2_score(y, prediction, sample_weight=weights))


def d2_absolute(y: Array, prediction: Array, weights: Array | None = None) -> float:
    """The share of the absolute error of the median that is avoided."""
    return float(metrics.d2_absolute_error_score(y, prediction, sample_weight=weights))


def d2_poisson(y: Array, prediction: Array, weights: Array | None = None) -> float:
    """The share of the Poisson deviance of the mean that is avoided; the mean over targets."""
    columns = zip(y.T, np.maximum(prediction, 1e-12).T, strict=True)
    return float(np.mean([metrics.d2_tweedie_score(t, p, power=1, sample_weight=weights) for t, p in columns]))


REGRESSIONS: Mapping[str, RegressionLoss] = MappingProxyType(
    {
        "squared_error": RegressionLoss("squared_error", "identity", "linear", root_mean_square, r2, "R2"),
        "absolute_error": RegressionLoss(
            nn.losses.AbsoluteError(), "identity", "linear", mean_absolute, d2_absolute, "D2 of the absolute error"
        ),
        "poisson": RegressionLoss("poisson", "exp", "mean", poisson_deviance, d2_poisson, "D2 of the Poisson deviance"),
    }
)


def quantile_regression(quantiles: tuple[float, ...]) -> RegressionLoss:
    """One output for each quantile."""

    def score(y: Array, prediction: Array, weights: Array | None = None) -> float:
        columns = zip(prediction.T, quantiles, strict=True)
        scores = [metrics.d2_pinball_score(y[:, 0], p, alpha=q, sample_weight=weights) for p, q in columns]
        return float(np.mean(scores))

    loss = nn.losses.Quantile(quantiles)
    return RegressionLoss(
        loss, "identity", "linear", pinball(quantiles), score, "D2 of the pinball loss, mean of quantiles"
    )


def regression_of(loss: str, quantiles: Sequence[float] | None) -> RegressionLoss:
    """What an estimator with these parameters minimizes."""
    return REGRESSIONS[loss] if quantiles is None else quantile_regression(tuple(map(float, quantiles)))


def places_of(coverage: float, quantiles: Sequence[float]) -> list[int]:
    """Which two quantiles enclose so much, or a `ValueError`."""
    known = np.array(quantiles, dtype=float)
    wanted = np.array([(1 - coverage) / 2, (1 + coverage) / 2])
    places = np.abs(known - wanted[:, None]).argmin(axis=1)
    if np.abs(known[places] - wanted).max() > 1e-6:
        raise ValueError(
            f"coverage {coverage} needs the quantiles {wanted[0]:.6g} and {wanted[1]:.6g}, but the model was fitted "
            f"with {tuple(quantiles)}."
        )
    return [int(place) for place in places]


@dataclass(frozen=True)
class ClassMetric:
    """A metric of class probabilities.

    Attributes
    ----------
    measure : callable
        Of (labels, probabilities, weights).
    scored_by : callable
        ``score_`` is one minus this.
    score_name : str
    decides : bool
        Whether predicted classes are those that make the metric smallest, which are not always the most probable ones.
    """

    measure: Measure
    scored_by: Measure
    score_name: str
    decides: bool = False


def error_rate(labels: Array, probabilities: Array, weights: Array | None = None) -> float:
    """The (weighted) share of rows whose most probable class is wrong."""
    return float(np.average(probabilities.argmax(axis=1) != labels, weights=weights))


def log_loss(labels: Array, probabilities: Array, weights: Array | None = None) -> float:
    """The (weighted) mean of -log(probability of the right class)."""
    right = np.maximum(probabilities[np.arange(len(labels)), labels], 1e-7)
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
    n_classes = probabilities.shape[1]
    present = [1] if n_classes == 2 else np.unique(labels)
    areas = [
        metrics.roc_auc_score(labels == k, probabilities[:, k], sample_weight=weights)
        for k in present
        if 0 < np.count_nonzero(labels == k) < len(labels)
    ]
    return 1 - float(np.mean(areas)) if areas else 0.5


CLASS_METRICS: Mapping[str, ClassMetric] = MappingProxyType(
    {
        "error": ClassMetric(error_rate, error_rate, "accuracy"),
        "log_loss": ClassMetric(log_loss, error_rate, "accuracy"),
        "balanced_error": ClassMetric(balanced_error, balanced_error, "balanced accuracy", decides=True),
        "f1": ClassMetric(f1_error, f1_error, "F1", decides=True),
        "auc": ClassMetric(auc_error, auc_error, "area under the ROC curve"),
    }
)

FACTORS = tuple(2.0 ** (step / 4) for step in range(-16, 17))
ROUNDS, MAX_DECIDED = 2, 50


def best_decisions(metric: ClassMetric, labels: Array, probabilities: Array, weights: Array | None = None) -> Array:
    """Factors of the classes' probabilities by which the largest product decides best; ones where nothing is gained.

    Each class's factor in turn is the best of powers of two from 1/16 to 16. With more than 50 classes all are one.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
    probabilities : ndarray of shape (n, k)
        Of rows that were not trained on.
    """
    n_classes = probabilities.shape[1]
    best = np.ones(n_classes)
    if not metric.decides or n_classes > MAX_DECIDED:
        return best
    least = metric.measure(labels, probabilities, weights)
    for _ in range(ROUNDS if n_classes > 2 else 1):
        for k in range(1 if n_classes == 2 else 0, n_classes):
            for factor in FACTORS:
                tried = best.copy()
                tried[k] = factor
                if (found := metric.measure(labels, probabilities * tried, weights)) < least - 1e-12:
                    best, least = tried, found
    return best


def cumulative(labels: Array, n_classes: int) -> Array:
    """Whether each label is above 0, above 1, ...: float32, shape (n, n_classes - 1)."""
    return np.asarray(labels[:, None] > np.arange(n_classes - 1), dtype=np.float32)


def from_cumulative(above: Array) -> Array:
    """Class probabilities from those of being above the first, the second, ... class; (n, k - 1) to (n, k).

    Where they do not fall, each is cut to the one before (Frank and Hall 2001, with one network for all).
    """
    falling = np.minimum.accumulate(np.asarray(above, np.float64), axis=1)
    edges = np.ones((len(falling), 1))
    return np.asarray(-np.diff(np.hstack([edges, falling, 0 * edges]), axis=1))
