"""A search under way: which candidate is trained how far, and what is kept of it.

Goes in: the parameters of a search, data. Comes out: results of all candidates, in the journal. They do not depend on
the number of threads; with a time budget they depend on the machine.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from copy import copy
from itertools import islice
from typing import Any

import joblib  # type: ignore[import-untyped]
from sklearn.base import clone

from rosenblatt.search.data import SearchData
from rosenblatt.search.halving import SHORTEST, Bracket, Rung, brackets, promoted
from rosenblatt.search.journal import Journal, Result
from rosenblatt.search.progress_table import ProgressTable
from rosenblatt.search.samplers import Sampler, proposals_of
from rosenblatt.search.spaces import Space
from rosenblatt.search.trials import Outcome, RestartedTrial, ResumableTrial, run_trial
from rosenblatt.threads import get_num_threads
from rosenblatt.training.checkpoint import setting_text

__all__ = ["SearchScheduler"]

Done = tuple[int, int, Outcome | None]
LOOK = 0.2
"""Seconds between looks for signals: a Ctrl-C that comes as waiting begins is seen at its end."""
AHEAD = 8
"""Trainings for each thread that are handed over before their results are looked at."""
LIKELY = 0.5
"""Of the quickest candidate's time: less than that the next one hardly takes."""
ALIKE = ("kinds", "ordered", "loss", "quantiles", "metric")
"""Parameters that tabular estimators have in common whose networks are averaged: columns and outputs mean the same."""
REFIT_RESERVE = 1.15
"""Times what the refit should take, left for it."""


class SearchScheduler:
    """One search under way.

    Parameters
    ----------
    search : MLPSearchCV
        Its parameters.
    estimator : estimator
    space : Space
    data : SearchData
    began : float
        Conditional the time budget began, by `time.monotonic`.
    """

    def __init__(self, search: Any, estimator: Any, space: Space, data: SearchData, began: float) -> None:
        self.options, self.estimator, self.data, self.began = search, estimator, data, began
        self.resource = "epochs" if data.tabular else "max_iter"
        own = estimator.settings.epochs if data.tabular else estimator.max_iter
        self.max_epochs = int(search.max_epochs or own)
        self.end = math.inf if search.time_budget is None else began + search.time_budget
        first = min(self.max_epochs, search.min_epochs or max(1, self.max_epochs // SHORTEST))
        min_epochs = first if search.strategy == "halving" else self.max_epochs
        self.plan = brackets(
            search.n_trials, self.max_epochs, min_epochs, search.time_budget is not None, search.ensemble
        )
        self.first = next(self.plan)
        self.journal = Journal(search.checkpoint, self._digest(space))
        self.proposals: Sampler = proposals_of(search.strategy, space, search.random_state, search.space is None)
        self.candidates: list[dict[str, Any]] = []
        self.undrawn: dict[int, str] = {}
        self.trainings: dict[int, list[ResumableTrial | RestartedTrial]] = {}
        self.begun: set[tuple[int, int]] = set()
        """Candidates, and the epochs that they were to reach."""
        self.interrupted = self.stopped = False
        self.pace: dict[int, float] = {}
        """Seconds of an epoch of each candidate's slowest fold."""
        self.best: Result | None = None
        self.last: dict[int, Result] = {}
        """Of each candidate."""
        self.board = ProgressTable(search.verbose, began, self.end)

    def _digest(self, space: Space) -> str:
        """Of everything that the result depends on."""
        search, rungs = self.options, self.first.rungs
        parameters = setting_text(dict(sorted(self.estimator.get_params(deep=False).items())))
        said = [type(self.estimator).__name__, parameters, str(space), search.strategy, search.random_state]
        said += [setting_text(search.scoring), rungs if len(rungs) > 1 else rungs[-1].epochs]
        return self.data.digest(repr(said))

    def left(self) -> float:
        """Seconds until the refit has to begin."""
        if self.end == math.inf:
            return math.inf
        refit = 0.0
        kept = self.keeps_trained
        if self.options.refit and not kept and self.pace:
            of_best = self.pace.get(self.best.trial, 0.0) if self.best else 0.0
            refit = REFIT_RESERVE * (of_best or max(self.pace.values())) * self.max_epochs * self.data.refit_share
        return self.end - time.monotonic() - refit

    @property
    def keeps_trained(self) -> bool:
        """Whether the best are kept as they were trained: on all rows, here."""
        return bool(self.data.tabular and self.options.backend == "threads")

    def leaders(self) -> list[Result]:
        """The best results, as many as are averaged at the end."""
        known = [result for result in self.last.values() if result.scores]
        return sorted(known, key=standing, reverse=True)[: self.options.ensemble]

    def search(self) -> None:
        """All brackets; Ctrl-C ends them with what was found."""
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
            self.interrupted = self.stopped = True
            if not self.journal.found:
                raise
        finally:
            for trial in list(self.trainings):
                self._close(trial, spare_leaders=True)

    def _is_over(self) -> bool:
        """Whether time is, and something was found."""
        self.interrupted |= (over := bool(self.board.found) and self.left() <= 0)
        return over

    def _exhausted(self, bracket: Bracket) -> bool:
        """Whether the space holds nothing that was not tried before."""
        if not self.proposals.independent or bracket.first < self.first.rungs[0].count:
            return False
        self._draw(bracket.trials[-1])
        known = {setting_text(candidate) for candidate in self.candidates[: bracket.first]}
        return all(setting_text(self.candidates[trial]) in known for trial in bracket.trials)

    def _train(self, bracket: Bracket) -> None:
        self.board.plan(bracket, len(self.data.folds))
        trials = bracket.trials
        for number, rung in enumerate(bracket.rungs):
            if number:
                last = [self.journal.found[t, number - 1] for t in trials if (t, number - 1) in self.journal.found]
                trials = promoted(last, rung, len(trials))
                for trial in set(self.trainings) - set(trials):
                    self._close(trial, spare_leaders=True)
            # Each rung costs about the same: under a budget none may take the time of those to come.
            share = time.monotonic() + self.left() / (len(bracket.rungs) - number)
            for wave in self.proposals.waves(trials):
                if self._is_over():
                    return
                self._draw(max(wave, default=-1))
                self._evaluate(wave, number, rung, share)
                known = [self.journal.found.get((trial, number)) for trial in wave]
                self.proposals.tell([result for result in known if result is not None])

    def _draw(self, trial: int) -> None:
        while len(self.candidates) <= trial:
            number = len(self.candidates)
            try:
                self.candidates.append(self.proposals.candidate(number))
            except Exception as error:  # of what the user's space calls
                self.undrawn[number] = f"{type(error).__name__}: {error}"
                self.candidates.append({})

    def _evaluate(self, trials: Sequence[int], number: int, rung: Rung, share: float) -> None:
        """Bring trials to an epoch, several at once; none begins after the rung's share of time."""
        for trial in trials:
            if trial in self.undrawn and (trial, number) not in self.journal.found:
                self.journal.add(Result(trial, number, rung.epochs, [], self.undrawn[trial]))
            if (trial, number) in self.journal.found:
                self._note(self.journal.found[trial, number], trial)
        todo = [trial for trial in trials if (trial, number) not in self.journal.found]
        jobs = [(trial, k) for trial in todo for k in range(len(self.data.folds))]
        found: dict[int, dict[int, Outcome | None]] = {trial: {} for trial in todo}
        run = self._elsewhere if self.options.backend == "joblib" else self._in_threads
        n_folds = len(self.data.folds)
        with closing(run(jobs, rung.epochs, share)) as outcomes:
            for trial, k, outcome in outcomes:
                found[trial][k] = outcome
                if len(found[trial]) == n_folds:
                    self._record(trial, number, rung.epochs, [found[trial][i] for i in range(n_folds)])

    def _in_threads(self, jobs: list[tuple[int, int]], epochs: int, share: float) -> Generator[Done]:
        n_jobs = self.options.n_jobs or (1 if self.data.tabular else get_num_threads())
        waiting = iter(jobs)
        running: dict[Future[Outcome | None], tuple[int, int]] = {}
        with ThreadPoolExecutor(n_jobs) as pool:
            try:
                while True:
                    for trial, k in islice(waiting, AHEAD * n_jobs - len(running)):
                        running[pool.submit(self._advance, trial, k, epochs, share)] = trial, k
                    if not running:
                        return
                    for future in wait(running, LOOK, return_when=FIRST_COMPLETED).done:
                        yield (*running.pop(future), future.result())
            except BaseException:
                self.stopped = True  # trainings end at their next look at the time
                pool.shutdown(cancel_futures=True)
                raise

    def _may_begin(self, trial: int, epochs: int, share: float) -> bool:
        """Within time, or the first of all, so that there is a result, or one whose other folds have begun."""
        first = trial == 0 and self.best is None
        # What begins anew can be done in time, or is not worth while.
        quickest = LIKELY * min(self.pace.values(), default=0.0)
        anew = self.pace.get(trial, quickest) * epochs if self.data.tabular else 0.0
        if not first and (self.left() <= anew or (time.monotonic() > share and (trial, epochs) not in self.begun)):
            return False
        self.begun.add((trial, epochs))
        return True

    def _advance(self, trial: int, k: int, epochs: int, share: float) -> Outcome | None:
        """One fold; None if there was no time to begin."""
        if self.stopped or not self._may_begin(trial, epochs, share):
            return None
        try:
            trainings = self.trainings.setdefault(trial, [None] * len(self.data.folds))  # type: ignore[list-item]
            if trainings[k] is None:
                trainings[k] = self.data.training(self._made(trial), k)
        except Exception as error:
            return Outcome(math.nan, True, f"{type(error).__name__}: {error}")
        return run_trial(trainings[k], epochs, lambda: -1.0 if self.stopped else self.left())

    def _elsewhere(self, jobs: list[tuple[int, int]], epochs: int, share: float) -> Generator[Done]:
        """By joblib's backend; trainings begin anew, as they cannot wait in a process that may be any."""
        parallel = joblib.Parallel(n_jobs=self.options.n_jobs, return_as="generator_unordered")
        ends = None if self.end == math.inf else time.time() + max(0.0, self.left())
        tasks = (
            joblib.delayed(train_alone)(trial, k, self.data.training(self._made(trial), k), epochs, ends)
            for trial, k in jobs
            if self._may_begin(trial, epochs, share)
        )
        missing = set(jobs)
        for trial, k, outcome in parallel(tasks):
            missing.discard((trial, k))
            yield trial, k, outcome
        for trial, k in missing:
            yield trial, k, None

    def _made(self, trial: int) -> Any:
        """The unfitted estimator of a candidate."""
        made = clone(self.estimator).set_params(**self.candidates[trial], **{self.resource: self.max_epochs})
        if made.get_params(deep=False).get("random_state", 0) is None:
            made.set_params(random_state=self.options.random_state)
        return made

    def _record(self, trial: int, number: int, epochs: int, found: Sequence[Outcome | None]) -> None:
        """Keep the result of all folds."""
        known = [outcome for outcome in found if outcome is not None]
        complete = len(known) == len(found) and all(outcome.complete for outcome in known)
        if len(known) < len(found) or (not complete and self.data.tabular and trial in self.last):
            self.interrupted = True  # a tabular training that begins anew is worth nothing before its end
            return
        error = next((outcome.error for outcome in known if outcome.error), "")
        self.interrupted |= not complete
        scores = [] if error else [outcome.score for outcome in known]
        result = Result(trial, number, epochs, scores, error, sum(outcome.seconds for outcome in known), complete)
        if not self.stopped:
            self.journal.add(result)
        pace = max(outcome.epoch_seconds for outcome in known)
        if pace < math.inf:
            self.pace[trial] = pace
        self._note(result, trial)
        if error or number + 1 == len(self.first.rungs):
            self._close(trial, spare_leaders=True)

    def _note(self, result: Result, trial: int) -> None:
        before = self.leaders() if self.keeps_trained else []
        self.last[trial] = result
        if result.scores and (self.best is None or standing(result) > standing(self.best)):
            self.best = result
        for fallen in {one.trial for one in before} - {one.trial for one in self.leaders()} - {trial}:
            if self.last[fallen].rung + 1 == len(self.first.rungs):
                self._close(fallen)
        self.board.add(result, self.candidates[trial])

    def _close(self, trial: int, spare_leaders: bool = False) -> None:
        """Let a candidate's trainings go; the best tabular estimators serve as those that would be fitted again."""
        if spare_leaders and self.keeps_trained and trial in {result.trial for result in self.leaders()}:
            return
        for training in self.trainings.pop(trial, []):
            if training is not None:
                training.close()

    def results(self) -> list[Result]:
        """The last result of each candidate, in the order of candidates."""
        return [self.last[trial] for trial in sorted(self.last)]

    def refitted(self, X: Any, y: Any) -> Any:
        """The best estimator, fitted on all rows; at the end of the time budget with what it has learned."""
        assert self.best is not None
        if self.data.tabular:
            return self._averaged(X, y)
        best = self._made(self.best.trial)
        if self.end == math.inf:
            return best.fit(X, y)
        training = ResumableTrial(best, self.data.everything(X, y), None)
        _, complete = training.advance(self.max_epochs, lambda: self.end - time.monotonic())
        self.interrupted |= not complete
        training.close()
        return best

    def _averaged(self, X: Any, y: Any) -> Any:
        """The best tabular estimator, with the networks of the next ones that came as far where they improve it."""
        first, *others = self.leaders()
        best = self._trained(first.trial, X, y)
        for result in others:
            alike = all(self.candidates[result.trial].get(n) == self.candidates[first.trial].get(n) for n in ALIKE)
            if alike and standing(result)[:2] == standing(first)[:2] and self._has_time(result):
                both = copy(best)
                both.average_with([self._trained(result.trial, X, y)], self.data.target_values())
                best = both if both.score_ > best.score_ else best
        return best

    def _has_time(self, result: Result) -> bool:
        return result.trial in self.trainings or self.end == math.inf

    def _trained(self, trial: int, X: Any, y: Any) -> Any:
        """A candidate's tabular estimator, as it is kept, or trained again."""
        kept = self.trainings.pop(trial, [])
        if kept and (self.end < math.inf or kept[0].estimator.epochs == self.max_epochs):
            return kept[0].estimator
        made = self._made(trial)
        if self.end < math.inf:
            made.set_params(time_budget=max(0.1, self.end - time.monotonic()))
        return made.fit(X, y)


def standing(result: Result) -> tuple[int, bool, float, int]:
    """By what results are compared: how far they came, then the score, then the number."""
    return result.rung, result.complete, result.mean, -result.trial


def train_alone(trial: int, k: int, training: ResumableTrial | RestartedTrial, epochs: int, ends: float | None) -> Done:
    """A fold in a process of its own, until `ends` by the clock."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcome = run_trial(training, epochs, lambda: math.inf if ends is None else ends - time.time())
    training.close()
    return trial, k, outcome
