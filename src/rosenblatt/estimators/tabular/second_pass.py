"""The second pass over a table that is larger than memory, which prepares its rows into a temporary file.

Takes the rows that train, block by block, and what was learned of their columns. Returns the rows as members read them;
of several ranks, each writes those of its shards. Never holds more than a block, and never depends on the process.
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
from rosenblatt.distributed.ranks import ranks
from rosenblatt.estimators.tabular.stored_rows import StoredRows, members_at_once
from rosenblatt.estimators.tabular.stored_shards import StoredShards, own_rows_of
from rosenblatt.memory import free_memory, give_back, memory_size, size_text
from rosenblatt.tables.preparation import Preparation
from rosenblatt.tables.prepared_file import PreparedFile, RowLayout
from rosenblatt.tables.stream_rows import StreamedRows, TrainingRowsOfStream
from rosenblatt.tables.table import TableError

__all__ = ["RowWeights", "SecondPass", "Space"]

Array = NDArray[Any]
Look = Callable[[StreamedRows, Array, Any], object]
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
        Bytes for windows, on each rank; None: half of what is free, for all ranks of this machine.
    most : float
        Bytes that the process may take in all.
    smallest_window : int
        The least that training allows.
    """

    folder: Any
    window: int
    memory_limit: int | str | None
    most: float = math.inf
    smallest_window: int = 1

    @property
    def memory_bytes(self) -> int:
        """The limit in bytes."""
        if self.memory_limit is None:
            return int(SHARE_OF_FREE * min(free_memory(), self.most) / ranks().n_local)
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


@dataclass(frozen=True, eq=False)
class SecondPass:
    """How rows become those that networks read.

    Attributes
    ----------
    rows : TrainingRowsOfStream
    preparation : Preparation
    convert : callable
        The targets of a block as the model keeps them: int32 labels [n] or float64 [n, k].
    weigh : RowWeights
    """

    rows: TrainingRowsOfStream
    preparation: Preparation
    convert: Callable[[StreamedRows], Array]
    weigh: RowWeights

    def write(
        self, space: Space, resources: ExitStack, look: Look = lambda rows, targets, prepared: None
    ) -> StoredRows:
        """Prepare the rows that train, block by block, and write them to a file.

        Parameters
        ----------
        space : Space
        resources : ExitStack
            What closes the file, which is then gone.
        look : callable, optional
            ``look(rows, targets, prepared)`` is called with each block.

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
        n_rows, limit = self.rows.n_rows, space.memory_bytes
        give_back()  # of the first pass
        for rows in self.rows.read("preparing rows"):
            targets, prepared = self.convert(rows), self.preparation.transform_training(rows.inputs)
            weights = self.weigh(targets, rows.weights)
            if file is None:
                file = begin_file(RowLayout.of(prepared, targets, weights), prepared, n_rows, space, limit)
                resources.callback(file.close)
            if file.n_written + len(targets) > n_rows:
                raise changed(self.rows)
            file.append(prepared, targets, weights)
            look(rows, targets, prepared)
        if file is None or file.n_written < n_rows:
            raise changed(self.rows)
        written = f"prepared rows, {size_text(file.size_bytes)} in {file.folder}"
        self.rows.reading.heard(written, n_rows, n_rows)
        kind = StoredShards if ranks().are_together else StoredRows
        stored = kind(file.finish(), space.window, limit)
        give_back()
        return stored


def begin_file(layout: RowLayout, prepared: Any, n_rows: int, space: Space, memory_bytes: int) -> PreparedFile:
    """An empty file for the rows, of ranks for those of its shards, if a window of them fits into memory."""
    n_words = sum(matrix.nnz for matrix in prepared.words) / max(1, len(prepared.numbers))
    row_bytes = layout.row_bytes + 8 * n_words
    found = ranks()
    members_at_once(row_bytes, min(space.window, n_rows), memory_bytes, found.size, space.smallest_window)
    how = {"words_per_row": math.ceil(n_words), "n_files": found.n_local}
    with space.made_folder() as folder:
        return PreparedFile.create(folder, layout, n_rows, kept=own_rows_of(n_rows), **how)


def changed(rows: TrainingRowsOfStream) -> TableError:
    """The error for a table whose second reading differs from its first."""
    return TableError(
        f"{rows.reading.stream.name} does not give the same rows again: the number of rows changed while it was "
        "learned. Begin again when it is complete."
    )
