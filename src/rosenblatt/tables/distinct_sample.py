"""How many different things there are among more than can be kept: those with the smallest hashes, and their counts.

Takes hashes of 64 bits, block by block. Returns an estimate. Things are kept or left by their hash alone, so the result
depends neither on the order in which they come nor on how samples are merged, and the counts of those kept are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.counted_cells import distinct_counts
from rosenblatt.tables.states import require_array, require_counts, require_state

__all__ = ["DistinctSample"]

Hashes = NDArray[np.uint64]
Counts = NDArray[np.int64]
KEPT = 2**12
"""So many different hashes are kept."""
LAST = np.uint64(2**64 - 1)


class DistinctSample:
    """The 4,096 smallest of all hashes that were added, and how often each was."""

    def __init__(self) -> None:
        self._hashes: Hashes = np.empty(0, np.uint64)
        self._counts: Counts = np.empty(0, np.int64)
        self._limit = LAST

    def copy(self) -> DistinctSample:
        """A sample of the same hashes, which grows on its own."""
        made = DistinctSample()
        made._hashes, made._counts, made._limit = self._hashes, self._counts, self._limit
        return made

    def add(self, hashes: Hashes, counts: Counts | None = None) -> None:
        """Add hashes, shape (n,), that came as often as `counts` says, or once each."""
        small = hashes <= self._limit
        counts = np.ones(int(small.sum()), np.int64) if counts is None else counts[small]
        self._hashes, self._counts = distinct_counts(
            np.concatenate([self._hashes, hashes[small]]), np.concatenate([self._counts, counts])
        )
        if len(self._hashes) > KEPT:
            self._hashes, self._counts = self._hashes[:KEPT], self._counts[:KEPT]
            self._limit = self._hashes[-1]

    def merge(self, other: DistinctSample) -> None:
        """Add all that another sample has seen; what is beyond the limit of either is beyond that of both."""
        self._limit = min(self._limit, other._limit)
        kept = self._hashes <= self._limit
        self._hashes, self._counts = self._hashes[kept], self._counts[kept]
        self.add(other._hashes, other._counts)

    def estimate(self, n: int) -> int:
        """About how many of `n` things are different: all of them if each that is kept came once.

        Otherwise (k - 1) / h, where h is the k-th smallest hash as a share of all (Bar-Yossef et al. 2002; its standard
        error is 1 / sqrt(k - 2)).
        """
        if len(self._hashes) < KEPT:
            return len(self._hashes)
        if (self._counts == 1).all():
            return n
        return min(n, round((KEPT - 1) / (float(self._hashes[-1]) + 1) * 2.0**64))

    def smallest(self, n: int) -> Hashes:
        """Up to so many of the smallest hashes, ascending."""
        return self._hashes[:n]

    @property
    def share_of_single(self) -> float:
        """The share of different things that came once."""
        return float((self._counts == 1).mean()) if len(self._counts) else 0.0

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The sample as JSON-able data and arrays."""
        return {"limit": int(self._limit)}, {"hashes": self._hashes, "counts": self._counts}

    @classmethod
    def from_state(cls, plain: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `to_state` gave; a `ValueError` for anything else."""
        made = cls()
        (limit,) = require_counts(plain, "limit")
        require_state(limit <= int(LAST), "the limit of a sample")
        made._limit = np.uint64(limit)
        made._hashes = require_array(arrays, "hashes", np.uint64)
        made._counts = require_array(arrays, "counts", np.int64)
        valid = len(made._hashes) == len(made._counts) <= KEPT and bool((made._counts > 0).all())
        valid = valid and bool((made._hashes[1:] > made._hashes[:-1]).all() and (made._hashes <= made._limit).all())
        require_state(valid, "the hashes of a sample")
        return made
