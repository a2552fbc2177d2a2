"""The training rows of a table that is larger than memory, prepared into a temporary file in a second pass over it.

Takes a `StreamedTask` and what was learned of its columns. Returns the rows as members read them, and as much of their
targets as memory holds. Never holds more than a block of rows, and never a row that is held out.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.estimators.base import class_factors
from rosenblatt.estimators.tabular.explain.background import Background
from rosenblatt.estimators.tabular.second_pass import RowWeights, SecondPass, Space
from rosenblatt.estimators.tabular.stored_rows import StoredRows
from rosenblatt.tables.stream_rows import StreamedRows
from rosenblatt.tables.streamed_task import StreamedTask
from rosenblatt.tables.table import TableError

__all__ = ["TargetSample", "TrainingTable", "row_weights", "store"]

Array = NDArray[Any]
MAX_TARGETS = 2**20
"""Targets of training rows that are kept for their scale and for the guess that scores are compared with."""


@dataclass(frozen=True)
class TrainingTable:
    """Training rows in a file.

    `targets` and `weights` (as the user gave them) are those of all rows, or of a `TargetSample`.
    """

    stored: StoredRows
    targets: Array
    weights: NDArray[np.float64] | None
    background: Background


# Weights --------------------------------------------------------------------------------------------------------------


def row_weights(
    task: StreamedTask, convert: Callable[[Array], Array], class_weight: Any, classes: Array | None
) -> RowWeights:
    """What the weights of all rows say; reads them if the user gave some.

    `convert` makes the labels of the model of those of the task.
    """
    n_classes = 1 if classes is None else len(classes)
    totals, heaviest, total = np.zeros(n_classes), np.zeros(n_classes), float(task.n_rows)
    if task.weight_column is not None:
        total = 0.0
        for rows in task.rows("reading weights", targets_only=True):
            assert rows.weights is not None
            places = np.zeros(len(rows.weights), np.int64) if classes is None else convert(rows.targets)
            np.add.at(totals, places, rows.weights)  # one after another, as `bincount` adds them
            np.maximum.at(heaviest, places, rows.weights)
            total += float(rows.weights.sum())
        if not heaviest.any():
            raise TableError("sample_weight is zero in all rows that train; at least one weight must be positive.")
    elif task.counts is not None:
        labels = convert(np.arange(n_classes))
        totals[labels], heaviest[labels] = task.counts, task.counts > 0
    if class_weight is None or classes is None:
        return RowWeights(total, float(heaviest.max()))
    factors = class_factors(class_weight, classes, totals)
    return RowWeights(total, float((heaviest * factors).max()), factors)


# Targets --------------------------------------------------------------------------------------------------------------


class TargetSample:
    """Targets of at most 2**20 rows, evenly spaced, and beside these the rows with the most extreme targets.

    The range of the sample is that of all rows, and so are the smallest positive numbers. Of fewer rows it has all.

    Parameters
    ----------
    n_rows : int
        How many rows there will be.
    """

    def __init__(self, n_rows: int) -> None:
        self.n_rows, self._done = n_rows, 0
        self._wanted = min(n_rows, MAX_TARGETS)
        self._parts: list[tuple[Array, Array | None]] = []
        self._extremes: tuple[Array, Array | None] | None = None

    def add(self, targets: Array, weights: Array | None) -> None:
        """The next rows: labels [n], or numbers [n, k]; and their weights."""
        first, last = (self._places_before(row) for row in (self._done, self._done + len(targets)))
        rows = np.arange(first, last) * self.n_rows // self._wanted - self._done
        self._parts.append(chosen(targets, weights, rows))
        self._done += len(targets)
        if self._wanted < self.n_rows and targets.ndim > 1:
            known = self._extremes or chosen(targets, weights, np.empty(0, np.int64))
            both = joined([known, (targets, weights)])
            self._extremes = chosen(*both, extreme_rows(*both))

    def _places_before(self, row: int) -> int:
        """How many of the chosen rows are before a row: the least k with k * n_rows // wanted >= row."""
        return -(-row * self._wanted // self.n_rows)

    def found(self) -> tuple[Array, Array | None]:
        """Targets and weights of the sample."""
        return joined([*self._parts, *([self._extremes] if self._extremes is not None else [])])


def chosen(targets: Array, weights: Array | None, rows: NDArray[np.int64]) -> tuple[Array, Array | None]:
    """Some rows."""
    return targets[rows], None if weights is None else weights[rows]


def joined(parts: list[tuple[Array, Array | None]]) -> tuple[Array, Array | None]:
    """The rows of several parts."""
    weights = [part for _, part in parts if part is not None]
    return np.concatenate([targets for targets, _ in parts]), np.concatenate(weights) if weights else None


def extreme_rows(targets: Array, weights: Array | None) -> NDArray[np.int64]:
    """For each column, rows with the smallest, the largest and the smallest positive number; of weighted rows, too."""
    found = set[int]()
    masks = [np.ones(len(targets), np.bool_)] + ([] if weights is None else [weights > 0])
    for column in targets.T:
        for mask in masks:
            for values in (column, -column, np.where(column > 0, column, np.inf)):
                if mask.any():
                    found.add(int(np.argmin(np.where(mask, values, np.inf))))
    return np.array(sorted(found), np.int64)


# The second pass ------------------------------------------------------------------------------------------------------


def store(second: SecondPass, space: Space, resources: ExitStack) -> TrainingTable:
    """Write the rows, see `SecondPass.write`, and keep what memory holds of them."""
    sample, background = TargetSample(second.rows.n_rows), list[Background]()

    def look(rows: StreamedRows, targets: Array, prepared: Any) -> None:
        sample.add(targets, rows.weights)
        part = Background.of(prepared, second.preparation, rows.weights, second.weigh.total)
        background[:] = [background[0].plus(part) if background else part]

    stored = second.write(space, resources, look)
    return TrainingTable(stored, *sample.found(), background[0])
