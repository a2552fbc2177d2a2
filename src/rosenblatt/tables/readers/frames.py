"""Data frames of any library, and dictionaries of arrays, as a `Table`.

Takes pandas, Polars or PyArrow frames (through narwhals), or ``{name: array}``. Returns a `Table`, the same for the
same cells whatever held them. Never changes the frame.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from functools import partial
from numbers import Real
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from rosenblatt._suggestions import join_names
from rosenblatt.tables.joining import exact_values
from rosenblatt.tables.table import MAX_EXACT, MICROSECONDS_PER_DAY, Column, Table, TableError, level_column, level_text

__all__ = ["MAX_EXACT", "MISSING_TEXTS", "Reads", "every_column", "number_text"]
__all__ += ["table_from_frame", "table_from_mapping", "unread_column"]

Reads = Callable[[str], bool]
"""Whether the column of a name is read; cells of the others are not looked at."""

MISSING_TEXTS = frozenset({"", "?", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL", "<NA>"})
"""Texts that mean an empty cell, in files and in frames alike."""
MAX_DIGITS = 1000
PLAIN_TYPES = (str, int, float, bool, type(None))


def every_column(name: str) -> bool:
    """Read all columns."""
    return True


def table_from_frame(frame: Any, reads: Reads = every_column) -> Table:
    """A `Table` from a pandas, Polars or PyArrow frame; a `TableError` for anything that cannot be one."""
    import narwhals.stable.v2 as nw

    names = getattr(frame, "column_names", None)  # PyArrow
    if names is None and not hasattr(frame, "collect"):  # a lazy frame has to be collected first
        names = getattr(frame, "columns", ())
    names = [] if names is None or callable(names) else [str(name) for name in names]
    try:
        wrapped = nw.from_native(distinct_columns(frame, names))
    except TypeError:
        raise TableError(
            f"a table can be a path, a pandas, Polars or PyArrow frame, or a dictionary of arrays, not "
            f"{type(frame).__name__}."
        ) from None
    if isinstance(wrapped, nw.LazyFrame):
        wrapped = wrapped.collect()
    n_rows = len(wrapped)
    # get_column, since an index of numbers or tuples, which may be names, would select rows
    found = {str(name): partial(wrapped.get_column, name) for name in wrapped.columns}
    return make_table(
        [read_column(name, n_rows, reads, found.get(name)) for name in dict.fromkeys(names or found)], n_rows
    )


def distinct_columns(frame: Any, names: Sequence[str]) -> Any:
    """The frame without columns whose names occur more than once, which narwhals refuses."""
    counts = Counter(names)
    if len(counts) == len(names):
        return frame
    places = [place for place, name in enumerate(names) if counts[name] == 1]
    return frame.iloc[:, places] if hasattr(frame, "iloc") else frame.select(places)


def table_from_mapping(mapping: Mapping[Any, Any], reads: Reads = every_column) -> Table:
    """A `Table` from ``{name: one-dimensional array or list}``; a `TableError` for anything that cannot be one."""
    given = [(str(name), listed(str(name), cells)) for name, cells in mapping.items()]
    if len({len(cells) for _, cells in given}) > 1:
        lengths = ", ".join(f"{name!r} {len(cells)}" for name, cells in given[:8])
        raise TableError(f"the columns have different lengths: {lengths}. All must have the same number of rows.")
    n_rows, counts = len(given[0][1]) if given else 0, Counter(name for name, _ in given)
    found = {name: partial(column_array, name, cells) for name, cells in given if counts[name] == 1}
    return make_table([read_column(name, n_rows, reads, found.get(name)) for name in counts], n_rows)


def listed(name: str, given: Any) -> Any:
    """The cells of a column with their number."""
    if isinstance(given, np.ndarray) and not given.ndim:
        raise TableError(f"column {name!r} has shape (); a column has one dimension.")
    return given if hasattr(given, "__len__") else list(given)


def column_array(name: str, given: Any) -> NDArray[Any]:
    """The cells of a column as a one-dimensional array."""
    if isinstance(given, np.ndarray):
        if given.ndim != 1:
            raise TableError(f"column {name!r} has shape {given.shape}; a column has one dimension.")
        return given
    cells = given.to_pylist() if hasattr(given, "to_pylist") else list(given)  # PyArrow has its own objects
    values = np.empty(len(cells), dtype=object)
    values[:] = cells  # each Python object is kept as it is
    return values


def read_column(name: str, n_rows: int, reads: Reads, cells: Callable[[], Any] | None) -> Column:
    """A column; where its cells are not to be read, or cannot be, one that says so if it is used.

    `cells` returns an array or a narwhals series, and is None if several columns have the name.
    """
    if not reads(name):
        return unread_column(name, n_rows)
    try:
        if cells is None:
            raise TableError(
                f"the column name {name!r} occurs more than once. Rename one of the columns, or leave them out of "
                f"training: ignore=[{name!r}]."
            )
        found = cells()
        return (column_from_array if isinstance(found, np.ndarray) else column_from_series)(name, found)
    except MemoryError:
        raise
    except Exception as error:  # whatever the cells are, they may be left out
        what = str(error) if isinstance(error, TableError) else f"column {name!r} cannot be read: {error}"
        return Column(name, "number", np.broadcast_to(np.nan, (n_rows,)), problem=what)


def unread_column(name: str, n_rows: int) -> Column:
    """A column that is not read: it keeps its place, and says so if it is used."""
    problem = f"column {name!r} was not read, since training did not use it."
    return Column(name, "number", np.broadcast_to(np.nan, (n_rows,)), problem=problem)


def make_table(columns: Sequence[Column], n_rows: int) -> Table:
    """Join checked columns; a table has at least one column and one row."""
    if not columns:
        raise TableError("the table has no columns.")
    if n_rows == 0:
        raise TableError(f"the table has no rows, only the columns {join_names([c.name for c in columns])}.")
    return Table({column.name: column for column in columns}, n_rows)


def column_from_series(name: str, series: Any) -> Column:
    """One column of a frame, by the type that narwhals reports."""
    import narwhals.stable.v2 as nw

    dtype = series.dtype
    if dtype.is_decimal():
        return column_from_objects(name, series.to_list())
    if dtype.is_numeric() and not dtype.is_integer():
        return Column(name, "number", as_floats(series if dtype == nw.Float64 else series.cast(nw.Float64)))
    if series.null_count() == len(series):
        return Column(name, "number", np.full(len(series), np.nan))
    if dtype.is_integer() and are_exact(series):
        return Column(name, "integer", as_floats(series.cast(nw.Float64)))
    if dtype == nw.Boolean or dtype.is_integer():
        return column_from_objects(name, series.to_list())
    if dtype in (nw.Categorical, nw.Enum) and hasattr(series.to_native(), "combine_chunks"):  # PyArrow's
        return dictionary_column(name, series.to_native())
    if dtype in (nw.Categorical, nw.Enum):
        return replace(level_column(column_from_objects(name, series.to_list())), categorical=True)
    if dtype == nw.String and str(getattr(series.to_native(), "type", "")) in ("string", "large_string"):  # PyArrow's
        return encoded_text_column(name, series.to_native())
    if dtype == nw.String:
        return text_column(name, series.to_list())
    if dtype in (nw.Date, nw.Datetime):
        return Column(name, "date", as_floats(microseconds(series)) / MICROSECONDS_PER_DAY)
    if dtype == nw.Duration:
        return Column(name, "number", as_floats(series.dt.total_microseconds().cast(nw.Float64)) / 1e6)
    if dtype in (nw.Object, nw.Unknown, nw.Binary, nw.Time):
        return column_from_objects(name, series.to_list())
    raise unsupported(name, str(dtype))


def dictionary_column(name: str, cells: Any) -> Column:
    """A column of PyArrow's categories, each of which is read once, however many cells hold it."""
    found = cells.unify_dictionaries().combine_chunks()
    found = found.combine_chunks() if hasattr(found, "combine_chunks") else found
    codes = found.indices.cast("int64").fill_null(-1).to_numpy(zero_copy_only=False)
    present, first = np.unique(codes[codes >= 0], return_index=True)
    order = present[np.argsort(first)]  # in which the categories appear
    column = level_column(column_from_objects(name, found.dictionary.take(order).to_pylist()))
    known = np.full(len(found.dictionary) + 1, -1, dtype=np.int32)
    known[order] = column.values
    return replace(column, values=known[codes], categorical=True)


def are_exact(integers: Any) -> bool:
    """Whether float64 can represent all of them; larger ones are identifiers and no quantities."""
    return max(abs(int(integers.max())), abs(int(integers.min()))) <= MAX_EXACT


def microseconds(series: Any) -> Any:
    """Dates and times as microseconds since 1970-01-01 in UTC."""
    import narwhals.stable.v2 as nw

    if series.dtype == nw.Date:
        series = series.cast(nw.Datetime("us"))
    return series.dt.timestamp("us")  # a cast to floats would refuse those from the year 2255 on


def as_floats(series: Any) -> NDArray[np.float64]:
    """A float64 copy with NaN for missing."""
    values = series.to_numpy()
    if values.dtype == object:
        values = np.array([np.nan if is_missing(v) else float(v) for v in values])
    return np.array(values, dtype=np.float64)


def column_from_array(name: str, values: NDArray[Any]) -> Column:
    """A column from a one-dimensional NumPy array of any type."""
    if isinstance(values, np.ma.MaskedArray):
        return column_from_objects(name, values.tolist())
    kind = values.dtype.kind
    if kind in "iu" and (not len(values) or are_exact(values)):
        return Column(name, "integer", values.astype(np.float64))
    if kind == "f":
        return Column(name, "number", values.astype(np.float64))
    if kind == "b":
        return Column(name, "boolean", values.astype(np.float64))
    if kind == "M":
        days = values.astype("datetime64[us]").astype(np.int64) / MICROSECONDS_PER_DAY
        return Column(name, "date", np.where(np.isnat(values), np.nan, days))
    if kind == "m":
        seconds = values.astype("timedelta64[us]").astype(np.int64) / 1e6
        return Column(name, "number", np.where(np.isnat(values), np.nan, seconds))
    if kind in "UTOSiu":
        return column_from_objects(name, values.tolist())
    raise unsupported(name, str(values.dtype))


def column_from_objects(name: str, cells: list[Any]) -> Column:
    """A column from Python objects: all numbers, all booleans, all dates, or text."""
    cells = [cell if type(cell) in PLAIN_TYPES else plain_cell(name, cell) for cell in cells]
    present = [cell for cell in cells if not is_missing(cell)]
    if present and all(isinstance(cell, date) for cell in present):
        days = [None if is_missing(cell) else np.datetime64(in_utc(cell), "us") for cell in cells]
        return column_from_array(name, np.array(days, dtype="datetime64[us]"))
    if present and all(isinstance(cell, (bool, np.bool_)) for cell in present):
        return Column(name, "boolean", object_floats(cells))
    numbers = not any(isinstance(cell, (str, bool, np.bool_, date)) for cell in present)
    if numbers and all(map(is_exact, present)):
        integers = present and all(isinstance(cell, (int, np.integer)) for cell in present)
        return Column(name, "integer" if integers else "number", object_floats(cells))
    if numbers:
        return exact_column(name, cells)
    return text_column(name, [None if is_missing(cell) else str(cell) for cell in cells])


def is_exact(number: Any) -> bool:
    """Whether float64 holds an integer, or the digits of a decimal number; others are rounded in any case."""
    if isinstance(number, (int, np.integer)):
        return abs(int(number)) <= MAX_EXACT
    if isinstance(number, Decimal) and number.is_finite():
        return Decimal(repr(float(number))) == number
    return True


def exact_column(name: str, cells: list[Any]) -> Column:
    """Numbers that float64 cannot tell apart as text, so that as levels they stay what they are."""
    column = text_column(name, [None if is_missing(cell) else number_text(cell) for cell in cells])
    first = {number_text(cell): cell for cell in reversed(cells) if not is_missing(cell)}
    numbers = [int(level) if level.lstrip("-").isdecimal() else first[level] for level in column.levels]
    return replace(column, level_values=exact_values(numbers))


def number_text(number: Any) -> str:
    """All digits of a number; equal numbers have equal texts."""
    if isinstance(number, Decimal) and number.is_finite():
        whole = number.adjusted() < MAX_DIGITS and number == number.to_integral_value()
        return str(int(number)) if whole else str(number.normalize(Context(MAX_DIGITS)))
    if isinstance(number, (float, np.floating)):
        return level_text(number)
    if isinstance(number, int) and number.bit_length() > 3 * MAX_DIGITS:  # Python writes no longer ones
        return hex(number)
    return str(number)


def in_utc(cell: date) -> date:
    """A date or time in UTC without its zone, as NumPy wants it."""
    return cell.astimezone(UTC).replace(tzinfo=None) if isinstance(cell, datetime) and cell.tzinfo else cell


def plain_cell(name: str, cell: Any) -> Any:
    """Times of NumPy and pandas as Python's, spans as seconds, bytes, intervals and UUIDs as text."""
    if is_missing(cell):
        return None
    if isinstance(cell, np.timedelta64):
        return float(cell / np.timedelta64(1, "us")) / 1e6
    if isinstance(cell, np.datetime64):
        return cell.astype("datetime64[us]").item()
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    if type(cell).__name__ == "Period":  # pandas'
        return cell.start_time.to_pydatetime()
    if isinstance(cell, (time, UUID)) or type(cell).__name__ == "Interval":
        return str(cell)
    if isinstance(cell, bytes):
        with suppress(UnicodeDecodeError):
            return cell.decode()
    if not isinstance(cell, (str, bool, np.bool_, Real, Decimal, date)):
        raise unsupported(name, type(cell).__name__)
    return cell


def object_floats(cells: list[Any]) -> NDArray[np.float64]:
    """Float64, NaN where a cell is missing, infinite for integers beyond float64."""
    values = np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        try:
            values[row] = np.nan if is_missing(cell) else float(cell)
        except OverflowError:
            values[row] = math.inf if cell > 0 else -math.inf
    return values


def is_missing(cell: Any) -> bool:
    """None, NaN, pandas' NA and NaT, and the texts that mean an empty cell."""
    if cell is None:
        return True
    if isinstance(cell, str):
        return cell.strip() in MISSING_TEXTS
    if isinstance(cell, (float, np.floating)):
        return math.isnan(cell)
    if isinstance(cell, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(cell))
    if isinstance(cell, Decimal):
        return cell.is_nan()
    return type(cell).__name__ in ("NAType", "NaTType")


def text_column(name: str, cells: Sequence[str | None]) -> Column:
    """Codes and levels, the levels in order of appearance."""
    codes = np.empty(len(cells), dtype=np.int32)
    known: dict[str | None, int] = {}
    levels: dict[str, int] = {}
    for row, cell in enumerate(cells):
        code = known.get(cell)
        if code is None:
            code = -1 if cell is None or is_missing(cell) else levels.setdefault(cell, len(levels))
            known[cell] = code
        codes[row] = code
    return Column(name, "text", codes, tuple(levels))


def encoded_text_column(name: str, cells: Any) -> Column:
    """`text_column` of PyArrow's texts, of which each different one is looked at once."""
    found = cells.combine_chunks().dictionary_encode()  # in the order of appearance
    levels = found.dictionary.to_pylist()
    present = np.array([not is_missing(level) for level in levels], dtype=np.bool_)
    codes = np.append(np.where(present, np.cumsum(present) - 1, -1), -1).astype(np.int32)
    kept = tuple(level for level, is_present in zip(levels, present, strict=True) if is_present)
    return Column(name, "text", codes[found.indices.fill_null(-1).to_numpy(zero_copy_only=False)], kept)


def unsupported(name: str, kind: str) -> TableError:
    """The error for cells that are neither numbers, booleans, dates nor texts."""
    return TableError(
        f"column {name!r} holds {kind} values; supported are numbers, booleans, dates and texts. Convert it, or leave "
        f"it out: ignore=[{name!r}]."
    )
