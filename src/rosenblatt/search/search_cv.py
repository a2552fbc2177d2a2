"""`MLPSearchCV`: the best hyperparameters of a network, by training many.

Goes in: an estimator, a space, data. Comes out: `cv_results_` and the best estimator, fitted on all rows. Which
candidate goes on is decided here; how one is trained and paused is in `rosenblatt.search.trials`.
"""

from __future__ import annotations

import hashlib
import math
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, _fit_context, clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, indexable

from rosenblatt.estimators._base import SuggestingMixin
from rosenblatt.search.journal import Journal, Result
from rosenblatt.search.proposals import Proposals, proposals_of
from rosenblatt.search.spaces import Space, default_space
from rosenblatt.search.trials import Fold, Paused, Whole
from rosenblatt.threads import get_num_threads

__all__ = ["MLPSearchCV"]

Array = NDArray[Any]
FACTOR = 3
"""Of a rung's candidates one in so many goes on, for so many times the epochs."""
REFIT_RESERVE = 1.2


def fitted_has(name: str) -> Callable[[Any], bool]:
    """Whether the best estimator (or the one to be fitted) has a method."""
    return lambda search: hasattr(getattr(search, "best_estimator_", search._estimator()), name)


class MLPSearchCV(SuggestingMixin, MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """Search the hyperparameters of a network by cross-validation.

    Candidates are trained side by side, one in each thread. With ``strategy="halving"`` all train for a few epochs; the
    better third goes on from where it stopped, bit by bit as if it never had, for three times as many (Jamieson and
    Talwalkar 2016, arXiv:1502.07943). The result does not depend on the number of threads.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor, TabularClassifier or TabularRegressor, default=MLPClassifier()
        Its parameters hold where the space says nothing. The tabular ones train anew at each stage, and are scored by
        their own out-of-fold predictions.
    space : dict, optional
        From parameters to lists, distributions of `scipy.stats`, `LogUniform`, `Layers` or `When`. Default:
        `default_space`.
    n_trials : int, default=27
        Candidates.
    time_budget : float, optional
        Seconds that `fit` may take, refitting included. With a budget the result depends on the machine.
    cv : int, splitter or iterable, default=5
    scoring : str or callable, optional
        Default: the estimator's own score.
    strategy : {"halving", "random", "tpe"}
        "random" trains all candidates for all epochs; "tpe" lets Optuna propose them (extra ``tune``).
    max_epochs : int, optional
        Default: the estimator's `max_iter` (or epochs of its preset).
    n_jobs : int, optional
        Threads. Default: `get_num_threads`.
    checkpoint : path, optional
        A file that results are added to. The same search, started again after an interrupt at any moment, goes on from
        it and ends with the same result.
    refit : bool, default=True
    random_state : int, default=0
    verbose : int, default=0
        1 shows a live table.

    Attributes
    ----------
    best_params_, best_score_, best_index_, best_estimator_, cv_results_, n_splits_
        As in scikit-learn. `cv_results_` also has "epochs", "rung", "seconds" and "error" of each candidate.
    interrupted_ : bool
        Whether Ctrl-C or the time budget ended the search.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from rosenblatt import MLPClassifier, MLPSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = MLPSearchCV(MLPClassifier(max_iter=27), {"alpha": [1e-4, 1e-1]}, n_trials=4, cv=3).fit(X, y)
    >>> sorted(search.best_params_)
    ['alpha']
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": [BaseEstimator, None],
        "space": [dict, None],
        "n_trials": [Interval(Integral, 1, None, closed="left")],
        "time_budget": [Interval(Real, 0, None, closed="neither"), None],
        "cv": ["cv_object"],
        "scoring": [str, callable, None],
        "strategy": [StrOptions({"halving", "random", "tpe"})],
        "max_epochs": [Interval(Integral, 1, None, closed="left"), None],
        "n_jobs": [Interval(Integral, 1, None, closed="left"), None],
        "refit": ["boolean"],
        "random_state": [Interval(Integral, 0, None, closed="left")],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: Any = None,
        space: Any = None,
        *,
        n_trials: int = 27,
        time_budget: float | None = None,
        cv: Any = 5,
        scoring: Any = None,
        strategy: str = "halving",
        max_epochs: int | None = None,
        n_jobs: int | None = None,
        checkpoint: Any = None,
        refit: bool = True,
        random_state: int = 0,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.space = space
        self.n_trials = n_trials
        self.time_budget = time_budget
        self.cv = cv
        self.scoring = scoring
        self.strategy = strategy
        self.max_epochs = max_epochs
        self.n_jobs = n_jobs
        self.checkpoint = checkpoint
        self.refit = refit
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = self._estimator().__sklearn_tags__()
        tags.estimator_type, tags.classifier_tags = inner.estimator_type, inner.classifier_tags
        tags.regressor_tags, tags.input_tags, tags.target_tags = (
            inner.regressor_tags,
            inner.input_tags,
            inner.target_tags,
        )
        return tags

    def _estimator(self) -> Any:
        if self.estimator is not None:
            return self.estimator
        from rosenblatt.estimators import MLPClassifier

        return MLPClassifier()

    @_fit_context(prefer_skip_nested_validation=False)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any) -> MLPSearchCV:
        """Search, and fit the best candidate on all rows.

        Parameters
        ----------
        X, y : as the estimator takes them

        Returns
        -------
        MLPSearchCV
            Itself.

        Raises
        ------
        ValueError
            For a space that cannot be searched, a record of another search, or if every candidate failed; then it
            gives the reasons.
        """
        began = time.monotonic()
        estimator = self._estimator()
        if not hasattr(estimator, "max_iter") and not type(estimator).__name__.startswith("Tabular"):
            raise TypeError(
                f"estimator is a {type(estimator).__name__}; MLPSearchCV takes MLPClassifier, MLPRegressor, "
                "TabularClassifier and TabularRegressor."
            )
        space = Space.of(default_space(estimator) if self.space is None else self.space, sorted(estimator.get_params()))
        run = Run(self, estimator, space, X, y, began)
        self.n_splits_ = len(run.folds)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # candidates that do not converge are part of a search
            run.search()
            self._report(run)
            if self.refit:
                self.best_estimator_ = run.refitted(self.best_params_)
        return self

    def _report(self, run: Run) -> None:
        """The attributes that say what was found."""
        last = run.last_results()
        if not any(result.scores for result in last):
            reasons = "; ".join(f"{run.candidates[r.trial]}: {r.error}" for r in last[:5])
            raise ValueError(f"All {len(last)} candidates failed. {reasons}")
        self.interrupted_ = run.interrupted
        self.cv_results_ = run.results_table(last)
        best = max(last, key=lambda result: (result.rung, result.complete, result.mean, -result.trial))
        self.best_index_ = last.index(best)
        self.best_params_, self.best_score_ = run.candidates[best.trial], best.mean

    def results_frame(self) -> Any:
        """`cv_results_` as a pandas data frame, the best candidate first."""
        check_is_fitted(self, "cv_results_")
        try:
            import pandas as pd
        except ModuleNotFoundError:
            raise ModuleNotFoundError(
                "results_frame needs pandas: pip install 'rosenblatt[data]', or pandas by itself", name="pandas"
            ) from None
        return pd.DataFrame(self.cv_results_).sort_values("rank_test_score", kind="stable").reset_index(drop=True)

    @property
    def classes_(self) -> Any:
        """Of the best estimator."""
        return self.best_estimator_.classes_

    @property
    def n_features_in_(self) -> int:
        """Of the best estimator."""
        if "best_estimator_" not in vars(self):
            raise AttributeError("n_features_in_ is known after fit with refit=True.")
        return int(self.best_estimator_.n_features_in_)

    @available_if(fitted_has("predict"))  # type: ignore[untyped-decorator]
    def predict(self, X: Any) -> Array:
        """Of the best estimator."""
        return np.asarray(self._fitted().predict(X))

    @available_if(fitted_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """Of the best estimator."""
        return np.asarray(self._fitted().predict_proba(X))

    def score(self, X: Any, y: Any) -> float:
        """The score of the best estimator, by `scoring`."""
        fitted = self._fitted()
        return float(check_scoring(fitted, self.scoring)(fitted, X, y))

    def _fitted(self) -> Any:
        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_


class Run:
    """One search under way."""

    def __init__(self, search: MLPSearchCV, estimator: Any, space: Space, X: Any, y: Any, began: float) -> None:
        self.search_, self.estimator, self.X, self.y = search, estimator, X, y
        self.tabular = type(estimator).__name__.startswith("Tabular")
        self.resource = "epochs" if self.tabular else "max_iter"
        own = estimator._settings().epochs if self.tabular else estimator.max_iter
        self.max_epochs = int(search.max_epochs or own)
        self.end = math.inf if search.time_budget is None else began + search.time_budget
        self.folds = self._split()
        self.scorer = None if self.tabular else check_scoring(estimator, search.scoring)
        self.rungs = self._rungs()
        digest = self._digest(space)
        self.journal = Journal(search.checkpoint, digest)
        self.proposals: Proposals = proposals_of(search.strategy, space, search.n_trials, search.random_state)
        self.candidates: list[dict[str, Any]] = []
        self.trainings: dict[int, list[Any]] = {}
        self.interrupted = False

    def _split(self) -> list[Fold]:
        """Rows of each fold, converted once."""
        if self.tabular:
            return [Fold(self.X, self.y, None, self.y)]
        X, y = indexable(self.X, self.y)
        if y is None:
            raise ValueError("MLPSearchCV requires y to be passed, but the target y is None.")
        X = X if hasattr(X, "shape") else np.asarray(X)
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
        search, found = self.search_, hashlib.sha256()
        said = (type(self.estimator).__name__, sorted(self.estimator.get_params().items(), key=str), self.rungs)
        said += (sorted(space.choices.items(), key=str), search.strategy, str(search.scoring), search.random_state)
        found.update(repr(said).encode())
        for fold in self.folds:
            for part in (fold.X, fold.y, fold.y_test):
                values = part.data if hasattr(part, "indptr") else np.asarray(part)
                found.update(repr((np.shape(part), str(values.dtype))).encode())
                found.update(str(values.tolist()).encode() if values.dtype == object else values.tobytes())
        return found.hexdigest()

    def left(self) -> float:
        """Seconds until the refit has to begin."""
        if self.end == math.inf:
            return math.inf
        slowest = 0.0
        for trainings in self.trainings.values():
            for one in trainings:
                if one.epochs_done:
                    slowest = max(slowest, one.seconds / one.epochs_done * self.max_epochs)
        share = len(self.folds) / max(1, len(self.folds) - 1)
        refit = REFIT_RESERVE * slowest * share if self.search_.refit else 0.0
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
        jobs = [(trial, k) for trial in todo for k in range(len(self.folds))]
        with ThreadPoolExecutor(self.search_.n_jobs or get_num_threads()) as pool:
            running = {trial: [] for trial in todo}
            for trial, k in jobs:
                running[trial].append(pool.submit(self._advance, trial, k, epochs))
            try:
                for trial in todo:
                    self._record(trial, rung, epochs, [future.result() for future in running[trial]])
            except BaseException:
                self.end = -math.inf  # trainings end at their next look at the time
                pool.shutdown(cancel_futures=True)
                raise

    def _advance(self, trial: int, k: int, epochs: int) -> tuple[float, bool, str] | None:
        """Score, completeness and error of one fold; None if there was no time to begin."""
        try:
            if self.left() <= 0:
                return None
            training = self._training(trial, k)
            score, complete = training.advance(epochs, time.monotonic() + self.left())
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
        seconds = sum(one.seconds for one in self.trainings[trial] if one is not None)
        scores = [] if error else [score for score, _, _ in known]
        self.journal.add(Result(trial, rung, epochs, scores, error, seconds, complete))
        if error:
            self._close(trial)
        self._show()

    def _close(self, trial: int) -> None:
        for training in self.trainings.pop(trial, []):
            if training is not None:
                training.close()

    def _show(self) -> None:
        """One line on the best candidate so far."""
        if not self.search_.verbose:
            return
        best = max(self.journal.found.values(), key=lambda r: (r.rung, r.mean))
        left = "" if self.end == math.inf else f", {max(0.0, self.end - time.monotonic()):.0f} s left"
        print(f"{len(self.journal.found):4} results; best {best.mean:.4f} after {best.epochs} epochs{left}: "
              f"{self.candidates[best.trial]}", flush=True)  # fmt: skip

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
            column = np.ma.masked_all(len(last), dtype=object)
            for i, one in enumerate(params):
                if name in one:
                    column[i] = one[name]
            table[f"param_{name}"] = column
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

    def refitted(self, params: dict[str, Any]) -> Any:
        """The estimator with these parameters, fitted on all rows."""
        best = clone(self.estimator).set_params(**params).set_params(**{self.resource: self.max_epochs})
        if best.get_params().get("random_state", 0) is None:
            best.set_params(random_state=self.search_.random_state)
        if self.tabular and self.end not in (math.inf, -math.inf):
            best.set_params(time_budget=max(0.1, self.end - time.monotonic()))
        return best.fit(self.X, self.y)
