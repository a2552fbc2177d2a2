"""Hashes of rows, which are equal for equal rows.

Takes columns of numbers, sparse matrices, or tables. Returns 64-bit integers, whose sums are hashes of whole rows.
Never tells NaN from NaN, nor -0.0 from 0.0; of a table, nor one storage of equal cells from another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.table import Column, Table

__all__ = ["bits_of", "hash_cells", "hash_column", "hash_numbers", "hash_rows", "hash_sparse"]

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


def hash_rows(table: Table, names: Collection[str]) -> Hashes:
    """A hash of each row's cells in these columns, which is uniform and depends on no order and no other row.

    So equal rows in different blocks of a table have equal hashes.
    """
    hashed = np.zeros(table.n_rows, np.uint64)
    for name in names:
        hashed += hash_cells(table.columns[name])
    return mixed(hashed)


def hash_cells(column: Column) -> Hashes:
    """A hash of each cell: of numbers by their value, of texts by the text, of all missing cells the same."""
    bits = bits_of(column.values) if column.storage != "text" else level_bits(column)
    return mixed(bits + mixed(text_bits([column.name])))


def level_bits(column: Column) -> Hashes:
    """An integer for each cell of a column of text; levels that do not occur cost nothing where they are many."""
    if len(column.levels) <= len(column.values):
        return np.asarray(text_bits([*column.levels, None])[column.values])
    codes, places = np.unique(column.values, return_inverse=True)
    known = text_bits(None if code < 0 else column.levels[code] for code in codes.tolist())
    return np.asarray(known[places])


def hash_numbers(numbers: NDArray[Any]) -> Hashes:
    """A hash of each number, such as that of a row; it is uniform."""
    return mixed(mixed(bits_of(numbers) + np.uint64(1)))


def text_bits(texts: Iterable[str | None]) -> Hashes:
    """An integer for each text, the same in every process; None has that of NaN."""
    missing = bits_of(np.array([np.nan])).tobytes()
    digests = (missing if text is None else digest_of(text) for text in texts)
    return np.frombuffer(b"".join(digests), np.uint64)


def digest_of(text: str) -> bytes:
    """Eight bytes for a text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


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
