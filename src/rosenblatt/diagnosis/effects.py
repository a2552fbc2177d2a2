"""What each remedy does to the score: trials on the splits of the diagnosis, then a confirmation on fresh ones.

Takes a state, trials and their runs. Returns remedies in the order of their measured gains. Never names a state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier

from .measures import corrected_se, is_certain
from .remedies import STATES, Rule
from .report import Effect, Remedy
from .runs import Run
from .trials import GIVEN, Changes, Trial, Trials

__all__ = ["measured_remedies"]

Array = npt.NDArray[Any]
Runs = Mapping[str, Sequence[Run]]
MAX_CONFIRMED = 3
"""Remedies that are trained again on fresh splits: those with the largest gains in the first trials."""


@dataclass(frozen=True)
class Tried:
    """A remedy at its best strength, and what it did."""

    rule: Rule
    changes: Changes
    effect: Effect


def measured_remedies(state: str, trials: Trials, runs: Runs, fresh: Trials) -> tuple[Remedy, ...]:
    """The remedies for a state: first those that certainly raise the score, then the other ones, then the untried.

    The best of many measured gains is too large by chance. So the best remedies are trained again, with other initial
    weights and on other folds, and what is said of them is measured there.
    """
    rules = STATES[state]
    tried = [found for rule in rules if (found := best_strength(rule, trials, runs))]
    tried.sort(key=lambda t: -t.effect.gain)
    chosen = [t for t in tried if t.effect.gain > 0 and np.isfinite(t.effect.gain_se)][:MAX_CONFIRMED]
    measured = confirmed(chosen, fresh) if chosen else []
    measured.sort(key=lambda t: (not t.effect.certain, -t.effect.gain))
    others = [replace(t, effect=replace(t.effect, certain=False)) for t in tried if t not in chosen]
    done = [Remedy(t.rule.name, t.rule.advice, t.changes, t.effect) for t in measured + others]
    return (*done, *(Remedy(rule.name, rule.advice, None, None) for rule in rules if rule.candidates is None))


def best_strength(rule: Rule, trials: Trials, runs: Runs) -> Tried | None:
    """The strength of a remedy that raises the score most; None if the model has no room for it."""
    outcomes = []
    for name, changes in rule.strengths(trials.model, trials.batch_size).items():
        if found := runs.get(name) or attempted(trials, name, changes):
            outcomes.append(Tried(rule, changes, effect_of(runs[GIVEN], found, trials)))
    # Strengths that were no better in the first split were not tried in the others.
    return max(outcomes, key=lambda t: (np.isfinite(t.effect.gain_se), t.effect.gain), default=None)


def attempted(trials: Trials, name: str, changes: Changes) -> Sequence[Run]:
    """The runs with these changes; none if the rows do not allow them, as early stopping with a class of one row."""
    try:
        return trials.run({name: Trial(changes)})[name]
    except ValueError:
        return []


def confirmed(chosen: Sequence[Tried], fresh: Trials) -> list[Tried]:
    """The same remedies with what they do on fresh splits."""
    names = [str(i) for i in range(len(chosen))]
    named = {GIVEN: Trial({})} | {name: Trial(t.changes) for name, t in zip(names, chosen, strict=True)}
    runs = fresh.run(named)
    effects = [effect_of(runs[GIVEN], runs[name], fresh) for name in names]
    return [Tried(t.rule, t.changes, effect) for t, effect in zip(chosen, effects, strict=True)]


def effect_of(given: Sequence[Run], other: Sequence[Run], trials: Trials) -> Effect:
    """What the changes do to the validation score, split by split."""
    before, after = (np.array([r.score for r in runs]) for runs in ([given[r.split] for r in other], other))
    gains, classes = after - before, is_classifier(trials.model)
    se = corrected_se(gains, float(np.mean([len(b) / len(a) for a, b in trials.splits])))
    if classes:  # k more rows that are right have a standard error of sqrt(k) rows or more, though splits agree
        n_rows = len(np.unique(np.concatenate([held_out for _, held_out in trials.splits])))
        se = max(se, float(np.sqrt(abs(gains.mean()) / n_rows)))
    scores = float(before.mean()), float(after.mean())
    return Effect("accuracy" if classes else "R2", *scores, se, is_certain(gains, se))
