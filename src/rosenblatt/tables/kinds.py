"""What each column means: a number, a category, nothing.

Takes the training rows as a `Table`. Returns one `ColumnKind` per column, with a sentence for the user. Never changes a
cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._suggestions import suggestion
from rosenblatt.tables.levels import alike
from rosenblatt.tables.readers.cells import (
    MAX_TEXTS,
    MIN_QUANTITIES,
    PLURALS,
    TextReading,
    present_levels,
    read_cells,
    read_texts,
)
from rosenblatt.tables.readers.numerals import NumberFormat, different_units
from rosenblatt.tables.table import MAX_EXACT, Column, Table, TableError, dates_of, level_column

__all__ = [
    *("KINDS", "ColumnKind", "column_overrides", "has_leading_zeros", "infer_kinds", "is_quantity", "parse_levels"),
    *("alike_levels", "doubtful_order", "question", "wrong_cells"),
]

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
LEADING_ZEROS = re.compile(r"0\d+")
"""An integer that begins with a zero is a code, such as 01067: as a number it would lose the zero."""
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


def column_overrides(kinds: Mapping[Any, str] | None, ignore: Iterable[Any] | str | None) -> dict[str, str]:
    """What a user says of columns, by name: `kinds`, and the kind "ignored" for the columns `ignore`."""
    found = {str(name): kind for name, kind in (kinds or {}).items()}
    for name in [ignore] if isinstance(ignore, (str, Integral)) else ignore or ():
        if found.get(str(name), "ignored") != "ignored":
            raise TableError(f"ignore names the column {str(name)!r}, which kinds says is {found[str(name)]}.")
        found[str(name)] = "ignored"
    return found


def infer_kinds(table: Table, overrides: Mapping[str, str] | None = None) -> list[ColumnKind]:
    """The kind of each column of the training rows without the target; `overrides` are kinds that the user gave.

    A `TableError` is raised if a column that must be numeric holds other text, if dates can be read in two ways, if
    cells are of no supported type and the column is not ignored, or if no column is left.
    """
    overrides = dict(overrides or {})
    for name, kind in overrides.items():
        if kind not in KINDS:
            raise TableError(f"kinds says {kind!r} for column {name!r}; allowed are {', '.join(KINDS)}.")
        if name not in table.columns:
            given = "kinds or ignore" if kind == "ignored" else "kinds"
            raise TableError(f"{given} names a column {name!r} that is not there.{suggestion(name, table.columns)}")
    kinds = [infer_kind(column, overrides.get(column.name)) for column in table.columns.values()]
    if not any(kind.used for kind in kinds):
        reasons = "; ".join(f"{kind.name!r} {kind.detail}" for kind in kinds[:5])
        raise TableError(f"no column is left to learn from: {reasons}.")
    return kinds


def infer_kind(column: Column, wanted: str | None = None) -> ColumnKind:
    """The kind of one column."""
    if wanted == "ignored":
        n_missing = 0 if column.problem else column.n_missing
        return ColumnKind(column.name, "ignored", n_missing, "dropped: you said so")
    column.require_readable()
    n_missing = column.n_missing
    if n_missing == column.n_rows:
        return ColumnKind(column.name, "missing", n_missing, "dropped: every cell is missing")
    if column.storage == "text":
        return text_kind(column, n_missing, wanted)
    return number_kind(column, n_missing, wanted)


def text_kind(column: Column, n_missing: int, wanted: str | None) -> ColumnKind:
    """Numbers or dates written as text, a category, a constant or an identifier."""
    levels, n_present = present_levels(column), column.n_rows - n_missing
    n_levels = column.n_different(len(levels))
    if len(levels) == 1 and not n_missing:
        return ColumnKind(column.name, "constant", 0, f"dropped: always {levels[0]!r}")
    are_codes, check = wanted is None and are_written_codes(levels), ""
    if are_codes and not column.categorical:
        check = doubtful_written_codes(column, levels)
    if are_codes and len(levels) <= MAX_WRITTEN_CODES:
        return ColumnKind(column.name, "categorical", n_missing, f"{len(levels)} codes: {show_levels(levels)}", check)
    if wanted == "numeric" or (wanted is None and not column.categorical and not has_leading_zeros(levels)):
        for storage in ("number", "date"):
            reading = read_texts(column, storage)
            if reading is not None and is_quantity(reading, wanted):
                return quantity_kind(column, n_missing, reading, wanted)
        if wanted == "numeric":
            parse_levels(column)
    if wanted == "text" or (wanted is None and is_free_text(levels, n_levels, n_present)):
        return ColumnKind(column.name, "text", n_missing, f"{n_levels} texts: {show_levels(levels, 1)}")
    if wanted is None and n_present >= MIN_IDENTIFIERS and n_levels > 0.5 * n_present:  # they name the row
        detail = f"dropped: {n_levels} different texts in {n_present} rows"
        return ColumnKind(
            column.name, "identifier", n_missing, detail, check or unread_quantities(column, levels, wanted)
        )
    if not wanted:
        check = check or unread_quantities(column, levels, wanted)
        check = check or alike_levels(f"column {column.name!r} holds levels", levels)
    return ColumnKind(column.name, "categorical", n_missing, f"{n_levels} levels: {show_levels(levels)}", check)


def are_written_codes(levels: list[str]) -> bool:
    """Whether unsigned integers are written as text and are names: there are few of them, or some begin with a zero."""
    are_integers = all(level.isdecimal() and level.isascii() for level in map(str.strip, levels))
    return are_integers and (len(levels) <= MAX_WRITTEN_CODES or has_leading_zeros(levels))


def doubtful_written_codes(column: Column, levels: list[str]) -> str:
    """A note on integers written as text that may be quantities."""
    zero = next((level for level in levels if LEADING_ZEROS.fullmatch(level.strip())), None)
    if zero is not None:
        return question(
            column, f"integers with zeros in front, such as {zero!r}, taken for codes", "quantities", "numeric"
        )
    if len(levels) <= MIN_QUANTITIES:
        return ""
    return question(column, f"{len(levels)} integers written as text, taken for codes", "quantities", "numeric")


def has_leading_zeros(levels: Iterable[str]) -> bool:
    """Whether a text is an integer with zeros in front, so that the column is not one of numbers."""
    return any(LEADING_ZEROS.fullmatch(level.strip()) for level in levels)


def alike_levels(holds: str, levels: Iterable[str]) -> str:
    """A note on two levels that may be meant to be one."""
    pair = alike(levels)
    if pair is None:
        return ""
    differ = f"that differ only in case or blanks, such as {pair[0]!r} and {pair[1]!r}"
    return f"{holds} {differ}: if they are one, write them alike"


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
        detail, check = f"numbers written as text{reading.describe()}", rounded_integers(column, reading, wanted)
    if reading.others:
        n_cells = column.count(reading.is_other(column))
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
    where, text = column.name_row(rows[0]), column.levels[int(column.values[rows[0]])]
    n_texts, n_cells = len(np.unique(column.values[rows])), column.count(wrong)
    count = f"; {n_cells} such cells" if n_cells > 1 else ""
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


def rounded_integers(column: Column, reading: TextReading, wanted: str | None) -> str:
    """A note on integers that float64 cannot tell apart, which matters where they are codes."""
    digits = (text.strip().lstrip("+-") for text in reading.levels)
    large = any(len(text) > 15 and text.isdecimal() and float(text) > MAX_EXACT for text in digits)
    found = "integers beyond 2^53, which are rounded as numbers"
    return question(column, found) if large and wanted is None else ""


def number_kind(column: Column, n_missing: int, wanted: str | None) -> ColumnKind:
    """A quantity, a boolean, a date, a constant or a row number."""
    distinct, counts = column.distinct()
    n_present = column.n_rows - n_missing
    if len(distinct) == 1 and not n_missing:
        return ColumnKind(column.name, "constant", 0, f"dropped: always {level_column(column).levels[0]}")
    if wanted in ("categorical", "text") or (len(distinct) == 1 and wanted is None):
        levels = list(level_column(column).levels)
        n_levels = column.n_different(len(levels))
        return ColumnKind(column.name, "categorical", n_missing, f"{n_levels} levels: {show_levels(levels)}")
    if column.storage == "boolean":
        return ColumnKind(column.name, "boolean", n_missing, f"{distinct @ counts / n_present:.1%} true")
    if column.storage == "date":
        first, last = dates_of(np.floor(distinct[[0, -1]]))
        return ColumnKind(column.name, "date", n_missing, f"{first} to {last}")
    all_differ = column.storage == "integer" and MIN_IDENTIFIERS <= n_present == (column.n_different(len(distinct)))
    if wanted is None and all_differ and distinct[-1] - distinct[0] < 2 * n_present:  # some rows may be held out
        return ColumnKind(column.name, "identifier", n_missing, "dropped: a running number, different in every row")
    check = "" if wanted else doubtful_codes(column, distinct, n_present)
    finite = distinct[np.isfinite(distinct)]
    n_infinite = int(counts[np.isinf(distinct)].sum())
    detail = f"{finite.min() + 0.0:.6g} to {finite.max() + 0.0:.6g}" if len(finite) else "no finite number"
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


def is_free_text(levels: list[str], n_levels: int, n_rows: int) -> bool:
    """Whether a column of texts holds sentences: many different ones (`levels` are all or some), of several words."""
    shown = levels[:: max(1, len(levels) // 1000)]
    n_words = sum(len(level.split()) for level in shown)
    return n_levels >= max(MIN_TEXTS, SHARE_OF_TEXTS * n_rows) and n_words >= MIN_WORDS * len(shown)


def parse_levels(
    column: Column, advice: str = "Correct the cell, or empty it.", number_format: NumberFormat | None = None
) -> Column:
    """A column of text as numbers, in a format or that which reads most of it; an error names what is no number."""
    values = read_cells(column, "number", number_format or NumberFormat.of(present_levels(column)))
    wrong = np.isnan(values) & ~column.missing
    if wrong.any():
        raise wrong_cells(column, wrong, "numbers", advice)
    return replace(column, storage="number", values=values, levels=())


def show_levels(levels: list[str], n_shown: int = 3) -> str:
    """The first levels, cut to a line."""
    shown = ", ".join(level if len(level) <= 16 else f"{level[:15]}…" for level in levels[:n_shown])
    return f"{shown}, …" if len(levels) > n_shown else shown
