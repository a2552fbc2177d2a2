"""What is a dataset, and which parts it has.

Takes whatever a user gives as a table. Returns a `TableStream`, or None for what is read at once. Never reads a table
into memory.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosenblatt._suggestions import join_names
from rosenblatt.tables.readers.contents import (
    STANDARD_INPUT,
    decompressed_pieces,
    import_pyarrow,
    is_compressed,
    refuse_foreign,
    spreadsheet,
)
from rosenblatt.tables.readers.delimited_chunks import first_bytes, text_pieces
from rosenblatt.tables.readers.delimited_part import DelimitedPart
from rosenblatt.tables.readers.folders import constants_of, files_of, is_pattern
from rosenblatt.tables.readers.foreign_parts import (
    DaskPart,
    DatasetPart,
    SpooledPart,
    dataset_files,
    is_dask,
    is_dataset,
    open_reader,
)
from rosenblatt.tables.readers.limits import UNLIMITED, Limits
from rosenblatt.tables.readers.parts import ArrowPart, MappedFile, ParquetPart, Part
from rosenblatt.tables.readers.records import is_json
from rosenblatt.tables.readers.table_stream import BLOCK_ROWS, FileState, TableStream
from rosenblatt.tables.table import Table, TableError

__all__ = ["ARROW_FILE", "ARROW_STREAM", "BLOCK_ROWS", "PARQUET", "SPREADSHEETS", "CsvOptions", "TableStream"]
__all__ += ["is_on_disk", "open_dataset", "open_stream"]

SPREADSHEETS = {".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"}
PARQUET, ARROW_FILE, ARROW_STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"
KINDS = {PARQUET: "Parquet", ARROW_FILE: "Arrow", ARROW_STREAM: "Arrow stream"}
ADDRESSES = ("http:/", "https:/", "s3:/", "ftp:/")


@dataclass(frozen=True)
class CsvOptions:
    """How text files are read; see `read_table`."""

    encoding: str = "utf-8"
    separator: str | None = None
    text: Collection[str] = ()
    limits: Limits = UNLIMITED


def open_stream(
    source: Any,
    *,
    encoding: str = "utf-8",
    separator: str | None = None,
    text: Collection[str] = (),
    window: int = 2**20,
    limits: Limits = UNLIMITED,
) -> TableStream | None:
    """A dataset as a table that is read in blocks, and never held in memory as a whole.

    Parameters
    ----------
    source : path, pattern, or object
        A Parquet, Arrow, Feather or CSV file; a folder of files of one of these kinds, in which ``year=2024`` in the
        name of a folder is a column, and hidden ones are left out; a pattern such as ``data/part-*.parquet``; a
        `pyarrow.dataset.Dataset`; a data frame of Dask, whose partitions are computed one after another, once for each
        pass; or anything else that gives a stream of Arrow (`__arrow_c_stream__`) such as a relation of DuckDB, and a
        lazy frame of Polars, which are copied once to a temporary file without a name in the folder `TMPDIR`. Memory is
        that of some blocks; for a dataset of PyArrow, that of a row group.
    encoding, separator, text, limits
        As for `read_table`. A CSV file is read through once when it is opened: it has no types, and what a column holds
        depends on all its cells.
    window : int, optional
        A single file that surely has at most so many rows is no stream. Anything else always is one.

    Returns
    -------
    TableStream or None
        None for what `read_table` reads at once: frames, mappings and arrays in memory, files of at most `window` rows,
        standard input, JSON, and what is no table.

    Raises
    ------
    TableError
        If files differ in their columns or in what a column holds, or if one cannot be read; the message names the
        files and the column.
    OSError
        If a file or folder cannot be opened.
    ModuleNotFoundError
        If PyArrow is not installed.
    """
    options = CsvOptions(encoding, separator, text, limits)
    if found := open_dataset(source, options):
        return found
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = Path(os.fsdecode(source))
    if path == STANDARD_INPUT or not path.is_file():
        return None
    state, kind = FileState.of(path), kind_of(path)
    if not kind or (kind == "CSV" and has_few_lines(path, window, options)):
        return None
    part = part_of(path, kind, options)
    return TableStream(str(path), [part], [state], limits=limits) if part.n_rows > window else None


def open_dataset(source: Any, options: CsvOptions | None = None) -> TableStream | None:
    """A stream of what cannot be read in another way than as a stream: all but single files."""
    options = options or CsvOptions()
    if isinstance(source, (str, os.PathLike)):
        path = Path(os.fsdecode(source))
        is_folder = path.is_dir() or (is_pattern(path) and not str(path).lower().startswith(ADDRESSES))
        return open_files(path, options) if is_folder else None
    if isinstance(source, (Table, dict, list, tuple)):
        return None
    if is_dataset(source):
        states = [FileState.of(path) for path in dataset_files(source)]
        identity = {"schema": source.schema.to_string(show_field_metadata=False, show_schema_metadata=False)}
        part = DatasetPart(source)
        return TableStream(part.name, [part], states, identity, options.limits)
    if is_dask(source):
        return open_dask(source, options.limits)
    if (reader := open_reader(source)) is None:
        return None
    spooled = SpooledPart(f"the {type(source).__name__}", reader, options.limits)
    if not spooled.n_rows:
        raise TableError(
            f"{spooled.name} gives no rows, only the columns {join_names(spooled.names)}. What gives its rows only "
            "once gives none when it is read again, as after another fit: make it anew, or write its rows to a Parquet "
            "file and give that."
        )
    return TableStream(spooled.name, [spooled], (), {"sha256": spooled.digest}, options.limits)


def open_dask(frame: Any, limits: Limits) -> TableStream:
    """A stream of the partitions of a data frame of Dask."""
    from dask.base import tokenize

    parts = [DaskPart(frame, place) for place in range(frame.npartitions)]
    return TableStream("the Dask data frame", parts, (), {"dask": tokenize(frame)}, limits)


def open_files(path: Path, options: CsvOptions) -> TableStream:
    """A stream of the files in a folder, or of a pattern."""
    import_pyarrow()
    found = files_of(path)
    kinds = {file: folder_kind(file) for file in found}
    if len(set(kinds.values())) > 1:
        first = next(iter(kinds))
        other = next(file for file, kind in kinds.items() if kind != kinds[first])
        raise TableError(
            f"{path} holds files of several kinds: {first} is {kinds[first]} and {other} is {kinds[other]}. Give a "
            "pattern of those that belong together, such as 'folder/*.parquet'."
        )
    states = [FileState.of(file) for file in found]
    parts = [part_of(file, kind, options) for file, kind in kinds.items()]
    for part, constants in zip(parts, constants_of(list(found.values())), strict=True):
        part.constants = constants
    return TableStream(str(path), parts, states, limits=options.limits)


def folder_kind(path: Path) -> str:
    """The kind of a file among others; a `TableError` names one that is not read in parts."""
    try:
        kind = kind_of(path, refuses=True)
    except TableError as error:
        raise TableError(f"{path}: {error}") from None
    if not kind:
        raise TableError(
            f"{path} is not read with other files: these must be CSV, Parquet, Arrow or Feather files. Move it, or "
            "give a pattern such as 'folder/*.parquet'."
        )
    return kind


def kind_of(path: Path, refuses: bool = False) -> str:
    """What a file is, by its first bytes; "" for what is read at once, or refused, by `read_table`."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    try:
        if set(suffixes[-1:]) & SPREADSHEETS:
            raise spreadsheet("a spreadsheet")
        start = first_bytes(decompressed_pieces(path, 4096), 4096)
        binary = next((kind for magic, kind in KINDS.items() if start.startswith(magic)), "")
        if binary:
            return "" if is_compressed(path) else binary
        refuse_foreign(start)
        if not start:
            raise TableError("the file is empty.")
    except TableError:
        if refuses:
            raise
        return ""
    named_binary = {".parquet", ".pq", ".feather", ".arrow", ".ipc"} & set(suffixes)
    return "" if named_binary or any(is_json(start, suffix) for suffix in suffixes or [""]) else "CSV"


def part_of(path: Path, kind: str, options: CsvOptions) -> Part:
    """The file as a part."""
    if kind == "Parquet":
        return ParquetPart(path, options.limits)
    if kind != "CSV":
        return ArrowPart(str(path), MappedFile(path, kind == "Arrow stream"), path, options.limits)
    return DelimitedPart(path, options.encoding, options.separator, options.text, options.limits)


def has_few_lines(path: Path, n_lines: int, options: CsvOptions) -> bool:
    """Whether a text file surely has at most so many rows."""
    n_lf = n_cr = 0
    try:
        for piece in text_pieces(path, options.encoding, options.limits):
            n_lf, n_cr = n_lf + piece.count(b"\n"), n_cr + piece.count(b"\r")
            if max(n_lf, n_cr) > n_lines:
                return False
    except TableError as error:
        raise TableError(f"{path}: {error}") from None
    return True


def is_on_disk(source: Any) -> bool:
    """Whether it is the path of a file or folder, or a pattern of files: what can be read again, and as text."""
    if not isinstance(source, (str, os.PathLike)):
        return False
    path = Path(os.fsdecode(source))
    return path.is_file() or path.is_dir() or is_pattern(path)
