"""Whole tables from any source: what is a table already, a file, or a dataset that fits into memory.

Takes what `read_table` and `open_stream` take. Returns a `Table`. Never decides whether a dataset fits: that is the
caller's choice.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rosenblatt.tables.readers.frames import Reads, every_column
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.readers.streams import TableStream, open_stream
from rosenblatt.tables.table import Table

__all__ = ["ALL_ROWS", "read_source"]

ALL_ROWS = 2**62
"""A window that holds every table."""


def read_source(
    source: Any, *, encoding: str = "utf-8", text: Collection[str] = (), reads: Reads = every_column
) -> Table:
    """All rows of a source, or of a stream that is open already; see `read_table` and `open_stream`."""
    stream = source
    if not isinstance(source, TableStream):
        stream = open_stream(source, encoding=encoding, text=text, window=ALL_ROWS)
    if stream is None:
        return read_table(source, encoding=encoding, text=text, reads=reads)
    return stream.table(text=text, reads=reads)  # type: ignore[no-any-return]
