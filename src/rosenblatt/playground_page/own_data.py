"""A user's data, as the page takes them.

Takes what `read_table` takes, or arrays, and the target. Returns a `PlaygroundTable`. Never guesses a target that was
named.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from rosenblatt._checks import check_same_rows
from rosenblatt.playground_page.own_tables import PlaygroundTable
from rosenblatt.tables.readers.frames import table_from_mapping
from rosenblatt.tables.readers.reading import is_nameless, names_columns, read_table, require_names
from rosenblatt.tables.table import Table, TableError
from rosenblatt.tables.targets import find_target

__all__ = ["given_table", "table_of"]


def table_of(source: Any, target: str | None, name: str, encoding: str = "utf-8") -> PlaygroundTable:
    """The table, of which the page suggests to predict the column `target`."""
    table = read_table(source, encoding=encoding)
    if target is not None:
        find_target(table, target)
    return PlaygroundTable.of(table, name, target)


def given_table(X: Any, y: Any) -> PlaygroundTable | None:
    """The table of the arguments of `rosenblatt.playground`; None without data."""
    if X is None:
        if y is not None:
            raise TypeError("y is given without X; give the table or the inputs as X.")
        return None
    name = Path(os.fsdecode(X)).name if isinstance(X, (str, os.PathLike)) else "table"
    if names_columns(y, several=False):
        require_names(X, y)
        return table_of(X, str(y), name)
    inputs = read_table(columns_of(X) if is_nameless(X) else X)
    if y is None:
        return PlaygroundTable.of(inputs, name)
    target = free_name(str(getattr(y, "name", None) or "y"), inputs)
    check_same_rows(X=np.empty(inputs.n_rows), y=y)
    column = table_from_mapping({target: y}).columns
    return PlaygroundTable.of(Table({**inputs.columns, **column}, inputs.n_rows), name, target)


def columns_of(X: Any) -> dict[str, Any]:
    """The columns of an array, which are called x1, x2, ..."""
    array = np.asarray(X)
    if array.ndim != 2:
        raise TableError(f"X is an array of shape {array.shape}; it must have two dimensions, (n_rows, n_columns).")
    return {f"x{number}": column for number, column in enumerate(array.T, start=1)}


def free_name(name: str, table: Table) -> str:
    """A name that no column has."""
    return free_name(f"{name} (target)", table) if name in table.columns else name
