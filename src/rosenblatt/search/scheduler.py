"""A running search: which candidate is trained for how long, and what is kept of it.

Takes the parameters of a search, and data. Returns the results of all candidates, in the journal. Never lets them
depend on the number of threads; with a time budget they depend on the machine.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

from sklearn.base import clone

from rosenblatt._checks import parse_duration
from rosenblatt.distributed.jobs import Jobs
from rosenblatt.search.data import SearchData
from rosenblatt.search.halving import MAX_REDUCTION, Bracket, Rung, brackets, promoted
from rosenblatt.search.journal import Journal, Result
from rosenblatt.search.progress_table import ProgressTable
from rosenblatt.search.samplers import OptunaSampler, Sampler
from rosenblatt.search.spaces import Space
from rosenblatt.search.trials import TrialOutcome
from rosenblatt.search.workers import TimeBudget, Workers
from rosenblatt.training.checkpoint import setting_text

__all__ = ["SearchScheduler"]

REFIT_RESERVE = 1.15
"""Time left for the refit, as a multiple of what it should take."""


class SearchScheduler:
    """A running search with the parameters of `search`, whose time budget `began` then, by `time.monotonic`."""

    def __init__(self, search: Any, estimator: Any, space: Space, data: SearchData, began: float, engine: Jobs) -> None:
        self.options, self.estimator, self.data = search, estimator, data
        self.max_epochs = int(search.max_epochs or estimator.planned_epochs)
        budget = search.time_budget
        end = math.inf if budget is None else began + parse_duration("time_budget", budget)
        first = min(self.max_epochs, search.min_epochs or max(1, self.max_epochs // MAX_REDUCTION))
        min_epochs = first if search.strategy == "halving" else self.max_epochs
        self.plan = brackets(search.n_trials, self.max_epochs, min_epochs, end < math.inf, search.ensemble)
        self.first = next(self.plan)
        self.journal = Journal(search.checkpoint, self._digest(space), len(data.folds))
        kind = OptunaSampler if search.strategy == "tpe" else Sampler
        self.sampler = kind(space, search.random_state, search.space is None)
        self.keeps_trained = data.makes_own_folds and engine.shares_memory
        """Whether the best candidates are kept, trained on all rows, instead of fitted again."""
        needs_refit = search.refit and not self.keeps_trained
        self.budget = TimeBudget(end, REFIT_RESERVE * self.max_epochs * data.refit_share if needs_refit else 0.0)
        self.workers = Workers(engine, data, self.budget, self.make)
        self.interrupted = False
        self.best: Result | None = None
        self.last: dict[int, Result] = {}
        """The last result of each candidate."""
        self.board = ProgressTable(search.verbose, began, end)

    def _digest(self, space: Space) -> str:
        """A hash of everything that the result depends on."""
        search, rungs = self.options, self.first.rungs
        known = {name: value for name, value in self.estimator.get_params(deep=False).items() if name != "client"}
        parameters = setting_text(dict(sorted(known.items())))
        said = [type(self.estimator).__name__, parameters, str(space), search.strategy, search.random_state]
        said += [setting_text(search.scoring), rungs if len(rungs) > 1 else rungs[-1].epochs]
        return self.data.digest(repr(said))

    def make(self, trial: int) -> Any:
        """The unfitted estimator of a candidate."""
        given = {**self.sampler.candidates[trial], "max_iter": self.max_epochs}
        made = clone(self.estimator).set_params(**given)
        if made.get_params(deep=False).get("random_state", 0) is None:
            made.set_params(random_state=self.options.random_state)
        return made

    def leaders(self) -> list[Result]:
        """The best results, as many as are averaged at the end."""
        known = [result for result in self.last.values() if result.scores]
        return sorted(known, key=lambda result: result.standing, reverse=True)[: self.options.ensemble]

    def search(self) -> None:
        """Train all brackets; after Ctrl-C, what was found is kept."""
        bracket: Bracket | None = self.first
        try:
            with self.board:
                while bracket is not None and not (self._is_over() or self._exhausted(bracket)):
                    self._train(bracket)
                    left_out = [t for t in bracket.trials if (t, 0) not in self.journal.found]
                    if left_out == bracket.trials:  # no time to begin another
                        self.interrupted = True
                        break
                    bracket = bracket.rest(left_out[0]) if left_out else next(self.plan, None)
        except KeyboardInterrupt:
            self.interrupted = self.workers.stopped = True
            if not self.journal.found:
                raise
        finally:
            self._close(self.workers.trainings)

    def _is_over(self) -> bool:
        """Whether the time is over, and something was found."""
        self.interrupted |= (over := bool(self.board.found) and self.budget.left() <= 0)
        return over

    def _exhausted(self, bracket: Bracket) -> bool:
        """Whether the space holds nothing new."""
        if not self.sampler.independent or bracket.first < self.first.rungs[0].count:
            return False
        self.sampler.draw_to(bracket.trials[-1])
        candidates = self.sampler.candidates
        known = {setting_text(candidate) for candidate in candidates[: bracket.first]}
        return all(setting_text(candidates[trial]) in known for trial in bracket.trials)

    def _train(self, bracket: Bracket) -> None:
        self.board.plan(bracket, len(self.data.folds))
        trials = bracket.trials
        for number, rung in enumerate(bracket.rungs):
            if number:
                last = [self.journal.found[t, number - 1] for t in trials if (t, number - 1) in self.journal.found]
                trials = promoted(last, rung, len(trials))
                self._close(set(self.workers.trainings) - set(trials))
            # Each rung costs about the same. Under a budget, none may take the time of the later ones.
            share = time.monotonic() + self.budget.left() / (len(bracket.rungs) - number)
            for wave in self.sampler.waves(trials):
                if self._is_over():
                    return
                self.sampler.draw_to(max(wave, default=-1))
                self._evaluate(wave, number, rung, share)
                known = [self.journal.found.get((trial, number)) for trial in wave]
                self.sampler.tell([result for result in known if result is not None])

    def _evaluate(self, trials: Sequence[int], number: int, rung: Rung, share: float) -> None:
        """Bring trials to an epoch, several at once; none begins after the rung's share of time."""
        journal, undrawn = self.journal, self.sampler.undrawn
        for trial in trials:
            if trial in undrawn and (trial, number) not in journal.found:
                journal.add(Result(trial, number, rung.epochs, [], undrawn[trial]))
            if (trial, number) in journal.found:
                self._note(journal.found[trial, number])
        n_folds = len(self.data.folds)
        found: dict[int, dict[int, TrialOutcome | None]] = {t: {} for t in trials if (t, number) not in journal.found}
        jobs = [(trial, k) for trial in found for k in range(n_folds)]
        with closing(self.workers.run(jobs, rung.epochs, share)) as outcomes:
            for trial, k, outcome in outcomes:
                found[trial][k] = outcome
                if len(found[trial]) == n_folds:
                    self._record(trial, number, rung.epochs, [found[trial][i] for i in range(n_folds)])

    def _record(self, trial: int, number: int, epochs: int, found: Sequence[TrialOutcome | None]) -> None:
        """Keep the result of a candidate on all folds."""
        known = [outcome for outcome in found if outcome is not None]
        complete = len(known) == len(found) and all(outcome.complete for outcome in known)
        if len(known) < len(found) or (not complete and self.data.makes_own_folds and trial in self.last):
            self.interrupted = True  # a training that restarts is worth nothing until it ends
            return
        error = next((outcome.error for outcome in known if outcome.error), "")
        self.interrupted |= not complete
        scores = [] if error else [outcome.score for outcome in known]
        result = Result(trial, number, epochs, scores, error, sum(outcome.seconds for outcome in known), complete)
        if not self.workers.stopped:
            self.journal.add(result)
        slowest = max(outcome.epoch_seconds for outcome in known)
        if slowest < math.inf:
            self.budget.epoch_seconds[trial] = slowest
        self._note(result)
        if error or number + 1 == len(self.first.rungs):
            self._close([trial])

    def _note(self, result: Result) -> None:
        trial, before = result.trial, self.leaders() if self.keeps_trained else []
        self.last[trial] = result
        if result.scores and (self.best is None or result.standing > self.best.standing):
            self.best, self.budget.best = result, trial
        fallen = {one.trial for one in before} - {trial}
        self._close(one for one in fallen if self.last[one].rung + 1 == len(self.first.rungs))
        self.board.add(result, self.sampler.candidates[trial])

    def _close(self, trials: Iterable[int]) -> None:
        """End and forget trainings, except those of the best candidates if these are kept."""
        kept = {result.trial for result in self.leaders()} if self.keeps_trained else set()
        for trial in [*trials]:
            if trial not in kept:
                self.workers.close(trial)
