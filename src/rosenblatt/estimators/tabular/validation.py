"""Validation rows of the user's own, for the tabular estimators.

Takes what was passed as `X_val` and `y_val`, and what the model learned of the training table. Returns targets and a
prepared table. Never lets a validation row influence how columns or targets are encoded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import narrow_weights
from rosenblatt.estimators.tabular.explain.importance import read_rows
from rosenblatt.estimators.tabular.problem import Data
from rosenblatt.tables.readers.reading import is_nameless, names_columns, read_table
from rosenblatt.tables.roles import Roles, assign_roles, is_name
from rosenblatt.tables.table import TableError
from rosenblatt.tables.task import TabularTask

__all__ = ["check_validation", "validation_data"]

Array = NDArray[Any]
MIN_REGRESSION_ROWS = 2
"""Fewest rows with an R2."""


def check_validation(
    X: Any, y: Any, X_val: Any, y_val: Any, sample_weight: Any = None
) -> tuple[Any, Any, Array | None] | None:
    """Validation rows, their target or the name of its column, and their weights; None without any.

    X and y are those of `fit`: if they name the target, the validation rows may hold it in a column of that name. The
    same holds for the weights, if `sample_weight` is the name of a column.
    """
    if X_val is None and y_val is None:
        return None
    if isinstance(X_val, TabularTask):
        if y_val is not None:
            raise ValueError("a TabularTask holds the target: leave y_val out.")
        return X_val.inputs, X_val.target.decoded(), X_val.weights
    if y_val is None and names_columns(y, several=True):
        y_val = y
    elif y_val is None and isinstance(X, TabularTask) and X.target.values.ndim == 1:
        y_val = X.target.name
    if X_val is None or y_val is None:
        raise ValueError(
            "X_val and y_val belong together: give both of them or neither. X_val alone is enough where y is the name "
            "of a column that X_val holds, too."
        )
    if is_nameless(X_val) and names_columns(y_val, several=False):
        raise TypeError(
            f"the target is the name {y_val!r}, but X_val is an array, whose columns have no names; give X_val as a "
            "table with the names of training, or y_val as an array."
        )
    return X_val, y_val, weights_of_validation(X_val, sample_weight)


def weights_of_validation(X_val: Any, sample_weight: Any) -> Array | None:
    """The weights of validation rows, if `sample_weight` names a column of theirs."""
    if not is_name(sample_weight) or is_nameless(X_val):
        return None
    table = read_table(X_val, reads={str(sample_weight)}.__contains__)
    if str(sample_weight) not in table.columns:
        return None
    try:
        weights: Array = assign_roles(table, Roles(sample_weight))[1]["weights"]
    except ValueError as error:
        raise TableError(f"X_val: {error}") from None
    return weights


def validation_data(model: Any, given: tuple[Any, ...], n_targets: int, check: Callable[[Array, str], object]) -> Data:
    """The rows as networks read them; targets are labels, or numbers [n, n_targets] that `check` may refuse.

    The model is being fitted: its encoders and its classes are known. A `ValueError` for other columns, for classes
    that training did not see, and for fewer than two numbers.
    """
    X, y, weights = given
    try:
        table, target = read_rows(model, X, y, n_targets)
        prepared = model.preparation_.transform(table)
    except ValueError as error:
        raise TableError(f"X_val and y_val: {error}") from None
    fewest = 1 if hasattr(model, "classes_") else MIN_REGRESSION_ROWS
    if table.n_rows < fewest:
        raise ValueError(f"X_val has {table.n_rows} rows, but a score needs at least {fewest}: give more.")
    check(target, "y_val")
    weights = None if weights is None else narrow_weights(weights)
    return Data(model.preparation_, prepared, np.asarray(target, np.int32) if fewest == 1 else target, weights)
