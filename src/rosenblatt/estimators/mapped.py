"""Arrays in memory-mapped files.

Takes an array. Returns whether a file holds its numbers. Never reads one of them.
"""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np

__all__ = ["is_mapped"]


def is_mapped(array: Any) -> bool:
    """Whether an array is a view of a memory-mapped file, as `np.memmap` and ``np.load(path, mmap_mode="r")`` make it.

    The operating system reads such an array as it is needed, and takes its memory back at any time. A copy of it would
    need memory of its own.
    """
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array.obj if isinstance(array, memoryview) else array, mmap.mmap)
