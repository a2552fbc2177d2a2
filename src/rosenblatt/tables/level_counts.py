"""How often each text of a column occurs, and in which row first, of a size that does not grow with the rows.

Takes the levels of blocks with counts. Returns all levels with their counts while they are few; else those with the
smallest hashes, which are a sample of the different levels, with exact counts. Which levels are kept depends neither on
the order in which they come nor on how counts are merged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.levels import HASHES, hash_of
from rosenblatt.tables.states import require_array, require_counts, require_state

__all__ = ["MAX_LEVELS", "MAX_LEVEL_BYTES", "LevelCounts", "Levels", "array_of_values", "own_values"]

MAX_LEVELS = 2**18
"""Up to so many levels of a column are kept."""
MAX_LEVEL_BYTES = 2**25
"""Up to so many bytes of UTF-8 are kept of a column's levels."""
SLACK = 1.25
"""Levels are only sorted out when there are this many times as many as may stay."""


@dataclass(frozen=True)
class Levels:
    """Levels in the order of their first rows.

    Attributes
    ----------
    texts : tuple of str, length n
    values : list of length n, or None
        The levels in their own type, where that is not text.
    counts, rows : ndarray of int64, shape (n,)
        How many rows have each level, and the number of the first.
    n_distinct : int
        How many levels there are: n, or an estimate if not all are kept.
    n_unlisted : int
        Rows whose level is not kept.
    """

    texts: tuple[str, ...]
    values: list[Any] | None
    counts: NDArray[np.int64]
    rows: NDArray[np.int64]
    n_distinct: int
    n_unlisted: int


class LevelCounts:
    """Levels with counts, added block by block."""

    def __init__(self, most: int = MAX_LEVELS, most_bytes: int = MAX_LEVEL_BYTES) -> None:
        self.n_rows = 0
        self._most, self._most_bytes = most, most_bytes
        self._places: dict[str, int] = {}
        self._values: list[Any] | None = None
        self._counts = np.empty(0, np.int64)
        self._rows = np.empty(0, np.int64)
        self._bytes = 0
        self._limit = HASHES

    def add(
        self,
        texts: Sequence[str],
        counts: NDArray[np.int64],
        rows: NDArray[np.int64],
        values: Sequence[Any] | None = None,
    ) -> None:
        """Add different levels, how many rows have each, the number of the first one, and the levels' own values."""
        self.n_rows += int(counts.sum())
        chosen = list(range(len(texts)))
        if self._limit < HASHES:
            chosen = [i for i, text in enumerate(texts) if text in self._places or hash_of(text) < self._limit]
        places, n_known = np.empty(len(chosen), np.int64), len(self._places)
        if values is not None and self._values is None:
            self._values = list(self._places)
        for k, i in enumerate(chosen):
            places[k] = place = self._places.setdefault(texts[i], len(self._places))
            if place >= n_known and self._values is not None:
                self._values.append(texts[i] if values is None else values[i])
        self._count(places, counts[chosen], rows[chosen])
        self._bytes += sum(size_of(texts[i]) for i, place in zip(chosen, places, strict=True) if place >= n_known)
        if len(self._places) > SLACK * self._most or self._bytes > SLACK * self._most_bytes:
            self._sort_out()

    def _count(self, places: NDArray[np.int64], counts: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
        """Add to the counts of different levels, and keep their first rows."""
        if (size := len(self._places)) > len(self._counts):
            more = max(size, len(self._counts) * 5 // 4) - len(self._counts)
            self._counts = np.append(self._counts, np.zeros(more, np.int64))
            self._rows = np.append(self._rows, np.full(more, np.iinfo(np.int64).max))
        self._counts[places] += counts
        self._rows[places] = np.minimum(self._rows[places], rows)

    def _sort_out(self) -> None:
        """Keep the levels with the smallest hashes, as many as fit into both bounds; none or all of equal hashes."""
        n = len(self._places)
        texts = list(self._places)
        hashes = np.fromiter(map(hash_of, texts), np.int64, n)
        order = np.argsort(hashes, kind="stable")
        sizes = np.cumsum(np.fromiter(map(size_of, texts), np.int64, n)[order])
        fits = min(self._most, int(np.searchsorted(sizes, self._most_bytes, side="right")))
        if fits == n:
            return
        self._limit = int(hashes[order[fits]])
        self._keep(np.flatnonzero(hashes < self._limit))

    def _keep(self, kept: NDArray[np.int64]) -> None:
        texts = list(self._places)
        self._places = {texts[place]: i for i, place in enumerate(kept.tolist())}
        self._counts, self._rows = self._counts[kept], self._rows[kept]
        if self._values is not None:
            self._values = [self._values[place] for place in kept.tolist()]
        self._bytes = sum(map(size_of, self._places))

    def merge(self, other: LevelCounts) -> None:
        """Add all that another has counted; the other stays as it is."""
        if other._limit < self._limit:
            self._limit = other._limit
            self._keep(np.flatnonzero(np.fromiter(map(hash_of, self._places), np.int64) < self._limit))
        n, n_rows = len(other._places), self.n_rows + other.n_rows
        self.add(list(other._places), other._counts[:n], other._rows[:n], other._values)
        self.n_rows = n_rows

    def levels(self) -> Levels:
        """What is kept, in the order of first rows."""
        self._sort_out()  # what a later call would do, too
        n = len(self._places)
        order = np.argsort(self._rows[:n], kind="stable")
        texts = list(self._places)
        counts = self._counts[order]
        n_distinct = n
        if self._limit < HASHES:
            n_distinct = min(self.n_rows, max(n + 1, round(n * HASHES / self._limit)))
            if (counts == 1).all():
                n_distinct = self.n_rows
        values = None if self._values is None else [self._values[i] for i in order]
        unlisted = self.n_rows - int(counts.sum())
        return Levels(tuple(texts[i] for i in order), values, counts, self._rows[order], n_distinct, unlisted)

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The counts as JSON-able data and arrays."""
        n = len(self._places)
        encoded = [text.encode("utf-8", "surrogatepass") for text in self._places]
        plain: dict[str, Any] = {
            "n_rows": self.n_rows,
            "limit": self._limit,
            "most": self._most,
            "most_bytes": self._most_bytes,
        }
        plain["values"] = None if self._values is None else [plain_value(value) for value in self._values]
        arrays = {"counts": self._counts[:n], "rows": self._rows[:n]}
        arrays["text"] = np.frombuffer(b"".join(encoded), np.uint8)
        return plain, arrays | {"lengths": np.fromiter(map(len, encoded), np.int64, n)}

    @classmethod
    def from_state(cls, plain: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `to_state` gave; a `ValueError` for anything else."""
        n_rows, limit, most, most_bytes = require_counts(plain, "n_rows", "limit", "most", "most_bytes")
        made = cls(most, most_bytes)
        lengths, counts, rows = (require_array(arrays, name, np.int64) for name in ("lengths", "counts", "rows"))
        ends, text = np.cumsum(lengths), require_array(arrays, "text", np.uint8).tobytes()
        fits = len(lengths) == len(counts) == len(rows) and (lengths >= 0).all() and int(lengths.sum()) == len(text)
        require_state(bool(fits and (counts > 0).all()) and limit <= HASHES, "the levels of a column")
        texts = [
            text[end - length : end].decode("utf-8", "surrogatepass")
            for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)
        ]
        require_state(len(set(texts)) == len(texts) and int(counts.sum()) <= n_rows, "the levels of a column")
        values = plain.get("values")
        require_state(values is None or (isinstance(values, list) and len(values) == len(texts)), "values of levels")
        made.add(texts, counts, rows, None if values is None else [value_of(value) for value in values])
        made.n_rows, made._limit = n_rows, min(limit, made._limit)
        return made


def size_of(text: str) -> int:
    """Bytes of a text in UTF-8, without making them if it is ASCII."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def plain_value(value: Any) -> list[str]:
    """A level in its own type as JSON-able data."""
    kinds: dict[type, Any] = {bool: str, int: str, float: float.hex, str: str, Decimal: str, np.datetime64: str}
    if type(value) not in kinds:
        raise TypeError(f"a level of the type {type(value).__name__} cannot be sent to another process")
    return [type(value).__name__, kinds[type(value)](value)]


def value_of(entry: Any) -> Any:
    """What `plain_value` gave."""
    readers: dict[str, Any] = {"bool": "True".__eq__, "int": int, "float": float.fromhex, "str": str}
    readers |= {"Decimal": Decimal, "datetime64": np.datetime64}
    valid = isinstance(entry, list) and len(entry) == 2 and all(isinstance(part, str) for part in entry)
    require_state(valid and entry[0] in readers, "the value of a level")
    return readers[entry[0]](entry[1])


def own_values(values: NDArray[Any]) -> list[Any]:
    """Levels in their own type as Python's objects, dates as NumPy's."""
    return list(values) if values.dtype.kind == "M" else values.tolist()


def array_of_values(values: Sequence[Any]) -> NDArray[Any]:
    """What `own_values` was made of: an array of the levels' type if they share one, else of objects."""
    kinds = {type(value) for value in values}
    if kinds == {int}:
        for dtype in (np.int64, np.uint64):
            with suppress(OverflowError):
                return np.array(values, dtype=dtype)
    if len(kinds) == 1 and kinds <= {bool, float, np.datetime64}:
        return np.array(values)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
