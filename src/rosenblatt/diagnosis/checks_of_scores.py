"""Checks of how good a model is: beside a guess, a linear model, its own training rows, and between its networks.

Takes the evidence of a report. Yields a `Check` for what it finds. Never trains anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.diagnosis.chance import error_by_rows, fold_error, n_scored, optimism, rows_of_a_network
from rosenblatt.diagnosis.check_record import Check
from rosenblatt.estimators.tabular.predictions import predictions_of
from rosenblatt.metrics import AUC, Metric, is_better
from rosenblatt.tables.score_intervals import QUANTILE, difference_interval, score_interval, score_of

__all__ = ["below_out_of_fold", "no_better_than_the_guess", "overfitting", "underfitting", "uneven_members"]

Array = NDArray[Any]
MAX_GAP = 0.5
"""Of the guess's error, that a model may make more on held-out rows than on those that it learned."""
MAX_TRAINING_ROWS = 5000
CHANCE_ERRORS = 1.0
"""Standard errors by which a model must be better than a guess, to be said to be so."""
LATE_RISE, EARLY, MOST_MEMBERS = 0.25, 0.5, 2 / 3
"""By how much of its best value the held-out metric may rise to the end, after which share of the epochs the best one
is no early one, and the share of networks that must show it."""
MIN_HELD_OUT = 20
"""Rows of a fold, with fewer of which its metric says little."""
RISE_ERRORS = 3
"""In standard errors, the same: the best of many epochs is best by chance, too."""
MAX_SPREAD, MAX_ERRORS = 0.5, 8
"""Of the median, and in standard errors, that the networks' best held-out metrics may spread."""


def no_better_than_the_guess(evidence: Any) -> Iterator[Check]:
    """The model is worth no more than a constant, in `fit` or on the rows that were given."""
    model, rows = evidence.model, evidence.rows
    remedy = (
        "Do not use it as it is. Look whether the columns can tell anything of the target, and whether the metric is "
        "the one that matters; with few positives try metric='auc' or 'balanced_error'."
    )
    name, (own, guess) = next(iter(model.scores_.items()))
    if not model.beats_guess_:
        where = f"{model.score_on_}: {name} {own:.4g}, {model.trivial_guess_} has {guess:.4g}"
        found = f"The model is no better than a constant {where}."
        yield Check("no-better-than-the-guess", "warning", found, remedy)
    elif rows is not None and len(rows) > 1 and not any(speaks_for(evidence, one) for one in quick_first(model)):
        metric = model.goal.reported[0]
        own, guess = main_score(evidence, rows.predictions), guess_score(evidence, metric)
        found = f"{metric.name} is {own:.4g} {rows.what}, and that of a constant {guess:.4g}"
        if is_better(own, guess, greater=metric.greater_is_better):
            remedy = f"More rows would show whether it is better. {remedy}"
            found += ": a difference that may be chance"
            found += ", as these rows also chose the epochs" if rows.what == "out of fold" else ""
        yield Check("no-better-than-the-guess", "warning", f"{found}.", remedy)


def quick_first(model: Any) -> list[Metric]:
    """The metrics of the fit; the area under the curve, which takes longest, is the last."""
    return sorted(model.goal.reported, key=lambda metric: metric is AUC)


def speaks_for(evidence: Any, metric: Metric) -> bool:
    """Whether the model is better than the guess by this metric, and by more than chance."""
    rows = evidence.rows
    constant = np.tile(evidence.guess(metric).values, (len(rows), 1))
    own = evidence.decided(metric, rows.predictions)
    gain = difference_interval(metric, evidence.truth, own, constant, rows.weights, rows.groups)
    scores = [score_of(metric, evidence.truth, found, rows.weights) for found in (own, constant)]
    if gain is None:
        return is_better(*scores, greater=metric.greater_is_better)
    by_rows = error_by_rows(gain, len(rows))
    chance = CHANCE_ERRORS * by_rows / math.sqrt(len(rows))
    if rows.what == "out of fold":
        chance += optimism(evidence.model, by_rows)
    return is_better(*scores, greater=metric.greater_is_better, margin=chance)


def underfitting(evidence: Any) -> Iterator[Check]:
    """A linear model is clearly better for the same rows."""
    rows, linear = evidence.rows, evidence.linear
    if linear is None:
        return
    metric = evidence.model.goal.reported[0]
    given = metric, evidence.truth, evidence.decided(metric, rows.predictions), linear.predictions
    gain = difference_interval(*given, rows.weights, rows.groups)
    if gain is None or gain.high >= 0:
        return
    own, other = main_score(evidence, rows.predictions), score_of(metric, given[1], linear.predictions, rows.weights)
    yield Check(
        "underfitting",
        "warning",
        f"A linear model ({linear.name}) is clearly better: {metric.name} {other:.4g}, beside {own:.4g} {rows.what}.",
        "Train longer or more networks: preset='best', a larger max_iter, no time_budget. If it stays so, use the "
        "linear model.",
    )


def overfitting(evidence: Any) -> Iterator[Check]:
    """Training rows are predicted much better than others, or the held-out metric rises while training goes on."""
    remedy = (
        "More rows help most. Else restrain the networks: a larger dropout or weight_decay, fewer or smaller hidden "
        "layers (hidden_layer_sizes), and fewer columns: leave out those that matter little."
    )
    if (found := gap(evidence)) is not None:
        own, held_out = found
        text = f"The error, as a share of a constant's, is {own:.2f} on training rows but {held_out:.2f} on others."
        yield Check("overfitting", "warning", text, remedy)
    elif n_rising := rising_members(evidence.model):
        n = len(evidence.model.ensemble_.members)
        text = (
            f"In {n_rising} of {n} networks the held-out metric was best in the first half of the epochs, and then "
            f"rose by more than {LATE_RISE:.0%}. The best epochs were kept."
        )
        yield Check("overfitting", "note", text, remedy)


def gap(evidence: Any) -> tuple[float, float] | None:
    """Errors of training and scored rows as shares of the guess's, if they are far apart; None without both."""
    model, rows, training = evidence.model, evidence.rows, evidence.training
    if rows is None or training is None or not training.are_training:
        return None
    metric = model.goal.reported[0]
    n_rows = training.table.n_rows
    places = np.arange(0, n_rows, -(-n_rows // MAX_TRAINING_ROWS))
    prepared = model.preparation_.transform(training.table.take(places))
    found = predictions_of(model, model.ensemble_.predict(prepared))
    truth, weights = training.target.take(places).values, training.weights
    weights = None if weights is None else weights[places]
    known = score_of(metric, truth, evidence.decided(metric, found), weights)
    own, guess = main_score(evidence, rows.predictions), guess_score(evidence, metric)
    errors = [error_of(metric, score) for score in (known, own, guess)]
    if not np.isfinite(errors).all() or errors[2] <= 0:
        return None
    low, high = errors[0] / errors[2], errors[1] / errors[2]
    return (low, high) if high - low > MAX_GAP else None


def rising_members(model: Any) -> int:
    """How many networks were best early and much worse in the end; 0 if that is not so for most of them."""
    found = 0
    for member in model.ensemble_.members:
        metrics = np.array([metric for _, metric in member.curve])
        best, last, n = metrics[member.best_epoch - 1], metrics[-1], len(metrics)
        noise = RISE_ERRORS * fold_error(model, best)
        rises = last - best > max(LATE_RISE * abs(best), noise)
        found += bool(n > 1 and rises and member.best_epoch <= EARLY * n)
    return found if found >= MOST_MEMBERS * len(model.ensemble_.members) else 0


def uneven_members(evidence: Any) -> Iterator[Check]:
    """The networks' held-out rows are predicted with very different success."""
    model = evidence.model
    best = [member.curve[member.best_epoch - 1][1] for member in model.ensemble_.members]
    if len(best) < 2 or not np.isfinite(best).all() or rows_of_a_network(model) < MIN_HELD_OUT:
        return
    middle, spread = float(np.median(best)), max(best) - min(best)
    chance = MAX_ERRORS * fold_error(model, middle)
    if spread > max(MAX_SPREAD * abs(middle), chance) and spread > 0:
        yield Check(
            "uneven-networks",
            "note",
            f"The networks' best held-out metrics reach from {min(best):.4g} to {max(best):.4g}: folds differ much.",
            "The score depends on which rows are held out. If rows belong together, say groups=; if they follow each "
            "other, say time=. More rows, or more members, make the score steadier.",
        )


def below_out_of_fold(evidence: Any) -> Iterator[Check]:
    """Later rows are predicted clearly worse than training promised."""
    model, rows = evidence.model, evidence.rows
    if rows is None or rows.what != "held out":
        return
    metric = model.goal.reported[0]
    promised = model.scores_.get(metric.name, (math.nan, 0.0))[0]
    own = main_score(evidence, rows.predictions)
    given = metric, evidence.truth, evidence.decided(metric, rows.predictions), rows.weights, rows.groups
    if (interval := score_interval(*given)) is None:
        return
    by_rows = error_by_rows(interval, len(rows))
    margin = QUANTILE * by_rows * math.sqrt(1 / len(rows) + 1 / n_scored(model)) + optimism(model, by_rows)
    if is_better(promised, own, greater=metric.greater_is_better, margin=margin):
        yield Check(
            "below-out-of-fold",
            "warning",
            f"{metric.name} is {own:.4g} on the rows that were given, but was {promised:.4g} {model.score_on_}: more "
            "than chance and the choice of the epochs explain.",
            "These rows are unlike the training rows, or training rows knew of each other: look at model.drift(X), and "
            "train with groups= or time= if rows belong together or follow each other.",
        )


def main_score(evidence: Any, predictions: Array) -> float:
    """The score of the given rows by the first metric of the fit."""
    metric, rows = evidence.model.goal.reported[0], evidence.rows
    return score_of(metric, evidence.truth, evidence.decided(metric, predictions), rows.weights)


def guess_score(evidence: Any, metric: Metric) -> float:
    """The score of the trivial guess for the given rows."""
    rows = evidence.rows
    return score_of(metric, evidence.truth, np.tile(evidence.guess(metric).values, (len(rows), 1)), rows.weights)


def error_of(metric: Metric, score: float) -> float:
    """A score as an error, which is 0 at best."""
    return 1 - score if metric.greater_is_better else score
