"""What a column of a table that comes in pieces is, so that each piece says the same as the whole would.

Takes columns as `rosenblatt.tables.readers.frames` reads them, piece by piece. Returns the `Form` of all of them, and
pieces in that form: integers that float64 keeps are levels if others of the column are too large, and a piece without
cells is what the others are. Never reads a cell twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.joining import exact_values
from rosenblatt.tables.readers.cells import PLURALS
from rosenblatt.tables.readers.frames import number_text
from rosenblatt.tables.table import MAX_EXACT, Column, Storage

__all__ = ["EMPTY", "Form", "conform", "described_form", "form_of", "join_forms"]


@dataclass(frozen=True)
class Form:
    """How a column is stored: what all its pieces have in common.

    `levels` is the kind of the NumPy array that keeps levels which are no texts, "exact" for numbers beyond float64,
    "" if they are texts or if there are none. A `problem` is why the column cannot be read.
    """

    storage: Storage | None = None
    levels: str = ""
    categorical: bool = False
    problem: str = ""


EMPTY = Form()
"""Of a piece without cells: any other form may be that of the whole."""


def form_of(column: Column) -> Form:
    """The form of one piece."""
    if column.problem:
        return Form(problem=column.problem)
    if column.storage != "text":
        return EMPTY if column.storage == "number" and column.missing.all() else Form(column.storage)
    values = column.level_values
    if values is None or not column.levels:
        return Form("text", "", column.categorical)
    large = values.dtype.kind in "iu" and not all(abs(value) <= MAX_EXACT for value in values.tolist())
    return Form("text", "exact" if large or values.dtype == object else values.dtype.kind, column.categorical)


def join_forms(one: Form, other: Form) -> Form | None:
    """The form of a column with pieces of both, or None if they do not fit together."""
    if one == other or other == EMPTY or one.problem:
        return one
    if one == EMPTY or other.problem:
        return other
    storages = {one.storage, other.storage}
    if storages == {"integer", "number"}:
        return Form("number")
    if storages == {"text"} and one.categorical == other.categorical:
        if {one.levels, other.levels} <= {"exact", "i", "u", "f", ""}:
            return replace(one, levels=max(one.levels, other.levels, key=["", "i", "u", "f", "exact"].index))
        if "" in (one.levels, other.levels):  # missing texts only have no levels
            return replace(one, levels=one.levels or other.levels)
    if storages <= {"text", "integer", "number"} and "exact" in (one.levels, other.levels):
        return one if one.levels == "exact" else other
    return None


def described_form(form: Form) -> str:
    """What cells of a form are called."""
    return "categories" if form.categorical else PLURALS["number" if form.levels == "exact" else form.storage or "text"]


def conform(column: Column, form: Form) -> Column:
    """The piece in the form of the whole."""
    if form.problem:
        missing = np.broadcast_to(np.nan, (len(column.values),))
        return Column(column.name, "number", missing, rows=column.rows, problem=form.problem)
    if form.storage is None or form_of(column) == form:
        return column
    if form.storage != "text":
        return replace(column, storage=form.storage)
    if column.storage != "text" and form.levels != "exact":  # without cells
        return no_levels(column, form)
    return exact_column(column, form) if form.levels == "exact" else typed_levels(column, form)


def no_levels(column: Column, form: Form) -> Column:
    """A piece without cells as text."""
    codes = np.full(len(column.values), -1, dtype=np.int32)
    return typed_levels(replace(column, storage="text", values=codes, categorical=form.categorical), form)


def typed_levels(column: Column, form: Form) -> Column:
    """The levels in their own type, also if there are none of them."""
    if not form.levels:
        return replace(column, level_values=None) if not column.levels else column
    if column.levels:
        return column
    return replace(
        column, level_values=np.empty(0, {"M": "datetime64[D]", "b": "bool"}.get(form.levels, form.levels + "8"))
    )


def exact_column(column: Column, form: Form) -> Column:
    """Numbers as levels, since others of the column are such that float64 cannot tell them apart."""
    values: NDArray[Any]
    if column.storage == "text":
        given = column.level_values
        values, codes = np.empty(0) if given is None else given, column.values
    else:
        present = column.values[~column.missing]
        distinct, first = np.unique(present, return_index=True)
        order = np.argsort(first)
        values, codes = distinct[order], np.full(len(column.values), -1, dtype=np.int32)
        codes[~column.missing] = np.argsort(order)[np.searchsorted(distinct, present)]
    numbers = [exact_number(value) for value in values.tolist()]
    levels = tuple(number_text(number) for number in numbers)
    return replace(
        column,
        storage="text",
        values=codes,
        levels=levels,
        level_values=exact_values(numbers),
        categorical=form.categorical,
    )


def exact_number(value: Any) -> Any:
    """A number as it was before it was a float: an integer if it is whole, else a decimal number."""
    if isinstance(value, float) and np.isfinite(value):
        return int(value) if value.is_integer() else Decimal(repr(value))
    return value
