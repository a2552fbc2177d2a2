"""Trainings of candidates, several at once: in threads of this process, or by joblib's backend.

Takes the numbers of candidates and folds, and the epoch to reach. Returns outcomes as they come. Never decides which
candidates train.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any

import joblib  # type: ignore[import-untyped]

from rosenblatt.search.data import SearchData
from rosenblatt.search.trials import RestartedTrial, ResumableTrial, TrialOutcome, run_trial
from rosenblatt.threads import get_num_threads

__all__ = ["TimeBudget", "Workers"]

Jobs = list[tuple[int, int]]
"""Numbers of candidates and of folds."""
Done = tuple[int, int, TrialOutcome | None]
"""A job, and its outcome; None if there was no time to begin."""
POLL_SECONDS = 0.2
"""Time between checks for signals: a Ctrl-C during a wait is only noticed at its end."""
QUEUE_DEPTH = 8
"""Trainings per thread that are queued before their results are read."""
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


class Workers:
    """The trainings of a search, paused between its stages; ``make(trial)`` is a candidate's unfitted estimator."""

    def __init__(self, search: Any, data: SearchData, budget: TimeBudget, make: Callable[[int], Any]) -> None:
        self.options, self.data, self.budget, self.make = search, data, budget, make
        self.trainings: dict[int, list[ResumableTrial | RestartedTrial | None]] = {}
        self.started: set[tuple[int, int]] = set()
        """Candidates, and the epochs that they should reach."""
        self.stopped = False

    def run(self, jobs: Jobs, epochs: int, share: float) -> Generator[Done]:
        """Bring all jobs to an epoch; none begins after `share`, by `time.monotonic`."""
        return (self._with_joblib if self.options.backend == "joblib" else self._in_threads)(jobs, epochs, share)

    def close(self, trial: int) -> None:
        """End and forget a candidate's trainings."""
        for training in self.trainings.pop(trial, []):
            if training is not None:
                training.close()

    def _in_threads(self, jobs: Jobs, epochs: int, share: float) -> Generator[Done]:
        n_jobs = self.options.n_jobs or (1 if self.data.makes_own_folds else get_num_threads())
        if n_jobs == 1 and self.data.makes_own_folds:  # in this thread, where Ctrl-C also ends a preparation
            for trial, k in jobs:
                yield trial, k, self._advance(trial, k, epochs, share)
            return
        waiting = iter(jobs)
        running: dict[Future[TrialOutcome | None], tuple[int, int]] = {}
        with ThreadPoolExecutor(n_jobs) as pool:
            try:
                while True:
                    for trial, k in islice(waiting, QUEUE_DEPTH * n_jobs - len(running)):
                        running[pool.submit(self._advance, trial, k, epochs, share)] = trial, k
                    if not running:
                        return
                    for future in wait(running, POLL_SECONDS, return_when=FIRST_COMPLETED).done:
                        yield (*running.pop(future), future.result())
            except BaseException:
                self.stopped = True  # trainings end when they next check the time
                pool.shutdown(cancel_futures=True)
                raise

    def _may_start(self, trial: int, epochs: int, share: float) -> bool:
        """Whether there is time, it is the first of all (so that there is a result), or another fold has started."""
        is_first = trial == 0 and self.budget.best is None
        needed = self.budget.seconds_to_restart(trial, epochs) if self.data.makes_own_folds else 0.0
        late = time.monotonic() > share and (trial, epochs) not in self.started
        if not is_first and (self.budget.left() <= needed or late):
            return False
        self.started.add((trial, epochs))
        return True

    def _advance(self, trial: int, k: int, epochs: int, share: float) -> TrialOutcome | None:
        if self.stopped or not self._may_start(trial, epochs, share):
            return None
        trainings = self.trainings.setdefault(trial, [None] * len(self.data.folds))
        try:
            training = trainings[k] = trainings[k] or self.data.training(self.make(trial), k)
        except Exception as error:
            return TrialOutcome(math.nan, True, f"{type(error).__name__}: {error}")
        return run_trial(training, epochs, lambda: -math.inf if self.stopped else self.budget.left())

    def _with_joblib(self, jobs: Jobs, epochs: int, share: float) -> Generator[Done]:
        """Outcomes of trainings that restart at each stage: they cannot wait in a process that may serve another."""
        parallel = joblib.Parallel(n_jobs=self.options.n_jobs, return_as="generator_unordered")
        ends = None if self.budget.end == math.inf else time.time() + max(0.0, self.budget.left())
        tasks = (
            joblib.delayed(train_alone)(trial, k, self.data.training(self.make(trial), k), epochs, ends)
            for trial, k in jobs
            if self._may_start(trial, epochs, share)
        )
        missing = set(jobs)
        for trial, k, outcome in parallel(tasks):
            missing.discard((trial, k))
            yield trial, k, outcome
        for trial, k in missing:
            yield trial, k, None


def train_alone(trial: int, k: int, training: ResumableTrial | RestartedTrial, epochs: int, ends: float | None) -> Done:
    """Train on a fold, perhaps in another process, until the time `ends`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcome = run_trial(training, epochs, lambda: math.inf if ends is None else ends - time.time())
    training.close()
    return trial, k, outcome
