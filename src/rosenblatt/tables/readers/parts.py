"""The parts of a table that is read piece by piece; here Parquet and Arrow files, one batch of rows after another.

Takes paths. Returns tables of PyArrow, each read when it is asked for. Never holds more than a batch and the pages of
the file that it comes from.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from rosenblatt.tables.readers.contents import first_line, import_pyarrow
from rosenblatt.tables.readers.forms import Form
from rosenblatt.tables.readers.limits import UNLIMITED, Limits
from rosenblatt.tables.table import MAX_EXACT, TableError

__all__ = ["BLOCK_ROWS", "ArrowPart", "MappedFile", "ParquetPart", "Part", "named"]

BLOCK_ROWS = 65_536
"""Rows that are read at a time."""
BUFFER_BYTES = 1 << 18
"""Bytes of each column of a Parquet file that are read at a time."""


class Part(ABC):
    """Some rows of a table.

    Attributes
    ----------
    name : str
        For messages.
    path : Path or None
        The file that holds the rows.
    schema : pyarrow.Schema or None
        None if the rows are read as frames of another library.
    n_rows : int
    forms : dict
        What columns are, as far as it is known without reading them.
    reads_text : bool
        Whether cells of any kind can be read as the texts that stand in the file.
    constants : dict
        Columns that have one cell for all rows, as PyArrow's scalars: what a folder's name says.
    """

    name: str
    path: Path | None = None
    schema: Any = None
    n_rows: int
    forms: Mapping[str, Form] = {}
    reads_text: bool = False
    constants: Mapping[str, Any] = {}

    @abstractmethod
    def frames(self, names: Collection[str], types: Mapping[str, Any]) -> Iterator[Any]:
        """Frames of not many rows with the columns of these names, at least one, in the order that they have.

        `types` are PyArrow's, as which the cells are read if the part can choose.
        """

    def elsewhere(self) -> Self | None:
        """The part for another process that sees the same files; None if only this process has the rows."""
        return None

    def at_full_path(self) -> Self:
        """The part with the path of its file from the root."""
        assert self.path is not None
        twin = copy(self)
        twin.path = Path(os.path.abspath(self.path))
        twin.name = str(twin.path)
        return twin

    @property
    def names(self) -> list[str]:
        """All columns, those that the name of a folder gives last."""
        return [*self.schema.names, *(name for name in self.constants if name not in self.schema.names)]


@contextmanager
def named(name: str, kind: str) -> Iterator[None]:
    """Errors of PyArrow as those of a file that cannot be read; errors of tables with the name of the file.

    Without a kind of file, `name` is what else computes or gives the rows.
    """
    import pyarrow as pa

    try:
        yield
    except TableError as error:
        raise TableError(f"{name}: {str(error).removeprefix(name + ': ')}") from None
    except (MemoryError, FileNotFoundError, PermissionError):
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        what = f"this is not a readable {kind} file: {first_line(error)}. It is damaged or incomplete; copy or "
        raise TableError(
            f"{name}: {what}download it again." if kind else f"{name} broke off: {first_line(error)}."
        ) from None


class ParquetPart(Part):
    """A Parquet file; the pages of its columns are read through small buffers."""

    def __init__(self, path: Path, limits: Limits = UNLIMITED) -> None:
        import_pyarrow()
        self.name, self.path = str(path), path
        with named(self.name, "Parquet"), self.open() as file:
            self.schema, self.n_rows = file.schema_arrow, file.metadata.num_rows
            limits.require_table(self.n_rows, len(self.schema))
            self.forms = integer_forms(file)

    def elsewhere(self) -> Self:
        return self.at_full_path()

    def open(self) -> Any:
        """The file as PyArrow's reader."""
        import pyarrow.parquet as pq

        return pq.ParquetFile(self.path, buffer_size=BUFFER_BYTES, pre_buffer=False)

    def frames(self, names: Collection[str], types: Mapping[str, Any]) -> Iterator[Any]:
        import pyarrow as pa

        chosen = (
            None if len(set(self.schema.names)) < len(self.schema) else [n for n in self.schema.names if n in names]
        )
        with named(self.name, "Parquet"), self.open() as file:
            for batch in file.iter_batches(BLOCK_ROWS, columns=chosen, use_threads=False):
                batch.validate(full=True)  # cells are read without a check of their offsets
                yield pa.Table.from_batches([batch])


def integer_forms(file: Any) -> dict[str, Form]:
    """The forms of columns of integers of 64 bits, which depend on the largest, where the file itself says it."""
    import pyarrow as pa

    metadata, forms = file.metadata, {}
    places = {metadata.schema.column(place).path: place for place in range(metadata.num_columns)}
    for entry in file.schema_arrow:
        if entry.type not in (pa.int64(), pa.uint64()) or entry.name not in places:
            continue
        groups = [metadata.row_group(group).column(places[entry.name]) for group in range(metadata.num_row_groups)]
        known = [group.statistics for group in groups if group.num_values]
        if known and all(found is not None and found.has_min_max for found in known):
            largest = max(max(abs(int(found.min)), abs(int(found.max))) for found in known)
            forms[entry.name] = Form("integer") if largest <= MAX_EXACT else Form("text", "exact")
    return forms


class ArrowPart(Part):
    """Record batches of Arrow that lie in a memory map; `opened` returns their reader, from the beginning."""

    def __init__(
        self, name: str, opened: Callable[[], Any], path: Path | None = None, limits: Limits = UNLIMITED
    ) -> None:
        import_pyarrow()
        self.name, self.path, self.opened = name, path, opened
        with named(name, "Arrow or Feather"), opened() as reader:
            self.schema, self.n_rows = reader.schema, 0
            for batch in batches_of(reader):
                self.n_rows += batch.num_rows
                limits.require_table(self.n_rows, len(self.schema))

    def elsewhere(self) -> Self | None:
        if not isinstance(self.opened, MappedFile):
            return None
        twin = self.at_full_path()
        assert twin.path is not None
        twin.opened = replace(self.opened, path=twin.path)
        return twin

    def frames(self, names: Collection[str], types: Mapping[str, Any]) -> Iterator[Any]:
        import pyarrow as pa

        places = [place for place, name in enumerate(self.schema.names) if name in names]
        with named(self.name, "Arrow or Feather"), self.opened() as reader:
            for batch in batches_of(reader):
                chosen = batch.select(places)
                for start in range(0, batch.num_rows, BLOCK_ROWS):
                    piece = chosen.slice(start, BLOCK_ROWS)
                    piece.validate(full=True)
                    yield pa.Table.from_batches([piece])


def batches_of(reader: Any) -> Iterator[Any]:
    """The record batches of a file or of a stream."""
    if hasattr(reader, "get_batch"):
        return map(reader.get_batch, range(reader.num_record_batches))
    return iter(reader)


@dataclass(frozen=True)
class MappedFile:
    """What opens a file of record batches as PyArrow's reader."""

    path: Path
    is_stream: bool

    def __call__(self) -> Any:
        """The reader."""
        import pyarrow as pa

        return (pa.ipc.open_stream if self.is_stream else pa.ipc.open_file)(pa.memory_map(str(self.path)))
