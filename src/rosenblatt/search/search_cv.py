"""`MLPSearchCV`: the best hyperparameters of a network, by training many.

Takes an estimator, a space, and data. Returns `cv_results_` and the best estimator, fitted on all rows. Never trains
anything itself: `rosenblatt.search.scheduler` does.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from numbers import Integral, Real
from time import monotonic
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
from rosenblatt.estimators.base import Searchable, SuggestingMixin, score_rows
from rosenblatt.estimators.client import HoldsClient
from rosenblatt.estimators.diagram import Diagram, nested_block
from rosenblatt.search.data import SearchData
from rosenblatt.search.default_spaces import default_space
from rosenblatt.search.progress_table import format_params
from rosenblatt.search.refit import refit_best
from rosenblatt.search.results import results_frame, results_table
from rosenblatt.search.scheduler import SearchScheduler
from rosenblatt.search.spaces import Space
from rosenblatt.search.workers import engine_of

__all__ = ["MLPSearchCV"]

Array = NDArray[Any]
FIXED = (
    *("max_iter", "time_budget", "checkpoint", "checkpoint_every", "warm_start", "on_epoch", "verbose", "cv"),
    "client",
)
"""Parameters that a space must not contain."""
MAX_REASONS = 10
POSITIVE = Interval(Integral, 1, None, closed="left")


def fitted_has(name: str) -> Callable[[Any], bool]:
    """Whether the best estimator (or the one to be fitted) has a method."""
    return lambda search: hasattr(getattr(search, "best_estimator_", search.template), name)


class MLPSearchCV(HoldsClient, SuggestingMixin, Diagram, MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """Search the hyperparameters of a network by cross-validation.

    Candidates are trained side by side, one in each thread. With ``strategy="halving"`` all train for a few epochs; the
    better third continues from where it stopped, bit for bit as if it had not been interrupted, for three times as many
    (Jamieson and Talwalkar 2016, arXiv:1502.07943). The result does not depend on the number of threads.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor, TabularClassifier or TabularRegressor, default=MLPClassifier()
        Its parameters apply if they are not in the space. The tabular ones restart from scratch at each stage, and are
        scored by their out-of-fold predictions.
    space : dict, optional
        A mapping from parameters to lists, distributions of `scipy.stats`, or `LogUniform`, `Layers`, `Instance`,
        `PerLayer` and `Conditional` of `rosenblatt.search`. Default: `default_space`, whose first candidate is the
        estimator as it is.
    n_trials : int, optional
        Number of candidates. Default: 27, or as many as the time budget allows.
    time_budget : float or str, optional
        Seconds that `fit` may take, refitting included, or a time such as "90s", "5m" or "1h". With a budget the
        result depends on the machine.
    cv : int, splitter or iterable, default=5
        Folds. Tabular estimators have a fold for each of their `members` instead of a number of folds; a splitter or an
        iterable replaces these, too.
    scoring : str or callable, optional
        A scorer of scikit-learn; higher is better. Default: the estimator's own score.
    strategy : {"halving", "random", "tpe"}
        "random" trains all candidates for all epochs; "tpe" lets Optuna propose them (extra ``tune``).
    max_epochs : int, optional
        Most epochs of a candidate. Default: the estimator's `max_iter` (or epochs of its preset).
    min_epochs : int, optional
        Fewest epochs of the first stage of "halving". Default: a ninth of `max_epochs`. Raise it if candidates that
        learn quickly at first win over better ones.
    n_jobs : int, optional
        Number of candidates that train at once. Default: `get_num_threads`; 1 for the tabular estimators, whose own
        networks train side by side.
    checkpoint : path, optional
        A file that results are added to, or a folder in which each search has such a file of its own. The same search,
        started again after an interrupt at any moment, resumes from it and ends with the same result.
    refit : bool, default=True
        Whether the best candidate is fitted on all rows.
    ensemble : int, default=1
        Up to how many of the best tabular estimators `best_estimator_` averages, as long as the out-of-fold score
        rises: a little better than the best one, and as many times slower to predict. Halving ends with at least so
        many.
    random_state : int, default=0
        Seed of the candidates, and of the networks if the estimator's is None.
    verbose : int, default=0
        1 shows a live table of the best candidates and the remaining time in a terminal or a notebook, elsewhere a line
        for each new best.
    backend : {"threads", "joblib"}
        "joblib" hands candidates to processes. Where ``joblib.parallel_config`` names a backend ("loky", "dask", "ray",
        "spark"), both hand them to that. They restart at each stage there, with the same result.
    client : distributed.Client, optional
        A Dask cluster whose workers train the candidates, one on a fold in each of their threads, and the networks of a
        tabular estimator that is fitted at the end. Default: that of ``joblib.parallel_config(backend="dask")``, if it
        is active. Clones share the client; pickles hold none.

    Attributes
    ----------
    best_params_, best_score_, best_index_, best_estimator_, cv_results_, n_splits_, refit_time_
        As in scikit-learn. A notebook shows `cv_results_` as a table that can be sorted. It also has "epochs", "rung",
        "seconds", "complete" and "error" of each candidate; those that came further rank before those that were
        stopped. Tabular estimators have one score, that of all out-of-fold predictions, so that `n_splits_` is 1.
    score_on_ : str
        What the scores measure: "on rows not seen in training", "on groups not seen in training" or "on later rows".
    fit_time_ : float
        Seconds that `fit` took.
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
        **{name: [POSITIVE, None] for name in ("n_trials", "max_epochs", "min_epochs", "n_jobs")},
        "time_budget": [Interval(Real, 0, None, closed="neither"), str, None],
        "cv": ["cv_object"],
        "scoring": [str, callable, None],
        "strategy": [StrOptions({"halving", "random", "tpe"})],
        "refit": ["boolean"],
        "ensemble": [POSITIVE],
        "random_state": [Interval(Integral, 0, None, closed="left")],
        "verbose": ["verbose"],
        "checkpoint": [str, HasMethods("__fspath__"), None],
        "backend": [StrOptions({"threads", "joblib"})],
        "client": "no_validation",  # `fit` checks it
    }

    documentation_page = "searches"

    def __init__(
        self,
        estimator: Any = None,
        space: Any = None,
        *,
        n_trials: int | None = None,
        time_budget: float | str | None = None,
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
        client: Any = None,
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
        self.client = client

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = self.template.__sklearn_tags__()
        for name in ("estimator_type", "classifier_tags", "regressor_tags", "input_tags", "target_tags"):
            setattr(tags, name, getattr(inner, name))
        return tags

    @property
    def template(self) -> Any:
        """The estimator that candidates are clones of."""
        if (given := vars(self).get("estimator")) is not None:
            return given
        from rosenblatt.estimators import MLPClassifier

        return MLPClassifier()

    @_fit_context(prefer_skip_nested_validation=False)  # type: ignore[untyped-decorator]
    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, *, groups: Any = None, time: Any = None
    ) -> MLPSearchCV:
        """Search, and fit the best candidate on all rows.

        Parameters
        ----------
        X, y : as the estimator takes them
            For tabular estimators X may be a `TabularTask`: ``TabularTask.of(table, target, id=...,
            drop_missing_target=True)`` names ids and leaves out rows without a target.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows, at least 0, for training and for scores, unless a scorer takes none.
        groups : array-like of shape (n_rows,), or name of a column for tabular estimators, optional
            What rows belong to, such as customers: no fold divides a group, so that the scores are those of new groups.
        time : array-like of shape (n_rows,), or name of a column for tabular estimators, optional
            When rows were made: dates or numbers. Each fold is validated on later rows than it trains on: the earlier
            half always trains, and the later half is held out part by part. Not together with `groups`.

        Returns
        -------
        MLPSearchCV
            Itself.

        Raises
        ------
        ValueError
            For a space that cannot be searched, a record (`checkpoint`) of another search or with a line that no search
            wrote (a `RecordError`, which names file and line), or if every candidate failed, with the reasons.
        """
        began = monotonic()
        estimator = self._searchable()
        given = default_space(estimator) if self.space is None else self.space
        space = Space.of(given, sorted(estimator.get_params()), FIXED)
        measures = estimator.score_parameters & set(space.choices)
        if self.scoring is None and measures:
            raise ValueError(
                f"space has {min(measures)!r}, which changes what a candidate's score measures: such scores cannot be "
                "compared. Leave it out, or set `scoring`, which scores all candidates alike."
            )
        data = SearchData(estimator, X, y, self.cv, self.scoring, "dtype" in space.choices, sample_weight, groups, time)
        with engine_of(self, data) as engine:
            run = SearchScheduler(self, estimator, space, data, began, engine)
            self.n_splits_, self.score_on_ = len(data.folds), data.score_on
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # candidates that do not converge are part of a search
                run.search()
        self._keep(run)
        if self.refit:
            refit_began = monotonic()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # so many epochs are what was asked for
                self.best_estimator_ = refit_best(run, X, y, sample_weight)
            self.refit_time_ = monotonic() - refit_began
        self.interrupted_ = run.interrupted
        self.fit_time_ = monotonic() - began
        if run.workers.stopped:
            warn_user("The search was interrupted. What it had found is kept.")
        return self

    def _searchable(self) -> Any:
        """The estimator, if its hyperparameters can be searched."""
        estimator = self.template
        if not isinstance(estimator, Searchable):
            raise TypeError(
                f"estimator is a {type(estimator).__name__}; MLPSearchCV takes MLPClassifier, MLPRegressor, "
                "TabularClassifier or TabularRegressor of rosenblatt."
            )
        if self.ensemble > 1 and not estimator.makes_own_folds:
            raise ValueError(
                f"ensemble is {self.ensemble}, but {type(estimator).__name__} is one network: leave it out. Tabular "
                "estimators can be averaged."
            )
        for name in ("checkpoint", "warm_start"):
            if getattr(estimator, name, None):
                raise ValueError(
                    f"the estimator has {name}={getattr(estimator, name)!r}, which candidates cannot share: leave it "
                    "out. The search has its own checkpoint."
                )
        return estimator

    def _keep(self, run: SearchScheduler) -> None:
        """Set the attributes that say what was found."""
        last, sampler = [run.last[trial] for trial in sorted(run.last)], run.sampler
        if not any(result.scores for result in last):
            reasons: dict[str, str] = {}
            for result in last:
                params = format_params(sampler.candidates[result.trial])
                reasons.setdefault(result.error, "not drawn" if result.trial in sampler.undrawn else params)
            shown = "; ".join(f"{params}: {error}" for error, params in [*reasons.items()][:MAX_REASONS])
            raise ValueError(f"All {len(last)} candidates failed. {shown}")
        candidates = [sampler.candidates[result.trial] for result in last]
        self.cv_results_ = results_table(last, candidates, self.n_splits_)
        best = max(last, key=lambda result: result.standing)
        self.best_index_ = last.index(best)
        self.best_params_, self.best_score_ = candidates[self.best_index_], best.mean

    def score_in_words(self) -> str:
        """The best score, and what it measures."""
        return f"{self.best_score_:.4f} {self.score_on_}"

    def fitted_state(self) -> dict[str, str]:
        """What the diagram says of a fitted search."""
        state = super().fitted_state()
        with suppress(Exception):
            state["candidates"] = f"{len(self.cv_results_['params']):,}"
            state["best parameters"] = format_params(self.best_params_)
        return state

    def _sk_visual_block_(self) -> Any:
        name = "best_estimator_" if "best_estimator_" in vars(self) else "estimator"
        return nested_block(name, vars(self).get(name) or self.template)

    def results_frame(self) -> Any:
        """`cv_results_` as a pandas data frame, the best candidate first."""
        check_is_fitted(self, "cv_results_")
        return results_frame(self.cv_results_)

    @property
    def classes_(self) -> Any:
        """Classes of the best estimator."""
        return self.best_estimator_.classes_

    @property
    def n_features_in_(self) -> int:
        """Number of columns of the best estimator."""
        if "best_estimator_" not in vars(self):
            raise AttributeError("n_features_in_ is known after fit with refit=True.")
        return int(self.best_estimator_.n_features_in_)

    @property
    def feature_names_in_(self) -> Array:
        """Names of the columns of the best estimator."""
        return np.asarray(self.best_estimator_.feature_names_in_)

    @available_if(fitted_has("predict"))  # type: ignore[untyped-decorator]
    def predict(self, X: Any) -> Array:
        """Predictions of the best estimator."""
        return np.asarray(self._fitted().predict(X))

    @available_if(fitted_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """Probabilities by the best estimator."""
        return np.asarray(self._fitted().predict_proba(X))

    @available_if(fitted_has("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Array:
        """Logits or margins by the best estimator."""
        return np.asarray(self._fitted().decision_function(X))

    @available_if(fitted_has("predict_log_proba"))  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> Array:
        """Logarithms of probabilities by the best estimator."""
        return np.asarray(self._fitted().predict_log_proba(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The score of the best estimator, by `scoring`; rows count as `sample_weight` says, unless it takes none."""
        fitted = self._fitted()
        return score_rows(check_scoring(fitted, self.scoring), fitted, X, y, sample_weight)

    def _fitted(self) -> Any:
        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_
