"""What an explanation compares rows with: the mean training row, and some hashes of training rows.

Takes prepared training rows. Returns a `Background`, which models keep and files store. Never keeps a row: it has a
number for each network input and each level, and at most 1,000 hashes (8 kB).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.encoders import Prepared
from rosenblatt.tables.preparation import Preparation
from rosenblatt.tables.row_hashes import hash_column, hash_sparse
from rosenblatt.threads import matrix_product

__all__ = ["Background"]

Array = NDArray[np.float64]
MAX_HASHES = 1000
UNUSED_BITS = np.uint64(11)
"""Hashes have 53 bits, because files hold them as float64."""


@dataclass(frozen=True, eq=False)
class Background:
    """The mean of the training rows, and the smallest hashes of these rows.

    `levels` has the share of each level number of each coded column, `words` the mean of each matrix of words.
    """

    numbers: Array
    indicators: Array
    levels: tuple[Array, ...]
    words: tuple[Array, ...]
    hashes: Array

    @classmethod
    def of(
        cls,
        prepared: Prepared,
        preparation: Preparation,
        weights: NDArray[Any] | None,
        total: float | None = None,
    ) -> Background:
        """The background of training rows, whose weights count in the mean.

        Of some of many rows it is their part of it, which `plus` adds to the others': `total` is the sum of all
        weights, or the number of all rows.
        """
        n = len(prepared.numbers)
        total = total or (n if weights is None else weights.sum())
        shares = np.full(n, 1 / total) if weights is None else weights / total
        parts = (prepared.numbers, prepared.indicators)
        numbers, indicators = (matrix_product(shares, part.astype(np.float64)) for part in parts)
        coded = zip(prepared.codes.T, preparation.n_codes, strict=True)
        levels = tuple(np.bincount(codes, shares, n_levels).astype(np.float64) for codes, n_levels in coded)
        words = tuple(np.asarray(matrix.T @ shares, np.float64) for matrix in prepared.words)
        return cls(numbers, indicators, levels, words, np.unique(hashes_of(prepared))[:MAX_HASHES])

    def plus(self, other: Background) -> Background:
        """The background of these rows and others, of the same `total`."""
        levels, words = (
            tuple(a + b for a, b in zip(own, others, strict=True))
            for own, others in ((self.levels, other.levels), (self.words, other.words))
        )
        hashes = np.union1d(self.hashes, other.hashes)[:MAX_HASHES]
        numbers, indicators = self.numbers + other.numbers, self.indicators + other.indicators
        return Background(numbers, indicators, levels, words, hashes)

    def base(self, network: Any, name: str) -> Any:
        """The mean of what the input or layer `name` gives for the training rows."""
        if name in ("numbers", "indicators"):
            return getattr(self, name)
        number, part = int(name.removeprefix("embedding").removeprefix("topics")), network.truncate_at(name)
        if name.startswith("embedding"):
            shares = self.levels[number]
            outputs = part.predict({f"codes{number}": np.arange(len(shares), dtype=np.int32)})
            return matrix_product(shares, outputs.astype(np.float64))
        from scipy.sparse import csr_matrix

        mean = csr_matrix(self.words[number][None, :].astype(network.dtype))
        return part.predict({f"words{number}": mean})[0].astype(np.float64)

    @property
    def n_distinct(self) -> float:
        """How many different training rows there were for the networks; an estimate if the hashes are not of all."""
        n = len(self.hashes)
        return n if n < MAX_HASHES else (n - 1) * 2.0**53 / float(self.hashes[-1])

    def share_of_known(self, prepared: Prepared) -> float:
        """The share of rows that equal a training row: of all rows, or an estimate if the hashes are not of all."""
        n_known, n_seen = self.known_of(prepared)
        return n_known / n_seen if n_seen else 0.0

    def known_of(self, prepared: Prepared) -> tuple[int, int]:
        """How many rows equal a training row, and of how many rows this can be told."""
        found = hashes_of(prepared)
        if len(self.hashes) == MAX_HASHES:  # nothing is known of larger hashes
            found = found[found <= self.hashes[-1]]
        return int(np.isin(found, self.hashes).sum()), len(found)

    def to_arrays(self) -> dict[str, Array]:
        """All numbers by name."""
        arrays = {"numbers": self.numbers, "indicators": self.indicators, "hashes": self.hashes}
        arrays |= {f"levels{i}": array for i, array in enumerate(self.levels)}
        return arrays | {f"words{i}": array for i, array in enumerate(self.words)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any], preparation: Preparation) -> Background:
        """What `to_arrays` gave for a model with this preparation; a `ValueError` for anything else."""
        sizes = {"numbers": len(preparation.numbers), "indicators": len(preparation.indicators)}
        sizes |= {f"levels{i}": n for i, n in enumerate(preparation.n_codes)}
        sizes |= {f"words{i}": n for i, n in enumerate(preparation.n_words)}
        hashes = arrays.get("hashes", np.empty((0, 0)))
        if set(arrays) != {*sizes, "hashes"} or any(arrays[name].shape != (size,) for name, size in sizes.items()):
            raise ValueError("the mean training row does not fit the columns")
        if hashes.ndim != 1 or not 0 < len(hashes) <= MAX_HASHES or (np.diff(hashes) <= 0).any():
            raise ValueError("the hashes of training rows are not sorted")
        given = {name: array.astype(np.float64) for name, array in arrays.items()}
        levels = tuple(given[f"levels{i}"] for i in range(len(preparation.n_codes)))
        words = tuple(given[f"words{i}"] for i in range(len(preparation.n_words)))
        return cls(given["numbers"], given["indicators"], levels, words, given["hashes"])


def hashes_of(prepared: Prepared) -> Array:
    """A hash of each row as networks read it, in [0, 2**53)."""
    columns = [*prepared.numbers.T, *prepared.indicators.T, *prepared.codes.T]
    hashed = np.zeros(len(prepared.numbers), np.uint64)
    for number, column in enumerate(columns):
        hashed += hash_column(column, number)
    first = len(columns)
    for matrix in prepared.words:
        hashed += hash_sparse(matrix, first)
        first += matrix.shape[1]
    return (hashed >> UNUSED_BITS).astype(np.float64)
