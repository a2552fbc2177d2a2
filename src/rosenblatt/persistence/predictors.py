"""What a saved model predicts, without scikit-learn, SciPy and data frames.

Takes state and arrays of a model's file. Returns an object with `predict` and, for classes, `predict_proba`, which give
the bits of the estimator that `load` returns. Never trains, and has no parameters to set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import as_numbers, check_finite
from rosenblatt.estimators.decoding import are_probabilities, labels_of, probabilities_of, values_of
from rosenblatt.estimators.fitted_parameters import FittedParameters
from rosenblatt.estimators.outputs import finite_outputs, is_sparse, predict_rows, rows_of
from rosenblatt.estimators.sparse import own_indices
from rosenblatt.estimators.tabular.architecture import Settings
from rosenblatt.estimators.tabular.metrics import regression_of
from rosenblatt.estimators.tabular.predicted_blocks import BlockPredictor
from rosenblatt.estimators.tabular.predictions import ClassPredictions, NumberPredictions
from rosenblatt.nn.network import Network
from rosenblatt.persistence.estimators import parameters_from_state, parts_from_state, require_class, row_of_zeros
from rosenblatt.persistence.limits import require_predictions
from rosenblatt.persistence.tabular_parts import (
    require_tabular,
    restore_fitted,
    restore_predictions,
    row_of_missing,
)
from rosenblatt.storage.container import errors_of
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.readers.rows import is_row, is_rows
from rosenblatt.tables.table import Column, Table, TableError
from rosenblatt.tables.task import WINDOW

__all__ = ["RowPredictor", "TablePredictor", "estimator_predictor", "tabular_predictor"]

Array = NDArray[Any]


class RowPredictor:
    """Predictions of an `MLPRegressor`; its subclasses predict classes.

    Attributes
    ----------
    model : str
        The name of the class that was saved.
    columns : dict of str to str
        The columns that the model reads, all "numeric"; without names in training, they are called "x0", "x1", ....
    network : Network
    """

    def __init__(self, model: str, network: Network, attributes: Mapping[str, Any], parameters: Mapping[str, Any]):
        self.model, self.network = model, network
        self._names = attributes.get("feature_names_in_")
        names = [f"x{i}" for i in range(network.graph.n_inputs)] if self._names is None else self._names.tolist()
        self.columns = dict.fromkeys(names, "numeric")
        self._attributes, self._parameters = attributes, parameters

    def predict(self, X: Any) -> Array:
        """Numbers, (n_rows,) or (n_rows, n_outputs), from an array, or from a table of any form by its names."""
        loss, transform = self._parameters["loss"], self._parameters["target_transform"]
        return values_of(self._outputs(X), loss, transform, self._attributes.get("smearing_factor_"))

    def _outputs(self, X: Any) -> Array:
        rows = rows_of(own_indices(X)) if is_sparse(X) else self._dense_rows(X)
        require_width(rows, len(self.columns), self.model)
        check_finite("X", rows)
        exact = rows.dtype in (np.float32, np.float64)
        return finite_outputs(predict_rows(self.network, rows if exact else rows.astype(np.float64)))

    def _dense_rows(self, X: Any) -> Array:
        """X as numbers, those of a table in the order of the model's columns."""
        named = is_row(X) or is_rows(X) or isinstance(X, (Mapping, Table))
        if not named and (self._names is None or not is_frame(X)):
            return as_numbers("X", X)
        table = read_table(X, reads=self.columns.__contains__)
        table.require(self.columns)
        return np.column_stack([numbers_of(table[name]) for name in self.columns])


class ClassRowPredictor(RowPredictor):
    """Predictions of an `MLPClassifier`, whose outputs need be no probabilities; it has ``classes_``, too."""

    def __init__(self, *parts: Any, labels: tuple[bool, bool] = (False, False)):
        super().__init__(*parts)
        self.classes_: Array = self._attributes["classes_"]
        self._labels = labels

    def predict(self, X: Any) -> Any:
        """Classes, (n_rows,); zeros and ones, (n_rows, n_labels), of several labels, sparse if those learned were."""
        return labels_of(self._outputs(X), self.classes_, self.network.chain.output, *self._labels)


class ProbabilityRowPredictor(ClassRowPredictor):
    """Predictions of an `MLPClassifier` or a `LogisticRegression` with probabilities."""

    def predict_proba(self, X: Any) -> Array:
        """Probabilities, (n_rows, n_classes), in the order of ``classes_``."""
        return probabilities_of(self._outputs(X))


class TablePredictor(BlockPredictor, FittedParameters):
    """What predictors from `TabularClassifier` and `TabularRegressor` share; see those for the methods.

    Attributes
    ----------
    model : str
        The name of the class that was saved.
    columns : dict of str to str
        The columns that the model reads, and their kinds: "numeric", "categorical", "text", ....
    """

    window = WINDOW

    def __init__(self, model: str) -> None:
        self.model = model

    @property
    def columns(self) -> dict[str, str]:
        return {kind.name: kind.kind for kind in self.preparation_.kinds if kind.used}

    def _checked_array(self, X: Any) -> Array:
        rows = np.asarray(X)
        require_width(rows, self.n_features_in_, self.model)
        return rows


class ClassTablePredictor(ClassPredictions, TablePredictor):
    """Predictions of a `TabularClassifier`."""


class NumberTablePredictor(NumberPredictions, TablePredictor):
    """Predictions of a `TabularRegressor`."""


def require_width(rows: Any, n_columns: int, model: str) -> None:
    """Refuse an array, or a sparse matrix, that is no rows of so many columns."""
    if rows.ndim != 2 or rows.shape[1] != n_columns or not rows.shape[0]:
        raise TableError(
            f"X has shape {rows.shape}, but the {model} takes one row or more of {n_columns} columns: (n_rows, "
            f"{n_columns})."
        )


def is_frame(X: Any) -> bool:
    """Whether it is a data frame; its class is asked, since a lazy one computes what its columns are."""
    return hasattr(type(X), "columns") or hasattr(type(X), "column_names")


def numbers_of(column: Column) -> NDArray[np.float64]:
    """The cells of a column, each of which must be a number, or a text that is one."""
    empty = np.flatnonzero(column.missing)
    if column.storage == "date" or len(empty):
        what = f"no value in {column.name_rows(empty)}" if len(empty) else "dates"
        raise TableError(f"column {column.name!r} has {what}; the model takes a number in each row.")
    if column.storage != "text":
        return np.asarray(column.values, np.float64)
    return np.asarray(as_numbers(f"column {column.name!r}", [*column.levels])[column.values], np.float64)


@errors_of("an estimator")
def estimator_predictor(state: Any, arrays: Mapping[str, NDArray[Any]]) -> RowPredictor:
    """The predictor of a network estimator; a `ModelFileError` if state and arrays do not describe one."""
    require_class(state)
    parameters = parameters_from_state(state["parameters"])
    network, attributes, labels = parts_from_state(state, parameters, arrays)
    parts = state["class"], network, attributes, parameters
    if "classes_" not in attributes:
        made = RowPredictor(*parts)
    else:
        loss, output = parameters.get("loss"), parameters.get("output_activation")
        kind = ProbabilityRowPredictor if are_probabilities(loss, output) else ClassRowPredictor
        made = kind(*parts, labels=labels or (False, False))
    require_predictions(made, row_of_zeros(network))
    return made


@errors_of("an estimator of tables")
def tabular_predictor(state: Any, arrays: Mapping[str, NDArray[Any]]) -> TablePredictor:
    """The predictor of a tabular estimator; a `ModelFileError` if state and arrays do not describe one."""
    kind = require_tabular(state)
    made = (ClassTablePredictor if kind == "TabularClassifier" else NumberTablePredictor)(kind)
    restore_fitted(made, kind, state)
    if kind == "TabularRegressor":
        regression_of(made.fitted_parameter("loss"), made.fitted_parameter("quantiles"))
    restore_predictions(made, kind, state, arrays, Settings())
    require_predictions(made, row_of_missing(made.preparation_))
    return made
