"""Tables that need not fit in memory: files, folders of files, datasets, streams of other libraries.

Takes paths, patterns and objects. Returns a `TableStream`, which gives the same cells as `read_table` would, in blocks,
as often as it is asked. Never holds more than a few blocks, and never writes a file that has a name.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rosenblatt.tables.readers.forms import EMPTY, Form, conform, form_of, join_forms
from rosenblatt.tables.readers.frames import Reads, every_column, table_from_frame
from rosenblatt.tables.readers.parts import BLOCK_ROWS, ArrowPart, ParquetPart, Part
from rosenblatt.tables.table import Table, TableError, concat

__all__ = ["BLOCK_ROWS", "TableStream", "open_stream"]


@dataclass(frozen=True)
class FileState:
    """What tells that a file is still the one that was opened."""

    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> FileState:
        """The state of a file now."""
        found = path.stat()
        return cls(str(path), found.st_size, found.st_mtime_ns)


class TableStream:
    """A table that is read in blocks, as often as it is asked for.

    Attributes
    ----------
    name : str
        What was opened, for messages.
    n_rows : int
    columns : tuple of str
    """

    def __init__(self, name: str, parts: Sequence[Part]) -> None:
        self.name = name
        self._parts = tuple(parts)
        self._files = tuple(FileState.of(part.path) for part in parts if part.path is not None)
        self.n_rows = sum(part.n_rows for part in parts)
        self.columns = tuple(dict.fromkeys(parts[0].schema.names))
        self._forms = self._inspect()

    def _inspect(self) -> dict[str, Form]:
        """What each column is, by all its pieces."""
        forms = dict.fromkeys(self.columns, EMPTY)
        for table in self._pieces(every_column):
            for name, column in table.columns.items():
                forms[name] = join_forms(forms[name], form_of(column))
        return forms

    def _pieces(self, reads: Reads) -> Iterator[Table]:
        """The rows as they come, at most `BLOCK_ROWS` at a time."""
        import pyarrow as pa

        for part in self._parts:
            for batch in part.batches(None):
                if batch.num_rows:
                    yield table_from_frame(pa.Table.from_batches([batch]), reads)

    def blocks(self, *, text: Collection[str] = (), reads: Reads = every_column) -> Iterator[Table]:
        """The rows in their order, `BLOCK_ROWS` at a time, in the last block those that are left.

        Parameters
        ----------
        text : collection of str, optional
            Columns of CSV files that are not to be taken for numbers or dates.
        reads : callable, optional
            Whether the column of a name is read, as for `read_table`.

        Yields
        ------
        Table
            What a column holds, and so its storage, is the same in all blocks; `Column.rows` are the row numbers in the
            whole table.

        Raises
        ------
        TableError
            If a file is damaged, or is no longer the one that was opened.
        """
        self.require_unchanged()
        start = 0
        for table in rebatched(self._conformed(reads)):
            rows = np.arange(start, start + table.n_rows)
            yield Table({name: replace(column, rows=rows) for name, column in table.columns.items()}, table.n_rows)
            start += table.n_rows
        self.require_unchanged()

    def _conformed(self, reads: Reads) -> Iterator[Table]:
        """Pieces in the form of the whole."""
        for table in self._pieces(reads):
            columns = {
                name: conform(column, self._forms[name]) if reads(name) else column
                for name, column in table.columns.items()
            }
            yield Table(columns, table.n_rows)

    def identity(self) -> dict[str, Any]:
        """What identifies the data, as JSON has it: each file with its size and the time of its last change."""
        return {"files": [[file.path, file.size, file.mtime_ns] for file in self._files]}

    def require_unchanged(self) -> None:
        """Refuse files that changed since they were opened; a `TableError` names the first."""
        for file in self._files:
            try:
                now = FileState.of(Path(file.path))
            except FileNotFoundError:
                raise TableError(f"{file.path} is gone since it was opened; nothing can be read from it.") from None
            if now != file:
                raise TableError(
                    f"{file.path} changed since it was opened: it had {file.size:,} bytes and has {now.size:,}. Begin "
                    "again when it is complete."
                )

    def table(self, *, text: Collection[str] = (), reads: Reads = every_column) -> Table:
        """All rows in memory."""
        blocks = list(self.blocks(text=text, reads=reads))
        whole = concat(blocks)
        return Table({name: replace(column, rows=None) for name, column in whole.columns.items()}, whole.n_rows)


def rebatched(tables: Iterator[Table]) -> Iterator[Table]:
    """The same rows in tables of `BLOCK_ROWS` rows, the last one with those that are left."""
    held: list[Table] = []
    n_held = 0
    for table in tables:
        while n_held + table.n_rows >= BLOCK_ROWS:
            n = BLOCK_ROWS - n_held
            yield concat([*held, table if n == table.n_rows else table.take(np.arange(n))])
            table = table.take(np.arange(n, table.n_rows))
            held, n_held = [], 0
        if table.n_rows:
            held.append(table)
            n_held += table.n_rows
    if held:
        yield concat(held)


def open_stream(
    source: Any,
    *,
    encoding: str = "utf-8",
    separator: str | None = None,
    text: Collection[str] = (),
    window: int = 2**20,
) -> TableStream | None:
    """A stream of a dataset.

    Parameters
    ----------
    source : path, folder
        A Parquet or Arrow file, or a folder of them.
    encoding, separator, text
        Of CSV files, as for `read_table`.
    window : int, optional
        A file with at most so many rows is no stream.

    Returns
    -------
    TableStream or None
        None for what `read_table` reads at once: frames and arrays in memory, and files of at most `window` rows.
    """
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = Path(os.fsdecode(source))
    if path.is_dir():
        parts = [ParquetPart(file) for file in sorted(path.rglob("*.parquet"))]
        return TableStream(str(path), parts)
    try:
        with path.open("rb") as file:
            start = file.read(6)
    except OSError:
        return None
    part = ParquetPart(path) if start[:4] == b"PAR1" else ArrowPart(path) if start == b"ARROW1" else None
    return TableStream(str(path), [part]) if part is not None and part.n_rows > window else None
