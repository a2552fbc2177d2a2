"""Where progress is written: a stream that never fails.

Takes any stream, or None, as `sys.stdout` may be. Returns a stream for texts. Never lets a training end because nobody
can read of it: what cannot be written is not shown.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal

__all__ = ["Outlet", "replaced"]


class Outlet:
    """A stream to which text is written if that is possible."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text, or nothing."""
        with suppress(Exception):
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what waits, where the stream can."""
        with suppress(Exception):
            self.stream.flush()

    def isatty(self) -> bool:
        """Whether this is a terminal, and not one that rich draws on already, which hands lines on."""
        with suppress(Exception):
            return bool(self.stream.isatty()) and not hasattr(self.stream, "rich_proxied_file")
        return False

    @property
    def encoding(self) -> str:
        """The name of the encoding of characters."""
        return getattr(self.stream, "encoding", None) or "utf-8"

    def fileno(self) -> int:
        """The number of the open file."""
        return int(self.stream.fileno())


@contextmanager
def replaced(name: Literal["stdout", "stderr"], stream: Any) -> Iterator[None]:
    """Replace a standard stream; at the end it is restored, unless another thread has replaced it meanwhile."""
    before = getattr(sys, name)
    setattr(sys, name, stream)
    try:
        yield
    finally:
        if getattr(sys, name) is stream:
            setattr(sys, name, before)
