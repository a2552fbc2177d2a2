"""A table in memory: named columns of equal length, in the few storage forms that the rest of the package knows.

Takes arrays that `rosenblatt.tables.readers.frames` has made. Returns columns by name, rows by number. Never guesses
what a column means: that is `rosenblatt.tables.kinds`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rosenblatt._frames import Framed
from rosenblatt._html import table, view
from rosenblatt._suggestions import join_names, suggestion
from rosenblatt._warnings import warn_user
from rosenblatt.tables.counted_cells import bin_counts, distinct_counts

__all__ = [
    "MAX_EXACT",
    "MICROSECONDS_PER_DAY",
    "Column",
    "RowFiles",
    "Storage",
    "Table",
    "TableError",
    "TableWarning",
    "Unlisted",
]
__all__ += ["dates_of", "level_column", "level_text", "warn_of_columns"]

Storage = Literal["number", "integer", "boolean", "date", "text"]
STORAGES: dict[str, Storage] = {"b": "boolean", "i": "integer", "u": "integer", "f": "number", "M": "date"}
"""What levels were, by the kind of the NumPy array that keeps them."""
MAX_EXACT = 2.0**53
"""Up to here float64 holds every integer."""
MICROSECONDS_PER_DAY = 86_400e6
MAX_WARNINGS = 5


class TableError(ValueError):
    """A table that cannot be used; the message says which column and row, and what to do."""


class TableWarning(UserWarning):
    """Something about a table that a user should know, such as a column that was dropped."""


@dataclass(frozen=True)
class Unlisted:
    """What is known of all cells of a counted column that does not list each different one.

    Attributes
    ----------
    n_distinct, n_once : int
        About how many different cells there are, and how many of these are in a single row.
    n_rows : int
        Rows whose cell is not listed. 0 in a column of numbers, where each that is listed stands for others beside it.
    hashes : tuple of int
        The smallest hashes of all levels, ascending; empty for numbers.
    """

    n_distinct: int
    n_once: int
    n_rows: int = 0
    hashes: tuple[int, ...] = ()


@dataclass(frozen=True)
class RowFiles:
    """The files that hold the rows of a table, one after another.

    Attributes
    ----------
    names : tuple of str
    starts : tuple of int
        The number of the first row of each, from 0.
    """

    names: tuple[str, ...]
    starts: tuple[int, ...]

    def place(self, row: int) -> str:
        """Where a row of the table is, both counted from 1: ``row 962 of part-002.parquet``."""
        file = bisect_right(self.starts, row) - 1
        return f"row {row - self.starts[file] + 1} of {self.names[file]}"


@dataclass(frozen=True)
class Column:
    """One column.

    A *counted* column is the summary of a longer one (`rosenblatt.tables.summary`): each of its cells stands for
    several rows.

    Attributes
    ----------
    name : str
        Its name in the table.
    storage : {"number", "integer", "boolean", "date", "text"}
        What its cells are.
    values : array of shape (n_cells,)
        float64 with NaN for missing (booleans 0 and 1, dates as days since 1970-01-01); for text int32 codes into
        `levels`, -1 for missing.
    levels : tuple of str
        The different texts.
    rows : array of shape (n_cells,), or None
        The cells' row numbers in the table that was read, None if all are there: error messages name them. In a counted
        column it is the first of the rows, -1 where it is not known.
    categorical : bool
        Whether the frame itself calls the levels a category.
    level_values : array, or None
        The levels in their own type, where that is not text: a category of integers, or integers that float64 cannot
        hold.
    problem : str
        Why the cells could not be read; such a column can only be left out.
    counts : array of shape (n_cells,), or None
        How many rows each cell stands for; None if each is one row.
    unlisted : Unlisted, or None
        What is known of all cells if there were too many different ones to keep them all.
    files : RowFiles, or None
        Where the table is in several files: which rows are in which, for error messages.
    """

    name: str
    storage: Storage
    values: NDArray[Any]
    levels: tuple[str, ...] = ()
    rows: NDArray[np.int64] | None = None
    categorical: bool = False
    level_values: NDArray[Any] | None = None
    problem: str = ""
    counts: NDArray[np.int64] | None = None
    unlisted: Unlisted | None = None
    files: RowFiles | None = None

    @property
    def n_rows(self) -> int:
        """How many rows the column has, or stands for."""
        n_listed = len(self.values) if self.counts is None else int(self.counts.sum())
        return n_listed + self.n_unlisted

    @property
    def n_unlisted(self) -> int:
        """How many rows have a cell that is none of `values`."""
        return 0 if self.unlisted is None else self.unlisted.n_rows

    def n_different(self, n_listed: int) -> int:
        """How many different cells there are that are not missing, `n_listed` of them among `values`."""
        return n_listed if self.unlisted is None else self.unlisted.n_distinct

    @property
    def n_missing(self) -> int:
        """In how many rows the cell is empty."""
        return self.count(self.missing)

    def count(self, chosen: NDArray[np.bool_]) -> int:
        """How many rows the chosen cells are, or stand for."""
        return int(chosen.sum() if self.counts is None else self.counts[chosen].sum())

    def counts_at(self, cells: NDArray[Any]) -> NDArray[np.int64] | None:
        """How many rows each of these cells stands for; None if that is one each."""
        return None if self.counts is None else self.counts[cells]

    def distinct(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """The different values (codes of texts) that are not missing, ascending, and how many rows have each."""
        present = ~self.missing
        return distinct_counts(self.values[present], self.counts_at(present))

    def level_counts(self) -> NDArray[np.int64]:
        """How many rows have each level of a column of text; shape (n_levels,)."""
        present = ~self.missing
        return bin_counts(self.values[present], len(self.levels), self.counts_at(present))

    @property
    def level_storage(self) -> Storage:
        """What the cells, or the levels in their own type, are."""
        if self.storage != "text" or self.level_values is None:
            return self.storage
        return STORAGES.get(self.level_values.dtype.kind, "number")

    def require_readable(self) -> None:
        """Refuse a column whose cells could not be read."""
        if self.problem:
            raise TableError(self.problem)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """True where the cell is empty."""
        return np.asarray(self.values < 0 if self.storage == "text" else np.isnan(self.values))

    def take(self, rows: NDArray[np.int64]) -> Column:
        """The column with these rows only."""
        row_numbers = rows if self.rows is None else self.rows[rows]
        return replace(self, values=self.values[rows], rows=row_numbers, counts=self.counts_at(rows))

    def name_row(self, cell: int) -> str:
        """The row of a cell, or the first one that it stands for, counted from 1: ``row 3``."""
        row = int(cell if self.rows is None else self.rows[cell])
        return f"row {row + 1}{self._in_file(row, ', ')}"

    def _in_file(self, row: int, before: str) -> str:
        """The row in its file, if there are several files and the row is known."""
        return "" if self.files is None or row < 0 else f"{before}{self.files.place(row)}"

    def name_rows(self, cells: NDArray[Any]) -> str:
        """Cells as rows of the table that was read, counted from 1: ``row 3``, ``rows 3, 8, 12, ... (40 in all)``."""
        places = cells if self.rows is None else np.sort(self.rows[cells])
        n_rows = len(places) if self.counts is None else int(self.counts[cells].sum())
        shown = ", ".join(str(int(place) + 1) for place in places[:5])
        more = f", ... ({n_rows} in all)" if n_rows > min(len(places), 5) else ""
        where = self._in_file(int(places[0]), ", " if n_rows == 1 else ", the first of them ") if len(places) else ""
        return f"row{'s' if n_rows > 1 else ''} {shown}{more}{where}"


@dataclass(frozen=True)
class Table(Framed):
    """Columns by name, in their order, all with `n_rows` cells; if they are counted, with cells for so many rows.

    Parameters
    ----------
    columns : dict of str to Column
        The columns.
    n_rows : int
        Number of rows.
    """

    columns: dict[str, Column]
    n_rows: int

    def __getitem__(self, name: str) -> Column:
        if name not in self.columns:
            raise TableError(f"there is no column {name!r}.{suggestion(name, self.columns)}")
        return self.columns[name]

    def require(self, names: Iterable[str]) -> None:
        """Refuse a table that lacks one of these columns, or one whose cells could not be read."""
        wanted = list(names)
        absent = [name for name in wanted if name not in self.columns]
        if len(absent) == 1:
            raise TableError(f"the table has no column {absent[0]!r}.{suggestion(absent[0], self.columns)}")
        if absent:
            raise TableError(
                f"the table lacks {len(absent)} of the columns that training used: {join_names(absent)}. It has: "
                f"{join_names(list(self.columns))}."
            )
        for name in wanted:
            self.columns[name].require_readable()

    def take(self, rows: NDArray[np.int64]) -> Table:
        """The table with these rows only."""
        return Table({name: column.take(rows) for name, column in self.columns.items()}, len(rows))

    def drop(self, names: Iterable[str]) -> Table:
        """The table without these columns."""
        gone = set(names)
        return Table({name: column for name, column in self.columns.items() if name not in gone}, self.n_rows)

    def frame_columns(self) -> dict[str, Any]:
        """The cells of each column in their own type; a missing one is None, NaN or NaT.

        A `TableError` names a column that could not be read: `drop` it first.
        """
        return {name: cells_of(column) for name, column in self.columns.items()}

    def _repr_html_(self) -> str:
        n_columns = len(self.columns)
        title = f"{self.n_rows:,} row{'' if self.n_rows == 1 else 's'}, {n_columns:,} column{'s'[: n_columns != 1]}"
        rows = [
            (name or '""', column.storage, column.n_missing, column.problem or ", ".join(first_cells(column)))
            for name, column in self.columns.items()
        ]
        return view(title, table(("column", "holds", "missing", "first cells"), rows))


def first_cells(column: Column, n: int = 3) -> list[str]:
    """The first `n` different cells of a column that are not missing, among its first 100, as texts."""
    levels = level_column(column.take(np.arange(min(100, len(column.values)))))
    codes = dict.fromkeys(levels.values[levels.values >= 0].tolist())
    return [levels.levels[code] for code in codes][:n]


def cells_of(column: Column) -> Any:
    """The cells of a column: numbers as an array, dates as an array of datetime64, others that lack some as a list."""
    column.require_readable()
    if column.storage == "number":
        return column.values
    if column.storage == "date":
        cells = np.full(len(column.values), "NaT", "datetime64[us]")
        cells[~column.missing] = dates_of(column.values[~column.missing])
        return cells
    levels = level_column(column)
    values = levels.levels if levels.level_values is None else levels.level_values.tolist()
    known = np.array([*values, None], dtype=object)  # a code of -1 is the last one
    return known[levels.values].tolist()


def level_column(column: Column) -> Column:
    """Any column as text, whose `level_values` keep the cells' own type; a column of text is returned as it is."""
    if column.storage == "text":
        return column
    distinct, codes = np.unique(column.values, return_inverse=True)  # NaN, if any, comes last
    present = distinct[~np.isnan(distinct)]
    values: NDArray[Any] = present
    if column.storage == "date":
        values = dates_of(present)
    elif column.storage != "number":
        values = present.astype(np.bool_ if column.storage == "boolean" else np.int64)
    codes = np.where(np.isnan(column.values), -1, codes).astype(np.int32)
    texts = tuple(level_text(value) for value in values)
    return replace(column, storage="text", values=codes, levels=texts, level_values=values)


def level_text(value: Any) -> str:
    """How a cell is written as a level: ``3`` for 3 and 3.0, ``true``, ``2020-12-31``, a text as it is."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, np.datetime64):
        return date_text(value)
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) <= MAX_EXACT else repr(number)
    return str(value)


def dates_of(days: NDArray[np.float64]) -> NDArray[Any]:
    """Days since 1970-01-01 as datetime64: whole days, or microseconds if there are times."""
    times = np.round(days * MICROSECONDS_PER_DAY).astype("datetime64[us]")
    whole = times.astype("datetime64[D]")
    return whole if (whole == times).all() else times


def date_text(date: np.datetime64) -> str:
    """``2020-12-31``, with the time if there is one."""
    return str(date.astype("datetime64[us]")).removesuffix("T00:00:00.000000")


def warn_of_columns(sentences: Sequence[str], of_others: str) -> None:
    """One `TableWarning` of the first sentences, each about a column, and of how many more `of_others` describes."""
    rest = len(sentences) - MAX_WARNINGS
    more = [f"{rest} more columns {of_others}."] if rest > 0 else []
    if sentences:
        warn_user(" ".join([*sentences[:MAX_WARNINGS], *more]), TableWarning)
