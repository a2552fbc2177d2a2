"""Tables from files: CSV, JSON, Parquet, Arrow and Feather.

Takes a path, "-" for standard input, or anything that `rosenblatt.tables.readers.frames` takes. Returns a `Table`.
PyArrow reads the files and is imported on use. Never writes.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

from rosenblatt.tables.readers.contents import (
    STANDARD_INPUT,
    decode,
    file_bytes,
    first_line,
    import_pyarrow,
    refuse_foreign,
    spreadsheet,
)
from rosenblatt.tables.readers.delimited import read_delimited
from rosenblatt.tables.readers.frames import Reads, every_column, table_from_frame, table_from_mapping
from rosenblatt.tables.readers.limits import UNLIMITED, Limits
from rosenblatt.tables.readers.records import is_json, read_json
from rosenblatt.tables.readers.rows import columns_of_rows, is_row, is_rows
from rosenblatt.tables.readers.streams import (
    ARROW_FILE,
    ARROW_STREAM,
    PARQUET,
    SPREADSHEETS,
    CsvOptions,
    open_dataset,
)
from rosenblatt.tables.table import Table, TableError

__all__ = ["import_pyarrow", "is_nameless", "names_columns", "read_table", "require_names"]


def read_table(
    source: Any,
    *,
    encoding: str = "utf-8",
    separator: str | None = None,
    text: Collection[str] = (),
    reads: Reads = every_column,
    limits: Limits = UNLIMITED,
) -> Table:
    """A `Table` from a file, a folder of files, a frame, a dataset, or a dictionary of arrays.

    Parameters
    ----------
    source : path, data frame, dataset, mapping, row, list of rows, or Table
        A mapping from names to columns, or to single values, which is one row; or a list of such rows, in which a cell
        is missing where its row does not name it.
        Files are Parquet, Arrow or Feather, which are recognized by their first bytes; JSON (one object per line, an
        array of objects, or an object of arrays); or CSV with a header line. They may be compressed with gzip, bzip2,
        xz, zstd, lz4 or zip, or with Brotli if they end in .br. "-" is standard input. Frames are pandas', Polars' or
        PyArrow's. A folder of files, a pattern such as ``part-*.parquet``, a dataset of PyArrow, a data frame of Dask
        and what gives a stream of Arrow are read as `rosenblatt.tables.readers.streams.open_stream` says.
    encoding : str
        Of a text file. A byte order mark of UTF-16 or UTF-32 is recognized without it.
    separator : str, optional
        Of a CSV file; default: what a first line such as ``sep=;`` says, else whichever of comma, semicolon, tab and
        bar the header line holds most.
    text : collection of str, optional
        Columns of a CSV file that are not to be taken for numbers or dates, whatever their cells look like.
    reads : callable, optional
        Whether the column of a name is read. The others keep their place in the table, and cannot be used; so do
        columns whose cells are of no supported type, and several columns of one name.
    limits : Limits, optional
        How much a file may hold.

    Raises
    ------
    TableError
        If the content is not a table; the message names line, row or column.
    OSError
        If the file cannot be opened.
    ModuleNotFoundError
        If PyArrow is not installed.

    Notes
    -----
    A column of a CSV file is read as numbers only if each cell is a number that float64 or int64 keeps as it is
    written: those with leading zeros, or with integers beyond 2**53, are texts. Blank lines, and lines before the
    header that begin with "#", are skipped. Columns without a name are called "column 3" by their place.
    """
    if isinstance(source, Table):
        return source
    if stream := open_dataset(source, CsvOptions(encoding, separator, text, limits)):
        return stream.table(reads=reads)
    source = columns_of_rows(source)
    if isinstance(source, Mapping):
        return table_from_mapping(source, reads)
    if not isinstance(source, (str, os.PathLike)):
        return table_from_frame(source, reads)
    path = Path(os.fsdecode(source))
    try:
        return read_file(path, encoding, separator, text, reads, limits)
    except TableError as error:
        raise TableError(f"{'standard input' if path == STANDARD_INPUT else path}: {error}") from None


def read_file(
    path: Path, encoding: str, separator: str | None, text: Collection[str], reads: Reads, limits: Limits
) -> Table:
    """The table in a file of any kind."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if set(suffixes[-1:]) & SPREADSHEETS and path.is_file() and path.stat().st_size:
        raise spreadsheet("a spreadsheet")
    data = file_bytes(path, limits)
    if data.startswith((PARQUET, ARROW_FILE, ARROW_STREAM)):
        return table_from_frame(read_binary(data, limits), reads)
    refuse_foreign(data)
    if {".parquet", ".pq"} & set(suffixes):
        raise TableError("this is not a Parquet file: it does not start with PAR1.")
    if {".feather", ".arrow", ".ipc"} & set(suffixes):
        raise TableError("this is not an Arrow or Feather file: it does not start with ARROW1.")
    data = decode(data, encoding)
    if any(is_json(data, suffix) for suffix in suffixes or [""]):
        return table_from_mapping(read_json(data, limits), reads)
    return table_from_frame(read_delimited(data, separator, text, limits), reads)


def read_binary(data: bytes, limits: Limits) -> Any:
    """A Parquet, Arrow or Feather file as a PyArrow table."""
    import_pyarrow()
    import pyarrow as pa

    name = "Parquet" if data.startswith(PARQUET) else "Arrow or Feather"
    try:
        table = read_parquet(data, limits) if data.startswith(PARQUET) else read_arrow(data, limits)
        table.validate(full=True)  # cells are read without a check of their offsets
    except (MemoryError, TableError):
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise TableError(
            f"this is not a readable {name} file: {first_line(error)}. It is damaged or incomplete; copy or download "
            "it again."
        ) from None
    return table


def read_parquet(data: bytes, limits: Limits) -> Any:
    """The PyArrow table; with limits, texts are first read as dictionaries, which are as small as the file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = pa.BufferReader(data)
    file = pq.ParquetFile(source)
    limits.require_table(file.metadata.num_rows, file.metadata.num_columns)
    if limits is UNLIMITED:
        return file.read()
    texts = [field.name for field in file.schema_arrow if field.type in (pa.string(), pa.large_string(), pa.binary())]
    table = pq.ParquetFile(source, read_dictionary=texts).read()
    limits.require_texts(table.select([i for i, name in enumerate(table.column_names) if name in texts]))
    return table.cast(file.schema_arrow)


def read_arrow(data: bytes, limits: Limits) -> Any:
    """The PyArrow table in a file or a stream."""
    import pyarrow as pa

    reader = (pa.ipc.open_stream if data.startswith(ARROW_STREAM) else pa.ipc.open_file)(pa.BufferReader(data))
    limits.require_table(0, len(reader.schema))
    table = reader.read_all()
    limits.require_table(table.num_rows, table.num_columns)
    return table


def is_nameless(source: Any) -> bool:
    """Whether the source is an array, or lists of rows: its columns have numbers only."""
    if is_row(source) or is_rows(source):
        return False
    return isinstance(source, (list, tuple)) or (hasattr(source, "__array__") and not hasattr(source, "columns"))


def names_columns(y: Any, several: bool) -> bool:
    """Whether a target is the name of a column, or where `several` are allowed a list of different names."""
    if several and isinstance(y, list) and all(isinstance(name, str) for name in y):
        return 0 < len(y) == len(set(y))
    return isinstance(y, (str, Integral)) and not isinstance(y, bool)


def require_names(source: Any, target: Any) -> None:
    """Refuse the name of a target if columns have no names."""
    if is_nameless(source):
        raise TypeError(f"y is the name {target!r}, but an array's columns have no names; give y as an array too.")
