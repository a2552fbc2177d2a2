"""The rows of a table that is larger than memory which train, block by block, as often as they are asked for.

Takes a `Reading`, and what one pass has found. Returns inputs, targets and weights of some rows after another, in this
process or in another one that sees the same files. Never gives a row that is held out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.first_pass import Heard, Reading, unheard
from rosenblatt.tables.held_out_rows import numbers_of_rows
from rosenblatt.tables.roles import weights_in
from rosenblatt.tables.table import Table
from rosenblatt.tables.targets import Target

__all__ = ["StreamedRows", "TrainingRowsOfStream"]

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class StreamedRows:
    """Some rows of a stream that train; targets are labels [n], or numbers [n] or [n, k]."""

    inputs: Table
    targets: Array
    weights: NDArray[np.float64] | None
    numbers: NDArray[np.int64]  # in the whole table, from 0


@dataclass(frozen=True, eq=False)
class TrainingRowsOfStream:
    """How the rows of a stream that train are read, again and again.

    Attributes
    ----------
    reading : Reading
    target : Target
        How its columns are read.
    weight_column : str or None
    held_rows : ndarray of int64, increasing
        The numbers of the rows that do not train.
    n_rows : int
        How many rows train.
    """

    reading: Reading
    target: Target
    weight_column: str | None
    held_rows: NDArray[np.int64]
    n_rows: int

    def read(self, what: str, *, targets_only: bool = False) -> Iterator[StreamedRows]:
        """The rows, block by block, in their order; `what` says what they are read for.

        With `targets_only` columns of inputs are not read.
        """
        names = [*self.reading.names, *filter(None, [self.weight_column])] if targets_only else None
        for block in self.reading.complete_blocks(what, names):
            kept = np.flatnonzero(~is_among(numbers_of_rows(block), self.held_rows))
            if len(kept):
                yield self._read(block if len(kept) == block.n_rows else block.take(kept))

    def _read(self, block: Table) -> StreamedRows:
        """The inputs, targets and weights of some rows."""
        inputs = block.drop([*self.reading.names, *self.reading.roles.columns])
        weights = None if self.weight_column is None else weights_in(block, self.weight_column)
        targets = self.target.read([block.columns[name] for name in self.reading.names])
        return StreamedRows(inputs, targets, weights, numbers_of_rows(block))

    def elsewhere(self) -> TrainingRowsOfStream:
        """The same for another process; `TableError` if only this one has the table."""
        return replace(self, reading=replace(self.reading, stream=self.reading.stream.elsewhere(), heard=unheard))

    def heard_by(self, heard: Heard) -> TrainingRowsOfStream:
        """The same, with passes that are told to another function."""
        return replace(self, reading=replace(self.reading, heard=heard))


def is_among(numbers: NDArray[np.int64], increasing: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each number is one of others, which are sorted."""
    if not len(increasing):
        return np.zeros(len(numbers), np.bool_)
    places = np.minimum(np.searchsorted(increasing, numbers), len(increasing) - 1)
    return np.asarray(increasing[places] == numbers)
