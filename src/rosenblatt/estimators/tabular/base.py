"""What `TabularClassifier` and `TabularRegressor` share: parameters, and the way from a raw table to an ensemble.

Takes a table of any kind and a target. Returns a fitted estimator with out-of-fold predictions. Never shows members the
targets of the rows that score them. (The scales and levels of columns are learned from all training rows.)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, _fit_context, is_classifier
from sklearn.callback import with_callbacks
from sklearn.utils.validation import validate_data

from rosenblatt._checks import check_count, check_flag, is_count, narrow_weights
from rosenblatt.distributed.ranks import ranks, together
from rosenblatt.estimators.base import Searchable, SuggestingMixin, unchanged_if_failed, warn_user
from rosenblatt.estimators.callbacks import FitTasks
from rosenblatt.estimators.client import HoldsClient
from rosenblatt.estimators.diagram import Diagram
from rosenblatt.estimators.fitted_parameters import FittedParameters
from rosenblatt.estimators.labels import kept_targets
from rosenblatt.estimators.tabular.architecture import Settings
from rosenblatt.estimators.tabular.course import Trainable
from rosenblatt.estimators.tabular.drift import Monitorable
from rosenblatt.estimators.tabular.ensemble import Ensemble, Folds, fit_ensemble
from rosenblatt.estimators.tabular.explain.background import Background
from rosenblatt.estimators.tabular.explain.explainable import Explainable
from rosenblatt.estimators.tabular.folds import folds_of_task
from rosenblatt.estimators.tabular.member import FitBudget
from rosenblatt.estimators.tabular.parameters import CONSTRAINTS, OVERRIDES
from rosenblatt.estimators.tabular.predicted_blocks import BlockPredictor
from rosenblatt.estimators.tabular.problem import Data, Problem
from rosenblatt.estimators.tabular.scoring import ON_VALIDATION_ROWS, TabularScores
from rosenblatt.estimators.tabular.streamable import Streamable, require_readable
from rosenblatt.estimators.tabular.training_digest import training_digest
from rosenblatt.estimators.tabular.training_predictions import LeftOut
from rosenblatt.estimators.tabular.validation import check_validation, validation_data
from rosenblatt.nn.graph import check_depth
from rosenblatt.tables.given_folds import refuse_rows_of_whole_table
from rosenblatt.tables.kinds import column_overrides
from rosenblatt.tables.preparation import Preparation, fit_preparation
from rosenblatt.tables.readers.reading import is_nameless, names_columns, read_table, require_names
from rosenblatt.tables.roles import Roles, assign_roles
from rosenblatt.tables.splits import has_common_groups
from rosenblatt.tables.streamed_task import StreamedTask
from rosenblatt.tables.table import Table
from rosenblatt.tables.targets import Target
from rosenblatt.tables.task import TabularTask, require_rows
from rosenblatt.threads import reserve_blas_memory

__all__ = ["TabularEstimator"]

Array = NDArray[Any]


class TabularEstimator(
    Explainable,
    BlockPredictor,
    Trainable,
    Monitorable,
    Streamable,
    TabularScores,
    FittedParameters,
    HoldsClient,
    SuggestingMixin,
    Diagram,
    Searchable,
    BaseEstimator,  # type: ignore[misc]
):
    """What both have in common; they declare the parameters and document them."""

    preset: str
    kinds: Mapping[Any, str] | None
    ignore: Any
    cv: Any
    members: int | None
    hidden_layer_sizes: Any
    preparation_: Preparation
    ensemble_: Ensemble
    out_of_fold_: Any = LeftOut()

    _parameter_constraints: ClassVar[dict[str, Any]] = CONSTRAINTS
    _presets: ClassVar[Mapping[str, Settings]]
    documentation_page = "tabular"
    makes_own_folds = True
    score_parameters = frozenset({"metric", "loss", "quantiles"})
    shared_parameters = ("kinds", "ignore", "ordered", "loss", "quantiles", "metric")

    @property
    def n_iter_(self) -> int:
        """Epochs of the network that was trained for the most."""
        return max(len(member.curve) for member in self.ensemble_.members)

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
        given = {setting: getattr(self, name) for name, setting in OVERRIDES.items() if getattr(self, name) is not None}
        if "hidden" in given:
            sizes = tuple(given["hidden"]) if np.iterable(given["hidden"]) else (given["hidden"],)
            if not sizes:
                raise ValueError(
                    f"hidden_layer_sizes is {self.hidden_layer_sizes!r}; give the neurons of at least one layer, such "
                    "as (128, 64)."
                )
            check_depth(len(sizes))  # at once: making so many layers takes long
            layers = enumerate(sizes, start=1)
            given["hidden"] = tuple(check_count(f"layer {i}", size, where="hidden_layer_sizes") for i, size in layers)
        if is_count(self.cv):
            given["members"] = int(self.cv)
        return replace(self._presets[self.preset], **given)

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        time: Any = None,
        id: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        drop_missing_target: bool = False,
    ) -> Self:
        """Learn from a table.

        Parameters
        ----------
        X : data frame, mapping of arrays, path of a file, dataset, array of shape (n_rows, n_columns), or task
            Files are CSV, JSON, Parquet, Arrow or Feather, also folders and patterns of them. Datasets and files of
            more rows than the `window` are not read into memory; see the notes. A `TabularTask` also holds the target.
        y : array-like of shape (n_rows,), or (n_rows, n_targets) for regression, or name
            Classes (strings, integers, booleans or dates) or numbers. A string or a number is the name of the column of
            X to predict, a list of strings the names of several columns of numbers.
        sample_weight : array-like of shape (n_rows,) or name, optional
            Weights of the rows, at least 0. A column of X that is named here, or for one of the next three parameters,
            is no input.
        groups : array-like of shape (n_rows,) or name, optional
            What rows belong to, such as customers: strings, numbers or dates, none missing. All rows of a group train
            together, or are held out, so that the score is that of new groups.
        time : array-like of shape (n_rows,) or name, optional
            When rows were made: dates or numbers, none missing. Each network is scored by later rows than it trains on.
            Not together with `groups`.
        id : name or list of names, optional
            Columns of X that name the rows. They are kept as ``id_columns_``.
        X_val, y_val : like X and y, optional
            Your own validation rows, of the same columns. Every network then trains on all rows of X, and these rows
            choose its best epoch, calibrate and score. `y_val` may be left out if `y` is a name and X_val has this
            column. Where `sample_weight` names a column that X_val has, too, it holds the weights of these rows.
        drop_missing_target : bool, default=False
            Whether rows without a target are left out, and counted in ``n_dropped_``. By default they are refused.
            ``out_of_fold_`` has the rows that were kept.

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

        Notes
        -----
        A dataset of more rows than the `window` is read once to learn what its columns are, and once to prepare its
        rows in a temporary file (in the folder `checkpoint` or that of the system), which is gone at the end. A fifth
        of the rows, at most 131,072, is held out, by hashes of their cells: copies are on one side; with `groups` it is
        whole groups, with `time` the latest rows. They choose the best epochs, calibrate and score; all networks train
        on all others. Say y, `sample_weight`, `groups` and `time` by names of columns, and no `cv`.
        """
        roles = {"groups": groups, "time": time, "id": id, "drop_missing_target": drop_missing_target}
        self.fit_unless(lambda: False, X, y, sample_weight, X_val=X_val, y_val=y_val, **roles)
        return self

    @with_callbacks  # type: ignore[untyped-decorator]
    def fit_unless(
        self,
        cancelled: Callable[[], bool],
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        **roles: Any,
    ) -> Self:
        """`fit` without checks of parameters; soon after ``cancelled()`` is true it ends with `KeyboardInterrupt`.

        So a search in the main thread, the only one that Ctrl-C reaches, can end trainings in other threads.
        """
        reserve_blas_memory()
        with together() as found, self._budget(cancelled) as budget, unchanged_if_failed(self, BaseException):
            validation = check_validation(X, y, X_val, y_val, sample_weight)
            reading = {"hold_out": validation is None, "heard": budget.heard, "opened": require_readable(budget.jobs)}
            task = self._task(X, y, sample_weight, **roles, reading=reading)
            self._refuse_contradictions(task, validation is not None)
            if not isinstance(X, TabularTask):
                refuse_rows_of_whole_table(self.cv, task.n_dropped)
            self._announce(budget, task, X, y)
            self.keep_parameters()
            with found.held():
                self._learn(task, budget, validation)
            budget.tasks.end()
        return self

    def _refuse_contradictions(self, task: TabularTask, has_validation: bool) -> None:
        """Refuse several answers to the question of which rows are held out."""
        others = {"cv": self.cv, "groups": task.groups, "time": task.times}
        if isinstance(task, StreamedTask):
            others |= self._stated_rows(task)
        if has_validation and (given := [name for name, value in others.items() if value is not None]):
            raise ValueError(
                f"{given[0]} and X_val both say which rows are held out: leave one of them out. (A column that is no "
                "input belongs in `ignore`.)"
            )
        if self.cv is not None and self.members is not None and not (is_count(self.cv) and self.cv == self.members):
            raise ValueError(
                f"members is {self.members}, but cv is {self.cv!r}, and a network is trained for each of its folds: "
                "leave members out."
            )

    def _learn(self, task: TabularTask, budget: FitBudget, validation: tuple[Any, ...] | None) -> None:
        """Train the ensemble, and set the fitted attributes."""
        raise NotImplementedError

    def _read(self, X: Any, *, reset: bool, keep: Collection[str] = ()) -> Table:
        """X as a table; names and number of its columns are recorded, or compared with those of `fit`.

        Columns to `keep` are read although the model does not know them.
        """
        if not reset:
            return self._read_rows(X, keep)
        if issparse(X):
            raise TypeError(f"A sparse matrix was passed, but {type(self).__name__} takes tables; use X.toarray().")
        if is_nameless(X):
            X = validate_data(self, X, reset=True, dtype=None, ensure_all_finite=False)
            return read_table({f"x{i}": column for i, column in enumerate(X.T)})
        table = read_table(X)
        self.n_features_in_ = len(table.columns)
        self.feature_names_in_ = np.array(list(table.columns), dtype=object)
        return table

    def _checked_array(self, X: Any) -> Array:
        return np.asarray(validate_data(self, X, reset=False, dtype=None, ensure_all_finite=False))

    def _task(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        groups: Any = None,
        time: Any = None,
        id: Any = None,
        drop_missing_target: bool = False,
        reading: Mapping[str, Any] = MappingProxyType({}),
    ) -> TabularTask:
        """The arguments of `fit` as a task; names and number of its columns, and what has a role, are recorded."""
        given, drop = Roles(sample_weight, groups, time, id), check_flag("drop_missing_target", drop_missing_target)
        if isinstance(X, TabularTask):
            task = self._own_task(X, y, given, **reading)
        elif names_columns(y, several=not is_classifier(self) and not is_nameless(X)):
            require_names(X, y)
            goal = "classification" if is_classifier(self) else "regression"
            roles = {"groups": groups, "time": time, "id": id, "drop_missing_target": drop, "window": self.window}
            task = TabularTask.of(X, y, goal, self.kinds, sample_weight, self.ignore, **roles, **reading)
        else:
            task = self._task_of_array(X, y, given, drop)
        if not is_nameless(X):
            self._read(task.inputs, reset=True)
        self.target_name_, self.target_check_ = task.target.name, task.target.check
        self.id_columns_, self.n_dropped_ = task.id_columns, task.n_dropped
        self.group_column_, self.weight_column_ = task.group_column, task.weight_column
        self.weighted_ = task.weights is not None or task.weight_column is not None
        return task

    def _own_task(
        self, task: TabularTask, y: Any, given: Roles, opened: Callable[..., object], **reading: Any
    ) -> TabularTask:
        """A task of the user's, with this estimator's kinds of columns."""
        if y is not None or given.any_given:
            raise ValueError(
                "a TabularTask holds the target and the weights: leave y and sample_weight out. The same holds for "
                "groups, time and id."
            )
        if (task.target.classes is None) == is_classifier(self):
            raise ValueError(f"the task is a {task.target.task} one, which {type(self).__name__} does not learn.")
        kinds = {**task.overrides, **column_overrides(self.kinds, self.ignore)}
        if isinstance(task, StreamedTask):
            opened(task.stream)
            return task.read_again(kinds, **reading)
        return task if kinds == task.overrides else replace(task, overrides=kinds)

    def _task_of_array(self, X: Any, y: Any, given: Roles, drop: bool) -> TabularTask:
        """A table, and the target beside it as an array."""
        given = given.of_array() if is_nameless(X) else given
        given.require_names(X)
        kinds = given.overrides((), column_overrides(self.kinds, self.ignore))
        of_array = is_nameless(X) or issparse(X)  # which `_read` refuses
        inputs = self._read(X, reset=True) if of_array else self._read_dataset(X, given.ids)
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        require_rows(n_rows := inputs.n_rows)
        name = getattr(y, "name", None)
        y, kept = kept_targets(y, drop, n_rows)
        target = self._target(y, name if isinstance(name, str) else None)
        if len(target.values) != (n_rows if kept is None else len(kept)):
            raise ValueError(f"X has {n_rows} rows, y has {len(target.values)}: each row needs a target.")
        inputs, fields = assign_roles(inputs, given, kept)
        return TabularTask(inputs, target, kinds, **fields, n_dropped=n_rows - inputs.n_rows)

    def _target(self, y: Any, name: str | None) -> Target:
        """An array as a target."""
        raise NotImplementedError

    def _prepare(
        self, task: TabularTask, y: Array, weights: Array | None, budget: FitBudget, validation: tuple[Any, ...] | None
    ) -> Data:
        """The task for networks, with encoders that are learned from its inputs; draws the seed of everything else."""
        self.preparation_ = fit_preparation(task.inputs, task.kinds)
        prepared = self.preparation_.transform(task.inputs)
        self.background_ = Background.of(prepared, self.preparation_, task.weights)
        self.training_digest_ = training_digest(prepared, y)
        weights = None if weights is None else narrow_weights(weights)
        held_out = None
        if validation is not None:
            held_out = validation_data(self, validation, y.size // len(y), self._check_targets)
        groups = None if task.groups is None else task.together
        data = Data(self.preparation_, prepared, y, weights, held_out, groups, task.times)
        self._seed = self._draw_seed(budget, task, held_out)
        return data

    def _check_targets(self, targets: Array, name: str, rows: NDArray[np.int64] | None = None) -> None:
        """Refuse targets that the loss does not support, by a `ValueError` that calls them `name`.

        `rows` are their numbers in the whole table, if they are some of it.
        """

    def _fit_ensemble(self, data: Data, problem: Problem, folds: Folds, budget: FitBudget) -> Ensemble:
        """Train the members."""
        budget.tasks = budget.begin(max_subtasks=len(folds)) if ranks().is_first else FitTasks()
        budget.rebuild = lambda member: {"ensemble_": Ensemble((member,), self.settings, decode=problem.decode)}
        ensemble = fit_ensemble(data, problem, self.settings, folds, self._seed, budget)
        if ensemble.interrupted and ranks().is_first:
            warn_user(f"Training was interrupted: {ensemble.kept} at that time.")
        if n_diverged := sum(member.diverged for member in ensemble.members):
            warn_user(
                f"Training diverged in {n_diverged} of {len(ensemble.members)} networks and was stopped; their best "
                f"epochs are kept. Try a smaller learning_rate_init (now {ensemble.settings.learning_rate:g})."
            )
        return ensemble

    def average_with(self, others: Sequence[Any], y: Any, weights: Array | None = None) -> None:
        """Add the networks of other estimators, fitted on the same rows, targets and weights; calibrate again."""
        raise NotImplementedError

    def _folds(self, task: TabularTask, data: Data, labels: Array | None = None) -> Folds:
        """Training and held-out rows of each member; how many rows are different is recorded."""
        if isinstance(task, StreamedTask):
            return self._folds_of_stream(task, data)
        n_rows, copies = task.inputs.n_rows, task.copies
        self.n_rows_ = n_rows
        self.n_distinct_ = n_rows if copies is None else int(copies.max()) + 1
        self.n_groups_ = None if task.groups is None else len(np.unique(task.groups))
        self.score_on_ = task.score_on if data.validation is None else ON_VALIDATION_ROWS
        validation = 0 if data.validation is None else len(data.validation.y)
        folds = folds_of_task(task, self.settings.members, self._seed, labels, self.cv, validation)
        self.divides_copies_ = copies is not None and not validation and has_common_groups(copies, folds)
        return folds
