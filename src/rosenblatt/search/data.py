"""The data of a search: folds that all candidates share, trainings over them, and their digest.

Takes the user's X and y. Returns the rows of each fold, converted once. Never splits the table of estimators that make
folds and encodings themselves.
"""

from __future__ import annotations

import hashlib
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

from rosenblatt._checks import check_weights
from rosenblatt.estimators.base import FLOATS, check_rows, rows_of
from rosenblatt.search.trials import Fold, RestartedTrial, ResumableTrial
from rosenblatt.tables.readers.reading import is_nameless, names_columns, read_table
from rosenblatt.tables.splits import copies_in, fold_rows
from rosenblatt.tables.table import Table
from rosenblatt.tables.task import TabularTask
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
    ) -> None:
        self.dtype = FLOATS if keeps_precision or getattr(estimator, "dtype", None) is None else estimator.dtype
        self.makes_own_folds = estimator.makes_own_folds
        self.X, self.y, self.sample_weight, self.refit_share = X, y, sample_weight, 1.0
        if self.makes_own_folds:
            if names_columns(y, several=not is_classifier(estimator)):  # once for all candidates
                task = "classification" if is_classifier(estimator) else "regression"
                self.X, self.y = TabularTask.of(X, y, task, weights=sample_weight), None
                self.sample_weight = None  # the task holds them now
            elif not (issparse(X) or is_nameless(X) or isinstance(X, TabularTask)):
                self.X = read_table(X)
            if self.sample_weight is not None and not isinstance(self.X, TabularTask):
                self.sample_weight = check_weights(sample_weight, len(np.asarray(y)))
            if not isinstance(cv, Integral):
                raise TypeError(
                    f"cv is {cv!r}, but {type(estimator).__name__} is scored by the folds of its members: leave cv "
                    "out, and set the number of folds by `members`."
                )
            self.scorer = None if scoring is None else check_scoring(estimator, scoring)
            self.targets = self.target_values() if scoring is not None else None
            if is_classifier(estimator) and np.asarray(self.y).shape[1:] == (1,):
                self.y = column_or_1d(y, warn=True)
            self.folds = [Fold(self.X, self.y, None, None)]
            return
        self.scorer = check_scoring(estimator, scoring)
        self.folds = self._split(estimator, X, y, cv, sample_weight)

    def target_values(self) -> Any:
        """The target of a tabular estimator, which may be a column."""
        return self.X.target.decoded() if isinstance(self.X, TabularTask) else np.asarray(self.y)

    def weights(self) -> Any:
        """The weights of all rows, or None."""
        return self.X.weights if isinstance(self.X, TabularTask) else self.sample_weight

    def _split(self, estimator: Any, X: Any, y: Any, cv: Any, sample_weight: Any) -> list[Fold]:
        X, y = check_rows(clone(estimator), X, y, dtype=self.dtype, multi_output=True)
        X = rows_of(X)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if is_classifier(estimator):
            check_classification_targets(y)
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, X.shape[0])
        splitter, take = check_cv(cv, y, classifier=is_classifier(estimator)), _safe_indexing
        pairs = list(splitter.split(X, y))  # it also checks the number of folds
        if isinstance(cv, Integral) and (copies := copies_in(X)) is not None:
            pairs = fold_rows(copies, int(cv), 0, y if is_classifier(estimator) and y.ndim == 1 else None)
        folds = [
            Fold(*(None if data is None else take(data, rows) for rows in pair for data in (X, y, sample_weight)))
            for pair in pairs
        ]
        if not folds:
            raise ValueError(f"cv is {cv!r}, which gives no split: give a number of folds or a splitter.")
        self.refit_share = len(y) / max(1, len(folds[0].y))
        return folds

    def training(self, estimator: Any, k: int) -> ResumableTrial | RestartedTrial:
        """A training of an unfitted estimator on the fold k."""
        if self.makes_own_folds:
            return RestartedTrial(estimator, self, self.scorer)
        return ResumableTrial(estimator, self.folds[k], self.scorer)

    def digest(self, said: str) -> str:
        """A hash of the data and of a text."""
        found = hashlib.blake2b(said.encode(), digest_size=20)
        if self.makes_own_folds:
            is_task, weights = isinstance(self.X, TabularTask), self.weights()
            kinds = sorted(self.X.overrides.items()) if is_task else []
            found.update(table_digest(self.X.inputs if is_task else self.X).encode())
            found.update(repr((kinds, None if weights is None else data_digest(weights))).encode())
            found.update(data_digest(self.target_values()).encode())
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
