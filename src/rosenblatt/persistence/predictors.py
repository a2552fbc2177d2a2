"""What a saved model predicts, without scikit-learn, SciPy and data frames.

Takes state and arrays of a model's file. Returns an object with `predict` and, for classes, `predict_proba`, which give
the bits of the estimator that `load` returns. Never trains, and has no parameters to set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import as_numbers, check_finite
from rosenblatt._suggestions import suggestion
from rosenblatt.estimators.decoding import are_probabilities, labels_of, probabilities_of, values_of
from rosenblatt.estimators.fitted_parameters import FittedParameters
from rosenblatt.estimators.outputs import finite_outputs
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
from rosenblatt.tables.readers.rows import is_rows
from rosenblatt.tables.table import TableError
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
        """Numbers, (n_rows,) or (n_rows, n_outputs), from rows as an array, as mappings, or as a data frame."""
        loss, transform = self._parameters["loss"], self._parameters["target_transform"]
        return values_of(self._outputs(X), loss, transform, self._attributes.get("smearing_factor_"))

    def _outputs(self, X: Any) -> Array:
        rows = self._rows(X)
        if not self.network.graph.sparse_input:
            return finite_outputs(np.asarray(self.network.predict(rows)))
        from scipy.sparse import csr_matrix

        return finite_outputs(np.asarray(self.network.predict(csr_matrix(rows))))

    def _rows(self, X: Any) -> Array:
        """X as finite floats, (n_rows, n_columns)."""
        names = list(self.columns)
        if hasattr(X, "tocsr"):
            X = X.toarray()
        elif hasattr(X, "columns") and self._names is not None:  # a frame, whose columns may be in another order
            if absent := [name for name in names if name not in X.columns]:
                raise TableError(f"X has no column {absent[0]!r}.{suggestion(absent[0], map(str, X.columns))}")
            X = X[names]
        rows = as_numbers("X", rows_by_name(X, names) if is_rows(X) else X)
        if rows.ndim != 2 or rows.shape[1] != len(self.columns) or not len(rows):
            raise ValueError(
                f"X has shape {rows.shape}, but the {self.model} takes rows of {len(self.columns)} numbers: "
                f"(n_rows, {len(self.columns)})."
            )
        check_finite("X", rows)
        return rows if rows.dtype in (np.float32, np.float64) else rows.astype(np.float64)


class ClassRowPredictor(RowPredictor):
    """Predictions of an `MLPClassifier`, whose outputs need be no probabilities; it has ``classes_``, too."""

    def __init__(self, *parts: Any, multilabel: bool = False):
        super().__init__(*parts)
        self.classes_: Array = self._attributes["classes_"]
        self._multilabel = multilabel

    def predict(self, X: Any) -> Array:
        """Classes, (n_rows,), or zeros and ones, (n_rows, n_labels), where a row may have several labels."""
        return labels_of(self._outputs(X), self.classes_, self.network.chain.output, self._multilabel)


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
        if rows.ndim != 2 or rows.shape[1] != self.n_features_in_:
            raise TableError(
                f"X has shape {rows.shape}, but the {self.model} takes rows of {self.n_features_in_} cells."
            )
        return rows


class ClassTablePredictor(ClassPredictions, TablePredictor):
    """Predictions of a `TabularClassifier`."""


class NumberTablePredictor(NumberPredictions, TablePredictor):
    """Predictions of a `TabularRegressor`."""


def rows_by_name(rows: Any, names: Sequence[str]) -> list[list[Any]]:
    """The cells of mappings in the order of `names`; others are not read."""
    for number, row in enumerate(rows):
        if absent := next((name for name in names if name not in row), None):
            raise TableError(f"row {number} (from 0) has no {absent!r}.")
    return [[row[name] for name in names] for row in rows]


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
        made = kind(*parts, multilabel=labels is not None and labels[0])
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
