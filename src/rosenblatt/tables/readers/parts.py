"""The parts of a table that is read piece by piece: Parquet and Arrow files, one row group after another.

Takes paths. Returns record batches of PyArrow, each read when it is asked for. Never holds more than a batch and the
pages of the file that it comes from.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rosenblatt.tables.readers.contents import first_line, import_pyarrow
from rosenblatt.tables.table import TableError

__all__ = ["BLOCK_ROWS", "ArrowPart", "ParquetPart", "Part", "named"]

BLOCK_ROWS = 65_536
"""Rows that are read at a time."""
BUFFER_BYTES = 1 << 18
"""Bytes of each column of a Parquet file that are read at a time."""


class Part(ABC):
    """Some rows of a table; `name` is for messages, `schema` PyArrow's, `n_rows` their number."""

    name: str
    path: Path | None = None
    schema: Any
    n_rows: int

    @abstractmethod
    def batches(self, names: Sequence[str] | None) -> Iterator[Any]:
        """Record batches of at most `BLOCK_ROWS` rows with the columns of these names, or with all."""


@contextmanager
def named(name: str, kind: str) -> Iterator[None]:
    """Errors of PyArrow as those of a file that cannot be read; errors of tables with the name of the file."""
    import pyarrow as pa

    try:
        yield
    except TableError as error:
        raise TableError(f"{name}: {str(error).removeprefix(name + ': ')}") from None
    except (MemoryError, FileNotFoundError, PermissionError):
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise TableError(
            f"{name}: this is not a readable {kind} file: {first_line(error)}. It is damaged or incomplete; copy or "
            "download it again."
        ) from None


class ParquetPart(Part):
    """A Parquet file."""

    def __init__(self, path: Path) -> None:
        import_pyarrow()
        self.name, self.path = str(path), path
        with named(self.name, "Parquet"), self.open() as file:
            self.schema, self.n_rows = file.schema_arrow, file.metadata.num_rows

    def open(self) -> Any:
        """The file; its columns are read through small buffers."""
        import pyarrow.parquet as pq

        return pq.ParquetFile(self.path, buffer_size=BUFFER_BYTES, pre_buffer=False)

    def batches(self, names: Sequence[str] | None) -> Iterator[Any]:
        with named(self.name, "Parquet"), self.open() as file:
            for batch in file.iter_batches(BLOCK_ROWS, columns=names, use_threads=False):
                batch.validate(full=True)  # cells are read without a check of their offsets
                yield batch


class ArrowPart(Part):
    """A file of record batches, which is mapped into memory: Arrow IPC or Feather."""

    def __init__(self, path: Path) -> None:
        import_pyarrow()
        self.name, self.path = str(path), path
        with named(self.name, "Arrow or Feather"), self.open() as file:
            self.schema = file.schema
            self.n_rows = sum(file.get_batch(place).num_rows for place in range(file.num_record_batches))

    def open(self) -> Any:
        """The file as PyArrow's reader."""
        import pyarrow as pa

        return pa.ipc.open_file(pa.memory_map(str(self.path)))

    def batches(self, names: Sequence[str] | None) -> Iterator[Any]:
        with named(self.name, "Arrow or Feather"), self.open() as file:
            for place in range(file.num_record_batches):
                batch = file.get_batch(place)
                batch = batch if names is None else batch.select(list(names))
                for start in range(0, batch.num_rows, BLOCK_ROWS):
                    piece = batch.slice(start, BLOCK_ROWS)
                    piece.validate(full=True)
                    yield piece
