"""The data of a search: folds that all candidates share, trainings over them, and their digest.

Takes the user's X and y. Returns the rows of each fold, converted once. Never splits the table of estimators that make
folds and encodings themselves.
"""

from __future__ import annotations

import hashlib
from copy import copy
from numbers import Integral
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from rosenblatt._checks import check_count, check_weights
from rosenblatt.estimators.base import FLOATS, check_rows, rows_of
from rosenblatt.search.trials import Fold, RestartedTrial, ResumableTrial
from rosenblatt.tables.given_folds import check_pair, given_folds, roles_of_rows, split_by
from rosenblatt.tables.readers.reading import is_nameless, names_columns, read_table
from rosenblatt.tables.roles import Roles, assign_roles
from rosenblatt.tables.splits import copies_in, fold_rows, forward_folds
from rosenblatt.tables.table import Table
from rosenblatt.tables.task import ALL_ROWS, TabularTask, score_on
from rosenblatt.training.checkpoint import data_digest

__all__ = ["SearchData"]


class SearchData:
    """Folds for an estimator, and how they are scored; ValueError for data that no candidate could be trained on.

    With `keeps_precision`, numbers keep their type, because candidates compute in different ones. `refit_share` is the
    number of all rows divided by the number of training rows in a fold.
    """

    def __init__(
        self,
        estimator: Any,
        X: Any,
        y: Any,
        cv: Any,
        scoring: Any,
        keeps_precision: bool = False,
        sample_weight: Any = None,
        groups: Any = None,
        time: Any = None,
    ) -> None:
        self.dtype = FLOATS if keeps_precision or getattr(estimator, "dtype", None) is None else estimator.dtype
        self.makes_own_folds = estimator.makes_own_folds
        self.X, self.y, self.sample_weight, self.refit_share = X, y, sample_weight, 1.0
        self.roles: dict[str, Any] = {}
        """Groups or times of the rows, for estimators that make folds themselves."""
        self.given_folds: list[tuple[Any, Any]] | None = None
        """The user's folds for such estimators."""
        if self.makes_own_folds:
            self._keep_table(estimator, groups, time)
            self.scorer = None if scoring is None else check_scoring(estimator, scoring)
            self.targets = self.target_values() if scoring is not None else None
            if is_classifier(estimator) and np.asarray(self.y).shape[1:] == (1,):
                self.y = column_or_1d(y, warn=True)
            if not isinstance(cv, Integral):
                self.given_folds = self._given_folds(estimator, cv)
            self.folds = [Fold(self.X, self.y, None, None)]
            roles = self.row_roles()
            self.score_on = score_on(roles.get("groups"), roles.get("time"))
            return
        self.scorer = check_scoring(estimator, scoring)
        self.folds = self._split(estimator, X, y, cv, sample_weight, groups, time)

    def _keep_table(self, estimator: Any, groups: Any, time: Any) -> None:
        """Read the table, and what its rows are besides inputs, once for all candidates."""
        X, roles = self.X, Roles(self.sample_weight, groups, time)
        if names_columns(self.y, several=not is_classifier(estimator)):
            task = "classification" if is_classifier(estimator) else "regression"
            given = {"weights": self.sample_weight, "groups": groups, "time": time, "window": ALL_ROWS}
            self.X = TabularTask.of(X, self.y, task, **given)
            self.y = self.sample_weight = None  # the task holds them now
        elif isinstance(X, TabularTask):
            if roles.any_given:
                raise ValueError("a TabularTask holds weights, groups and times: leave them out of the search.")
        elif roles.any_given or not (issparse(X) or is_nameless(X)):
            roles.require_names(X)
            table = Table({}, len(np.asarray(X))) if is_nameless(X) else read_table(X)
            inputs, fields = assign_roles(table, roles)
            self.X, self.sample_weight = X if is_nameless(X) else inputs, fields["weights"]
            found = {"groups": fields["groups"], "time": fields["times"]}
            self.roles = {name: array for name, array in found.items() if array is not None}

    def _given_folds(self, estimator: Any, cv: Any) -> list[tuple[Any, Any]]:
        """The user's folds, made once: all candidates have the same."""
        if estimator.cv is not None:
            raise ValueError("both the search and the estimator have cv: leave one of them out.")
        y = self.X.target.values if isinstance(self.X, TabularTask) else np.asarray(self.y)
        roles = self.row_roles()
        return given_folds(cv, len(y), y, roles.get("groups"), roles.get("time"))

    def row_roles(self) -> dict[str, Any]:
        """The groups or the times of the rows, if they have any."""
        is_task = isinstance(self.X, TabularTask)
        found = {"groups": self.X.groups, "time": self.X.times} if is_task else self.roles
        return {name: array for name, array in found.items() if array is not None}

    def own_folds(self, estimator: Any) -> Any:
        """The estimator of a candidate that makes its own folds, with the user's if there are any."""
        return estimator if self.given_folds is None else estimator.set_params(cv=self.given_folds)

    def target_values(self) -> Any:
        """The target of a tabular estimator, which may be a column."""
        return self.X.target.decoded() if isinstance(self.X, TabularTask) else np.asarray(self.y)

    def weights(self) -> Any:
        """The weights of all rows, or None."""
        return self.X.weights if isinstance(self.X, TabularTask) else self.sample_weight

    def _split(self, estimator: Any, X: Any, y: Any, cv: Any, sample_weight: Any, groups: Any, time: Any) -> list[Fold]:
        X, y = check_rows(clone(estimator), X, y, dtype=self.dtype, multi_output=True)
        X = rows_of(X)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if is_classifier(estimator):
            check_classification_targets(y)
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, X.shape[0])
        take, pairs = _safe_indexing, self._pairs(estimator, X, y, cv, groups, time)
        folds = [
            Fold(*(None if data is None else take(data, rows) for rows in pair for data in (X, y, sample_weight)))
            for pair in pairs
        ]
        if not folds:
            raise ValueError(f"cv is {cv!r}, which gives no split: give a number of folds or a splitter.")
        self.refit_share = len(y) / max(1, len(folds[0].y))
        return folds

    def _pairs(self, estimator: Any, X: Any, y: Any, cv: Any, groups: Any, time: Any) -> list[Any]:
        """Training and held-out rows of each fold; copies of a row, and rows of a group, stay together."""
        groups, times = roles_of_rows(X.shape[0], groups, time)
        self.score_on = score_on(groups, times)
        if not isinstance(cv, Integral):
            pairs = split_by(check_cv(cv, y, classifier=is_classifier(estimator)), X, y, groups, times)
            return [check_pair(pair, X.shape[0], i, groups=groups, times=times) for i, pair in enumerate(pairs)]
        n_folds = check_count("cv", cv, 2)
        if times is not None:
            return list(forward_folds(times, n_folds))
        together = copies_in(X) if groups is None else groups
        if groups is None:  # it also checks the number of folds
            pairs = list(check_cv(n_folds, y, classifier=is_classifier(estimator)).split(X, y))
        if together is not None:
            pairs = list(fold_rows(together, n_folds, 0, y if is_classifier(estimator) and y.ndim == 1 else None))
        return pairs

    def training(self, estimator: Any, k: int) -> ResumableTrial | RestartedTrial:
        """A training of an unfitted estimator on the fold k."""
        if self.makes_own_folds:
            return RestartedTrial(estimator, self, self.scorer)
        return ResumableTrial(estimator.set_params(verbose=False), self.folds[k], self.scorer)  # candidates are silent

    def for_others(self) -> SearchData:
        """The data for trainings in other processes: folds without the whole that they are parts of."""
        twin = copy(self)
        if not self.makes_own_folds:
            twin.X = twin.y = twin.sample_weight = None
        return twin

    def digest(self, said: str) -> str:
        """A hash of the data and of a text."""
        found = hashlib.blake2b(said.encode(), digest_size=20)
        if self.makes_own_folds:
            is_task, weights = isinstance(self.X, TabularTask), self.weights()
            kinds = sorted(self.X.overrides.items()) if is_task else []
            found.update(table_digest(self.X.inputs if is_task else self.X).encode())
            found.update(repr((kinds, None if weights is None else data_digest(weights))).encode())
            found.update(data_digest(self.target_values()).encode())
            for name, array in self.row_roles().items():
                found.update(f"{name} {data_digest(array)}".encode())
            for pair in self.given_folds or []:
                found.update(data_digest(*pair).encode())
        else:
            for fold in self.folds:
                held = [fold.X, np.asarray(fold.y), fold.X_test, np.asarray(fold.y_test), fold.weight, fold.weight_test]
                found.update(data_digest(*(data for data in held if data is not None)).encode())
        return found.hexdigest()


def table_digest(X: Any) -> str:
    """A hash of a table: names, kinds and cells of its columns."""
    if issparse(X):
        raise TypeError("A sparse matrix was passed, but tabular estimators take tables; use X.toarray().")
    if not isinstance(X, Table):
        return data_digest(np.asarray(X))
    found = hashlib.blake2b(digest_size=20)
    for name, column in X.columns.items():
        found.update(f"{name!r} {column.storage} {column.levels!r} {data_digest(column.values)}".encode())
    return found.hexdigest()
