"""The methods of tabular estimators for tables that are larger than memory.

Takes a `StreamedTask`, or a dataset. Returns data whose training rows are in a temporary file.
Never trains, and never holds more than a block of the rows and those that are held out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.distributed.jobs import Jobs
from rosenblatt.estimators.tabular.ensemble import Folds
from rosenblatt.estimators.tabular.explain.background import Background
from rosenblatt.estimators.tabular.member import FitBudget
from rosenblatt.estimators.tabular.problem import Data
from rosenblatt.estimators.tabular.scoring import ON_VALIDATION_ROWS, on_held_out_rows
from rosenblatt.estimators.tabular.second_pass import SecondPass, Space
from rosenblatt.estimators.tabular.shared_rows import SharedRows
from rosenblatt.estimators.tabular.streamed import TrainingTable, row_weights, store
from rosenblatt.estimators.tabular.training_rows import require_windows
from rosenblatt.estimators.tabular.validation import validation_data
from rosenblatt.tables.preparation import Preparation, fit_preparation
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.readers.streams import TableStream, open_stream
from rosenblatt.tables.stream_rows import StreamedRows
from rosenblatt.tables.streamed_task import StreamedTask
from rosenblatt.tables.table import Table
from rosenblatt.tables.task import MIN_WINDOW

__all__ = ["Streamable", "require_readable"]

Array = NDArray[Any]


def require_readable(jobs: Jobs) -> Callable[[TableStream], object]:
    """What refuses a table that the processes of an engine cannot read, in a `TableError`."""
    return lambda stream: None if jobs.shares_memory else stream.elsewhere()


class Streamable:
    """A tabular estimator that learns from tables which are larger than memory."""

    window: int
    memory_limit: int | str | None
    checkpoint: Any
    settings: Any
    preparation_: Preparation
    background_: Background
    training_digest_: str
    _check_targets: Callable[..., object]
    _draw_seed: Callable[..., int]

    def _stated_rows(self, task: StreamedTask) -> dict[str, Any]:
        """What else says which rows are held out; refuses folds, which need all rows in memory."""
        if getattr(self, "cv", None) is not None:
            raise ValueError(
                f"cv says which rows are held out, but {task.stream.name} is read block by block, since it has "
                f"{task.stream.n_rows:,} rows and the window is smaller ({self.window:,}): one part of the rows is "
                "held out from all networks. Leave cv out and say members= for their number, give validation rows of "
                f"your own (X_val), or a window of {task.stream.n_rows:,} rows or more."
            )
        return {"groups": task.group_column, "time": task.reading.roles.time}

    def _read_dataset(self, X: Any, text: Sequence[str]) -> Table:
        """A table whose target is an array: all of it."""
        stream = open_stream(X, text=text, window=self.window)
        if stream is not None and stream.n_rows > self.window:
            raise TypeError(
                f"y is no name of a column, but {stream.name} is read block by block, since it has {stream.n_rows:,} "
                f"rows and the window is smaller ({self.window:,}). Name a column of it as the target, or give a "
                f"window of {stream.n_rows:,} rows or more, with which it is read into memory."
            )
        return read_table(X, text=text) if stream is None else stream.table(text=text)

    def _prepare_stream(
        self,
        task: StreamedTask,
        convert: Callable[[Array], Array],
        budget: FitBudget,
        validation: tuple[Any, ...] | None,
    ) -> tuple[Data, TrainingTable]:
        """`_prepare` for a table that is larger than memory; `convert` makes targets what the model keeps of them."""
        name = f"target {task.target.name!r}"
        batch_size = self.settings.rows_per_step(task.n_rows)
        require_windows(task.n_rows, self.window, batch_size)
        if task.held_out is not None:
            self._check_targets(convert(task.held_out.target.values), name, task.held_rows)
        preparation = self.preparation_ = fit_preparation(task.inputs, task.kinds)
        weigh = row_weights(task, convert, getattr(self, "class_weight", None), getattr(self, "classes_", None))
        space = Space(self.checkpoint, self.window, self.memory_limit, smallest_window=max(MIN_WINDOW, 2 * batch_size))

        def checked(rows: StreamedRows) -> Array:
            targets = convert(rows.targets)
            self._check_targets(targets, name, rows.numbers)
            return targets

        second = SecondPass(task.training_rows, preparation, checked, weigh)
        found = store(second, space, budget.resources)
        shared = None
        if not budget.jobs.shares_memory:
            known = replace(second, convert=lambda rows: convert(rows.targets))
            shared = SharedRows.of(known, found.stored, self.memory_limit)
        self.background_, self.training_digest_ = found.background, found.stored.file.digest
        if (held := task.held_out) is not None:
            validation = held.inputs, held.target.decoded(), held.weights
        assert validation is not None
        held_out = validation_data(self, validation, found.targets.size // len(found.targets), self._check_targets)
        if held is not None:
            held_out = replace(held_out, groups=held.groups, times=held.times)
        self._seed = self._draw_seed(budget, task, held_out, self.training_digest_)
        return Data.of_file(preparation, found.stored, held_out, shared), found

    def _folds_of_stream(self, task: StreamedTask, data: Data) -> Folds:
        """`_folds` for a table that is larger than memory: the members have the same rows, and hold out the same."""
        assert data.stored is not None
        self.n_rows_, self.n_groups_, self.divides_copies_ = task.n_rows, task.n_groups, False
        held, n_held = task.held_out, len(data.held_out.y)
        copies = None if held is None else held.copies
        self.n_distinct_ = task.n_rows
        if copies is not None:  # as many of all rows as of these
            self.n_distinct_ = max(1, round(task.n_rows * (int(copies.max()) + 1) / len(copies)))
        self.score_on_ = ON_VALIDATION_ROWS
        if held is not None:
            self.score_on_ = on_held_out_rows(n_held, held.groups, held.times)
        return [(data.stored.rows, np.arange(n_held))] * self.settings.members
