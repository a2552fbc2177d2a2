"""Hashes of rows, which are equal for equal rows.

Takes columns of numbers or sparse matrices. Returns 64-bit integers, whose sums are hashes of whole rows. Never tells
NaN from NaN, nor -0.0 from 0.0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["bits_of", "hash_column", "hash_sparse"]

Hashes = NDArray[np.uint64]


def hash_column(column: NDArray[Any], number: int) -> Hashes:
    """A hash of each cell of the column with this number; the sum over all columns is a hash of each row."""
    return mixed(bits_of(column) + mixed(np.full(1, number, np.uint64)))


def hash_sparse(X: Any, first: int = 0) -> Hashes:
    """The sum of the hashes of each row's cells that are not zero, for columns that are numbered from `first`."""
    X = X.tocoo(copy=True)
    X.sum_duplicates()
    kept = X.data != 0
    hashed = np.zeros(X.shape[0], np.uint64)
    columns = mixed(X.col[kept].astype(np.uint64) + np.uint64(first))
    np.add.at(hashed, X.row[kept], mixed(bits_of(X.data[kept]) + columns))
    return hashed


def bits_of(column: NDArray[Any]) -> Hashes:
    """Integers that are equal where the numbers are: one NaN, and one zero."""
    values = np.asarray(column)
    if values.dtype.kind != "f":
        return values.astype(np.int64).view(np.uint64)
    values = values.astype(np.float64) + 0.0  # turns -0.0 into 0.0
    values[np.isnan(values)] = np.nan
    return values.view(np.uint64)


def mixed(bits: Hashes) -> Hashes:
    """A hash of each integer (the finalizer of SplitMix64)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
