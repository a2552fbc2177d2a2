"""The training rows of a table that is larger than memory, prepared into a temporary file in a second pass over it.

Takes a `StreamedTask` and what was learned of its columns. Returns the rows as members read them, and as much of their
targets as memory holds. Never holds more than a block of rows, and never a row that is held out.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import narrow_weights
from rosenblatt.estimators.base import class_factors
from rosenblatt.estimators.tabular.explain.background import Background
from rosenblatt.estimators.tabular.stored_rows import StoredRows, members_at_once
from rosenblatt.memory import free_memory, memory_size, size_text
from rosenblatt.tables.preparation import Preparation
from rosenblatt.tables.prepared_file import PreparedFile, RowLayout
from rosenblatt.tables.streamed_task import StreamedRows, StreamedTask
from rosenblatt.tables.table import TableError

__all__ = ["RowWeights", "Space", "TargetSample", "TrainingTable", "row_weights", "store"]

Array = NDArray[Any]
MAX_TARGETS = 2**20
"""Targets of training rows that are kept for their scale and for the guess that scores are compared with."""
SHARE_OF_FREE = 0.5
"""Of the memory that is free, what windows may take if the user sets no limit."""


@dataclass(frozen=True)
class Space:
    """Where the rows are stored, and what they may take.

    Attributes
    ----------
    folder : path, optional
        Made if it does not exist; None: the system's for temporary files.
    window : int
        The most rows of a window.
    memory_limit : int or str, optional
        Bytes for windows; None: half of what is free.
    smallest_window : int
        The least that training allows.
    """

    folder: Any
    window: int
    memory_limit: int | str | None
    smallest_window: int = 1

    @property
    def memory_bytes(self) -> int:
        """The limit in bytes."""
        if self.memory_limit is None:
            return int(SHARE_OF_FREE * free_memory())
        return memory_size("memory_limit", self.memory_limit)

    @contextmanager
    def made_folder(self) -> Iterator[str]:
        """The folder, which exists; if the block fails, one that was made is removed."""
        if self.folder is None:
            yield tempfile.gettempdir()
            return
        path = Path(self.folder)
        made = [folder for folder in (path, *path.parents) if not folder.exists()]
        try:
            path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            wrong = os.fspath(self.folder)
            raise NotADirectoryError(f"checkpoint is {wrong!r}, which is a file; give a folder") from None
        try:
            yield str(os.fspath(self.folder))
        except BaseException:
            for folder in made:
                with suppress(OSError):  # another process may have put something there
                    folder.rmdir()
            raise


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


@dataclass(frozen=True)
class RowWeights:
    """How the weights of rows become those of a loss: times the factor of their class, as float32.

    Attributes
    ----------
    total : float
        The sum of the weights that the user gave, or the number of rows.
    heaviest : float
        The largest weight of a loss.
    factors : ndarray of float64, shape (n_classes,), or None
        Of each label.
    """

    total: float
    heaviest: float
    factors: NDArray[np.float64] | None = None

    def __call__(self, targets: Array, weights: Array | None) -> NDArray[np.float32] | None:
        """The weights of some rows; None if there are neither weights nor factors."""
        if self.factors is not None:
            weights = (np.ones(len(targets)) if weights is None else weights) * self.factors[targets]
        return None if weights is None else narrow_weights(np.append(weights, self.heaviest))[:-1]


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


def store(
    task: StreamedTask,
    preparation: Preparation,
    convert: Callable[[StreamedRows], Array],
    weigh: RowWeights,
    space: Space,
    resources: ExitStack,
) -> TrainingTable:
    """Prepare the rows that train, block by block, and write them to a file.

    Parameters
    ----------
    task, preparation
    convert : callable
        The targets of a block as the model keeps them: int32 labels [n] or float64 [n, k].
    weigh : RowWeights
    space : Space
    resources : ExitStack
        What closes the file, which is then gone.

    Raises
    ------
    TableError
        If the table is no longer what the first pass read.
    PreparedFileError
        If there is no space for the rows.
    ValueError
        If a window does not fit into the memory limit.
    """
    file: PreparedFile | None = None
    background: Background | None = None
    sample = TargetSample(task.n_rows)
    for rows in task.rows("preparing rows"):
        targets, prepared = convert(rows), preparation.transform_training(rows.inputs)
        weights = weigh(targets, rows.weights)
        if file is None:
            file = begin_file(RowLayout.of(prepared, targets, weights), prepared, task.n_rows, space)
            resources.callback(file.close)
        require_same_number(file.n_written + len(targets), task)
        file.append(prepared, targets, weights)
        sample.add(targets, rows.weights)
        part = Background.of(prepared, preparation, rows.weights, weigh.total)
        background = part if background is None else background.plus(part)
    if file is None or background is None or file.n_written < task.n_rows:
        raise changed(task)
    task.reading.heard(f"prepared rows, {size_text(file.size_bytes)} in {file.folder}", task.n_rows, task.n_rows)
    return TrainingTable(StoredRows(file.finish(), space.window, space.memory_bytes), *sample.found(), background)


def begin_file(layout: RowLayout, prepared: Any, n_rows: int, space: Space) -> PreparedFile:
    """An empty file for the rows, if a window of them fits into memory."""
    n_words = sum(matrix.nnz for matrix in prepared.words) / max(1, len(prepared.numbers))
    row_bytes = layout.row_bytes + 8 * n_words
    members_at_once(row_bytes, min(space.window, n_rows), space.memory_bytes, space.smallest_window)
    with space.made_folder() as folder:
        return PreparedFile.create(folder, layout, n_rows, words_per_row=math.ceil(n_words))


def require_same_number(n_rows: int, task: StreamedTask) -> None:
    """Refuse more rows than the first pass saw."""
    if n_rows > task.n_rows:
        raise changed(task)


def changed(task: StreamedTask) -> TableError:
    """The error for a table whose second reading differs from its first."""
    return TableError(
        f"{task.stream.name} does not give the same rows again: the number of rows changed while it was learned. Begin "
        "again when it is complete."
    )
