"""How often each text of a column occurs, and in which row first, of a size that does not grow with the rows.

Takes the levels of blocks with counts. Returns all levels with their counts while they are few. Beyond, levels are
sampled and held (Estan & Varghese 2003, doi:10.1145/859716.859719): each row has a hash, and the levels that stay are
those of the rows with the smallest hashes. So a level stays with a chance that grows with its frequency, and frequent
levels do for certain; rows of a level before the first one with a small hash are not counted for it. Which levels stay
depends neither on the order in which rows come nor on how counts are merged; of how many of their rows are counted, it
says no more than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.distinct_sample import DistinctSample
from rosenblatt.tables.levels import hash_of
from rosenblatt.tables.row_hashes import hash_column
from rosenblatt.tables.states import arrays_of, require_array, require_counts, require_state
from rosenblatt.tables.table import Unlisted

__all__ = ["MAX_LEVELS", "MAX_LEVEL_BYTES", "LevelCounts", "Levels", "own_values"]

MAX_LEVELS = 2**18
"""Up to so many levels of a column are kept."""
MAX_LEVEL_BYTES = 2**25
"""Up to so many bytes of UTF-8 are kept of a column's levels."""
N_HASHES = 500
"""The smallest hashes of all levels that are told if not all levels are kept."""
LAST = np.uint64(2**64 - 1)
NO_ROW = np.iinfo(np.int64).max
Counts = NDArray[np.int64]
Hashes = NDArray[np.uint64]
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
    unlisted : Unlisted or None
        What is known of all levels if not all are kept.
    """

    texts: tuple[str, ...]
    values: list[Any] | None
    counts: Counts
    rows: Counts
    unlisted: Unlisted | None


class LevelCounts:
    """Levels with counts, added block by block."""

    def __init__(self, most: int = MAX_LEVELS, most_bytes: int = MAX_LEVEL_BYTES) -> None:
        self.n_rows = 0
        self._most, self._most_bytes = most, most_bytes
        self._places: dict[str, int] = {}
        self._values: list[Any] | None = None
        self._counts, self._rows = np.empty(0, np.int64), np.empty(0, np.int64)
        self._least = np.empty(0, np.uint64)  # the smallest hash of a row of each level
        self._sizes = np.empty(0, np.int64)  # bytes of each level
        self._bytes = 0
        self._limit: int | None = None  # of hashes of rows, when levels were left out
        self._sample = DistinctSample()  # of the hashes of all levels, from then on

    def add(self, texts: Sequence[str], codes: Counts, rows: Counts, values: Sequence[Any] | None = None) -> None:
        """Add the rows with these numbers: their levels are `texts[codes]`, which are `values` in their own type."""
        present, codes = np.unique(codes, return_inverse=True)
        n = len(present)
        least, first = np.full(n, LAST, np.uint64), np.full(n, NO_ROW, np.int64)
        np.minimum.at(least, codes, hash_column(rows, 0))
        np.minimum.at(first, codes, rows)
        texts = [texts[code] for code in present.tolist()]
        own = None if values is None else [values[code] for code in present.tolist()]
        self._add(texts, np.bincount(codes, minlength=n), first, least, own)
        self.n_rows += len(rows)

    def _add(self, texts: list[str], counts: Counts, rows: Counts, least: Hashes, values: list[Any] | None) -> None:
        """Add different levels, as `_places` and the other lists hold them."""
        chosen = list(range(len(texts)))
        if self._limit is not None:
            self._sample.add(hashes_of(texts), counts)
            small = (least < np.uint64(self._limit)).tolist()
            chosen = [i for i in chosen if small[i] or texts[i] in self._places]
        places, n_known = np.empty(len(chosen), np.int64), len(self._places)
        if values is not None and self._values is None:
            self._values = list(self._places)
        for k, i in enumerate(chosen):
            places[k] = place = self._places.setdefault(texts[i], len(self._places))
            if self._values is not None and place >= n_known:
                self._values.append(texts[i] if values is None else values[i])
        self._count(places, counts[chosen], rows[chosen], least[chosen])
        new = [i for i, place in zip(chosen, places.tolist(), strict=True) if place >= n_known]
        self._sizes = np.append(self._sizes, np.fromiter((size_of(texts[i]) for i in new), np.int64, len(new)))
        self._bytes = int(self._sizes.sum())
        if len(self._places) > SLACK * self._most or self._bytes > SLACK * self._most_bytes:
            self._keep(*self._fitting())

    def _count(self, places: Counts, counts: Counts, rows: Counts, least: Hashes) -> None:
        """Add to the counts of different levels, and keep their first rows and smallest hashes."""
        if (size := len(self._places)) > len(self._counts):
            more = max(size, len(self._counts) * 5 // 4) - len(self._counts)
            self._counts = np.append(self._counts, np.zeros(more, np.int64))
            self._rows = np.append(self._rows, np.full(more, NO_ROW))
            self._least = np.append(self._least, np.full(more, LAST))
        self._counts[places] += counts
        self._rows[places] = np.minimum(self._rows[places], rows)
        self._least[places] = np.minimum(self._least[places], least)

    def _fitting(self) -> tuple[int | None, Counts]:
        """The limit of hashes of rows below which levels fit into both bounds, and the places of these levels."""
        n = len(self._places)
        if n <= self._most and self._bytes <= self._most_bytes:
            return self._limit, np.arange(n)
        least = self._least[:n]
        order = np.argsort(least, kind="stable")
        sizes = np.cumsum(self._sizes[order])
        fits = min(self._most, int(np.searchsorted(sizes, self._most_bytes, side="right")))
        limit = least[order[fits]]
        return int(limit), np.flatnonzero(least < limit)  # of equal hashes, none or all

    def _keep(self, limit: int | None, kept: Counts) -> None:
        """Leave out all levels but those at these places."""
        texts = list(self._places)
        if limit is not None and self._limit is None:
            self._sample.add(hashes_of(texts), self._counts[: len(texts)])
        self._limit = limit
        self._places = {texts[place]: i for i, place in enumerate(kept.tolist())}
        self._counts, self._rows, self._least = self._counts[kept], self._rows[kept], self._least[kept]
        if self._values is not None:
            self._values = [self._values[place] for place in kept.tolist()]
        self._sizes = self._sizes[kept]
        self._bytes = int(self._sizes.sum())

    def merge(self, other: LevelCounts) -> None:
        """Add all that another has counted; the other stays as it is."""
        n, texts = len(other._places), list(other._places)
        if other._limit is not None:
            limit = other._limit if self._limit is None else min(self._limit, other._limit)
            self._keep(limit, np.flatnonzero(self._least[: len(self._places)] < np.uint64(limit)))
        sample = self._sample.copy()
        self._add(texts, other._counts[:n], other._rows[:n], other._least[:n], other._values)
        if other._limit is not None:  # it knows more levels than it kept
            self._sample = sample
            self._sample.merge(other._sample)
        self.n_rows += other.n_rows

    def levels(self) -> Levels:
        """What is kept, in the order of first rows."""
        limit, kept = self._fitting()
        texts, order = list(self._places), kept[np.argsort(self._rows[kept], kind="stable")]
        counts, unlisted = self._counts[order], None
        if limit is not None:
            sample = self._sample.copy()
            if self._limit is None:
                sample.add(hashes_of(texts), self._counts[: len(texts)])
            n_distinct = max(sample.estimate(self.n_rows), len(order) + 1)
            hashes = tuple((sample.smallest(N_HASHES) >> np.uint64(32)).tolist())
            n_once = round(n_distinct * sample.share_of_single)
            unlisted = Unlisted(n_distinct, n_once, self.n_rows - int(counts.sum()), hashes)
        values = None if self._values is None else [self._values[place] for place in order.tolist()]
        return Levels(tuple(texts[place] for place in order.tolist()), values, counts, self._rows[order], unlisted)

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The counts as JSON-able data and arrays."""
        n = len(self._places)
        encoded = [text.encode("utf-8", "surrogatepass") for text in self._places]
        sample, arrays = self._sample.to_state()
        plain: dict[str, Any] = {"n_rows": self.n_rows, "limit": self._limit, "sample": sample}
        plain |= {"most": self._most, "most_bytes": self._most_bytes}
        plain["values"] = None if self._values is None else [plain_value(value) for value in self._values]
        arrays = {f"sample_{name}": array for name, array in arrays.items()}
        arrays |= {"counts": self._counts[:n], "rows": self._rows[:n], "least": self._least[:n]}
        arrays |= {"text": np.frombuffer(b"".join(encoded), np.uint8)}
        return plain, arrays | {"lengths": np.fromiter(map(len, encoded), np.int64, n)}

    @classmethod
    def from_state(cls, plain: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `to_state` gave; a `ValueError` for anything else."""
        n_rows, most, most_bytes = require_counts(plain, "n_rows", "most", "most_bytes")
        made = cls(most, most_bytes)
        counts, rows = (require_array(arrays, name, np.int64) for name in ("counts", "rows"))
        least, texts = require_array(arrays, "least", np.uint64), read_texts(arrays)
        fits = len(texts) == len(counts) == len(rows) == len(least) and bool((counts > 0).all())
        require_state(fits and int(counts.sum()) <= n_rows, "the levels of a column")
        values = plain.get("values")
        require_state(values is None or (isinstance(values, list) and len(values) == len(texts)), "values of levels")
        if plain.get("limit") is not None:
            (made._limit,) = require_counts(plain, "limit")
            require_state(made._limit <= int(LAST), "the limit of rows")
        made._add(texts, counts, rows, least, None if values is None else [value_of(value) for value in values])
        made._sample = DistinctSample.from_state(plain.get("sample") or {}, arrays_of("sample_", arrays))
        require_state(len(made._places) == len(texts), "the levels of a column")
        made.n_rows = n_rows
        return made


def read_texts(arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    """Different levels that were written one after the other."""
    lengths, text = require_array(arrays, "lengths", np.int64), require_array(arrays, "text", np.uint8).tobytes()
    require_state(bool((lengths >= 0).all()) and int(lengths.sum()) == len(text), "the levels of a column")
    pairs = zip(np.cumsum(lengths).tolist(), lengths.tolist(), strict=True)
    try:
        texts = [text[end - length : end].decode("utf-8", "surrogatepass") for end, length in pairs]
    except UnicodeDecodeError:
        texts = ["", ""]
    require_state(len(set(texts)) == len(texts), "the levels of a column")
    return texts


def hashes_of(texts: Iterable[str]) -> Hashes:
    """The hashes of levels as the upper half of 64 bits."""
    return np.array([hash_of(text) for text in texts], np.uint64) << np.uint64(32)


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
