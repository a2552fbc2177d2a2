"""Tables from files: CSV and Parquet.

Takes a path, or anything that `rosenblatt.tables.readers.frames` takes. Returns a `Table`. PyArrow reads the files and
is imported on use. Never writes.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from numbers import Integral
from pathlib import Path
from typing import Any

from rosenblatt.tables.readers.frames import (
    MISSING_TEXTS,
    Reads,
    every_column,
    table_from_frame,
    table_from_mapping,
)
from rosenblatt.tables.table import Table, TableError

__all__ = ["is_nameless", "names_columns", "read_table", "require_names"]

SEPARATORS = ",;\t|"
SPREADSHEETS = (".xlsx", ".xls", ".ods")
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_table(
    source: Any,
    *,
    encoding: str = "utf-8",
    separator: str | None = None,
    text: Collection[str] = (),
    reads: Reads = every_column,
) -> Table:
    """A `Table` from a file, a frame or a dictionary of arrays.

    Parameters
    ----------
    source : path, data frame, mapping or Table
        Files are Parquet (recognized by their first bytes) or CSV with a header line; compressed CSV by its ending
        (.gz, .bz2, .zst). Frames are pandas', Polars' or PyArrow's.
    encoding : str
        Of a CSV file.
    separator : str, optional
        Of a CSV file; default: whichever of comma, semicolon, tab and bar the header line holds most.
    text : collection of str, optional
        Columns of a CSV file that are not to be taken for numbers or dates, whatever their cells look like.
    reads : callable, optional
        Whether the column of a name is read. The others keep their place in the table, and cannot be used; so do
        columns whose cells are of no supported type, and several columns of one name.

    Raises
    ------
    TableError
        If the content is not a table; the message names line, row or column.
    OSError
        If the file cannot be opened.
    ModuleNotFoundError
        If PyArrow is not installed.
    """
    if isinstance(source, Table):
        return source
    if isinstance(source, Mapping):
        return table_from_mapping(source, reads)
    if not isinstance(source, (str, os.PathLike)):
        return table_from_frame(source, reads)
    path = Path(source)
    first = first_bytes(path)
    try:
        if first[:4] == b"PAR1":
            return table_from_frame(read_parquet(path), reads)
        return table_from_frame(read_csv(path, first, encoding, separator, text), reads)
    except TableError as error:
        raise TableError(f"{path}: {error}") from None


def is_nameless(source: Any) -> bool:
    """Whether the source is an array, or lists of rows: its columns have numbers only."""
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


def first_bytes(path: Path, n_bytes: int = 65536) -> bytes:
    """The start of the file, after the checks that need no parser."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give a CSV or Parquet file.")
    try:
        with open(path, "rb") as file:
            first = file.read(n_bytes)
    except FileNotFoundError:
        names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, names, n=1)
        raise FileNotFoundError(f"there is no file {path}.{f' Did you mean {near[0]}?' if near else ''}") from None
    if not first:
        raise TableError(f"{path}: the file is empty.")
    if path.suffix.lower() in SPREADSHEETS:
        raise TableError(f"{path}: spreadsheets are not read. Save the sheet as CSV.")
    if path.suffix.lower() in (".parquet", ".pq") and first[:4] != b"PAR1":
        raise TableError(f"{path}: this is not a Parquet file: it does not start with PAR1.")
    return first


def import_pyarrow() -> None:
    """Import PyArrow; an error says how to install it."""
    try:
        import pyarrow  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        raise ModuleNotFoundError(
            "reading CSV and Parquet files needs PyArrow: pip install 'rosenblatt[data]'", name="pyarrow"
        ) from None


def read_parquet(path: Path) -> Any:
    """The file as a PyArrow table."""
    import_pyarrow()
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"this is not a readable Parquet file: {first_line(error)}") from None


def read_csv(path: Path, first: bytes, encoding: str, separator: str | None, text: Collection[str] = ()) -> Any:
    """The file as a PyArrow table; types are inferred from all rows, except for the columns `text`."""
    import_pyarrow()
    import pyarrow as pa
    from pyarrow import csv

    compressed = path.suffix.lower() in (".gz", ".bz2", ".zst", ".lz4", ".br")
    if not compressed:
        require_text(first, encoding)
    separator = separator or sniff_separator(path, first, encoding, compressed)
    parse = csv.ParseOptions(delimiter=separator, newlines_in_values=True)
    convert = csv.ConvertOptions(
        null_values=sorted(MISSING_TEXTS),
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        column_types={name: pa.string() for name in text},
    )
    table = parse_csv(path, csv.ReadOptions(encoding=encoding), parse, convert)
    try:
        table.column_names  # noqa: B018 (decodes them)
    except UnicodeDecodeError:
        raise encoding_error("the header line", encoding) from None
    require_decoded(table, encoding)
    return table


def require_text(first: bytes, encoding: str) -> None:
    """Refuse binary files, and UTF-16 that is read as UTF-8."""
    if encoding.lower().replace("-", "").startswith(("utf16", "utf32")):
        return
    if first[:2] in BYTE_ORDER_MARKS:
        raise TableError(f"the file is encoded in UTF-16, not {encoding}. Say encoding='utf-16', or save it as UTF-8.")
    if b"\0" in first:
        raise TableError("this is neither text nor Parquet: it holds zero bytes. Give a CSV or Parquet file.")


def sniff_separator(path: Path, first: bytes, encoding: str, compressed: bool) -> str:
    """The separator that the header line, as far as it can be decoded, holds most often outside quotes."""
    if compressed:
        import pyarrow as pa

        try:
            with pa.input_stream(str(path), compression="detect") as stream:
                first = stream.read(4096)
        except (pa.ArrowException, OSError) as error:
            raise TableError(f"the file cannot be decompressed: {first_line(error)}") from None
    try:
        header = first.decode(encoding, errors="replace").lstrip("\ufeff").split("\n", 1)[0]
    except LookupError:
        raise TableError(f"there is no encoding {encoding!r}; usual ones: utf-8, latin-1, cp1252, utf-16.") from None
    unquoted = "".join(header.split('"')[::2])
    return max(SEPARATORS, key=unquoted.count)  # the first one, a comma, if there is none


def parse_csv(path: Path, read: Any, parse: Any, convert: Any) -> Any:
    """Read; after a failure, read again in one thread to find the line at fault."""
    import pyarrow as pa
    from pyarrow import csv

    try:
        return csv.read_csv(path, read, parse, convert)
    except UnicodeDecodeError as error:
        raise encoding_error(f"byte {error.object[error.start]:#04x}", read.encoding) from None
    except pa.ArrowInvalid as error:
        raise TableError(ragged_row(path, read, parse, convert) or first_line(error)) from None


def ragged_row(path: Path, read: Any, parse: Any, convert: Any) -> str:
    """A sentence about the first row with too many or too few cells, or nothing."""
    import pyarrow as pa
    from pyarrow import csv

    found: list[Any] = []

    def note(row: Any) -> str:
        found.append(row)
        return "error"

    read.use_threads = False
    parse.invalid_row_handler = note
    with suppress(pa.ArrowInvalid):
        csv.read_csv(path, read, parse, convert)
    if not found:
        return ""
    row = found[0]
    line = line_number(path, row, read.encoding)
    text = row.text if len(row.text) <= 80 else f"{row.text[:77]}..."
    return (
        f"line {line} has {row.actual_columns} cells where the header has {row.expected_columns}: {text}. "
        "Correct the line; a cell that holds the separator must be in quotes."
    )


def line_number(path: Path, row: Any, encoding: str) -> int:
    """The line on which a row begins: PyArrow counts rows, and so neither blank lines nor line breaks within cells."""
    import pyarrow as pa

    wanted = row.text.split("\n", 1)[0].rstrip("\r")
    with pa.input_stream(str(path)) as stream:
        lines = stream.read().decode(encoding, errors="replace").split("\n")
    later = (number for number in range(row.number, len(lines) + 1) if lines[number - 1].rstrip("\r") == wanted)
    return int(next(later, row.number))


def require_decoded(table: Any, encoding: str) -> None:
    """Refuse a column of bytes, which PyArrow returns where the text is not valid in the encoding."""
    import pyarrow as pa

    for name, column in zip(table.column_names, table.columns, strict=True):
        if not pa.types.is_binary(column.type):
            continue
        for row, cell in enumerate(column.to_pylist()):
            try:
                (cell or b"").decode(encoding)
            except UnicodeDecodeError:
                raise encoding_error(f"column {name!r}, row {row + 1} ({cell!r})", encoding) from None


def encoding_error(where: str, encoding: str) -> TableError:
    """The error for text that is not valid in its encoding."""
    return TableError(
        f"{where} is not valid {encoding}. Say its encoding, for example encoding='latin-1', or save as UTF-8."
    )


def first_line(error: BaseException) -> str:
    """The first line of another library's message."""
    return str(error).strip().split("\n", 1)[0]
