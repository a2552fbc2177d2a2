"""Rows as a table: a mapping of single values, a list of mappings, one row of a data frame.

Takes what a user calls a row, or several. Returns a mapping from names to lists of cells, and anything else as it was.
Never splits a text into letters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np

from rosenblatt.tables.table import TableError

__all__ = ["cells_by_column", "columns_of_rows", "is_row", "is_rows"]


def is_single(cell: Any) -> bool:
    """Whether it is one cell rather than a column."""
    return isinstance(cell, (str, bytes, np.generic)) or not hasattr(cell, "__iter__")


def is_named(source: Any) -> bool:
    """Whether it has cells by name: a mapping, or a row of a pandas data frame."""
    if isinstance(source, Mapping):
        return not hasattr(source, "tocsr")
    is_series = getattr(source, "ndim", 0) == 1 and hasattr(source, "index") and hasattr(source, "to_dict")
    return is_series and all(isinstance(name, str) for name in source.index)


def is_row(source: Any) -> bool:
    """Whether it is a row whose cells have names: a mapping of single values, or a row of a pandas data frame."""
    is_mapping = isinstance(source, Mapping)
    return is_named(source) and (not is_mapping or (bool(source) and all(map(is_single, source.values()))))


def is_rows(source: Any) -> bool:
    """Whether it is a list of rows whose cells have names; what the cells are does not matter."""
    return isinstance(source, (list, tuple)) and bool(source) and is_named(source[0])


def cells_by_column(rows: Sequence[Mapping[Any, Any]]) -> dict[Any, list[Any]]:
    """The cells of rows by their names, in the order in which these first appear; None where a row lacks one."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def columns_of_rows(source: Any) -> Any:
    """The columns of a row, or of a list of rows, in which a cell is missing where its row does not name it.

    Anything else is returned as it is. A `TableError` names single values among columns, and rows without names.
    """
    if is_row(source):
        return {name: [cell] for name, cell in dict(source).items()}
    if is_rows(source):
        for number, row in enumerate(source, start=1):
            if not is_named(row):
                raise TableError(f"row {number} is {row!r}, but the others name their cells: give {{column: value}}.")
        return cells_by_column([dict(row) for row in source])
    if isinstance(source, Mapping) and (single := [name for name, cell in source.items() if is_single(cell)]):
        raise TableError(
            f"column {str(single[0])!r} is a single value, {source[single[0]]!r}, but others are columns: give a list "
            "of values for each, or a single value for each, which is one row."
        )
    unordered = (Mapping, Set)
    if isinstance(source, Mapping) and (names := [n for n, column in source.items() if isinstance(column, unordered)]):
        raise TableError(
            f"column {str(names[0])!r} is a {type(source[names[0]]).__name__}: give a list of its values, in the order "
            "of the rows. A data frame gives such lists by to_dict('list')."
        )
    return source
