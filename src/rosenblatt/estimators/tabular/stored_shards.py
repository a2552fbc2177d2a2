"""Training rows in the files of several ranks, each of which holds those of its shards.

Takes what `StoredRows` takes, with a file that holds this rank's rows. Returns what is the same on all ranks, such as
all targets, and otherwise this rank's rows of those that were asked for. Never sends inputs, but for the first rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.distributed.ranks import ranks
from rosenblatt.estimators.tabular.row_ranges import RowRanges
from rosenblatt.estimators.tabular.stored_rows import Rows, StoredRows, members_at_once
from rosenblatt.training.sharded import shard_starts

__all__ = ["StoredShards", "own_rows_of"]

Array = NDArray[Any]


def own_rows_of(n_rows: int) -> slice:
    """Those of so many rows, in eight shards, that this rank has."""
    starts, own = shard_starts(n_rows), ranks().shards
    return slice(int(starts[own.start]), int(starts[own.stop]))


@dataclass(frozen=True)
class StoredShards(StoredRows):
    """The rows of all ranks; see `StoredRows`. All ranks call `first`, `targets` and `any_weight` together."""

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Where each shard begins, and the number of rows."""
        return shard_starts(self.n_rows)

    def shard_sizes(self, rows: RowRanges) -> tuple[int, ...]:
        """How many of some rows each shard has."""
        pairs = zip(self.starts[:-1], self.starts[1:], strict=True)
        return tuple(len(rows.between(int(start), int(stop))) for start, stop in pairs)

    def own(self, rows: RowRanges) -> RowRanges:
        """Those of some rows that this rank has."""
        return rows.between(self.file.kept.start, self.file.kept.stop)

    def read(self, rows: RowRanges, cancelled: Callable[[], bool] = lambda: False) -> Rows:
        """Inputs, targets and weights of those of some rows that this rank has."""
        return super().read(self.own(rows), cancelled)

    def first(self, rows: RowRanges, n: int) -> Rows:
        """The first n of some rows, from all ranks."""
        found, first, parts = ranks(), rows.first(n), list[Any]()
        for rank in range(found.size):
            parts.append(found.communicator.broadcast(self.read(first) if rank == found.rank else None, rank))
        inputs, targets, weights = zip(*parts, strict=True)
        known = None if weights[0] is None else np.concatenate(weights)
        return {name: stacked([part[name] for part in inputs]) for name in inputs[0]}, np.concatenate(targets), known

    def targets(self, rows: RowRanges) -> tuple[Array, Array | None]:
        """Targets and weights of some rows, from all ranks."""
        targets, weights = super().targets(self.own(rows))
        before = len(rows.between(0, self.file.kept.start))
        place = slice(before, before + len(targets))
        return everywhere(targets, place, len(rows)), None if weights is None else everywhere(weights, place, len(rows))

    def any_weight(self, rows: RowRanges) -> bool:
        """Whether a row of any rank has a weight other than zero."""
        found = np.array([float(super().any_weight(self.own(rows)))])
        ranks().communicator.allreduce(found)
        return bool(found[0])

    def members_at_once(self, n_members: int) -> int:
        """One, which all ranks train together; a `ValueError` if its windows need more memory than a rank may take."""
        if self.memory_limit is not None:
            window = min(self.window, self.n_rows)
            members_at_once(self.file.row_bytes, window, self.memory_limit, ranks().size)
        return 1


def stacked(parts: list[Any]) -> Any:
    """The rows of several arrays, or CSR matrices."""
    if not hasattr(parts[0], "tocsr"):
        return np.concatenate(parts)
    from scipy.sparse import vstack

    return vstack(parts, format="csr")


def everywhere(own: Array, place: slice, n: int) -> Array:
    """An array of n rows, of which this rank has some, on all ranks."""
    array = np.zeros((n, *own.shape[1:]), own.dtype)
    array[place] = own
    ranks().share(array, place)
    return array
