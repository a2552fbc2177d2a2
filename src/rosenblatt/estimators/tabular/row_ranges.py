"""Rows of a file, as ranges: row numbers of their own would take more memory than a window of the rows.

Takes starts and ends of ranges. Returns parts of them, and arrays for checkpoints. Never holds a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rosenblatt.distributed.communicator import SHARDS
from rosenblatt.distributed.ranks import ranks
from rosenblatt.training.sharded import shard_starts
from rosenblatt.training.windows import BLOCK_ROWS, Ranges

__all__ = ["RowNumbers", "RowRanges", "rows_from_array", "rows_to_array", "some_of"]

PIECES = 16
"""Fewest places of the file that a sample of rows is from."""


@dataclass(frozen=True)
class RowRanges:
    """Ranges (start, stop) of rows, in ascending order."""

    ranges: Ranges

    @classmethod
    def all_of(cls, n_rows: int) -> RowRanges:
        """All of so many rows."""
        return cls(((0, n_rows),))

    def __len__(self) -> int:
        return sum(stop - start for start, stop in self.ranges)

    def part(self, places: Iterable[tuple[int, int]]) -> RowRanges:
        """The rows at these ranges of places among all of these rows."""
        found, begin, wanted = list[tuple[int, int]](), 0, list(places)
        for start, stop in self.ranges:
            end = begin + stop - start
            for first, last in wanted:
                low, high = max(first, begin), min(last, end)
                if low < high:
                    found.append((low - begin + start, high - begin + start))
            begin = end
        return RowRanges(tuple(found))

    def between(self, first: int, last: int) -> RowRanges:
        """Those of the rows that are in the range [first, last) of the file."""
        cut = ((max(start, first), min(stop, last)) for start, stop in self.ranges)
        return RowRanges(tuple((start, stop) for start, stop in cut if start < stop))

    def first(self, n: int) -> RowRanges:
        """The first n rows, or all."""
        return self.part([(0, n)])

    def sample(self, n: int, rng: np.random.Generator) -> RowRanges:
        """About n rows (or all) from places drawn at random: 16 of them, or more if a block is smaller."""
        if n >= len(self):
            return self
        size = max(1, min(BLOCK_ROWS, n // PIECES))
        places = np.sort(rng.choice(len(self) // size, max(1, n // size), replace=False)).tolist()
        return self.part([(place * size, (place + 1) * size) for place in places])


RowNumbers: TypeAlias = NDArray[np.int64] | RowRanges
"""Rows of a table in memory, or of a file."""


def some_of(rows: RowNumbers, n: int, rng: np.random.Generator) -> Any:
    """About n of the rows, drawn at random; of rows of a file on several ranks, as many of each shard."""
    if not isinstance(rows, RowRanges):
        return rng.permutation(rows)[:n]
    if not ranks().are_together or n >= len(rows):
        return rows.sample(n, rng)
    starts = shard_starts(len(rows)).tolist()
    shards = [rows.part([places]).sample(n // SHARDS, rng) for places in zip(starts[:-1], starts[1:], strict=True)]
    return RowRanges(tuple(found for shard in shards for found in shard.ranges))


def rows_to_array(rows: RowNumbers) -> NDArray[np.int64]:
    """Rows as a checkpoint keeps them: row numbers [n], or ranges [n, 2]."""
    return np.array(rows.ranges, np.int64).reshape(-1, 2) if isinstance(rows, RowRanges) else rows


def rows_from_array(array: NDArray[Any], known: RowNumbers) -> RowNumbers:
    """What `rows_to_array` gave, if they are some of the rows `known`; a `ValueError` for anything else."""
    n_axes = 2 if isinstance(known, RowRanges) else 1
    if array.ndim == n_axes and array.dtype == np.int64 and len(array):
        if not isinstance(known, RowRanges):
            if np.isin(array, known).all():
                return array
        elif are_ranges_of(array, known):
            return RowRanges(tuple((start, stop) for start, stop in array.tolist()))
    raise ValueError("the rows of the plan are not rows of the first fold")


def are_ranges_of(array: NDArray[np.int64], known: RowRanges) -> bool:
    """Whether [n, 2] are ranges in ascending order, each within one of the known ones."""
    inside = (any(a <= start and stop <= b for a, b in known.ranges) for start, stop in array[:, :2].tolist())
    shape_fits = array.shape[1] == 2 and (np.diff(array.ravel()) >= 0).all() and (array[:, 0] < array[:, 1]).all()
    return bool(shape_fits and all(inside))
