"""How good the model is, with intervals, beside the trivial guess, a linear model and others.

Takes the evidence. Returns a list of scores. Never hides one: all metrics of the fit are there,
and all have the same keys.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.diagnosis.chance import chooses_by_scored_rows
from rosenblatt.estimators.tabular.explain.shortened import short_name
from rosenblatt.metrics import F1, Metric
from rosenblatt.report.evidence import Evidence
from rosenblatt.report.scored import HELD_OUT, OUT_OF_FOLD, ReportRows
from rosenblatt.tables.score_intervals import score_interval, score_of

__all__ = ["measured", "scores"]

Array = NDArray[Any]
KEYS = (
    *("where", "measured", "optimistic", "rows", "metric", "positive_class", "greater_is_better", "model", "interval"),
    *("interval_method", "guess", "guess_name", "linear", "others"),
)
"""Those of a score, each of which may be None."""


def scores(evidence: Evidence) -> list[dict[str, Any]]:
    """A dictionary for each metric and kind of row: those of the given rows, and those that `fit` measured."""
    model, rows = evidence.model, evidence.rows
    metrics = {metric.name: metric for metric in model.goal.reported}
    found = [] if rows is None else [scored(evidence, rows, metric) for metric in metrics.values()]
    if rows is None or rows.what == HELD_OUT:
        found += [of_fit(model, name, metrics.get(name)) for name in model.scores_]
    return found


def of_fit(model: Any, name: str, metric: Metric | None) -> dict[str, Any]:
    """What `fit` measured on rows that were held out from the networks; their targets are not kept."""
    own, guess = model.scores_[name]
    is_main = name == next(iter(model.scores_))
    found = dict.fromkeys(KEYS) | {"where": OUT_OF_FOLD, "measured": model.score_on_, "metric": name, "model": own}
    found |= {"optimistic": chooses_by_scored_rows(model), "guess": guess, "others": {}}
    if metric is not None:
        found |= {"greater_is_better": metric.greater_is_better, "positive_class": positive_class(model, metric)}
    return found | ({"guess_name": model.trivial_guess_} if is_main else {})


def positive_class(model: Any, metric: Metric) -> str | None:
    """The class that the metric is of, where it is of one of two."""
    one_of_two = metric is F1 and len(model.classes_) == 2
    return short_name(str(model.classes_[1])) if one_of_two else None


def scored(evidence: Evidence, rows: ReportRows, metric: Metric) -> dict[str, Any]:
    """A score of the given rows. For the guess see `Evidence.guess`."""
    model, truth = evidence.model, rows.truth
    own = evidence.decided(metric, rows.predictions)
    guess = evidence.guess(metric)
    found: dict[str, Any] = dict.fromkeys(KEYS) | {
        "where": rows.what,
        "optimistic": rows.what == OUT_OF_FOLD and chooses_by_scored_rows(model),
        "measured": model.score_on_ if rows.what == OUT_OF_FOLD else "on the rows that were given",
        "rows": len(rows),
        "metric": metric.name,
        "positive_class": positive_class(model, metric),
        "greater_is_better": metric.greater_is_better,
        "model": score_of(metric, truth, own, rows.weights),
    }
    if (interval := score_interval(metric, truth, own, rows.weights, rows.groups)) is not None:
        found |= {"interval": [interval.low, interval.high], "interval_method": interval.method}
    found["guess"] = score_of(metric, truth, np.tile(guess.values, (len(rows), 1)), rows.weights)
    found["guess_name"] = guess.name
    if evidence.linear is not None:
        found["linear"] = score_of(metric, truth, evidence.linear.predictions, rows.weights)
    others = {name: measured(evidence, metric, values) for name, values in evidence.others.items()}
    return found | {"others": {name: score for name, score in others.items() if score is not None}}


def measured(evidence: Evidence, metric: Metric, predictions: Array) -> float | None:
    """The score of another model; None where it gave labels and the metric needs probabilities."""
    rows = evidence.rows
    assert rows is not None
    if predictions.ndim == 1:
        if metric.needs_probabilities:
            return None
        predictions = np.eye(len(evidence.model.classes_))[predictions]
    return score_of(metric, rows.truth, predictions, rows.weights)
