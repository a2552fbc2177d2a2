"""Tables that the page sends.

Takes the body of a request, piece by piece. Returns a `PlaygroundTable`, read as any other file is, from a temporary
folder that is gone afterwards. Of the name that the page gives, only its ending reaches the disk, which tells the
reader how the file is compressed or written. Never reads more than `MAX_BYTES`.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from starlette.requests import ClientDisconnect

from rosenblatt.playground_page.own_tables import PlaygroundTable
from rosenblatt.tables.readers.limits import Limits
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.table import TableError

__all__ = ["LIMITS", "MAX_BYTES", "Reading", "TooLarge", "clean_name", "require_size"]

MAX_BYTES = 64 << 20
LIMITS = Limits(n_bytes=512 << 20, n_columns=10_000, n_cells=50_000_000, n_objects=2_000_000)
"""What a file may hold, which may be compressed."""
MAX_NAME = 100
ENCODING_HERE = " The page reads the encoding with which it was started: rosenblatt playground --encoding NAME."
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


class Reading:
    """An upload, to be used in a with statement, after which nothing of it is left; `name` was cleaned."""

    def __init__(self, name: str, encoding: str = "utf-8") -> None:
        self.name, self.encoding, self.is_wanted = name, encoding, True
        self.folder = tempfile.TemporaryDirectory(prefix="rosenblatt-", ignore_cleanup_errors=True)
        found = ENDINGS.search(name.lower())
        self.path = Path(self.folder.name) / f"table{found[0] if found else ''}"

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the file; what is still reading it ends with the next column."""
        self.is_wanted = False
        self.folder.cleanup()

    async def write(self, chunks: AsyncIterator[bytes], is_open: Callable[[], bool]) -> None:
        """Write the bytes to the file, up to the limit, while its page is open."""
        n_bytes = 0
        with open(self.path, "wb") as file:
            async for chunk in chunks:
                n_bytes += len(chunk)
                require_size(n_bytes)
                if not is_open():
                    raise ClientDisconnect
                file.write(chunk)

    def table(self) -> PlaygroundTable:
        """The table in the file; errors call it by the name that the user knows."""
        try:
            table = read_table(self.path, encoding=self.encoding, reads=self.reads, limits=LIMITS)
        except (TableError, OSError) as error:
            words = str(error).replace(str(self.path), self.name)
            raise TableError(words + ENCODING_HERE * ("encoding=" in words)) from None
        return PlaygroundTable.of(table, self.name)

    def reads(self, _: str) -> bool:
        """Read all columns, while someone waits for them."""
        if not self.is_wanted:
            raise TableError("nobody waits for the table any more.")
        return True
