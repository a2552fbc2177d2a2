"""What each column means: a number, a category, nothing.

Takes the training rows as a `Table`. Returns one `ColumnKind` per column, with a sentence for the user. Never changes a
cell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.readers.cells import (
    MAX_TEXTS,
    MIN_QUANTITIES,
    PLURALS,
    TextReading,
    present_levels,
    read_cells,
    read_texts,
)
from rosenblatt.tables.readers.numerals import NumberFormat, different_units, parse_number
from rosenblatt.tables.table import Column, Table, TableError, suggestion

__all__ = ["KINDS", "ColumnKind", "canonical_level", "infer_kinds", "level_column"]

KINDS = ("numeric", "categorical", "text", "ignored")
"""What a user may say a column is."""
DROPPED = ("constant", "missing", "identifier", "ignored")
MOSTLY_NUMBERS = 0.9
"""Text with at least this share of numbers is a column of numbers, refused if it has more than `MAX_TEXTS` others."""
MAX_WRITTEN_CODES = 100
"""Unsigned integers written as text are codes if they have at most this many different values."""
MAX_CODES, ROWS_PER_CODE = 20, 5
"""Integers of at most this many values, with on average this many rows each, may be codes."""
MIN_TEXTS, SHARE_OF_TEXTS, MIN_WORDS = 50, 0.1, 3
"""Different texts, their share of all rows, and words per text, from which on a column holds sentences."""
MIN_IDENTIFIERS = 20
"""Below this many rows, all cells may well differ by chance."""


@dataclass(frozen=True)
class ColumnKind:
    """What a column is taken for.

    `detail` says what was seen, and for a dropped column why it is dropped; `check` what a user should look at, if
    anything.
    """

    name: str
    kind: str
    n_missing: int
    detail: str
    check: str = ""

    @property
    def used(self) -> bool:
        """Whether the network sees the column."""
        return self.kind not in DROPPED


def infer_kinds(table: Table, overrides: Mapping[str, str] | None = None) -> list[ColumnKind]:
    """The kind of each column of the training rows without the target; `overrides` are kinds that the user gave.

    A `TableError` is raised if a column that must be numeric holds other text, if dates can be read in two ways, or if
    no column is left.
    """
    overrides = dict(overrides or {})
    for name, kind in overrides.items():
        if name not in table.columns:
            raise TableError(f"kinds names a column {name!r} that is not there.{suggestion(name, table.columns)}")
        if kind not in KINDS:
            raise TableError(f"kinds says {kind!r} for column {name!r}; allowed are {', '.join(KINDS)}.")
    kinds = [infer_kind(column, overrides.get(column.name)) for column in table.columns.values()]
    if not any(kind.used for kind in kinds):
        reasons = "; ".join(f"{kind.name!r} {kind.detail}" for kind in kinds[:5])
        raise TableError(f"no column is left to learn from: {reasons}.")
    return kinds


def infer_kind(column: Column, wanted: str | None = None) -> ColumnKind:
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
    """Numbers or dates written as text, a category, a constant or an identifier."""
    levels, n_present = present_levels(column), len(column.values) - n_missing
    if len(levels) == 1 and not n_missing:
        return ColumnKind(column.name, "constant", 0, f"dropped: always {levels[0]!r}")
    # who writes a few unsigned integers as text often means names
    are_codes = len(levels) <= MAX_WRITTEN_CODES and all(level.isdecimal() and level.isascii() for level in levels)
    if wanted is None and are_codes:
        check = ""
        if len(levels) > MIN_QUANTITIES and not column.categorical:
            found = f"{len(levels)} integers written as text, taken for codes"
            check = question(column, found, "quantities", "numeric")
        return ColumnKind(column.name, "categorical", n_missing, f"{len(levels)} codes: {show_levels(levels)}", check)
    if wanted == "numeric" or (wanted is None and not column.categorical):
        for storage in ("number", "date"):
            reading = read_texts(column, storage)
            if reading is not None and is_quantity(reading, wanted):
                return quantity_kind(column, n_missing, reading, wanted)
        if wanted == "numeric":
            parse_levels(column)
    if wanted == "text" or (wanted is None and is_free_text(levels, n_present)):
        return ColumnKind(column.name, "text", n_missing, f"{len(levels)} texts: {show_levels(levels, 1)}")
    if wanted is None and n_present >= MIN_IDENTIFIERS and len(levels) > 0.5 * n_present:  # they name the row
        detail = f"dropped: {len(levels)} different texts in {n_present} rows"
        return ColumnKind(column.name, "identifier", n_missing, detail, unread_quantities(column, levels, wanted))
    detail, check = f"{len(levels)} levels: {show_levels(levels)}", unread_quantities(column, levels, wanted)
    return ColumnKind(column.name, "categorical", n_missing, detail, check)


def unread_quantities(column: Column, levels: list[str], wanted: str | None) -> str:
    """A note on numbers that are not read, since their units differ."""
    pair = None if wanted or column.categorical else different_units(levels)
    if pair is None:
        return ""
    return (
        f"column {column.name!r} holds numbers in different units, such as {pair[0]!r} and {pair[1]!r}, which are not "
        f"read as numbers: write them in one unit, or say kinds={{{column.name!r}: 'categorical'}} if they are levels"
    )


def is_quantity(reading: TextReading, wanted: str | None) -> bool:
    """Whether a column's texts are numbers (or dates), but for a few that may stand for missing cells."""
    n_read, n_others = len(reading.levels), len(reading.others)
    if wanted == "numeric":
        return n_others <= min(MAX_TEXTS, n_read)
    few = n_others <= min(MAX_TEXTS, n_read // 4)
    return n_others == 0 or (n_read > MIN_QUANTITIES and (few or n_read >= MOSTLY_NUMBERS * (n_read + n_others)))


def quantity_kind(column: Column, n_missing: int, reading: TextReading, wanted: str | None) -> ColumnKind:
    """Numbers or dates written as text, with what a user should know about how they are written."""
    if len(reading.others) > MAX_TEXTS:
        advice = f"Correct the cells, empty them, or say kinds={{{column.name!r}: 'categorical'}} if they are levels."
        raise wrong_cells(column, reading.is_other(column), PLURALS[reading.storage], advice)
    if reading.storage == "date":
        detail, check = f"dates written as text{reading.describe()}", doubtful_order(column, reading)
    else:
        detail, check = f"numbers written as text{reading.describe()}", leading_zeros(column, reading, wanted)
    if reading.others:
        n_cells = int(reading.is_other(column).sum())
        rows = f"{n_cells} row{'s' if n_cells > 1 else ''}"
        detail += f"; {show_levels([repr(text) for text in reading.others])} in {rows} counted as missing"
        if not check and wanted is None:
            rest = len(reading.others) - 2
            texts = " and ".join(map(repr, reading.others[:2]))
            texts += f" and {rest} other text{'s' if rest > 1 else ''}" if rest > 0 else ""
            check = question(column, f"{PLURALS[reading.storage]}, but {texts} in {rows}")
    return ColumnKind(column.name, "date" if reading.storage == "date" else "numeric", n_missing, detail, check)


def wrong_cells(column: Column, wrong: NDArray[np.bool_], plural: str, advice: str) -> TableError:
    """The error for cells of text among `plural`, such as numbers."""
    rows = np.flatnonzero(wrong)
    where, text = column.name_rows(rows[:1]), column.levels[int(column.values[rows[0]])]
    n_texts = len(np.unique(column.values[rows]))
    count = f"; {len(rows)} such cells" if len(rows) > 1 else ""
    count += f" of {n_texts} different texts" if n_texts > 1 else ""
    return TableError(
        f"column {column.name!r} holds {plural}, but {where} says {text!r} (the first row is 1{count}). {advice}"
    )


def doubtful_order(column: Column, reading: TextReading) -> str:
    """A note on dates that can be read in two ways; an error if a column uses both."""
    order, name = reading.order, column.name
    if order.examples:
        day, month, either = order.examples
        raise TableError(
            f"column {name!r} writes dates with the day first ({day!r}) and with the month first ({month!r}), so that "
            f"{either!r} may be either. Write them as 2020-12-31, or say kinds={{{name!r}: 'ignored'}}."
        )
    if order.settled:
        return ""
    first = "the month" if order.month_first else "the day"
    return f"column {name!r} holds dates in which nothing tells day from month: {first} is taken to come first"


def leading_zeros(column: Column, reading: TextReading, wanted: str | None) -> str:
    """A note on numbers such as 01234, whose zeros mean something where they are codes."""
    found = next((text for text in reading.levels if len(text) > 1 and text.isdigit() and text[0] == "0"), None)
    return "" if found is None or wanted is not None else question(column, f"numbers such as {found!r}")


def number_kind(column: Column, n_missing: int, wanted: str | None) -> ColumnKind:
    """A quantity, a boolean, a date, a constant or a row number."""
    present = column.values[~np.isnan(column.values)]
    distinct = np.unique(present)
    if len(distinct) == 1 and not n_missing:
        return ColumnKind(column.name, "constant", 0, f"dropped: always {distinct[0]:.6g}")
    if wanted in ("categorical", "text") or (len(distinct) == 1 and wanted is None):
        levels = list(level_column(column).levels)
        return ColumnKind(column.name, "categorical", n_missing, f"{len(levels)} levels: {show_levels(levels)}")
    if column.storage == "boolean":
        return ColumnKind(column.name, "boolean", n_missing, f"{present.mean():.1%} true")
    if column.storage == "date":
        first, last = (np.datetime64(int(day), "D") for day in (math.floor(distinct[0]), math.floor(distinct[-1])))
        return ColumnKind(column.name, "date", n_missing, f"{first} to {last}")
    all_differ = column.storage == "integer" and MIN_IDENTIFIERS <= len(present) == len(distinct)
    if wanted is None and all_differ and distinct[-1] - distinct[0] < 2 * len(present):  # some rows may be held out
        return ColumnKind(column.name, "identifier", n_missing, "dropped: a running number, different in every row")
    check = "" if wanted else doubtful_codes(column, distinct, len(present))
    finite = present[np.isfinite(present)]
    n_infinite = len(present) - len(finite)
    detail = f"{finite.min():.6g} to {finite.max():.6g}" if len(finite) else "no finite number"
    detail += f"; {n_infinite:,} infinite, taken as beyond all others" if n_infinite else ""
    return ColumnKind(column.name, "numeric", n_missing, detail, check)


def doubtful_codes(column: Column, distinct: NDArray[np.float64], n_rows: int) -> str:
    """A note on integers that may be codes: a few values with gaps of different widths, each in several rows."""
    few = 2 < len(distinct) <= MAX_CODES and column.storage == "integer" and n_rows >= ROWS_PER_CODE * len(distinct)
    if not few or distinct[0] < 0 or distinct[-1] - distinct[0] < 2 * len(distinct):
        return ""
    is_regular = len(np.unique(np.diff(distinct))) == 1
    return "" if is_regular else question(column, f"integers of {len(distinct)} values")


def question(column: Column, found: str, otherwise: str = "codes", kind: str = "categorical") -> str:
    """What a user should look at, and say if the guess is wrong."""
    return f"column {column.name!r} holds {found}: if they are {otherwise}, say kinds={{{column.name!r}: {kind!r}}}"


def is_free_text(levels: list[str], n_rows: int) -> bool:
    """Whether a column of texts holds sentences: many different ones, of several words."""
    shown = levels[:: max(1, len(levels) // 1000)]
    n_words = sum(len(level.split()) for level in shown)
    return len(levels) >= max(MIN_TEXTS, SHARE_OF_TEXTS * n_rows) and n_words >= MIN_WORDS * len(shown)


def require_finite(column: Column) -> None:
    """Refuse infinite cells."""
    infinite = np.flatnonzero(np.isinf(column.values))
    if len(infinite):
        where = column.name_rows(infinite)
        raise TableError(
            f"column {column.name!r} is infinite in {where} (the first row is 1). Put a finite number there, or empty "
            "the cell if the value is unknown."
        )


def parse_levels(column: Column, advice: str = "Correct the cell, or empty it.") -> Column:
    """A column of text as numbers, in the format that reads most of it; an error names a cell that is no number."""
    values = read_cells(column, "number", NumberFormat.of(present_levels(column)))
    wrong = np.isnan(values) & ~column.missing
    if wrong.any():
        raise wrong_cells(column, wrong, "numbers", advice)
    return replace(column, storage="number", values=values, levels=())


def level_column(column: Column) -> Column:
    """Any column as text in canonical form, so that 1, 1.0 and "1" are the same level."""
    if column.storage == "text":
        texts = [canonical_level(level) for level in column.levels]
        codes = column.values
    else:
        distinct, codes = np.unique(column.values, return_inverse=True)  # NaN, if any, comes last
        write = date_text if column.storage == "date" else partial(canonical_number, storage=column.storage)
        texts = [write(value) for value in distinct if not np.isnan(value)]
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


def date_text(days: float) -> str:
    """``2020-12-31``, with the time if there is one."""
    return str(np.datetime64(round(days * 86_400e6), "us")).removesuffix("T00:00:00.000000")


def show_levels(levels: list[str], n_shown: int = 3) -> str:
    """The first levels, cut to a line."""
    shown = ", ".join(level if len(level) <= 16 else f"{level[:15]}…" for level in levels[:n_shown])
    return f"{shown}, …" if len(levels) > n_shown else shown
