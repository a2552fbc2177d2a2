"""The best candidate fitted on all rows, averaged with the next best ones if that is better.

Takes a finished search and the data. Returns a fitted estimator. Never tries another candidate.
"""

from __future__ import annotations

import math
import time
from copy import copy
from typing import Any

from rosenblatt.search.scheduler import SearchScheduler
from rosenblatt.search.trials import Fold, ResumableTrial

__all__ = ["refit_best"]


def refit_best(run: SearchScheduler, X: Any, y: Any, sample_weight: Any) -> Any:
    """The best estimator, fitted on all rows, or for as long as the time budget allows."""
    assert run.best is not None
    if run.data.makes_own_folds:
        return average_leaders(run)
    best, end = run.make(run.best.trial), run.budget.end
    if end == math.inf:
        return best.fit(X, y, sample_weight)
    training = ResumableTrial(best, Fold(X, y, sample_weight), None)
    _, complete = training.advance(run.max_epochs, lambda: end - time.monotonic())
    run.interrupted |= not complete
    training.close()
    return best


def average_leaders(run: SearchScheduler) -> Any:
    """The best estimator, averaged with those of the next ones that improve it.

    These came as far as the best, their columns and outputs mean the same, and there is time for them. Ctrl-C, now or
    earlier in the search, leaves the rest of them out.
    """
    first, *others = run.leaders()
    best, candidates = fitted(run, first.trial), run.sampler.candidates
    try:
        for other in others:
            one, two = candidates[first.trial], candidates[other.trial]
            alike = all(one.get(name) == two.get(name) for name in run.estimator.shared_parameters)
            has_time = other.trial in run.workers.trainings or run.budget.end == math.inf
            if alike and has_time and other.standing[:2] == first.standing[:2] and not run.workers.stopped:
                both = copy(best)
                both.average_with([fitted(run, other.trial)], run.data.target_values(), run.data.weights())
                best = both if both.score_ > best.score_ else best
    except KeyboardInterrupt:
        run.interrupted = run.workers.stopped = True
    return best


def fitted(run: SearchScheduler, trial: int) -> Any:
    """A candidate's estimator, either kept from the search or trained again, unless there is no time for that."""
    end = run.budget.end
    kept: list[Any] = run.workers.trainings.pop(trial, [])
    ends_now = end < math.inf or run.workers.stopped
    if kept and (ends_now or kept[0].estimator.planned_epochs == run.max_epochs):
        return kept[0].estimator
    made = run.make(trial)
    if end < math.inf:
        made.set_params(time_budget=max(0.1, end - time.monotonic()))
    own, made.client = made.client, made.client if run.options.client is None else run.options.client
    run.data.own_folds(made).fit(run.data.X, run.data.y, run.data.sample_weight, **run.data.roles)
    made.client = own
    return made
