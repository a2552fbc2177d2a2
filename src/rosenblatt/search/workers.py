"""Trainings of candidates, several at once: in threads of this process, on a Dask cluster, or by joblib's backend.

Takes the numbers of candidates and folds, and the epoch to reach. Returns outcomes as they come. Never decides which
candidates train.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from rosenblatt.distributed.choice import jobs_of
from rosenblatt.distributed.jobs import Jobs, Link, ThisThread, Threads, Work
from rosenblatt.search.data import SearchData
from rosenblatt.search.trials import RestartedTrial, ResumableTrial, TrialOutcome, run_trial

__all__ = ["TimeBudget", "Workers", "engine_of"]

TrialFolds = list[tuple[int, int]]
"""Numbers of candidates and of folds."""
Done = tuple[int, int, TrialOutcome | None]
"""A job, and its outcome; None if there was no time to begin."""
OPTIMISM = 0.5
"""The next candidate is assumed to take at least this share of the quickest candidate's time."""


class TimeBudget:
    """The time until `end`, by `time.monotonic`, less that of a refit, which takes `refit_epochs` epochs of a fold."""

    def __init__(self, end: float, refit_epochs: float) -> None:
        self.end, self.refit_epochs = end, refit_epochs
        self.epoch_seconds: dict[int, float] = {}
        """Seconds of an epoch, by candidate, in its slowest fold."""
        self.best: int | None = None
        """The best candidate so far."""

    def left(self) -> float:
        """Seconds until the refit has to begin."""
        if self.end == math.inf:
            return math.inf
        of_best = self.epoch_seconds.get(self.best, 0.0) if self.best is not None else 0.0
        epoch = of_best or max(self.epoch_seconds.values(), default=0.0)
        return self.end - time.monotonic() - self.refit_epochs * epoch

    def seconds_to_restart(self, trial: int, epochs: int) -> float:
        """The fewest seconds that a candidate takes if its training starts from scratch."""
        quickest = OPTIMISM * min(self.epoch_seconds.values(), default=0.0)
        return self.epoch_seconds.get(trial, quickest) * epochs


def engine_of(search: Any, data: SearchData) -> Jobs:
    """Where the candidates of a search are trained."""
    one_by_one = (search.n_jobs or (1 if data.makes_own_folds else 0)) == 1
    # In this thread, Ctrl-C also ends the preparation of a table.
    local = ThisThread() if one_by_one and data.makes_own_folds else Threads(search.n_jobs)
    return jobs_of(search.client, local, n_jobs=search.n_jobs, by_joblib=search.backend == "joblib")


class Workers:
    """The trainings of a search, paused between its stages; ``make(trial)`` is a candidate's unfitted estimator."""

    def __init__(self, engine: Jobs, data: SearchData, budget: TimeBudget, make: Callable[[int], Any]) -> None:
        self.engine, self.data, self.budget, self.make = engine, data, budget, make
        self.trainings: dict[int, list[ResumableTrial | RestartedTrial | None]] = {}
        self.started: set[tuple[int, int]] = set()
        """Candidates, and the epochs that they should reach."""
        self.stopped = False

    def run(self, jobs: TrialFolds, epochs: int, share: float) -> Generator[Done]:
        """Bring all jobs to an epoch; none begins after `share`, by `time.monotonic`."""
        work: Work
        items: Iterator[Any]
        if self.engine.shares_memory:
            work, items = self._advance, iter([(*job, epochs, share) for job in jobs])
        else:
            work, items = FoldTraining(self.data.for_others(), epochs), self._items(jobs, epochs, share)
        with self.engine.start(work, items, lambda number, message: None, timed=self.budget.end < math.inf) as running:
            try:
                while not running.over:
                    for done in running.wait():
                        yield (*jobs[done.number], done.result())
            except BaseException:
                self.stopped = True  # trainings end when they next check the time
                raise

    def close(self, trial: int) -> None:
        """End and forget a candidate's trainings."""
        for training in self.trainings.pop(trial, []):
            if training is not None:
                training.close()

    def _may_start(self, trial: int, epochs: int, share: float) -> bool:
        """Whether there is time, it is the first of all (so that there is a result), or another fold has started."""
        is_first = trial == 0 and self.budget.best is None
        needed = self.budget.seconds_to_restart(trial, epochs) if self.data.makes_own_folds else 0.0
        late = time.monotonic() > share and (trial, epochs) not in self.started
        if not is_first and (self.budget.left() <= needed or late):
            return False
        self.started.add((trial, epochs))
        return True

    def _advance(self, item: tuple[int, int, int, float], link: Link) -> TrialOutcome | None:
        trial, k, epochs, share = item
        if self.stopped or not self._may_start(trial, epochs, share):
            return None
        trainings = self.trainings.setdefault(trial, [None] * len(self.data.folds))
        try:
            training = trainings[k] = trainings[k] or self.data.training(self.make(trial), k)
        except Exception as error:
            return TrialOutcome(math.nan, True, f"{type(error).__name__}: {error}")
        return run_trial(training, epochs, lambda: -math.inf if self.stopped else self.budget.left())

    def _items(self, jobs: TrialFolds, epochs: int, share: float) -> Iterator[FoldItem | None]:
        """What jobs elsewhere are called with, as they begin; None for those for which there is no time."""
        for trial, k in jobs:
            if not self._may_start(trial, epochs, share):
                yield None
                continue
            yield FoldItem(k, self.make(trial), self.budget.left())


@dataclass(frozen=True)
class FoldItem:
    """A training elsewhere: fold, unfitted estimator, and the seconds that are left when it begins.

    It restarts at each stage: it cannot wait in a process that may serve another.
    """

    k: int
    estimator: Any
    seconds: float


@dataclass(frozen=True)
class FoldTraining:
    """The training on folds up to an epoch, to be called with items."""

    data: SearchData
    epochs: int

    def __call__(self, item: FoldItem | None, link: Link) -> TrialOutcome | None:
        """The outcome; None if there was no time to begin."""
        if item is None:
            return None
        end = time.monotonic() + item.seconds
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                training = self.data.training(item.estimator, item.k)
            except Exception as error:
                return TrialOutcome(math.nan, True, f"{type(error).__name__}: {error}")
            outcome = run_trial(
                training, self.epochs, lambda: -math.inf if link.cancelled() else end - time.monotonic()
            )
        training.close()
        return outcome
