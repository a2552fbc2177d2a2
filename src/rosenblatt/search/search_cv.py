"""`MLPSearchCV`: the best hyperparameters of a network, by training many.

Goes in: an estimator, a space, data. Comes out: `cv_results_` and the best estimator, fitted on all rows. How
candidates are trained is in `rosenblatt.search.scheduler`.
"""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from rosenblatt._warnings import warn_user
from rosenblatt.estimators.base import SuggestingMixin
from rosenblatt.estimators.tabular.base import TabularEstimator
from rosenblatt.search.data import SearchData
from rosenblatt.search.default_spaces import default_space
from rosenblatt.search.progress_table import format_params
from rosenblatt.search.results import results_frame, results_table
from rosenblatt.search.scheduler import SearchScheduler, standing
from rosenblatt.search.spaces import Space

__all__ = ["MLPSearchCV"]

Array = NDArray[Any]
FIXED = ("max_iter", "epochs", "time_budget", "checkpoint", "checkpoint_every", "warm_start", "on_epoch", "verbose")
"""Parameters that a space must leave alone."""
MEASURES = frozenset({"metric", "loss", "quantiles"})
"""Parameters of tabular estimators that say what their own score is."""
MAX_REASONS = 10
SEARCHABLE = ("MLPClassifier", "MLPRegressor", "TabularClassifier", "TabularRegressor")


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
        From parameters to lists, distributions of `scipy.stats`, or `LogUniform`, `Layers`, `Instance`, `PerLayer` and
        `Conditional` of `rosenblatt.search`. Default: `default_space`, whose first candidate is the estimator as it is.
    n_trials : int, optional
        Candidates. Default: 27, or as many as the time budget allows.
    time_budget : float, optional
        Seconds that `fit` may take, refitting included. With a budget the result depends on the machine.
    cv : int, splitter or iterable, default=5
        Folds; of tabular estimators each member has its own, see their `members`.
    scoring : str or callable, optional
        A scorer of scikit-learn; higher is better. Default: the estimator's own score.
    strategy : {"halving", "random", "tpe"}
        "random" trains all candidates for all epochs; "tpe" lets Optuna propose them (extra ``tune``).
    max_epochs : int, optional
        Default: the estimator's `max_iter` (or epochs of its preset).
    min_epochs : int, optional
        Fewest epochs of the first stage of "halving". Default: a ninth of `max_epochs`. Raise it if candidates that
        learn quickly at first win over better ones.
    n_jobs : int, optional
        Candidates at once. Default: `get_num_threads`; 1 for the tabular estimators, whose own networks train side by
        side.
    checkpoint : path, optional
        A file that results are added to. The same search, started again after an interrupt at any moment, goes on from
        it and ends with the same result.
    refit : bool, default=True
        Whether the best candidate is fitted on all rows.
    ensemble : int, default=1
        Up to how many of the best tabular estimators `best_estimator_` averages, as far as their score out of fold
        rises: a little better than the best one, as many times as slow to predict. Halving ends with so many at least.
    random_state : int, default=0
        Of the candidates; and of the networks, if the estimator's is None.
    verbose : int, default=0
        1 shows a live table of the best candidates and the remaining time (in a file: a line for each new best).
    backend : {"threads", "joblib"}
        "joblib" hands candidates to the backend that ``joblib.parallel_config`` says: processes, or other machines by
        Dask or Ray. They train anew at each stage there, with the same result.

    Attributes
    ----------
    best_params_, best_score_, best_index_, best_estimator_, cv_results_, n_splits_, refit_time_
        As in scikit-learn. `cv_results_` also has "epochs", "rung", "seconds", "complete" and "error" of each
        candidate; those that came further rank before those that were stopped.
    interrupted_ : bool
        Whether Ctrl-C or the time budget left anything out.

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
        "n_trials": [Interval(Integral, 1, None, closed="left"), None],
        "time_budget": [Interval(Real, 0, None, closed="neither"), None],
        "cv": ["cv_object"],
        "scoring": [str, callable, None],
        "strategy": [StrOptions({"halving", "random", "tpe"})],
        "max_epochs": [Interval(Integral, 1, None, closed="left"), None],
        "min_epochs": [Interval(Integral, 1, None, closed="left"), None],
        "n_jobs": [Interval(Integral, 1, None, closed="left"), None],
        "refit": ["boolean"],
        "ensemble": [Interval(Integral, 1, None, closed="left")],
        "random_state": [Interval(Integral, 0, None, closed="left")],
        "verbose": ["verbose"],
        "checkpoint": [str, HasMethods("__fspath__"), None],
        "backend": [StrOptions({"threads", "joblib"})],
    }

    def __init__(
        self,
        estimator: Any = None,
        space: Any = None,
        *,
        n_trials: int | None = None,
        time_budget: float | None = None,
        cv: Any = 5,
        scoring: Any = None,
        strategy: str = "halving",
        max_epochs: int | None = None,
        min_epochs: int | None = None,
        n_jobs: int | None = None,
        checkpoint: Any = None,
        refit: bool = True,
        ensemble: int = 1,
        random_state: int = 0,
        verbose: int = 0,
        backend: str = "threads",
    ) -> None:
        self.estimator = estimator
        self.space = space
        self.n_trials = n_trials
        self.time_budget = time_budget
        self.cv = cv
        self.scoring = scoring
        self.strategy = strategy
        self.max_epochs = max_epochs
        self.min_epochs = min_epochs
        self.n_jobs = n_jobs
        self.checkpoint = checkpoint
        self.refit = refit
        self.ensemble = ensemble
        self.random_state = random_state
        self.verbose = verbose
        self.backend = backend

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = self._estimator().__sklearn_tags__()
        for name in ("estimator_type", "classifier_tags", "regressor_tags", "input_tags", "target_tags"):
            setattr(tags, name, getattr(inner, name))
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
        estimator = self._searchable()
        known, fixed = sorted(estimator.get_params()), FIXED
        space = Space.of(default_space(estimator) if self.space is None else self.space, known, fixed)
        if (
            self.scoring is None
            and isinstance(estimator, TabularEstimator)
            and (measures := MEASURES & set(space.choices))
        ):
            raise ValueError(
                f"space has {min(measures)!r}, by which candidates are scored themselves: their scores could not be "
                "compared. Leave it out, or say by `scoring` how all are scored."
            )
        data = SearchData(estimator, X, y, self.cv, self.scoring, "dtype" in space.choices)
        run = SearchScheduler(self, estimator, space, data, began)
        self.n_splits_ = len(data.folds)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # candidates that do not converge are part of a search
            run.search()
        self._keep(run)
        if self.refit:
            self._refit(run, X, y)
        self.interrupted_ = run.interrupted
        if run.stopped:
            warn_user("The search was interrupted; what it had found is kept.")
        return self

    def _searchable(self) -> Any:
        """The estimator, if it is one that can be searched for as it is."""
        estimator = self._estimator()
        if type(estimator).__name__ not in SEARCHABLE or not type(estimator).__module__.startswith("rosenblatt."):
            raise TypeError(
                f"estimator is a {type(estimator).__name__}; MLPSearchCV takes {', '.join(SEARCHABLE)} of rosenblatt."
            )
        if self.ensemble > 1 and not isinstance(estimator, TabularEstimator):
            raise ValueError(
                f"ensemble is {self.ensemble}, but {type(estimator).__name__} is one network: leave it out. Tabular "
                "estimators can be averaged."
            )
        for name in ("checkpoint", "warm_start"):
            if getattr(estimator, name, None):
                raise ValueError(
                    f"the estimator has {name}={getattr(estimator, name)!r}, which candidates cannot share: leave it "
                    "out. The search has a checkpoint of its own."
                )
        return estimator

    def _keep(self, run: SearchScheduler) -> None:
        """The attributes that say what was found."""
        last = run.results()
        if not any(result.scores for result in last):
            reasons = Counter(result.error for result in last)
            of = {reason: next(r.trial for r in last if r.error == reason) for reason in reasons}
            shown = "; ".join(
                f"{'not drawn' if of[reason] in run.undrawn else format_params(run.candidates[of[reason]])}: {reason}"
                for reason in list(reasons)[:MAX_REASONS]
            )
            raise ValueError(f"All {len(last)} candidates failed. {shown}")
        self.cv_results_ = results_table(last, [run.candidates[result.trial] for result in last], self.n_splits_)
        best = max(last, key=standing)
        self.best_index_ = last.index(best)
        self.best_params_, self.best_score_ = run.candidates[best.trial], best.mean

    def _refit(self, run: SearchScheduler, X: Any, y: Any) -> None:
        began = time.monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # so many epochs are what was asked for
            self.best_estimator_ = run.refitted(X, y)
        self.refit_time_ = time.monotonic() - began

    def results_frame(self) -> Any:
        """`cv_results_` as a pandas data frame, the best candidate first."""
        check_is_fitted(self, "cv_results_")
        return results_frame(self.cv_results_)

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

    @property
    def feature_names_in_(self) -> Array:
        """Of the best estimator."""
        return np.asarray(self.best_estimator_.feature_names_in_)

    @available_if(fitted_has("predict"))  # type: ignore[untyped-decorator]
    def predict(self, X: Any) -> Array:
        """Of the best estimator."""
        return np.asarray(self._fitted().predict(X))

    @available_if(fitted_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """Of the best estimator."""
        return np.asarray(self._fitted().predict_proba(X))

    @available_if(fitted_has("predict_log_proba"))  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> Array:
        """Of the best estimator."""
        return np.asarray(self._fitted().predict_log_proba(X))

    def score(self, X: Any, y: Any) -> float:
        """The score of the best estimator, by `scoring`."""
        fitted = self._fitted()
        return float(check_scoring(fitted, self.scoring)(fitted, X, y))

    def _fitted(self) -> Any:
        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_
