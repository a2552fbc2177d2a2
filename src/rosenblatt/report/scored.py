"""Rows of a report: their inputs, targets and predictions.

Takes a fitted estimator and what a user passed. Returns `GivenRows` and `ReportRows`. Never trains, and never lets
networks predict the rows that they were trained on.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import check_weights
from rosenblatt._suggestions import suggestion
from rosenblatt.estimators.tabular.explain.importance import read_rows
from rosenblatt.estimators.tabular.explain.output_names import target_columns
from rosenblatt.estimators.tabular.predictions import predictions_of
from rosenblatt.estimators.tabular.scoring import is_on_common_rows
from rosenblatt.estimators.tabular.training_digest import training_digest
from rosenblatt.tables.encoders import Prepared
from rosenblatt.tables.readers.reading import is_nameless, names_columns, read_table
from rosenblatt.tables.roles import Roles, assign_roles, is_name
from rosenblatt.tables.table import Table, TableError, TableWarning
from rosenblatt.tables.targets import Target, find_target, rows_with_target

__all__ = [
    *("GivenRows", "PredictedRows", "ReportRows", "given_rows", "held_out_rows"),
    *("knows_folds", "out_of_fold_rows"),
]

Array = NDArray[Any]
OUT_OF_FOLD, HELD_OUT = "out of fold", "held out"


@dataclass(frozen=True, eq=False)
class GivenRows:
    """Rows with targets, as a user gave them.

    Attributes
    ----------
    table : Table
        The columns that the model uses, and perhaps others.
    target : Target
        Labels in the order of the model's classes, or numbers [n_rows, n_targets].
    weights : ndarray of shape (n_rows,) or None
    groups : ndarray of int64 of shape (n_rows,) or None
        The group of each row, where the model was trained with groups and the rows have their column.
    prepared : Prepared
        The rows as networks read them.
    are_training : bool
        Whether they are the rows that the model was trained on, in the same order.
    """

    table: Table
    target: Target
    weights: Array | None
    groups: Array | None
    prepared: Prepared
    are_training: bool

    def take(self, model: Any, rows: NDArray[np.int64]) -> GivenRows:
        """Some of the rows, which then are not the training rows."""
        table = self.table.take(rows)
        weights, groups = (None if part is None else part[rows] for part in (self.weights, self.groups))
        prepared = model.preparation_.transform(table)
        return GivenRows(table, self.target.take(rows), weights, groups, prepared, are_training=False)


@dataclass(frozen=True, eq=False)
class ReportRows:
    """Rows that score a model: none of the networks that predicted a row was trained on it.

    Attributes
    ----------
    table : Table
        The inputs.
    target : Target
        Labels in the order of the model's classes, or numbers [n_rows, n_targets].
    weights : ndarray of shape (n_rows,) or None
    predictions : ndarray of shape (n_rows, n_outputs)
        Probabilities of the classes, or numbers, or quantiles.
    what : {"out of fold", "held out"}
        Whether they are training rows, each predicted by networks that did not train on it, or others.
    numbers : ndarray of int64 of shape (n_rows,)
        Their places among the rows that were given, from 0.
    outputs : ndarray of shape (n_rows, n_outputs) or None
        What the networks gave, from which `predictions` were made.
    groups : ndarray of int64 of shape (n_rows,) or None
        The group of each row, if it is known.
    """

    table: Table
    target: Target
    weights: Array | None
    predictions: Array
    what: str
    numbers: NDArray[np.int64]
    outputs: Array | None = None
    groups: Array | None = None

    def __len__(self) -> int:
        return len(self.predictions)

    @property
    def truth(self) -> Array:
        """Targets as metrics take them: labels [n_rows], or numbers [n_rows, n_targets]."""
        values = self.target.values
        return values if self.target.classes is not None else values.reshape(len(values), -1)

    @property
    def y(self) -> Array:
        """The targets in their own type: classes or numbers, [n_rows] where there is one target."""
        decoded = self.target.decoded()
        return decoded[:, 0] if decoded.ndim > 1 and decoded.shape[1] == 1 else decoded

    def as_model(self, model: Any) -> PredictedRows:
        """A stand-in for the model that gives these predictions, whatever rows it is asked for."""
        return PredictedRows(model, self.predictions)


class PredictedRows:
    """Predictions in the form of a fitted estimator, so that `rosenblatt.plots` draws them.

    Parameters
    ----------
    model : fitted TabularClassifier or TabularRegressor
    predictions : ndarray of shape (n_rows, n_outputs)
    """

    def __init__(self, model: Any, predictions: Array) -> None:
        self.model, self.predictions = model, predictions
        self.preparation_, self.target_name_ = model.preparation_, model.target_name_
        self.is_classifier = hasattr(model, "classes_")
        if self.is_classifier:
            self.classes_ = model.classes_
        else:
            self.target_scaler_ = model.target_scaler_

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        return self.model.__sklearn_tags__()

    def fit(self, X: Any, y: Any = None) -> PredictedRows:
        """Nothing is learned."""
        return self

    def fitted_parameter(self, name: str) -> Any:
        """That of the model."""
        return self.model.fitted_parameter(name)

    def predict(self, X: Any) -> Array:
        """The classes, or the numbers, of all rows."""
        if not self.is_classifier:
            return self.predictions[:, 0] if self.predictions.shape[1] == 1 else self.predictions
        return np.asarray(self.classes_[(self.predictions * self.model.decision_weights_).argmax(axis=1)])

    def __getattr__(self, name: str) -> Any:
        if name == "predict_proba" and self.__dict__.get("is_classifier"):
            return lambda X: self.predictions
        raise AttributeError(f"predictions of a report have no {name}")


def given_rows(model: Any, X: Any, y: Any, sample_weight: Any = None, what: str = "X") -> GivenRows:
    """Rows as a user gave them, with the model's columns and targets.

    Raises
    ------
    ValueError
        If there is no target, columns are missing, or weights do not fit.
    """
    if not is_nameless(X):
        X = read_table(X, text=[*model.preparation_.text_columns, *model.id_columns_])
    X, sample_weight = with_targets(model, X, y, sample_weight)
    table, target = read_rows(model, X, y)
    if target is None:
        raise ValueError(no_target(model, table, what))
    require_counts(model, target, what)
    if table.n_rows == 0:
        raise ValueError(f"{what} has no rows; a report needs at least one, or none at all: report().")
    prepared = model.preparation_.transform(table)
    known = getattr(model, "training_digest_", None)
    classes = getattr(model, "classes_", None)
    return GivenRows(
        table,
        Target(model.target_name_, target, classes),
        weights_of(model, X, sample_weight, table.n_rows),
        groups_of(model, X, table.n_rows),
        prepared,
        known is not None and training_digest(prepared, target) == known,
    )


def require_counts(model: Any, target: Array, what: str) -> None:
    """Refuse negative targets of a model of counts, whose deviance they do not have."""
    if not hasattr(model, "classes_") and model.goal.scaling == "mean" and len(target) and target.min() < 0:
        row = int(np.argmin(target.reshape(len(target), -1).min(axis=1)))
        found = f"the target of {what} is {target.min():g} in row {row + 1} (the first row is 1)"
        raise ValueError(f"{found}, but the model was trained with loss='poisson', which needs targets of at least 0.")


def with_targets(model: Any, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any]:
    """Rows and weights without the rows that lack a target, if `fit` left out such rows, too, and X has the target."""
    name = target_columns(model) or None if y is None else y
    if not model.n_dropped_ or is_nameless(X) or not names_columns(name, several=True):
        return X, sample_weight
    table = read_table(X)
    names = [str(one) for one in (name if isinstance(name, list) else [name])]
    if not set(names) <= set(table.columns):
        return table, sample_weight
    rows = rows_with_target([find_target(table, one) for one in names], drop_missing=True)
    if rows is None:
        return table, sample_weight
    if sample_weight is not None and not is_name(sample_weight):
        sample_weight = np.asarray(check_weights(sample_weight, table.n_rows))[rows]
    return table.take(rows), sample_weight


def no_target(model: Any, table: Table, what: str) -> str:
    """The refusal of rows without targets."""
    lacks = [one for one in target_columns(model) if one not in table.columns]
    if not lacks or is_nameless(table):
        return f"{what} was given without targets: give them as y, or leave {what} out."
    name = lacks[0]
    near = suggestion(name, table.columns)
    return f"{what} has no column {name!r}, which the model predicts: give the targets as y, or leave {what} out.{near}"


def weights_of(model: Any, X: Any, sample_weight: Any, n_rows: int) -> Array | None:
    """The weights of the rows: given, or in a column that is named, or in that which had them in training."""
    if sample_weight is None:
        name = getattr(model, "weight_column_", None)
        if name is None or is_nameless(X) or name not in read_table(X).columns:
            return None
        sample_weight = name
    if not is_name(sample_weight):
        return check_weights(sample_weight, n_rows)
    given = Roles(sample_weight)
    given.require_names(X)
    weights: Array = assign_roles(read_table(X), given)[1]["weights"]
    return weights


def groups_of(model: Any, X: Any, n_rows: int) -> Array | None:
    """The groups of the rows, if training had groups in a column that these rows have, too."""
    name = getattr(model, "group_column_", None)
    if name is None or is_nameless(X):
        return None
    table = read_table(X)
    if name not in table.columns:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TableWarning)  # new rows may well be of one group each
            fields = assign_roles(table, Roles(groups=name))[1]
    except TableError:
        return None
    groups: Array | None = fields["groups"]
    if groups is None or len(groups) != n_rows:
        return None
    return np.unique(groups, return_inverse=True)[1]  # the same numbers, whatever other rows the table had


def held_out_rows(model: Any, given: GivenRows) -> ReportRows:
    """Rows that the model was not trained on, with its predictions."""
    outputs = model.ensemble_.predict(given.prepared)
    found = predictions_of(model, outputs)
    numbers = np.arange(given.table.n_rows)
    return ReportRows(given.table, given.target, given.weights, found, HELD_OUT, numbers, outputs, given.groups)


def out_of_fold_rows(model: Any, given: GivenRows) -> ReportRows | str:
    """Training rows with predictions of networks that did not see them, or why there are none."""
    if is_on_common_rows(model.score_on_):
        return "the networks trained on all of these rows, as others chose their epochs: give the validation rows"
    if not hasattr(model, "out_of_fold_"):
        return (
            "the model was loaded without its training predictions: save it with training_predictions=True, or give "
            "other rows"
        )
    found = np.asarray(model.out_of_fold_, np.float64).reshape(given.table.n_rows, -1)
    seen = np.flatnonzero(~np.isnan(found[:, 0]))
    outputs = None
    if knows_folds(model):
        outputs = model.ensemble_.out_of_fold(given.table.n_rows)[seen]
    weights, groups = (None if part is None else part[seen] for part in (given.weights, given.groups))
    table, target = given.table.take(seen), given.target.take(seen)
    return ReportRows(table, target, weights, found[seen], OUT_OF_FOLD, seen, outputs, groups)


def knows_folds(model: Any) -> bool:
    """Whether the networks still know which rows they held out, and what they predicted for these."""
    return all(len(member.held_out) for member in model.ensemble_.members)
