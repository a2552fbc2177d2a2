"""What `TabularClassifier` and `TabularRegressor` share: parameters, and the way from a raw table to an ensemble.

Takes a table of any kind and a target. Returns a fitted estimator with out-of-fold predictions. Never shows members the
targets of the rows that score them. (The scales and levels of columns are learned from all training rows.)
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, _fit_context, is_classifier
from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold, StratifiedShuffleSplit
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from rosenblatt._checks import check_count, parse_duration
from rosenblatt.estimators.base import Searchable, SuggestingMixin, warn_user
from rosenblatt.estimators.tabular.architecture import Settings
from rosenblatt.estimators.tabular.ensemble import Ensemble, fit_ensemble
from rosenblatt.estimators.tabular.member import Data, FitBudget, Problem
from rosenblatt.estimators.tabular.parameters import CONSTRAINTS, OVERRIDES
from rosenblatt.tables.evaluation import Evaluation
from rosenblatt.tables.kinds import column_overrides
from rosenblatt.tables.preparation import Preparation, fit_preparation
from rosenblatt.tables.readers.reading import is_nameless, names_columns, read_table, require_names
from rosenblatt.tables.table import Table
from rosenblatt.tables.targets import Target
from rosenblatt.tables.task import TabularTask, require_rows
from rosenblatt.threads import reserve_blas_memory

if TYPE_CHECKING:
    from rosenblatt.estimators.tabular.explain.importance import Explanation
    from rosenblatt.estimators.tabular.explain.partial_dependence import PartialDependence
    from rosenblatt.estimators.tabular.explain.report import LearningCurve

__all__ = ["TabularEstimator"]

Array = NDArray[Any]
Folds = list[tuple[NDArray[np.int64], NDArray[np.int64]]]
MIN_HELD_OUT = 0.2
"""Share of the rows that are held out if there is a single member."""


class TabularEstimator(SuggestingMixin, Searchable, BaseEstimator):  # type: ignore[misc]
    """What both have in common; they declare the parameters and document them."""

    preset: str
    time_budget: float | str | None
    kinds: Mapping[Any, str] | None
    ignore: Any
    hidden: Any
    random_state: Any
    on_epoch: Callable[[Any], object] | None
    preparation_: Preparation
    ensemble_: Ensemble
    out_of_fold_: Array

    _parameter_constraints: ClassVar[dict[str, Any]] = CONSTRAINTS
    _presets: ClassVar[Mapping[str, Settings]]
    epochs_parameter = "epochs"
    makes_own_folds = True
    prediction_parameters: ClassVar[tuple[str, ...]]
    """Parameters that predictions and reports read; their values in `fit` are kept."""
    score_parameters = frozenset({"metric", "loss", "quantiles"})
    shared_parameters = ("kinds", "ignore", "ordered", "loss", "quantiles", "metric")

    @property
    def planned_epochs(self) -> int:
        return self.settings.epochs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    @property
    def settings(self) -> Settings:
        """The preset's settings, as the user's parameters change them."""
        given = {name: getattr(self, name) for name in OVERRIDES if getattr(self, name) is not None}
        if self.hidden is not None:
            sizes = tuple(self.hidden) if np.iterable(self.hidden) else (self.hidden,)
            if not sizes:
                raise ValueError(
                    f"hidden is {self.hidden!r}; give the neurons of at least one layer, such as (128, 64)."
                )
            layers = enumerate(sizes, start=1)
            given["hidden"] = tuple(check_count(f"layer {i}", size, where="hidden") for i, size in layers)
        return replace(self._presets[self.preset], **given)

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn from a table.

        Parameters
        ----------
        X : data frame, mapping of arrays, path of a CSV or Parquet file, array of shape (n_rows, n_columns), or task
            A `TabularTask` also holds the target and the weights.
        y : array-like of shape (n_rows,), or (n_rows, n_targets) for regression, or name
            Classes (strings, integers, booleans or dates) or numbers. A string or a number is the name of the column of
            X to predict, a list of strings the names of several columns of numbers.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows, at least 0.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            It names the column or the target, and says what to do.
        KeyboardInterrupt
            After Ctrl-C before any network has finished an epoch. Later, Ctrl-C ends training with a warning, and the
            networks are kept as they were after their best epochs.
        """
        return self.fit_unless(lambda: False, X, y, sample_weight)

    def fit_unless(self, cancelled: Callable[[], bool], X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """`fit` without checks of parameters; soon after ``cancelled()`` is true it ends with `KeyboardInterrupt`.

        So a search in the main thread, the only one that Ctrl-C reaches, can end trainings in other threads.
        """
        seconds = math.inf if self.time_budget is None else parse_duration("time_budget", self.time_budget)
        budget = FitBudget(time.monotonic() + seconds, self.on_epoch, cancelled=cancelled)
        before = dict(vars(self))
        reserve_blas_memory()
        try:
            task = self._task(X, y, sample_weight)
            self.fitted_parameters_ = {name: copy(getattr(self, name)) for name in self.prediction_parameters}
            self._learn(task, budget)
        except BaseException:  # what was fitted before stays whole
            self.__dict__ = before
            raise
        return self

    def _learn(self, task: TabularTask, budget: FitBudget) -> None:
        """Train the ensemble, and set the fitted attributes."""
        raise NotImplementedError

    def _read(self, X: Any, *, reset: bool) -> Table:
        """X as a table; names and number of its columns are recorded, or compared with those of `fit`."""
        if issparse(X):
            raise TypeError(f"A sparse matrix was passed, but {type(self).__name__} takes tables; use X.toarray().")
        if is_nameless(X):
            X = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite=False)
            return read_table({f"x{i}": column for i, column in enumerate(X.T)})
        table = read_table(X) if reset else self._read_known(X)
        if reset:
            self.n_features_in_ = len(table.columns)
            self.feature_names_in_ = np.array(list(table.columns), dtype=object)
        return table

    def _read_known(self, X: Any) -> Table:
        """The columns of X that training used, and the target if it is there; other columns are only named."""
        preparation = self.preparation_
        known = {*preparation.names, self.target_name_}
        return read_table(X, text=preparation.text_columns, reads=known.__contains__)

    def _task(self, X: Any, y: Any, sample_weight: Any) -> TabularTask:
        """The arguments of `fit` as a task; names and number of its columns are recorded."""
        named = names_columns(y, several=not is_classifier(self) and not is_nameless(X))
        if isinstance(X, TabularTask):
            if y is not None or sample_weight is not None:
                raise ValueError("a TabularTask holds the target and the weights: leave y and sample_weight out.")
            if (X.target.classes is None) == is_classifier(self):
                raise ValueError(f"the task is a {X.target.task} one, which {type(self).__name__} does not learn.")
            kinds = {**X.overrides, **column_overrides(self.kinds, self.ignore)}
            task = X if kinds == X.overrides else replace(X, overrides=kinds)
        elif named:
            require_names(X, y)
            goal = "classification" if is_classifier(self) else "regression"
            task = TabularTask.of(X, y, goal, self.kinds, ignore=self.ignore)
        else:
            inputs, name = self._read(X, reset=True), getattr(y, "name", None)
            if y is None:
                raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
            require_rows(inputs.n_rows)
            target = self._target(y, name if isinstance(name, str) else None)
            if len(target.values) != inputs.n_rows:
                raise ValueError(f"X has {inputs.n_rows} rows, y has {len(target.values)}: each row needs a target.")
            task = TabularTask(inputs, target, column_overrides(self.kinds, self.ignore))
        if named or isinstance(X, TabularTask):
            self._read(task.inputs, reset=True)
        if sample_weight is not None:
            task = replace(task, weights=sample_weight)
        self.target_name_, self.target_check_ = task.target.name, task.target.check
        return task

    def _target(self, y: Any, name: str | None) -> Target:
        """An array as a target."""
        raise NotImplementedError

    @property
    def score_name(self) -> str:
        """What ``score_`` is."""
        return str(self.goal.score.name)

    @property
    def goal(self) -> Any:
        """The `ClassMetric` or `RegressionLoss` of the last fit; before it, that of the parameters."""
        raise NotImplementedError

    def _parameter(self, name: str) -> Any:
        """A parameter as it was in the last fit; before it, as it is."""
        return getattr(self, "fitted_parameters_", {}).get(name, getattr(self, name))

    def evaluate(
        self,
        training: Target,
        held_out: Target,
        predictions: Array,
        training_weights: Array | None = None,
        weights: Array | None = None,
    ) -> Evaluation:
        """Scores of held-out rows by the metrics of the fit, each beside that of the trivial guess.

        Parameters
        ----------
        training, held_out : Target
            Of the training rows, which the guess is learned from, and of the rows that are scored.
        predictions : ndarray
            Of the held-out rows: what `predict` gives for numbers, and `predict_proba` for classes.
        training_weights, weights : ndarray of shape (n_rows,), optional
            Weights of the rows.

        Returns
        -------
        Evaluation
        """
        raise NotImplementedError

    def _keep_scores(self, target: Target, seen: NDArray[np.int64], weights: Array | None) -> None:
        """Set the attributes that compare the out-of-fold predictions with the trivial guess."""
        held_weights = None if weights is None else weights[seen]
        found = self.evaluate(target, target.take(seen), self.out_of_fold_[seen], weights, held_weights)
        self.scores_, self.trivial_guess_, self.beats_guess_ = found.scores, found.guess_name, found.beats_guess

    def _prepare(self, task: TabularTask, y: Array, weights: Array | None) -> Data:
        """The task for networks, with encoders that are learned from its inputs; draws the seed of everything else."""
        given = self.random_state
        self._seed = int(given if isinstance(given, Integral) else check_random_state(given).randint(2**31 - 1))
        self.preparation_ = fit_preparation(task.inputs, task.kinds)
        weights = None if weights is None else weights.astype(np.float32)
        return Data(self.preparation_, self.preparation_.transform(task.inputs), y, weights)

    def _fit_ensemble(self, data: Data, problem: Problem, folds: Folds, budget: FitBudget) -> Ensemble:
        """Train the members."""
        ensemble = fit_ensemble(data, problem, self.settings, folds, self._seed, budget)
        if ensemble.interrupted:
            warn_user(f"Training was interrupted: {len(ensemble.members)} networks are kept as they were at that time.")
        if n_diverged := sum(member.diverged for member in ensemble.members):
            warn_user(
                f"Training diverged in {n_diverged} of {len(ensemble.members)} networks and was stopped; their best "
                f"epochs are kept. Try a smaller learning_rate (now {ensemble.settings.learning_rate:g})."
            )
        return ensemble

    def average_with(self, others: Sequence[Any], y: Any, weights: Array | None = None) -> None:
        """Add the networks of other estimators, fitted on the same rows, targets and weights; calibrate again."""
        raise NotImplementedError

    def _folds(self, n: int, labels: Array | None = None) -> Folds:
        """Training and held-out rows of each member, stratified if each class has enough rows."""
        members = min(self.settings.members, n)
        counts = None if labels is None else np.bincount(labels)
        kind: Any
        if members == 1:
            stratify = counts is not None and counts.min() >= 2 and MIN_HELD_OUT * n >= len(counts)
            kind = StratifiedShuffleSplit if stratify else ShuffleSplit
            splitter = kind(1, test_size=MIN_HELD_OUT, random_state=self._seed)
        else:
            kind = StratifiedKFold if counts is not None and counts.min() >= members else KFold
            splitter = kind(members, shuffle=True, random_state=self._seed)
        return [(a.astype(np.int64), b.astype(np.int64)) for a, b in splitter.split(np.empty((n, 1)), labels)]

    def report(self) -> str:
        """A report as text: the out-of-fold score, the treatment of each column, and the training of the members."""
        from rosenblatt.estimators.tabular.explain.report import report

        check_is_fitted(self, "ensemble_")
        return report(self)

    def explain(
        self,
        X: Any,
        y: Any = None,
        *,
        method: str = "permutation",
        metric: str | None = None,
        n_repeats: int = 5,
        n_rows: int = 2000,
        random_state: Any = 0,
    ) -> Explanation:
        """How much each raw column matters to the model.

        "permutation" shuffles one column at a time among the rows and measures how much worse the score becomes
        (Breiman 2001). "gradient" sums, over a column's network inputs, the derivative of the output times the input's
        difference from its mean over the rows. This is a first-order estimate of the column's contribution to each row,
        which is exact for a linear model, averaged over the networks. For two classes it explains the calibrated log
        odds of the predicted class, and for more classes its logit above the mean of the others. For ordered classes it
        explains the mean log odds of lying above a class, and for regression the prediction, or its logarithm if that
        was learned.

        Both describe what the model does with these rows, not causes. Columns with the same information share its
        importance. Rows that were not trained on show what generalizes.

        Parameters
        ----------
        X : table, as in `fit`
        y : array-like of shape (n_rows,) or (n_rows, n_targets), or str, optional
            Targets, or the name of the column of X that holds them. They may be left out with "gradient", or if X has
            the column that `fit` learned to predict.
        method : {"permutation", "gradient"}
        metric : {"log_loss", "error", "balanced_error", "f1", "auc"}, optional
            Metric that scores a classification. The default "log_loss" also notices changes that flip no class. For
            regression it is that of ``score_``, usually R2.
        n_repeats : int
            How often each column is shuffled.
        n_rows : int
            Largest number of rows. If X has more, so many are drawn.
        random_state : int, RandomState instance or None
            Source of the rows and shuffles.

        Returns
        -------
        Explanation
            Columns with their importance, the most important first. ``print`` shows a table.

        Raises
        ------
        ValueError
            If y is missing, has another length or an unknown class, or a parameter is not allowed.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from rosenblatt import TabularClassifier
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = TabularClassifier("fast").fit(X, y)
        >>> sorted(model.explain(X, y).columns[:2])
        ['petal length (cm)', 'petal width (cm)']
        """
        from rosenblatt.estimators.tabular.explain.importance import explain

        check_is_fitted(self, "ensemble_")
        return explain(self, X, y, method, metric, n_repeats, n_rows, random_state)

    def partial_dependence(
        self,
        X: Any,
        column: str | int,
        *,
        grid: Any = None,
        n_grid: int = 20,
        n_rows: int = 1000,
        random_state: Any = 0,
    ) -> PartialDependence:
        """The mean prediction over rows if one column had the same value in all of them (Friedman 2001).

        Parameters
        ----------
        X : table, as in `fit`, which needs no target
        column : str or int
            Name of the column, or its number from 0.
        grid : sequence, optional
            Values in the column's own units. The default is quantiles from 5 % to 95 % for numbers and dates, and the
            most frequent levels for categories.
        n_grid : int
            Largest number of values in the default grid.
        n_rows : int
            Largest number of rows. If X has more, so many are drawn.
        random_state : int, RandomState instance or None
            Source of the rows.

        Returns
        -------
        PartialDependence
            Means and standard deviations over the rows, of probabilities or of predictions in the target's units.

        Raises
        ------
        ValueError
            If the column is unknown or the model leaves it out, or if a value of the grid is not of its kind.
        """
        from rosenblatt.estimators.tabular.explain.partial_dependence import partial_dependence

        check_is_fitted(self, "ensemble_")
        return partial_dependence(self, X, column, grid, n_grid, n_rows, random_state)

    def learning_curve(self) -> LearningCurve:
        """Training loss and held-out metric of each network after each epoch."""
        from rosenblatt.estimators.tabular.explain.report import LearningCurve

        check_is_fitted(self, "ensemble_")
        return LearningCurve.of(self.ensemble_.members)

    def _outputs(self, X: Any) -> Array:
        """The ensemble's mean outputs for raw rows, (n_rows, n_outputs)."""
        check_is_fitted(self, "ensemble_")
        return self.ensemble_.predict(self.preparation_.transform(self._read(X, reset=False)))
