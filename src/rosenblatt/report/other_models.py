"""Other models in a report's table of scores.

Takes fitted estimators, or their predictions, for the rows that a user passed. Returns predictions in the form of the
model's own. Never trains.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import as_numbers
from rosenblatt.estimators.tabular.explain.importance import labels_of
from rosenblatt.report.scored import ReportRows
from rosenblatt.tables.readers.reading import names_columns

__all__ = ["predictions_of_others"]

Array = NDArray[Any]
TOLERANCE = 1e-3
"""By which probabilities of a row may miss the sum 1."""
MAX_SHOWN = 5


def predictions_of_others(model: Any, rows: ReportRows, X: Any, y: Any, others: Any, n_rows: int) -> dict[str, Array]:
    """The predictions of each of `others` for the scored rows: [n, n_outputs], or labels [n].

    Raises
    ------
    TypeError, ValueError
        If `others` is no mapping of names, or predictions are not of the rows and outputs of the model.
    """
    if others is None:
        return {}
    wrong = [] if not isinstance(others, Mapping) else [name for name in others if not isinstance(name, str)]
    if wrong or not isinstance(others, Mapping):
        found = f"has the key {wrong[0]!r}, which is no text" if wrong else f"is {type(others).__name__}"
        raise TypeError(
            f"others {found}; give a mapping of names to fitted models or predictions, such as {{'forest': forest}}."
        )
    predictions = {}
    for name, other in others.items():
        values = asked(model, other, X, y) if hasattr(other, "predict") else other
        predictions[name] = as_predictions(model, name, values, n_rows)[rows.numbers]
    return predictions


def asked(model: Any, other: Any, X: Any, y: Any) -> Any:
    """What another model predicts for the rows: probabilities in the order of the model's classes, or `predict`."""
    name = y if names_columns(y, several=False) else model.target_name_
    if hasattr(X, "columns") and hasattr(X, "drop") and name in list(X.columns) and not hasattr(other, "preparation_"):
        X = X.drop(columns=name) if hasattr(X, "iloc") else X.drop(name)
    classes = list(getattr(other, "classes_", ()))
    if not hasattr(model, "classes_") or not hasattr(other, "predict_proba") or not len(classes):
        return other.predict(X)
    probabilities = np.asarray(other.predict_proba(X), np.float64)
    own = model.classes_.tolist()
    order = [own.index(label) if label in own else -1 for label in np.asarray(classes, dtype=object).tolist()]
    if -1 in order:
        return other.predict(X)
    aligned = np.zeros((len(probabilities), len(own)))
    aligned[:, order] = probabilities
    return aligned


def as_predictions(model: Any, name: str, given: Any, n_rows: int) -> Array:
    """Checked predictions for all rows that were passed."""
    where = f"others[{name!r}]"
    shape = np.shape(given)
    if not shape or shape[0] != n_rows:
        count = f"{shape[0]:,} predictions" if shape else f"{type(given).__name__}, no predictions"
        raise ValueError(f"{where} holds {count}, but X has {n_rows:,} rows: give one for each row.")
    is_class = hasattr(model, "classes_")
    if is_class and len(shape) == 1:
        return np.asarray(labels_named(model, where, given))
    width = len(model.classes_) if is_class else n_outputs(model)
    numbers = as_numbers(where, given)
    numbers = np.asarray(numbers, np.float64).reshape(n_rows, -1)
    if numbers.shape[1] != width:
        what = f"classes: {', '.join(map(str, model.classes_))}" if is_class else "outputs"
        raise ValueError(f"{where} has {numbers.shape[1]} columns, but the model has {width} {what}.")
    if is_class:
        require_probabilities(where, numbers)
    elif not np.isfinite(numbers).all():
        row = int(np.argmin(np.isfinite(numbers).all(axis=1)))
        raise ValueError(f"{where} is not finite in row {row + 1} (the first row is 1): give a number for each row.")
    return numbers


def require_probabilities(where: str, numbers: Array) -> None:
    """Refuse what cannot be the probabilities of the classes of a row."""
    with np.errstate(invalid="ignore"):
        right = (numbers >= 0).all(axis=1) & (np.abs(numbers.sum(axis=1) - 1) <= TOLERANCE)
    if not right.all():
        row = int(np.argmin(right))
        values = ", ".join(f"{value:.4g}" for value in numbers[row, :MAX_SHOWN])
        raise ValueError(
            f"{where} has {values} in row {row + 1} (the first "
            "row is 1), which are no probabilities: give numbers from 0 to 1 for the classes, with the sum 1 in each "
            "row, or one label for each row."
        )


def labels_named(model: Any, where: str, given: Any) -> Array:
    """Labels of predicted classes."""
    try:
        return labels_of(model, given)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def n_outputs(model: Any) -> int:
    """How many numbers a regressor predicts for a row."""
    quantiles = model.fitted_parameter("quantiles")
    return len(model.target_scaler_.center) if quantiles is None else len(quantiles)
