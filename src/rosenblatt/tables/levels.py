"""What makes cells the same level of a category: a level is its text.

Takes known levels, and a column of any storage. Returns which of them each cell is. Never takes different texts for one
level: only where a number, a boolean or a date meets a text does the value decide.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.readers.cells import read_cells
from rosenblatt.tables.table import Column, level_column

__all__ = ["HASHES", "alike", "hash_of", "place_levels"]

HASHES = 2**32
"""`hash_of` gives integers below this."""


def place_levels(known: Sequence[str], storage: str, column: Column) -> NDArray[np.int32]:
    """The index of each cell among the `known` levels, -1 for missing and unknown cells.

    The text decides. A cell whose text is not known is the only level that stands for the same number, boolean or date,
    if the levels (`storage` is what they were read from) or the cells were such; between texts, it is the only level
    that is equal but for surrounding blanks. If there are several such levels, the cell is unknown.
    """
    cells = level_column(column)
    place = {level: i for i, level in enumerate(known)}
    found = [place.get(text, -1) for text in cells.levels]
    if any(i < 0 for i in found):
        kind = column.level_storage if column.level_storage != "text" else storage
        by_value: dict[Any, int] = {}
        for i, value in enumerate(values_of(known, kind)):
            by_value[value] = -1 if value in by_value else i
        by_value.pop(None, None)
        values = values_of(cells.levels, kind)
        found = [by_value.get(value, -1) if i < 0 else i for i, value in zip(found, values, strict=True)]
    return np.asarray(np.array([*found, -1], dtype=np.int32)[cells.values])


def values_of(texts: Sequence[str], storage: str) -> list[Any]:
    """What texts stand for if they are numbers, booleans or dates (`storage`), else without surrounding blanks."""
    if storage == "text":
        return [text.strip() for text in texts]
    column = Column("", "text", np.arange(len(texts), dtype=np.int32), tuple(texts))
    read = read_cells(column, "number" if storage == "integer" else storage)
    return [None if np.isnan(value) else float(value) for value in read]


def hash_of(level: str) -> int:
    """A hash of 32 bits; blanks around a level do not matter."""
    return crc32(level.strip().encode("utf-8", "surrogatepass"))


def alike(levels: Iterable[str]) -> tuple[str, str] | None:
    """Two levels that differ only in case, blanks or the form of Unicode, if there are any."""
    seen: dict[str, str] = {}
    for level in levels:
        folded = " ".join(unicodedata.normalize("NFKC", level).casefold().split())
        if seen.setdefault(folded, level) != level:
            return seen[folded], level
    return None
