"""Scores of predictions of unseen rows, beside the best guess without a model.

Takes the targets of training and held-out rows, and predictions. Returns an `Evaluation` of plain numbers. Never
predicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.metrics import (
    ACCURACY,
    LOG_LOSS,
    MEAN_ABSOLUTE,
    R2,
    ROOT_MEAN_SQUARE,
    Metric,
    best_index,
    is_better,
    quantiles_of,
)
from rosenblatt.tables.targets import Target

__all__ = ["CLASS_SCORES", "NUMBER_SCORES", "Evaluation", "Guess", "evaluate", "trivial_guess"]

Array = NDArray[Any]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
CLASS_SCORES: tuple[Metric, ...] = (ACCURACY, LOG_LOSS)
NUMBER_SCORES: tuple[Metric, ...] = (R2, ROOT_MEAN_SQUARE, MEAN_ABSOLUTE)


@dataclass(frozen=True)
class Guess:
    """The best prediction without a model, which is the same for every row.

    `name` is "always 'No'", "the shares of the classes", "always the mean" and so on; `values` are what a metric takes:
    a number for each class, or for each column of the targets or predictions.
    """

    name: str
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """Scores on held-out rows, beside those of the trivial guess, which is learned from the training rows.

    `scores` are metrics by name, the main one first, each as (model, guess). `guess_name` is the guess of the main
    metric, and `beats_guess` is whether the model is better than it by this metric. `confusion[i, j]` counts rows of
    class i predicted as j; `residuals` are the quantiles `QUANTILES` of target minus prediction. `guesses` are those of
    each metric.
    """

    n_rows: int
    scores: dict[str, tuple[float, float]]
    guess_name: str
    beats_guess: bool
    confusion: NDArray[np.int64] | None = None
    residuals: NDArray[np.float64] | None = None
    guesses: Mapping[str, Guess] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """A sentence for a model that is no better than the guess, or nothing."""
        return (
            "" if self.beats_guess else f"By {next(iter(self.scores))}, the model is no better than {self.guess_name}."
        )


def trivial_guess(
    training: Target, metric: Metric, center: str | Sequence[float] = "mean", weights: Array | None = None
) -> Guess:
    """The best prediction by `metric` that is the same for every row.

    For classes it is the most frequent class, or their shares if these are better, as for the log loss. (F1 of two
    classes counts hits of the second, so that there the rarer class may be the better guess.) For numbers `center` says
    what it is: "mean", "median", or quantiles.
    """
    if training.classes is None:
        columns = training.values.reshape(len(training.values), -1)
        if center == "mean":
            return Guess("always the mean", np.average(columns, axis=0, weights=weights))
        levels = (0.5,) if isinstance(center, str) else tuple(center)
        found = [quantiles_of(column, levels, weights) for column in columns.T]
        return Guess("always the median" if center == "median" else "always the quantiles", np.concatenate(found))
    counts = np.bincount(training.values, weights, minlength=len(training.classes))
    shares = counts / counts.sum()
    ranked = np.argsort(-shares, kind="stable")[: 2 if len(shares) == 2 else 1]
    guesses = [Guess(f"always {training.classes.tolist()[k]!r}", np.eye(1, len(shares), k)[0]) for k in ranked]
    guesses.append(Guess("the shares of the classes", shares))
    n = len(training.values)
    scores = [metric.measure(training.values, np.tile(guess.values, (n, 1)), weights) for guess in guesses]
    return guesses[best_index(scores, greater=metric.greater_is_better)]


def evaluate(
    training: Target,
    held_out: Target,
    predictions: Array,
    metrics: Sequence[Metric] | None = None,
    *,
    center: str | Sequence[float] = "mean",
    decision_weights: Array | None = None,
    training_weights: Array | None = None,
    weights: Array | None = None,
) -> Evaluation:
    """Score predictions of held-out rows: numbers [n_rows(, k)], or probabilities of the classes [n_rows, n_classes].

    The first of `metrics` is the main one. `decision_weights` are factors of the probabilities when a class is chosen,
    and `center` is what a model of numbers predicts; see `trivial_guess`. Weights are those of the rows.
    """
    n_rows, classes = len(predictions), held_out.classes
    metrics = metrics or (NUMBER_SCORES if classes is None else CLASS_SCORES)
    truth = held_out.values.reshape(n_rows, -1) if classes is None else held_out.values
    found = predictions.reshape(n_rows, -1)
    chosen = found if decision_weights is None else found * decision_weights
    scores, guesses = {}, [trivial_guess(training, metric, center, training_weights) for metric in metrics]
    for metric, guess in zip(metrics, guesses, strict=True):
        own = metric.measure(truth, found if metric.needs_probabilities else chosen, weights)
        scores[metric.name] = own, metric.measure(truth, np.tile(guess.values, (n_rows, 1)), weights)
    known = {metric.name: guess for metric, guess in zip(metrics, guesses, strict=True)}
    own, guessed = scores[metrics[0].name]
    better, name = is_better(own, guessed, greater=metrics[0].greater_is_better), guesses[0].name
    if classes is None:
        errors = truth - found if truth.shape == found.shape else None  # of several quantiles none is an error
        spread = None if weights is None else np.repeat(weights, truth.shape[1])
        residuals = None if errors is None else quantiles_of(errors.ravel(), QUANTILES, spread)
        return Evaluation(n_rows, scores, name, better, residuals=residuals, guesses=known)
    confusion = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(confusion, (truth, chosen.argmax(axis=1)), 1)
    return Evaluation(n_rows, scores, name, better, confusion, guesses=known)
