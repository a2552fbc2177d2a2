"""How large a table may be where others choose the file, as in an upload.

Takes the decompressed bytes of a file. Raises a `TableError` for one that holds more than is allowed, before memory is
taken for its cells. Never reads a cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from rosenblatt.tables.table import TableError

__all__ = ["UNLIMITED", "Limits"]


@dataclass(frozen=True)
class Limits:
    """The most of everything: bytes of the decompressed content, columns, cells, and lists and objects in JSON."""

    n_bytes: float = math.inf
    n_columns: float = math.inf
    n_cells: float = math.inf
    n_objects: float = math.inf

    def require_bytes(self, n_bytes: int) -> None:
        """Refuse a content that is too long."""
        if n_bytes > self.n_bytes:
            raise TableError(f"the file holds more than {self.n_bytes / (1 << 20):.0f} MB. Keep fewer rows or columns.")

    def require_table(self, n_rows: int, n_columns: int) -> None:
        """Refuse a table of so many rows and columns."""
        if n_columns > self.n_columns:
            raise TableError(f"the table has more than the {self.n_columns:,} columns that are read here. Keep fewer.")
        if n_rows * n_columns > self.n_cells:
            raise TableError(
                f"the table has {n_rows:,} rows and {n_columns:,} columns; at most {self.n_cells:,} cells are read."
            )

    def require_json(self, data: bytes) -> None:
        """Refuse JSON with more values or objects; marks within texts count, too."""
        n_objects = sum(map(data.count, (b"{", b"[")))
        if n_objects > self.n_objects or n_objects + data.count(b",") > self.n_cells:
            raise TableError(
                f"this JSON holds more than the {self.n_objects:,} objects or {self.n_cells:,} cells that are read "
                "here. Save the table as CSV or Parquet."
            )

    def require_texts(self, table: Any) -> None:
        """Refuse a PyArrow table with dictionaries whose texts, each held once, are too long when they are repeated."""
        import pyarrow as pa
        import pyarrow.compute as pc

        for column in table.columns:
            if pa.types.is_dictionary(column.type):
                lengths = (pc.sum(pc.binary_length(chunk.dictionary).take(chunk.indices)) for chunk in column.chunks)
                self.require_bytes(sum(length.as_py() or 0 for length in lengths))


UNLIMITED = Limits()
