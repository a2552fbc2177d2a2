"""``rosenblatt evaluate``: the scores of a stored model on a table with the target.

Takes a model file and a table. Returns nothing: it shows scores beside those of the best guess without a model. Never
changes the model.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rosenblatt import metrics
from rosenblatt.cli.display import Display
from rosenblatt.cli.models import load_tabular, with_threshold
from rosenblatt.cli.results import score_data, target_data
from rosenblatt.cli.scored import ScoredRows, of_model
from rosenblatt.metrics import Metric
from rosenblatt.tables.evaluation import CLASS_SCORES, NUMBER_SCORES, Evaluation
from rosenblatt.tables.evaluation import evaluate as compare

__all__ = ["evaluate"]

MORE_CLASS_SCORES = (*CLASS_SCORES, metrics.BALANCED_ACCURACY, metrics.F1, metrics.AUC)


def evaluate(given: Any, display: Display) -> None:
    """Load, read, predict, score, show."""
    model = with_threshold(load_tabular(given.model), given.threshold)
    rows = of_model(model, given.file, given.encoding, given.weight)
    display.data |= {"command": "evaluate", "model": str(given.model)}
    display.table(rows.file, rows.inputs.n_rows, len(rows.inputs.columns) + 1)
    display.target(target_data(rows.target))
    with display.warnings():
        found = scores_of(model, rows)
    display.scores(score_data(found, getattr(model, "classes_", None), "rows"))
    display.complete()


def scores_of(model: Any, rows: ScoredRows) -> Evaluation:
    """All scores that fit the model, first its own; the guess is the best constant for these rows."""
    goal, target, is_class = model.goal, rows.target, rows.target.classes is not None
    predictions = np.asarray((model.predict_proba if is_class else model.predict)(rows.inputs))
    weights = {"training_weights": rows.weights, "weights": rows.weights}
    if is_class:
        chosen = distinct(goal.score, *MORE_CLASS_SCORES)
        return compare(target, target, predictions, chosen, decision_weights=model.decision_weights_, **weights)
    others = NUMBER_SCORES if isinstance(goal.center, str) else ()
    chosen = distinct(goal.score, *others, goal.metric)
    return compare(target, target, predictions, chosen, center=goal.center, **weights)


def distinct(*chosen: Metric) -> tuple[Metric, ...]:
    """Each metric once, in the order in which it comes first."""
    return tuple({metric.name: metric for metric in chosen}.values())
