"""Data frames of any library, and dictionaries of arrays, as a `Table`.

Takes pandas, Polars or PyArrow frames (through narwhals), or ``{name: array}``. Returns a `Table`, the same for the
same cells whatever held them. Never changes the frame.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from numbers import Real
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.table import Column, Table, TableError, join_names

__all__ = ["MICROSECONDS_PER_DAY", "MISSING_TEXTS", "table_from_frame", "table_from_mapping"]

MISSING_TEXTS = frozenset({"", "?", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL", "<NA>"})
"""Texts that mean an empty cell, in files and in frames alike."""
PLAIN_TYPES = (str, int, float, bool, type(None))
MAX_EXACT = 2.0**53
MICROSECONDS_PER_DAY = 86_400e6


def table_from_frame(frame: Any) -> Table:
    """A `Table` from a pandas, Polars or PyArrow frame; a `TableError` for anything that cannot be one."""
    import narwhals.stable.v2 as nw

    names = getattr(frame, "column_names", None)  # PyArrow
    if names is None and not hasattr(frame, "collect"):  # a lazy frame has to be collected first
        names = getattr(frame, "columns", ())
    if names is not None and not callable(names):  # narwhals refuses duplicates in its own words
        require_unique(str(name) for name in names)
    try:
        wrapped = nw.from_native(frame)
    except TypeError:
        raise TableError(
            f"a table can be a path, a pandas, Polars or PyArrow frame, or a dictionary of arrays, not "
            f"{type(frame).__name__}."
        ) from None
    if isinstance(wrapped, nw.LazyFrame):
        wrapped = wrapped.collect()
    # get_column, since an index of numbers or tuples, which may be names, would select rows
    columns = [column_from_series(str(name), wrapped.get_column(name)) for name in wrapped.columns]
    return make_table(columns, len(wrapped))


def table_from_mapping(mapping: Mapping[Any, Any]) -> Table:
    """A `Table` from ``{name: one-dimensional array or list}``; a `TableError` for anything that cannot be one."""
    columns = []
    for key, given in mapping.items():
        if isinstance(given, np.ndarray):
            values = given
        else:  # each Python object is kept as it is; PyArrow has its own
            listed = given.to_pylist() if hasattr(given, "to_pylist") else list(given)
            values = np.empty(len(listed), dtype=object)
            values[:] = listed
        if values.ndim != 1:
            raise TableError(f"column {str(key)!r} has shape {values.shape}; a column has one dimension.")
        columns.append(column_from_array(str(key), values))
    require_unique([column.name for column in columns])
    lengths = {column.name: len(column.values) for column in columns}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name!r} {length}" for name, length in list(lengths.items())[:8])
        raise TableError(f"the columns have different lengths: {listed}. All must have the same number of rows.")
    return make_table(columns, next(iter(lengths.values()), 0))


def make_table(columns: Sequence[Column], n_rows: int) -> Table:
    """Join checked columns; a table has at least one column and one row."""
    if not columns:
        raise TableError("the table has no columns.")
    if n_rows == 0:
        raise TableError(f"the table has no rows, only the columns {join_names([c.name for c in columns])}.")
    return Table({column.name: column for column in columns}, n_rows)


def require_unique(names: Iterable[str]) -> None:
    """Refuse two columns of one name."""
    seen: set[str] = set()
    twice = [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    if twice:
        raise TableError(f"the column name {twice[0]!r} occurs more than once. Rename one of the columns.")


def column_from_series(name: str, series: Any) -> Column:
    """One column of a frame, by the type that narwhals reports."""
    import narwhals.stable.v2 as nw

    dtype = series.dtype
    if dtype.is_numeric() and not dtype.is_integer():
        return Column(name, "number", as_floats(series if dtype == nw.Float64 else series.cast(nw.Float64)))
    if series.null_count() == len(series):
        return Column(name, "number", np.full(len(series), np.nan))
    if dtype.is_integer() and are_exact(series):
        return Column(name, "integer", as_floats(series.cast(nw.Float64)))
    if dtype == nw.Boolean:
        return column_from_objects(name, series.to_list())
    if dtype in (nw.Categorical, nw.Enum):
        return replace(text_column(name, series.cast(nw.String).to_list()), categorical=True)
    if dtype.is_integer() or dtype == nw.String:
        return text_column(name, series.cast(nw.String).to_list())
    if dtype in (nw.Date, nw.Datetime):
        return Column(name, "date", as_floats(microseconds(series)) / MICROSECONDS_PER_DAY)
    if dtype == nw.Duration:
        return Column(name, "number", as_floats(series.dt.total_microseconds().cast(nw.Float64)) / 1e6)
    if dtype in (nw.Object, nw.Unknown, nw.Binary, nw.Time):
        return column_from_objects(name, series.to_list())
    raise unsupported(name, str(dtype))


def are_exact(integers: Any) -> bool:
    """Whether float64 can represent all of them; larger ones are identifiers and no quantities."""
    return max(abs(int(integers.max())), abs(int(integers.min()))) <= MAX_EXACT


def microseconds(series: Any) -> Any:
    """Dates and times as microseconds since 1970-01-01 in UTC."""
    import narwhals.stable.v2 as nw

    if series.dtype == nw.Date:
        series = series.cast(nw.Datetime("us"))
    return series.dt.timestamp("us").cast(nw.Float64)


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
    if numbers and all(isinstance(cell, (int, np.integer)) and abs(int(cell)) <= MAX_EXACT for cell in present):
        return Column(name, "integer" if present else "number", object_floats(cells))
    if numbers and any(not isinstance(cell, (int, np.integer)) for cell in present):
        return Column(name, "number", object_floats(cells))
    return text_column(name, [None if is_missing(cell) else str(cell) for cell in cells])


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


def text_column(name: str, cells: list[Any]) -> Column:
    """Codes and levels, the levels in order of appearance and without surrounding blanks."""
    codes = np.empty(len(cells), dtype=np.int32)
    known: dict[Any, int] = {}
    levels: dict[str, int] = {}
    for row, cell in enumerate(cells):
        code = known.get(cell)
        if code is None:
            code = -1 if is_missing(cell) else levels.setdefault(str(cell).strip(), len(levels))
            known[cell] = code
        codes[row] = code
    return Column(name, "text", codes, tuple(levels))


def unsupported(name: str, kind: str) -> TableError:
    """The error for cells that are neither numbers, booleans, dates nor texts."""
    return TableError(
        f"column {name!r} holds {kind} values; supported are numbers, booleans, dates and texts. Convert or drop it."
    )
