"""A search under way: which candidate is trained how far, and what is kept of it.

Goes in: the parameters of a search, data. Comes out: results of all candidates, in the journal. They do not depend on
the number of threads; with a time budget they depend on the machine.
"""

from __future__ import annotations

import math
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing, assert_all_finite
from sklearn.utils.validation import column_or_1d, indexable

from rosenblatt.estimators.tabular._base import is_nameless
from rosenblatt.search.journal import Journal, Result, digest_of
from rosenblatt.search.proposals import Proposals, proposals_of
from rosenblatt.search.spaces import Space
from rosenblatt.search.trials import Fold, Paused, Whole
from rosenblatt.tables.reading import read_table
from rosenblatt.tables.table import Table
from rosenblatt.threads import get_num_threads

__all__ = ["Run"]

Array = NDArray[Any]
FACTOR = 3
"""Of a rung's candidates one in so many goes on, for so many times the epochs."""
AHEAD = 4
"""Candidates for each thread that are handed over before their results are looked at."""
REFIT_RESERVE = 1.2
"""Times the longest training so far, left for the refit."""


class Run:
    """One search under way."""

    def __init__(self, search: Any, estimator: Any, space: Space, X: Any, y: Any, began: float) -> None:
        self.tabular = type(estimator).__name__.startswith("Tabular")
        self.search_, self.estimator, self.X, self.y = search, estimator, X, y
        if self.tabular and not is_nameless(X):
            self.X = read_table(X)  # once for all candidates
        self.resource = "epochs" if self.tabular else "max_iter"
        own = estimator._settings().epochs if self.tabular else estimator.max_iter
        self.max_epochs = int(search.max_epochs or own)
        self.end = math.inf if search.time_budget is None else began + search.time_budget
        self.folds = self._split()
        self.scorer: Any = None if self.tabular else check_scoring(estimator, search.scoring)
        self.rungs = self._rungs()
        digest = self._digest(space)
        self.journal = Journal(search.checkpoint, digest)
        self.proposals: Proposals = proposals_of(search.strategy, space, search.n_trials, search.random_state)
        self.candidates: list[dict[str, Any]] = []
        self.trainings: dict[int, list[Any]] = {}
        self.interrupted = False
        self.kept: tuple[bool, float, int, Any] = (False, -math.inf, -1, None)
        """The best tabular estimator so far, trained on all rows: whether complete, its score, trial and itself."""
        self.shown: Result | None = None
        self.slowest = 0.0
        """Seconds of an epoch of the slowest candidate."""

    def _split(self) -> list[Fold]:
        """Rows of each fold, converted once."""
        if self.tabular:
            if self.search_.scoring is not None:
                raise ValueError(
                    f"scoring is {self.search_.scoring!r}, but a {type(self.estimator).__name__} is scored by its own "
                    "out-of-fold predictions. Leave scoring out, and set the estimator's metric or loss."
                )
            return [Fold(self.X, self.y, None, self.y)]
        X, y = indexable(self.X, self.y)
        if y is None:
            raise ValueError("MLPSearchCV requires y to be passed, but the target y is None.")
        X = X if hasattr(X, "shape") else np.asarray(X)
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        splitter = check_cv(self.search_.cv, y, classifier=is_classifier(self.estimator))
        take = _safe_indexing
        return [Fold(take(X, a), take(y, a), take(X, b), take(y, b)) for a, b in splitter.split(X, y)]

    def _rungs(self) -> list[tuple[int, int]]:
        """(Candidates, epochs) of each stage."""
        n_trials = self.search_.n_trials
        if self.search_.strategy != "halving":
            return [(n_trials, self.max_epochs)]
        stages = min(int(math.log(n_trials, FACTOR) + 1e-9), int(math.log(self.max_epochs, FACTOR) + 1e-9))
        counts = [max(1, n_trials // FACTOR**i) for i in range(stages + 1)]
        epochs = [max(1, self.max_epochs // FACTOR ** (stages - i)) for i in range(stages + 1)]
        return list(zip(counts, epochs, strict=True))

    def _digest(self, space: Space) -> str:
        """Of everything that the result depends on."""
        search = self.search_
        said = [type(self.estimator).__name__, self.estimator.get_params(), space.choices, self.rungs]
        said += [search.strategy, search.scoring, search.random_state]
        if not self.tabular:
            return digest_of(said, (part for fold in self.folds for part in (fold.X, fold.y, fold.y_test)))
        if not isinstance(self.X, Table):
            return digest_of(said, (self.X, self.y))
        columns = self.X.columns.values()
        said.append([(column.name, column.levels) for column in columns])
        return digest_of(said, [*(column.values for column in columns), np.asarray(self.y)])

    def left(self) -> float:
        """Seconds until the refit has to begin."""
        if self.end == math.inf:
            return math.inf
        share = len(self.folds) / max(1, len(self.folds) - 1)
        needed = self.search_.refit and not self.tabular
        refit = REFIT_RESERVE * self.slowest * self.max_epochs * share if needed else 0.0
        return self.end - time.monotonic() - refit

    def search(self) -> None:
        """All stages."""
        try:
            for rung, (count, epochs) in enumerate(self.rungs):
                alive = self._promoted(rung, count)
                for wave in self.proposals.waves(alive if rung else None):
                    self._evaluate(wave, rung, epochs)
                    self.proposals.tell(
                        [(t, self.journal.found[t, rung]) for t in wave if (t, rung) in self.journal.found]
                    )
        except KeyboardInterrupt:
            self.interrupted = True
            if not self.journal.found:
                raise
        finally:
            for trial in list(self.trainings):
                self._close(trial)

    def _promoted(self, rung: int, count: int) -> list[int]:
        """The best of the last stage."""
        if rung == 0:
            return []
        last = [r for (_, at), r in self.journal.found.items() if at == rung - 1 and r.scores and r.complete]
        chosen = sorted(last, key=lambda result: (-result.mean, result.trial))[:count]
        for trial in set(self.trainings) - {result.trial for result in chosen}:
            self._close(trial)
        return sorted(result.trial for result in chosen)

    def _evaluate(self, trials: list[int], rung: int, epochs: int) -> None:
        """Bring trials to an epoch, as many at once as there are threads."""
        for trial in trials:
            while len(self.candidates) <= trial:
                self.candidates.append(self.proposals.candidate(len(self.candidates)))
        todo = [trial for trial in trials if (trial, rung) not in self.journal.found]
        workers = self.search_.n_jobs or (1 if self.tabular else get_num_threads())
        with ThreadPoolExecutor(workers) as pool:
            ahead: deque[tuple[int, list[Future[Any]]]] = deque()
            try:
                for trial in todo:
                    folds = range(len(self.folds))
                    ahead.append((trial, [pool.submit(self._advance, trial, k, rung, epochs) for k in folds]))
                    if len(ahead) > AHEAD * workers:
                        self._await(*ahead.popleft(), rung, epochs)
                while ahead:
                    self._await(*ahead.popleft(), rung, epochs)
            except BaseException:
                self.end = -math.inf  # trainings end at their next look at the time
                pool.shutdown(cancel_futures=True)
                raise

    def _await(self, trial: int, folds: list[Future[Any]], rung: int, epochs: int) -> None:
        self._record(trial, rung, epochs, [future.result() for future in folds])

    def _advance(self, trial: int, k: int, rung: int, epochs: int) -> tuple[float, bool, str] | None:
        """Score, completeness and error of one fold; None if there was no time to begin."""
        try:
            if self.left() <= 0 and (trial or rung):
                return None  # but for the first, so that there is a result
            training = self._training(trial, k)
            score, complete = training.advance(epochs, self.left)
            if training.epoch_seconds < math.inf:
                self.slowest = max(self.slowest, training.epoch_seconds)
            if not math.isfinite(score):
                return math.nan, True, f"the score is {score}"
            return score, complete, ""
        except Exception as error:
            return math.nan, True, f"{type(error).__name__}: {' '.join(str(error).split())}"

    def _training(self, trial: int, k: int) -> Any:
        trainings = self.trainings.setdefault(trial, [None] * len(self.folds))
        if trainings[k] is None:
            made = clone(self.estimator).set_params(**self.candidates[trial])
            made.set_params(**{self.resource: self.max_epochs})
            if made.get_params().get("random_state", 0) is None:
                made.set_params(random_state=self.search_.random_state)
            trainings[k] = Whole(made, self.X, self.y) if self.tabular else Paused(made, self.folds[k], self.scorer)
        return trainings[k]

    def _record(self, trial: int, rung: int, epochs: int, found: list[tuple[float, bool, str] | None]) -> None:
        """Keep the result of all folds."""
        known = [entry for entry in found if entry is not None]
        if len(known) < len(found):
            self.interrupted = True
            return
        error = next((message for _, _, message in known if message), "")
        complete = all(is_complete for _, is_complete, _ in known)
        self.interrupted |= not complete
        seconds = sum(one.seconds for one in self.trainings.get(trial, []) if one is not None)
        scores = [] if error else [score for score, _, _ in known]
        self.journal.add(Result(trial, rung, epochs, scores, error, seconds, complete))
        if self.tabular and scores and (complete, scores[0]) > self.kept[:2]:
            self.kept = (complete, scores[0], trial, self.trainings[trial][0].estimator)
        if error or rung == len(self.rungs) - 1:
            self._close(trial)
        self._show()

    def _close(self, trial: int) -> None:
        for training in self.trainings.pop(trial, []):
            if training is not None:
                training.close()

    def _show(self) -> None:
        """A line on the best candidate so far, whenever there is a better one."""
        best = max(self.journal.found.values(), key=lambda r: (r.rung, r.mean))
        if not self.search_.verbose or best is self.shown:
            return
        self.shown = best
        left = "" if self.end == math.inf else f", {max(0.0, self.end - time.monotonic()):.0f} s left"
        chosen = ", ".join(
            f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
            for name, value in self.candidates[best.trial].items()
        )
        print(
            f"{len(self.journal.found):4} results, {best.mean:.4f} after {best.epochs} epochs{left}: {chosen}",
            flush=True,
        )

    def last_results(self) -> list[Result]:
        """The last result of each candidate, in the order of candidates."""
        last: dict[int, Result] = {}
        for (trial, _), result in sorted(self.journal.found.items()):
            last[trial] = result
        return [last[trial] for trial in sorted(last)]

    def results_table(self, last: list[Result]) -> dict[str, Any]:
        """`cv_results_`."""
        params = [self.candidates[result.trial] for result in last]
        names = sorted({name for one in params for name in one})
        table: dict[str, Any] = {"params": params}
        for name in names:
            values = np.empty(len(last), dtype=object)
            values[:] = [one.get(name) for one in params]
            table[f"param_{name}"] = np.ma.MaskedArray(values, [name not in one for one in params])
        n_folds = len(self.folds)
        scores = np.array([result.scores or [math.nan] * n_folds for result in last], dtype=float)
        table |= {f"split{k}_test_score": scores[:, k] for k in range(n_folds)}
        table |= {"mean_test_score": scores.mean(axis=1), "std_test_score": scores.std(axis=1)}
        order = sorted(range(len(last)), key=lambda i: (-last[i].rung, not last[i].complete, -last[i].mean, i))
        ranks = np.empty(len(last), dtype=np.int32)
        ranks[order] = np.arange(1, len(last) + 1)
        table["rank_test_score"] = ranks
        for name in ("rung", "epochs", "seconds", "error"):
            table[name] = np.array([getattr(result, name) for result in last])
        return table

    def refitted(self, trial: int) -> Any:
        """The estimator with a candidate's parameters, fitted on all rows."""
        if self.kept[2] == trial:
            return self.kept[3].set_params(time_budget=self.estimator.time_budget)
        params = self.candidates[trial]
        best = clone(self.estimator).set_params(**params).set_params(**{self.resource: self.max_epochs})
        if best.get_params().get("random_state", 0) is None:
            best.set_params(random_state=self.search_.random_state)
        return best.fit(self.X, self.y)
