"""Tables that the page sends.

Takes the body of a request, piece by piece. Returns a `Table`, read as any other file is, from a temporary folder that
is gone afterwards. Of the name that the page gives, only its ending reaches the disk, which tells the reader how the
file is compressed or written. Never reads more than `MAX_BYTES`.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from rosenblatt.tables.readers.contents import is_larger
from rosenblatt.tables.readers.reading import parquet_cells, read_table
from rosenblatt.tables.table import Table, TableError

__all__ = ["MAX_BYTES", "TooLarge", "clean_name", "require_size", "table_of_stream"]

MAX_BYTES = 64 << 20
MAX_CONTENT = 512 << 20
"""Bytes of a file's content, which may be compressed."""
MAX_CELLS = 50_000_000
MAX_NAME = 100
ENDINGS = re.compile(r"(?:\.[a-z0-9]{1,8}){1,2}\Z")


class TooLarge(ValueError):
    """An upload beyond the limit."""


def require_size(n_bytes: int) -> None:
    """Refuse more bytes than an upload may have."""
    if n_bytes > MAX_BYTES:
        raise TooLarge(
            f"the file is larger than {MAX_BYTES >> 20} MB. Start the playground with its name instead: "
            "rosenblatt playground FILE."
        )


def clean_name(name: str) -> str:
    """The last part of a name, without what cannot be printed; "table.csv" if nothing is left."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(c for c in last if c.isprintable()).strip(". ")
    return kept[-MAX_NAME:] or "table.csv"


async def table_of_stream(chunks: AsyncIterator[bytes], name: str, encoding: str = "utf-8") -> Table:
    """The table in the bytes that come; `name` was cleaned."""
    found = ENDINGS.search(name.lower())
    with tempfile.TemporaryDirectory(prefix="rosenblatt-") as folder:
        path = Path(folder) / f"table{found[0] if found else ''}"
        await write(chunks, path)
        return await asyncio.to_thread(read, path, name, encoding)


async def write(chunks: AsyncIterator[bytes], path: Path) -> None:
    """Write the bytes to a file, up to the limit."""
    n_bytes = 0
    with open(path, "wb") as file:
        async for chunk in chunks:
            n_bytes += len(chunk)
            require_size(n_bytes)
            await asyncio.to_thread(file.write, chunk)


def read(path: Path, name: str, encoding: str) -> Table:
    """The table in the file; errors call it by the name that the user knows."""
    try:
        require_content(path)
        return read_table(path, encoding=encoding)
    except (TableError, OSError) as error:
        raise TableError(str(error).replace(str(path), name)) from None


def require_content(path: Path) -> None:
    """Refuse a file that is small because it is compressed, and holds more than memory should."""
    if is_larger(path.read_bytes(), path.suffix, MAX_CONTENT):
        raise TableError(f"{path}: the file holds more than {MAX_CONTENT >> 20} MB. Keep fewer rows or columns.")
    n_cells = parquet_cells(path)
    if n_cells > MAX_CELLS:
        raise TableError(f"{path}: the file has {n_cells:,} cells; at most {MAX_CELLS:,} are read here.")
