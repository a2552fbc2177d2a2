"""Tables joined: the rows of several, one after another.

Takes tables, columns or levels. Returns one of all rows, whose levels stand as those of a frame of all rows would.
Never changes what it was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.table import MAX_EXACT, Column, Table, TableError

__all__ = ["concat", "exact_values", "with_level_values"]


def concat(tables: Sequence[Table]) -> Table:
    """The rows of several tables with the same columns, one after another.

    Levels keep the order in which they appear; those that are numbers or dates are sorted, as a frame of all rows would
    have them.

    Raises
    ------
    TableError
        If there is no table, or if two differ in their columns or in what a column holds.
    """
    if not tables:
        raise TableError("there are no tables to join.")
    first = tables[0]
    for other in tables[1:]:
        if list(other.columns) != list(first.columns):
            odd = sorted(set(other.columns) ^ set(first.columns)) or list(other.columns)
            raise TableError(f"the tables to join differ in their columns: {', '.join(map(repr, odd[:5]))}.")
    columns = {name: concat_columns([part.columns[name] for part in tables]) for name in first.columns}
    return Table(columns, sum(part.n_rows for part in tables))


def concat_columns(columns: Sequence[Column]) -> Column:
    """One column of the cells of several that hold the same."""
    first = columns[0]
    if len(columns) == 1:
        return first
    for column in columns:
        if column.storage != first.storage and not (column.problem and first.problem):
            raise TableError(
                f"column {first.name!r} holds cells of the kind {first.storage!r} in one of the tables to join and "
                f"{column.storage!r} in another."
            )
    rows = None
    if any(column.rows is not None for column in columns):
        starts = np.cumsum([0, *(len(column.values) for column in columns)])
        rows = np.concatenate(
            [
                np.arange(start, start + len(column.values)) if column.rows is None else column.rows
                for start, column in zip(starts, columns, strict=False)
            ]
        )
    joined = replace(first, rows=rows, problem=next((c.problem for c in columns if c.problem), ""))
    if first.storage != "text":
        return replace(joined, values=np.concatenate([column.values for column in columns]))
    return concat_levels(joined, columns)


def concat_levels(joined: Column, columns: Sequence[Column]) -> Column:
    """The codes and levels of columns of text."""
    levels: dict[str, int] = {}
    values: dict[str, Any] = {}
    codes = []
    for column in columns:
        known = [levels.setdefault(level, len(levels)) for level in column.levels]
        if column.level_values is not None:
            values.update(zip(column.levels, column.level_values, strict=True))
        codes.append(np.array([*known, -1], dtype=np.int32)[column.values])  # code -1 is the one at the end
    joined = replace(joined, values=np.concatenate(codes), levels=tuple(levels))
    if all(column.level_values is None for column in columns):
        return joined
    return with_level_values(joined, [values[level] for level in levels])


def with_level_values(column: Column, values: Sequence[Any]) -> Column:
    """The column whose levels are these in their own type, sorted if float64 holds them all."""
    if not values:
        return column
    kinds = {np.asarray(value).dtype.kind for value in values}
    exact = "O" in kinds or (kinds <= set("iu") and max(abs(int(value)) for value in values) > MAX_EXACT)
    if exact:
        return replace(column, level_values=exact_values([getattr(v, "item", lambda v=v: v)() for v in values]))
    array = np.array(values)
    order = np.argsort(array)
    places = np.append(np.argsort(order), -1).astype(np.int32)
    levels = tuple(column.levels[place] for place in order)
    return replace(column, values=places[column.values], levels=levels, level_values=array[order])


def exact_values(numbers: Sequence[Any]) -> NDArray[Any]:
    """Numbers in an array that tells them apart: of integers if they fit in, else of Python objects."""
    values = np.empty(len(numbers), dtype=object)
    values[:] = numbers
    if all(isinstance(value, int) for value in numbers):
        for dtype in (np.int64, np.uint64):
            with suppress(OverflowError):
                return values.astype(dtype)
    return values
