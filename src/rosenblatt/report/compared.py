"""What differs between two models on the same rows, as plain values.

Takes two fitted tabular estimators with their predictions of the same rows, and the target. Returns dictionaries and
lists that JSON can hold. Never predicts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.metrics import ACCURACY, AUC, BALANCED_ACCURACY, F1, LOG_LOSS, Metric
from rosenblatt.report.examples import examples_of
from rosenblatt.tables.evaluation import NUMBER_SCORES
from rosenblatt.tables.score_intervals import difference_interval
from rosenblatt.tables.table import Table
from rosenblatt.tables.targets import Target

__all__ = ["Compared", "Side", "compared_facts"]

Array = NDArray[Any]
MAX_EXAMPLES = 10
CLASS_SCORES = (ACCURACY, LOG_LOSS, BALANCED_ACCURACY, F1)


@dataclass(frozen=True, eq=False)
class Side:
    """One of two models: its name, and its predictions of the rows, probabilities in the order of the target's classes.

    `decision_weights` are the factors of the probabilities when a class is chosen.
    """

    name: str
    model: Any
    predictions: Array
    decision_weights: Array | None = None

    @property
    def weighted(self) -> Array:
        """What a class is chosen by, or the numbers."""
        return self.predictions if self.decision_weights is None else self.predictions * self.decision_weights

    @property
    def chosen(self) -> Array:
        """The labels of the predicted classes."""
        return np.asarray(self.weighted.argmax(axis=1))

    def given_to(self, metric: Metric) -> Array:
        """What a metric takes, shape (n_rows, k)."""
        found = self.predictions if metric.needs_probabilities else self.weighted
        return found.reshape(len(found), -1)


@dataclass(frozen=True, eq=False)
class Compared:
    """Two sides, the target of the rows, and their table; perhaps their weights, and what they belong to.

    `ranked` are the columns of the first model, the most important first.
    """

    a: Side
    b: Side
    target: Target
    table: Table
    ranked: Sequence[str] = ()
    weights: Array | None = None
    groups: Array | None = None

    def described(self, places: Sequence[int]) -> list[dict[str, Any]]:
        """Numbers, ids and cells of rows."""
        return examples_of(self.a.model, self.table, places, self.ranked)

    @property
    def truth(self) -> Array:
        """Labels, or numbers of shape (n_rows, k)."""
        values = self.target.values
        return values if self.target.classes is not None else values.reshape(len(values), -1)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What both are scored by: first the metric that each was trained for."""
        own = [side.model.goal.score for side in (self.a, self.b)]
        if self.target.classes is not None:
            return distinct(*own, *CLASS_SCORES, *((AUC,) if len(self.target.classes) == 2 else ()))
        others = NUMBER_SCORES if self.truth.shape == self.a.given_to(own[0]).shape else ()
        return distinct(*own, *others)


def distinct(*metrics: Metric) -> tuple[Metric, ...]:
    """Each metric once."""
    return tuple({metric.name: metric for metric in metrics}.values())


def compared_facts(compared: Compared) -> dict[str, Any]:
    """Scores with the interval of their difference, disagreements with examples, and the classes one by one."""
    found = {"scores": scores_of(compared), "disagreement": disagreement_of(compared), "examples": examples(compared)}
    if compared.target.classes is not None:
        found["classes"] = classes_of(compared)
    return found


# Scores ------------------------------------------------------------------------------------------------------------


def scores_of(compared: Compared) -> list[dict[str, Any]]:
    """Each metric of both, the difference (that of B minus that of A) and its interval, and whose is better.

    `better` is None where the interval contains 0, or there is none.
    """
    a, b, truth, weights = compared.a, compared.b, compared.truth, compared.weights
    found = []
    for metric in compared.metrics:
        first, second = (metric.measure(truth, side.given_to(metric), weights) for side in (a, b))
        gain = difference_interval(metric, truth, b.given_to(metric), a.given_to(metric), weights, compared.groups)
        entry = {"metric": metric.name, "greater_is_better": metric.greater_is_better, "a": first, "b": second}
        entry |= {"difference": second - first, "interval": None, "better": None}
        if gain is not None:
            ends = [gain.low, gain.high] if metric.greater_is_better else [-gain.high, -gain.low]
            better = b.name if gain.low > 0 else a.name if gain.high < 0 else None
            entry |= {"interval": ends, "better": better}
        found.append(entry)
    return found


# Rows --------------------------------------------------------------------------------------------------------------


def disagreement_of(compared: Compared) -> dict[str, Any]:
    """Whether all predictions are equal, how many rows are predicted differently, and who is right there, or nearer."""
    a, b, truth = compared.a, compared.b, compared.truth
    identical = np.array_equal(a.predictions, b.predictions) and np.array_equal(a.weighted, b.weighted)
    if compared.target.classes is not None:
        right_a, right_b, differ = a.chosen == truth, b.chosen == truth, a.chosen != b.chosen
        return {
            "identical": identical,
            "rows": int(differ.sum()),
            "share": float(differ.mean()),
            "both_right": int((right_a & right_b).sum()),
            "only_a_right": int((right_a & ~right_b).sum()),
            "only_b_right": int((~right_a & right_b).sum()),
            "both_wrong": int((~right_a & ~right_b).sum()),
        }
    gap = gaps(compared)
    found = {"identical": identical, "mean": float(gap.mean()), "largest": float(gap.max())}
    errors = [np.abs(side.predictions.reshape(len(truth), -1) - truth).sum(axis=1) for side in (a, b)]
    return {**found, "a_nearer": int((errors[0] < errors[1]).sum()), "b_nearer": int((errors[1] < errors[0]).sum())}


def gaps(compared: Compared) -> Array:
    """The distance between the predictions of each row: of probabilities of the true class, or of numbers."""
    a, b = compared.a.predictions, compared.b.predictions
    if compared.target.classes is not None:
        rows = np.arange(len(a))
        return np.asarray(np.abs(a[rows, compared.truth] - b[rows, compared.truth]))
    return np.asarray(np.abs(a - b).reshape(len(a), -1).mean(axis=1))


def examples(compared: Compared) -> list[dict[str, Any]]:
    """At most ten rows on which the models disagree most, the farthest apart first.

    Rows count from 1 in the table that was read; ids and cells are those of `examples_of`.
    """
    gap = gaps(compared)
    if compared.target.classes is not None:
        gap = np.where(compared.a.chosen != compared.b.chosen, gap, -1.0)
        order = [int(i) for i in np.argsort(-gap, kind="stable")[:MAX_EXAMPLES] if gap[i] >= 0]
        return [where | class_example(i, compared) for i, where in zip(order, compared.described(order), strict=True)]
    order = [int(i) for i in np.argsort(-gap, kind="stable")[:MAX_EXAMPLES] if gap[i] > 0]
    sides = {"a": compared.a.predictions, "b": compared.b.predictions}
    true = compared.target.values
    return [
        where | {"true": true[i].tolist(), **{k: v[i].tolist() for k, v in sides.items()}}
        for i, where in zip(order, compared.described(order), strict=True)
    ]


def class_example(i: int, compared: Compared) -> dict[str, Any]:
    """A row with its class, what each model said, and the probability that each gave to the true class."""
    classes, label = [str(name) for name in compared.target.classes], int(compared.truth[i])  # type: ignore[union-attr]
    a, b = compared.a, compared.b
    found = {"true": classes[label], "a": classes[a.chosen[i]], "b": classes[b.chosen[i]]}
    return {**found, "a_probability": float(a.predictions[i, label]), "b_probability": float(b.predictions[i, label])}


def classes_of(compared: Compared) -> list[dict[str, Any]]:
    """For each class its rows, and weighted precision and recall of both; None where there is nothing to divide by."""
    names: Sequence[Any] = compared.target.classes  # type: ignore[assignment]
    rows, weights = [], compared.weights
    weights = np.ones(len(compared.truth)) if weights is None else weights
    for label, name in enumerate(names):
        true = compared.truth == label
        found: dict[str, Any] = {"class": str(name), "rows": int(true.sum())}
        for key, side in (("a", compared.a), ("b", compared.b)):
            claimed = side.chosen == label
            hits, whole = weights[true & claimed].sum(), (weights[claimed].sum(), weights[true].sum())
            found[key] = {"precision": share(hits, whole[0]), "recall": share(hits, whole[1])}
        rows.append(found)
    return rows


def share(part: Any, whole: Any) -> float | None:
    """A part of a whole, or None if that is nothing."""
    return float(part / whole) if whole else None
