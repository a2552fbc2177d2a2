"""A table in blocks of rows, of which no more than a few are in memory.

Takes the parts of a table. Returns blocks, the same cells as `read_table` would give of the whole, as often as they are
asked for. Never holds the whole, unless it is asked for that.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rosenblatt._suggestions import join_names
from rosenblatt.tables.joining import concat
from rosenblatt.tables.readers.contents import first_line
from rosenblatt.tables.readers.forms import EMPTY, Form, conform, described_form, form_of, join_forms
from rosenblatt.tables.readers.frames import Reads, every_column, table_from_frame, unread_column
from rosenblatt.tables.readers.limits import UNLIMITED, Limits
from rosenblatt.tables.readers.parts import BLOCK_ROWS, Part
from rosenblatt.tables.readers.unions import cast_frame, settled_form, union_types
from rosenblatt.tables.table import RowFiles, Table, TableError

__all__ = ["BLOCK_ROWS", "FileState", "TableStream"]


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

    def require_unchanged(self) -> None:
        """Refuse the file if it is another one now."""
        try:
            now = FileState.of(Path(self.path))
        except (FileNotFoundError, NotADirectoryError):
            raise TableError(f"{self.path} is gone: it was removed or renamed since it was opened.") from None
        except OSError as error:
            raise unreadable(self.path, error) from None
        if now != self:
            what = (
                f"it had {self.size:,} bytes and has {now.size:,}" if now.size != self.size else "it was written again"
            )
            raise TableError(f"{self.path} changed since it was opened: {what}. Begin again when nothing writes to it.")


def unreadable(name: str, error: OSError) -> TableError:
    """The error for a part that could be read when it was opened."""
    what = error.strerror or first_line(error)
    return TableError(
        f"{name} cannot be read any more: {what}. It could be when it was opened; begin again when it can be."
    )


class TableStream:
    """A table that is read in blocks, as often as they are asked for.

    Parameters
    ----------
    name : str
        What was opened, for messages.
    parts : list of Part
        Where the rows are, in their order.
    files : list of FileState
        The files that must not change.
    identity : dict, optional
        What else identifies the data, as JSON has it.
    limits : Limits, optional

    Attributes
    ----------
    name : str
    n_rows : int
    columns : tuple of str
    mixed : frozenset of str
        Columns whose cells are of different kinds in the files, but can be read as texts.

    Raises
    ------
    TableError
        If the parts differ in their columns, or if there are no rows.
    """

    def __init__(
        self,
        name: str,
        parts: Sequence[Part],
        files: Sequence[FileState] = (),
        identity: Mapping[str, Any] | None = None,
        limits: Limits = UNLIMITED,
    ) -> None:
        self.name = name
        self._parts, self._files, self._identity = tuple(parts), tuple(files), dict(identity or {})
        self.columns = tuple(dict.fromkeys(parts[0].names))
        self._types, problems = ({}, {}) if parts[0].schema is None else union_types(parts)
        readable = [name for name in self.columns if name not in problems]
        unfit = {name: Form(problem=problem) for name, problem in problems.items()}
        self._forms = inspect(self._parts, readable, self._types) | unfit
        self.mixed = frozenset(problems if parts[0].reads_text else ())
        self.n_rows = sum(part.n_rows for part in parts)
        limits.require_table(self.n_rows, len(self.columns))
        if not self.n_rows:
            several = f" in its {len(parts)} parts" if len(parts) > 1 else ""
            raise TableError(f"{name} has no rows{several}, only the columns {join_names(self.columns)}.")

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
            What a column holds, and so its storage, is the same in all blocks. `Column.rows` are the row numbers in the
            whole table.

        Raises
        ------
        TableError
            If a file is damaged, or is no longer the one that was opened.
        """
        self.require_unchanged()
        start, files = 0, self._row_files()
        for block in rebatched(self._pieces(text, reads)):
            rows = np.arange(start, start + block.n_rows)
            columns = {name: replace(column, rows=rows, files=files) for name, column in block.columns.items()}
            yield Table(columns, block.n_rows)
            start += block.n_rows
        self.require_unchanged()
        if start != self.n_rows:
            raise TableError(f"{self.name} gave {start:,} rows, but {self.n_rows:,} when it was opened.")

    def table(self, *, text: Collection[str] = (), reads: Reads = every_column) -> Table:
        """All rows in memory, as `read_table` gives them."""
        whole = concat(list(self.blocks(text=text, reads=reads)))
        return Table({name: replace(column, rows=None) for name, column in whole.columns.items()}, whole.n_rows)

    def identity(self) -> dict[str, Any]:
        """What identifies the data, as JSON has it: each file with its size and the time of its last change."""
        files = [{"path": file.path, "size": file.size, "mtime_ns": file.mtime_ns} for file in self._files]
        return {"n_rows": self.n_rows, **({"files": files} if files else {}), **self._identity}

    def require_unchanged(self) -> None:
        """Refuse files that changed since they were opened; a `TableError` names the first."""
        for file in self._files:
            file.require_unchanged()

    def _row_files(self) -> RowFiles | None:
        """Which rows are in which file, if there are several files."""
        if len(self._parts) < 2 or any(part.path is None for part in self._parts):
            return None
        starts = np.cumsum([0, *(part.n_rows for part in self._parts[:-1])])
        return RowFiles(tuple(part.name for part in self._parts), tuple(starts.tolist()))

    def elsewhere(self) -> TableStream:
        """The table for another process, which reads the same files if it sees them; pickle carries it.

        Raises
        ------
        TableError
            If only this process has the rows; it says what to do.
        """
        parts = [part.elsewhere() for part in self._parts]
        found = [part for part in parts if part is not None]
        if len(found) < len(parts):
            raise TableError(
                f"{self.name} is read block by block, since it has {self.n_rows:,} rows and the window is smaller, "
                "but other processes, which are to train the networks, cannot read it: only files. Write it to Parquet "
                "in a folder that all of them share, and give this folder; or train in this process: leave the client "
                "and backends of joblib out."
            )
        twin = copy(self)
        twin._parts = tuple(found)
        twin._files = tuple(replace(file, path=os.path.abspath(file.path)) for file in self._files)
        return twin

    def _pieces(self, text: Collection[str], reads: Reads) -> Iterator[Table]:
        """The rows as they come, each column in the form of the whole."""
        forms, types = self._as_text(text)
        names = [name for name in self.columns if reads(name)]
        states = {file.path: file for file in self._files}
        for part in self._parts:
            for piece in self._tables_of(part, names or self.columns[:1], types):
                columns = {
                    name: conform(piece.columns[name], forms[name])
                    if name in names
                    else unread_column(name, piece.n_rows)
                    for name in self.columns
                }
                yield Table(columns, piece.n_rows)
                if str(part.path) in states:  # a map of a file that was cut would end the process
                    states[str(part.path)].require_unchanged()

    def _tables_of(self, part: Part, names: Sequence[str], types: Mapping[str, Any]) -> Iterator[Table]:
        """`tables_of`; where it fails because a file is gone or is another one now, the error says that."""
        try:
            yield from tables_of(part, names, types)
        except (OSError, TableError) as error:
            self.require_unchanged()
            if isinstance(error, OSError):
                raise unreadable(part.name, error) from None
            raise

    def _as_text(self, text: Collection[str]) -> tuple[dict[str, Form], dict[str, Any]]:
        """Forms and types if these columns are read as text."""
        known = self._types.keys() | self.mixed
        names = [name for name in text if name in known] if self._parts[0].reads_text else []
        if not names:
            return self._forms, self._types
        import pyarrow as pa

        as_text = [name for name in names if name in self.mixed or self._forms[name] != EMPTY]
        forms = {name: Form("text") for name in as_text if name in self.mixed or not self._forms[name].problem}
        return {**self._forms, **forms}, {**self._types, **dict.fromkeys(forms, pa.string())}


def inspect(parts: Sequence[Part], columns: Sequence[str], types: Mapping[str, Any]) -> dict[str, Form]:
    """What each column is in all parts; cells are read if neither types nor files say it, and no longer than that."""
    forms = {name: known_form(name, parts, types) for name in columns}
    pending = [name for name, form in forms.items() if form is None]
    found = {name: form or EMPTY for name, form in forms.items()}
    for part in parts:
        for piece in tables_of(part, pending, types) if pending else ():
            for name in pending:
                found[name] = joined(name, found[name], form_of(piece.columns[name]), part)
            pending = [name for name in pending if name not in types or settled_form(types[name], found[name]) is None]
            if not pending:
                break
    return found


def known_form(name: str, parts: Sequence[Part], types: Mapping[str, Any]) -> Form | None:
    """The form of a column that types or files say; None if its cells must be read."""
    if name not in types:
        return None
    settled = settled_form(types[name], EMPTY)
    if settled is not None or not all(name in part.forms for part in parts if part.n_rows):
        return settled
    form = EMPTY
    for part in parts:
        form = joined(name, form, part.forms.get(name, EMPTY), part)
    return form


def joined(name: str, before: Form, form: Form, part: Part) -> Form:
    """The form of a column after another piece."""
    found = join_forms(before, form)
    if found is None:
        raise TableError(
            f"column {name!r} holds {described_form(form)} in {part.name}, but {described_form(before)} before. "
            "Convert it to hold the same in all parts, or leave it out of the table."
        )
    return found


def tables_of(part: Part, names: Sequence[str], types: Mapping[str, Any]) -> Iterator[Table]:
    """The rows of a part with these columns, some at a time; an error names the part."""
    own = [name for name in part.names if name in names and (part.schema is None or name in part.schema.names)]
    for frame in part.frames(set(own or part.names[:1]), types):
        if part.schema is None:
            yield table_from_frame(frame)
            continue
        for start in range(0, frame.num_rows, BLOCK_ROWS):
            piece = frame.slice(start, BLOCK_ROWS)
            try:
                yield table_from_frame(cast_frame(with_constants(piece, part, names), types))
            except TableError as error:
                raise TableError(f"{part.name}: {error}") from None


def with_constants(frame: Any, part: Part, names: Sequence[str]) -> Any:
    """A table of PyArrow with the columns that the names of folders give."""
    import pyarrow as pa

    for name, cell in part.constants.items():
        if name in names and name not in part.schema.names:
            frame = frame.append_column(name, pa.repeat(cell, frame.num_rows))
    return frame


def rebatched(tables: Iterator[Table]) -> Iterator[Table]:
    """The same rows in tables of `BLOCK_ROWS` rows, the last one with those that are left."""
    held: list[Table] = []
    n_held = 0
    for piece in tables:
        start = 0
        while n_held + piece.n_rows - start >= BLOCK_ROWS:
            end = start + BLOCK_ROWS - n_held
            yield concat([*held, cut(piece, start, end)])
            held, n_held, start = [], 0, end
        if start < piece.n_rows:
            held.append(cut(piece, start, piece.n_rows))
            n_held += piece.n_rows - start
    if held:
        yield concat(held)


def cut(piece: Table, start: int, end: int) -> Table:
    """Some rows of a table; all of them as they are."""
    return piece if end - start == piece.n_rows else piece.take(np.arange(start, end))
