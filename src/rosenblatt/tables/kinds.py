"""What each column means: a number, a category, nothing.

Goes in: the training rows as a `Table`. Comes out: one `ColumnKind` per column, with a sentence for the user. It never
changes a cell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.table import Column, Table, TableError, suggestion

__all__ = ["KINDS", "ColumnKind", "Kind", "canonical_level", "infer_kinds", "level_column", "parse_number"]

Kind = Literal["numeric", "boolean", "date", "categorical", "constant", "missing", "identifier"]
KINDS = ("numeric", "categorical", "ignored")
"""What a user may say a column is."""
DROPPED = ("constant", "missing", "identifier", "ignored")
MOSTLY_NUMBERS = 0.9
"""Text with at least this share of numbers is a column of numbers with typing errors, and refused."""
FEWEST_IDENTIFIERS = 20
"""Below this many rows, all cells may well differ by chance."""


@dataclass(frozen=True)
class ColumnKind:
    """What a column is taken for. `detail` says what was seen, and for a dropped column why it is dropped."""

    name: str
    kind: str
    n_missing: int
    detail: str

    @property
    def used(self) -> bool:
        """Whether the network sees the column."""
        return self.kind not in DROPPED


def infer_kinds(table: Table, overrides: Mapping[str, str] | None = None) -> list[ColumnKind]:
    """The kind of each column of the training rows.

    Parameters
    ----------
    table : Table
        The inputs, without the target.
    overrides : mapping of str to {"numeric", "categorical", "ignored"}, optional
        Kinds that the user knows better.

    Raises
    ------
    TableError
        If a column that is to be numeric holds other text, a number is infinite, or no column is left.
    """
    overrides = dict(overrides or {})
    for name, kind in overrides.items():
        if name not in table.columns:
            raise TableError(f"kinds names a column {name!r} that is not there.{suggestion(name, table.columns)}")
        if kind not in KINDS:
            raise TableError(f"kinds says {kind!r} for column {name!r}; allowed are {', '.join(KINDS)}.")
    kinds = [kind_of(column, overrides.get(column.name)) for column in table.columns.values()]
    if not any(kind.used for kind in kinds):
        reasons = "; ".join(f"{kind.name!r} {kind.detail}" for kind in kinds[:5])
        raise TableError(f"no column is left to learn from: {reasons}.")
    return kinds


def kind_of(column: Column, wanted: str | None = None) -> ColumnKind:
    """The kind of one column."""
    n_missing = int(column.missing.sum())
    if wanted == "ignored":
        return ColumnKind(column.name, "ignored", n_missing, "dropped: you said so")
    if n_missing == len(column.values):
        return ColumnKind(column.name, "missing", n_missing, "dropped: every cell is missing")
    if column.storage == "text":
        return text_kind(column, n_missing, wanted)
    return number_kind(column, n_missing, wanted)


def text_kind(column: Column, n_missing: int, wanted: str | None) -> ColumnKind:
    """Numbers written as text, a category, a constant or an identifier."""
    present = column.values[column.values >= 0]
    levels = [column.levels[code] for code in np.unique(present)]
    if len(levels) == 1 and not n_missing:
        return ColumnKind(column.name, "constant", 0, f"dropped: always {levels[0]!r}")
    n_numbers = sum(parse_number(level) is not None for level in levels)
    if wanted == "numeric" or (wanted is None and n_numbers == len(levels)):
        parse_levels(column)
        return ColumnKind(column.name, "numeric", n_missing, "numbers written as text")
    if wanted is None and len(levels) > FEWEST_IDENTIFIERS and n_numbers >= MOSTLY_NUMBERS * len(levels):
        parse_levels(column, "Correct the cell, empty it, or say that the column is categorical.")
    if wanted is None and is_identifier(len(levels), len(present)):
        return ColumnKind(
            column.name, "identifier", n_missing, f"dropped: {len(levels)} different texts in {len(present)} rows"
        )
    return ColumnKind(column.name, "categorical", n_missing, f"{len(levels)} levels: {show_levels(levels)}")


def number_kind(column: Column, n_missing: int, wanted: str | None) -> ColumnKind:
    """A quantity, a boolean, a date, a constant or a row number."""
    require_finite(column)
    present = column.values[~np.isnan(column.values)]
    distinct = np.unique(present)
    if len(distinct) == 1 and not n_missing:
        return ColumnKind(column.name, "constant", 0, f"dropped: always {distinct[0]:.6g}")
    if wanted == "categorical" or (len(distinct) == 1 and wanted is None):
        levels = list(level_column(column).levels)
        return ColumnKind(column.name, "categorical", n_missing, f"{len(levels)} levels: {show_levels(levels)}")
    if column.storage == "boolean":
        return ColumnKind(column.name, "boolean", n_missing, f"{present.mean():.1%} true")
    if column.storage == "date":
        first, last = (np.datetime64(int(day), "D") for day in (math.floor(distinct[0]), math.floor(distinct[-1])))
        return ColumnKind(column.name, "date", n_missing, f"{first} to {last}")
    if wanted is None and column.storage == "integer" and is_row_number(distinct, len(present)):
        return ColumnKind(column.name, "identifier", n_missing, "dropped: a running number, different in every row")
    return ColumnKind(column.name, "numeric", n_missing, f"{distinct[0]:.6g} to {distinct[-1]:.6g}")


def is_identifier(n_levels: int, n_rows: int) -> bool:
    """Whether a text names the row instead of describing it: more than half of the cells are different."""
    return n_rows >= FEWEST_IDENTIFIERS and n_levels > 0.5 * n_rows


def is_row_number(distinct: NDArray[np.float64], n_rows: int) -> bool:
    """Integers that all differ and come from a range hardly larger than the table (rows may have been held out)."""
    return n_rows >= FEWEST_IDENTIFIERS and len(distinct) == n_rows and distinct[-1] - distinct[0] < 2 * n_rows


def require_finite(column: Column) -> None:
    """Refuse infinite cells."""
    infinite = np.flatnonzero(np.isinf(column.values))
    if len(infinite):
        where = column.name_rows(infinite)
        raise TableError(
            f"column {column.name!r} is infinite in {where} (the first row is 1). Put a finite number there, or empty "
            "the cell if the value is unknown."
        )


def parse_number(text: str) -> float | None:
    """The finite number that a text stands for, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None


def parse_levels(column: Column, advice: str = "Correct the cell, or empty it.") -> Column:
    """A column of text as numbers.

    Raises
    ------
    TableError
        Naming column, row and text of the first cell that is no number.
    """
    numbers = np.array([parse_number(level) for level in column.levels] + [np.nan], dtype=np.float64)
    values = numbers[column.values]  # code -1 is the NaN at the end
    wrong = np.flatnonzero(np.isnan(values) & (column.values >= 0))
    if len(wrong):
        text = column.levels[int(column.values[wrong[0]])]
        raise TableError(
            f"column {column.name!r} holds numbers, but {column.name_rows(wrong[:1])} says {text!r} (the first row is 1"
            f"{f'; {len(wrong)} such cells' if len(wrong) > 1 else ''}). {advice}"
        )
    return replace(column, storage="number", values=values, levels=())


def level_column(column: Column) -> Column:
    """Any column as text in canonical form, so that 1, 1.0 and "1" are the same level."""
    if column.storage == "text":
        texts = [canonical_level(level) for level in column.levels]
        codes = column.values
    else:
        distinct, codes = np.unique(column.values, return_inverse=True)  # NaN, if any, comes last
        texts = [canonical_number(value, column.storage) for value in distinct if not np.isnan(value)]
        codes = np.where(np.isnan(column.values), -1, codes)
    merged = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    lookup = np.array([merged[text] for text in texts] + [-1], dtype=np.int32)
    return replace(column, storage="text", values=lookup[codes], levels=tuple(merged))


def canonical_level(text: str) -> str:
    """One spelling for numbers and booleans, every other text as it is."""
    number = parse_number(text)
    if number is not None:
        return canonical_number(number, "number")
    return text.lower() if text.lower() in ("true", "false") else text


def canonical_number(value: float, storage: str) -> str:
    """``3`` for 3.0, ``true`` for a boolean 1."""
    if storage == "boolean":
        return "true" if value else "false"
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def show_levels(levels: list[str], n_shown: int = 3) -> str:
    """The first levels, cut to a line."""
    shown = ", ".join(level if len(level) <= 16 else f"{level[:15]}…" for level in levels[:n_shown])
    return f"{shown}, …" if len(levels) > n_shown else shown
