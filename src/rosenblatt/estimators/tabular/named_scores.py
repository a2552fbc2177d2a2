"""Scores of tables that hold their targets, or the weights of their rows, in columns.

Takes a fitted estimator and what `score` was given. Returns targets, predictions and weights of all rows; a dataset of
more rows than the window is read block by block. Never guesses a target, and never holds other columns of such a
dataset than these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import _num_samples, check_is_fitted

from rosenblatt.estimators.labels import weights_of_score
from rosenblatt.tables.joining import concat
from rosenblatt.tables.readers.reading import is_nameless, names_columns, read_table, require_names
from rosenblatt.tables.readers.streams import open_stream
from rosenblatt.tables.roles import Roles, is_name, weights_in
from rosenblatt.tables.table import Table, TableError
from rosenblatt.tables.targets import find_target, known_labels, numbers_of_column

__all__ = ["NamedRows", "named_rows", "require_same_rows", "weights_for_score"]

Array = NDArray[Any]


@dataclass(frozen=True)
class NamedRows:
    """Rows whose targets are in columns of their table.

    Attributes
    ----------
    targets : ndarray of shape (n_rows,) or (n_rows, n_targets)
        The number of each row's class, -1 for classes that training did not see; or numbers.
    predictions : ndarray
        As `predict` gives them.
    weights : ndarray of shape (n_rows,), or None
    """

    targets: Array
    predictions: Array
    weights: Array | None


def named_rows(model: Any, X: Any, y: Any, sample_weight: Any) -> NamedRows | None:
    """The rows of a table with a target of this name, or these names; None if y is no name.

    Raises
    ------
    TypeError
        If X is an array, whose columns have no names.
    ValueError
        If a column is not there or cannot be used, or if there is not one weight for each row.
    """
    if not names_columns(y, several=not hasattr(model, "classes_") and not is_nameless(X)):
        return None
    check_is_fitted(model, "ensemble_")
    require_names(X, y)
    names = list(map(str, y)) if isinstance(y, list) else [str(y)]
    if used := [name for name in names if name in model.preparation_.names]:
        raise TableError(f"y names {used[0]!r}, which is one of the columns that the model predicts from.")
    weight = str(sample_weight) if is_name(sample_weight) else None
    needed = [*names, *([] if weight is None else [weight])]
    n_rows, blocks = opened(model, X, needed)
    known, predictions = [], []
    for table, outputs in model._output_blocks(blocks, n_rows):
        known.append(Table({name: table[name] for name in needed}, table.n_rows))
        predictions.append(model._predicted(outputs)[0])
    rows = concat(known)  # how numbers are written, all of them say
    given = sample_weight if weight is None else weights_in(rows, weight)
    weights = weights_of_score(np.empty(n_rows), given)
    return NamedRows(targets_in(model, rows, names), np.concatenate(predictions), weights)


def opened(model: Any, X: Any, names: Collection[str]) -> tuple[int, Iterator[Table]]:
    """How many rows there are, and the columns that the model and a score need, in blocks if X is a dataset."""
    known = model.preparation_
    is_text = hasattr(model, "classes_") and model.classes_.dtype.kind in "OUT"
    text = {*known.text_columns, *(names if is_text else ())}
    reads = {*known.names, *names}.__contains__
    stream = open_stream(X, text=text, window=model.window)
    if stream is not None:
        return stream.n_rows, stream.blocks(text={*text, *(stream.mixed.intersection(known.names))}, reads=reads)
    table = model._read(read_table(X, text=text, reads=reads), reset=False)
    return table.n_rows, iter([table])


def targets_in(model: Any, table: Table, names: Collection[str]) -> Array:
    """The targets of some rows."""
    columns = [find_target(table, name) for name in names]
    if hasattr(model, "classes_"):
        return known_labels(columns[0], model.classes_)
    numbers = np.column_stack([numbers_of_column(column) for column in columns])
    return numbers[:, 0] if len(columns) == 1 else numbers


def weights_for_score(X: Any, y: Any, sample_weight: Any) -> Array | None:
    """Weights for targets that are an array: an array, or a column of X of this name."""
    if is_name(sample_weight) and not is_nameless(X):
        Roles(sample_weight).require_names(X)
        name = str(sample_weight)
        sample_weight = weights_in(read_table(X, reads={name}.__contains__), name)
    return weights_of_score(y, sample_weight)  # type: ignore[no-any-return]


def require_same_rows(predictions: Array, y: Any) -> None:
    """Refuse another number of targets than of rows."""
    if (n_targets := _num_samples(y)) != len(predictions):
        raise ValueError(f"X has {len(predictions)} rows, y has {n_targets}: each row needs a target.")
