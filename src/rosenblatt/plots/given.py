"""What plots are given: the right objects, targets that belong to the rows, and numbers of outputs.

Takes arguments of plots. Returns them as the plots need them, or raises an error that says what to pass. Never draws.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import as_numbers, check_finite, is_count
from rosenblatt._suggestions import join_names
from rosenblatt.estimators.tabular.explain.importance import read_rows
from rosenblatt.plots.style import pyplot

__all__ = ["chosen_output", "classes_of", "labels_among", "numbers_for", "require_estimator", "require_kind", "unlike"]

Array = NDArray[Any]


def unlike(plot: str, given: Any, wanted: str) -> TypeError:
    """The error for an object that a plot does not take."""
    return TypeError(f"{plot} got {'None' if given is None else type(given).__name__}; pass {wanted}.")


def require_kind(plot: str, given: Any, kind: type, wanted: str) -> None:
    """Refuse an object of another type."""
    if not isinstance(given, kind):
        raise unlike(plot, given, wanted)


def require_estimator(plot: str, model: Any) -> None:
    """Refuse what does not predict; a `NotFittedError` for an estimator that is not fitted."""
    pyplot()
    from sklearn.utils.validation import check_is_fitted

    if isinstance(model, type) or not hasattr(model, "predict"):
        raise unlike(plot, model, "a fitted estimator")
    check_is_fitted(model)


def classes_of(plot: str, model: Any, advice: str = "draw plot_predictions, or plot_residuals.") -> Array:
    """The classes of a fitted classifier."""
    require_estimator(plot, model)
    if not hasattr(model, "classes_"):
        raise ValueError(f"{type(model).__name__} has no classes_: {advice}")
    return np.asarray(model.classes_)


def labels_among(model: Any, X: Any, y: Any, n_rows: int) -> NDArray[np.int64]:
    """The number of each label of y among the classes; a `ValueError` for a label that is none of them.

    For tabular estimators, y may be the name of a column of X.
    """
    if is_name(model, y):
        return np.asarray(read_rows(model, X, y)[1], np.int64)
    if np.ndim(y) == 0:
        raise ValueError(f"y is {y!r}; it must be an array with a label for each row.")
    classes = np.asarray(model.classes_)
    labels = np.asarray(y).ravel().tolist()
    if len(labels) != n_rows:
        raise ValueError(f"X has {n_rows} rows, y has {len(labels)}: each row needs a label.")
    place = {name: label for label, name in enumerate(classes.tolist())}
    found = np.array([place.get(name, -1) for name in labels], dtype=np.int64)
    if len(unknown := np.flatnonzero(found < 0)):
        raise ValueError(
            f"y holds the class {labels[unknown[0]]!r} in row {unknown[0] + 1}, which the model does not know. The "
            f"classes are: {join_names(list(map(str, classes)))}."
        )
    return found


def numbers_for(model: Any, X: Any, y: Any, n_rows: int) -> Array:
    """The targets y of a regression as finite numbers (n_rows, n_targets).

    For tabular estimators, y may be the name of a column of X, or a list of such names.
    """
    if is_name(model, y[0] if isinstance(y, list) and y and len(y) != n_rows else y):
        y = read_rows(model, X, y)[1]
    numbers = as_numbers("y", y)
    if numbers.ndim == 0:
        raise ValueError(f"y is {y!r}; it must be an array with a number for each row.")
    if len(numbers) != n_rows:
        raise ValueError(f"X has {n_rows} rows, y has {len(numbers)}: each row needs a target.")
    check_finite("y", numbers)
    return numbers.reshape(n_rows, -1)


def is_name(model: Any, y: Any) -> bool:
    """Whether y names a column of the table of a tabular estimator."""
    return isinstance(y, str) and hasattr(model, "preparation_")


def chosen_output(output: int | None, n_outputs: int) -> int:
    """The number of the output to draw; it may be left out if there is one."""
    if output is None and n_outputs == 1:
        return 0
    if not is_count(output, 0) or int(output or 0) >= n_outputs:
        verb = "is" if n_outputs == 1 else "are"
        raise ValueError(f"output is {output!r}, but there {verb} {n_outputs}: give the number of one, from 0.")
    return int(output or 0)
