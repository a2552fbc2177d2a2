"""Reading at a place in a file that several threads read at once.

Takes a descriptor, memory to fill and a place. Returns nothing: the memory is full, or there is an `OSError`. Never
depends on where the file was read before; where the system has no call for that, one thread reads at a time.
"""

from __future__ import annotations

import os
import threading

__all__ = ["read_fully"]

POSITION = threading.Lock()
"""Held while the position of a file is moved and used, on systems without preadv, such as Windows."""


def read_fully(descriptor: int, view: memoryview, offset: int) -> None:
    """Fill a view of bytes from a place in a file, in bytes from its beginning."""
    read = _read_at if hasattr(os, "preadv") else _seek_and_read
    while len(view):
        n = read(descriptor, view, offset)
        if n == 0:
            raise OSError("the file is shorter than it was")
        view, offset = view[n:], offset + n


def _read_at(descriptor: int, view: memoryview, offset: int) -> int:
    return os.preadv(descriptor, [view], offset)


def _seek_and_read(descriptor: int, view: memoryview, offset: int) -> int:
    with POSITION:
        os.lseek(descriptor, offset, os.SEEK_SET)
        data = os.read(descriptor, len(view))
    view[: len(data)] = data
    return len(data)
