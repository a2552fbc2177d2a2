"""A task whose table is larger than memory: what one pass over its rows says, and the rows again, block by block.

Takes a `TableStream`, and what the user knows of columns and rows. Returns a `StreamedTask`: kinds and target from a
summary of the rows that train, and the rows that are held out as a `TabularTask` in memory. Never holds other rows than
these, and never changes a cell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from rosenblatt._suggestions import suggestion
from rosenblatt.tables.counted_cells import bin_counts
from rosenblatt.tables.first_pass import Heard, Passed, Reading, choice_of, pass_over, train_all_classes, unheard
from rosenblatt.tables.held_out_rows import Choice, LaterChoice, numbers_of_rows
from rosenblatt.tables.kinds import ColumnKind
from rosenblatt.tables.leakage import annotate_leakage
from rosenblatt.tables.readers.cells import present_levels
from rosenblatt.tables.readers.streams import TableStream
from rosenblatt.tables.roles import Roles, group_column, warn_of_repeats, weights_in
from rosenblatt.tables.row_hints import annotate_row_hints
from rosenblatt.tables.splits import first_rows
from rosenblatt.tables.stream_rows import StreamedRows, TrainingRowsOfStream
from rosenblatt.tables.table import Column, Table, TableError, level_column, warn_of_columns
from rosenblatt.tables.targets import Target, find_target, fit_target, fit_targets
from rosenblatt.tables.task import TabularTask, may_be_classes, mixed_numbers, require_rows

__all__ = ["StreamedTask", "streamed_task"]

Array = NDArray[Any]
N_TYPICAL = 10_000
"""Targets that stand for those of all rows where a task is shown."""


@dataclass(frozen=True, eq=False)
class StreamedTask(TabularTask):
    """Rows to learn from that are not in memory.

    Of the attributes of a `TabularTask`, `inputs` holds counted cells of the rows that train (see `TableSummary`), and
    `target` some thousand of their targets, evenly chosen by rank; weights, groups and times are those of the rows that
    are held out. Notes on columns that leak the target come from these rows, too.

    Attributes
    ----------
    reading : Reading
    held_out : TabularTask or None
        The rows that are held out; None if the user has others.
    held_rows : ndarray of int64, increasing
        Their numbers in the whole table.
    n_rows : int
        Rows that train.
    columns : tuple of Column
        The target's columns, with counts.
    n_groups : int or None
        How many groups there are in the whole table.
    wanted : str or None
        The task that the user asked for.
    counts : ndarray of int64, or None
        Of a classification, how many training rows have each class.
    """

    reading: Any = None
    held_out: TabularTask | None = None
    held_rows: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    n_rows: int = 0
    columns: tuple[Column, ...] = ()
    n_groups: int | None = None
    wanted: str | None = None
    counts: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        """The rows were checked as they were read."""

    @property
    def stream(self) -> TableStream:
        """The whole table."""
        return self.reading.stream  # type: ignore[no-any-return]

    @cached_property
    def kinds(self) -> tuple[ColumnKind, ...]:
        """The kind of each column of `inputs`; notes on columns that leak the target are from the held-out rows."""
        warn_of_columns([f"{self.target.check}."] if self.target.check else [], "")
        kinds = self._with_leaks(self.held_out) if self.held_out is not None else list(self._inferred)
        if self.groups is None and self.times is None:
            kinds = annotate_row_hints(self.inputs, kinds, self.overrides)
        return tuple(kinds)

    @cached_property
    def _inferred(self) -> list[ColumnKind]:
        """An error says which rows it is about: in others, which it does not count, a column may hold more."""
        try:
            return super()._inferred
        except TableError as error:
            where = (
                f" This is a table that is read block by block: {self.described_rows}." if self.described_rows else ""
            )
            raise TableError(f"{error}{where}") from None

    @property
    def described_rows(self) -> str:
        """Those that train."""
        if not (n_held := len(self.held_rows)):
            return ""
        return f"what columns hold is said of the {self.n_rows:,} rows that train, and not of {n_held:,} held-out rows"

    def _with_leaks(self, held: TabularTask) -> list[ColumnKind]:
        """The kinds with notes on columns that alone predict the target of held-out rows."""
        kinds, y, table = list(self._inferred), held.target.values, held.inputs
        if held.copies is not None:
            rows = first_rows(held.copies)
            y, table = y[rows], table.take(rows)
        if y.size > len(y):
            return kinds
        where = f" among {table.n_rows:,} held-out rows"
        return annotate_leakage(table, kinds, y.ravel(), self.target.classes is not None, where)

    @cached_property
    def copies(self) -> NDArray[np.int64] | None:
        """Not known of the rows that train. Copies are all held out, or all train."""
        return None

    @property
    def id_columns(self) -> list[str]:
        """Names of the columns that name the rows."""
        return self.reading.roles.ids  # type: ignore[no-any-return]

    def rows(self, what: str, *, targets_only: bool = False) -> Iterator[StreamedRows]:
        """The rows that train; see `TrainingRowsOfStream.read`."""
        yield from self.training_rows.read(what, targets_only=targets_only)

    @property
    def training_rows(self) -> TrainingRowsOfStream:
        """How the rows that train are read, without what is in memory."""
        target = replace(self.target, values=self.target.values[:0])
        return TrainingRowsOfStream(self.reading, target, self.weight_column, self.held_rows, self.n_rows)

    def take(self, rows: NDArray[np.int64]) -> NoReturn:
        """Refused: the rows are not in memory."""
        raise self._beyond_memory("no rows can be taken from it by their numbers")

    def split(self, share: float, seed: int) -> NoReturn:
        """Refused: the fit holds out rows of its own."""
        raise self._beyond_memory("it cannot be split: its fit holds out rows of its own, by which it is scored")

    def frame_columns(self) -> NoReturn:
        """Refused: the rows are not in memory."""
        raise self._beyond_memory("it does not become a frame")

    def _beyond_memory(self, consequence: str) -> TableError:
        n_rows = f"{self.stream.n_rows:,}"
        return TableError(
            f"{self.stream.name} is read block by block, since it has {n_rows} rows and the window is smaller, so that "
            f"{consequence}. With a window of {n_rows} rows or more it is read into memory."
        )

    def heard_by(self, heard: Heard) -> StreamedTask:
        """The task whose passes are told to another function."""
        return replace(self, reading=replace(self.reading, heard=heard))

    def read_again(self, overrides: Mapping[str, str], *, hold_out: bool, heard: Heard) -> StreamedTask:
        """The task with these kinds of columns, with rows that are held out or without.

        The rows are read once more only where that changes what is known of them.
        """
        levels = {name for name, kind in overrides.items() if kind in ("categorical", "text")}
        levels |= mixed_numbers(self.stream, overrides)
        if self.reading.heard is not unheard:
            heard = both_hear(self.reading.heard, heard)
        reading = replace(self.reading, overrides=dict(overrides), text=self.reading.text | levels, heard=heard)
        same = reading.text == self.reading.text and reading.levels == self.reading.levels
        if same and reading.compared == self.reading.compared and hold_out == (self.held_out is not None):
            return replace(self, overrides=dict(overrides), reading=reading)
        return task_of(reading, self.wanted, hold_out=hold_out)


def both_hear(first: Heard, second: Heard) -> Heard:
    """What tells both of a pass."""

    def heard(what: str, done: int, n_rows: int) -> None:
        first(what, done, n_rows)
        second(what, done, n_rows)

    return heard


def streamed_task(
    stream: TableStream,
    names: Sequence[str],
    task: str | None,
    overrides: Mapping[str, str],
    roles: Roles,
    text: Collection[str],
    *,
    drop_missing: bool = False,
    hold_out: bool = True,
    heard: Heard = unheard,
) -> StreamedTask:
    """The task to predict columns of a stream; see `TabularTask.of`.

    Parameters
    ----------
    stream : TableStream
    names : sequence of str
        The columns to predict.
    task, overrides, roles
        As for `TabularTask.of`; roles must be names.
    text : collection of str
        Columns that are read as texts.
    drop_missing : bool
        Whether rows without a target are left out.
    hold_out : bool
        Whether rows are held out.
    heard : callable
        ``heard(what, done, all)`` is called after each block of a pass.

    Raises
    ------
    TableError, TypeError
        For a table, a target or a role that cannot be used.
    """
    require_roles_by_name(roles, stream)
    require_columns(names, roles, stream)
    classifies = task is not None and task != "regression"
    reading = Reading(stream, tuple(names), roles, dict(overrides), frozenset(text), drop_missing, heard, classifies)
    found = task_of(reading, task, hold_out=hold_out)
    written = replace(reading, text=reading.text | set(names))
    numbers = found.columns[0]
    if len(names) == 1 and task != "regression" and may_be_classes(numbers, task) and has_more_texts(written, numbers):
        return task_of(written, task, hold_out=hold_out)
    return found


def require_roles_by_name(roles: Roles, stream: TableStream) -> None:
    """Refuse arrays beside a stream."""
    for role in ("sample_weight", "groups", "time"):
        if getattr(roles, role) is not None and role not in roles.names:
            raise TypeError(
                f"{role} is no name of a column, but {stream.name} is read block by block, since it has "
                f"{stream.n_rows:,} rows and the window is smaller. Name a column that holds it, or give a window of "
                f"{stream.n_rows:,} rows or more, with which the table is read into memory."
            )


def require_columns(names: Sequence[str], roles: Roles, stream: TableStream) -> None:
    """Refuse names that are not those of columns, and a table without any input."""
    for name in names:
        if name not in stream.columns:
            raise TableError(f"there is no target column {name!r}.{suggestion(name, stream.columns)}")
    for name, role in roles.columns.items():
        if name not in stream.columns:
            raise TableError(f"{role} names a column {name!r} that is not there.{suggestion(name, stream.columns)}")
    if set(stream.columns) <= {*names, *roles.columns}:
        others = f" and those of {', '.join(sorted({*roles.columns.values()}))}" if roles.columns else ""
        raise TableError(f"the table has no column but the target {', '.join(map(repr, names))}{others}.")


def has_more_texts(reading: Reading, numbers: Column) -> bool:
    """Whether the target's numbers are written in more ways than there are numbers, such as 1.1 and 1.10."""
    texts: set[str] = set()
    for block in reading.blocks("reading the target", reading.names):
        column = block.columns[reading.names[0]]
        if column.storage != "text":
            return False
        texts.update(present_levels(column))
    return len(texts) > len(np.unique(numbers.values[~numbers.missing]))


# From the first pass to the task --------------------------------------------------------------------------------------


def task_of(reading: Reading, wanted: str | None, *, hold_out: bool) -> StreamedTask:
    """Read all rows once."""
    choice, n_groups = choice_of(reading) if hold_out else (None, None)
    passed = pass_over(reading, choice)
    if not passed.n_rows:
        raise TableError(f"target {', '.join(map(repr, reading.names))} is missing in every row.")
    whole = passed.targets.counted()
    target = fitted([find_target(whole, name) for name in reading.names], wanted)
    if choice is not None and target.classes is not None:
        train_all_classes(passed, choice, passed.summary.counted().columns[reading.names[0]])
    n_rows = passed.n_rows - passed.n_held
    require_rows(n_rows)
    if choice is not None and passed.held is None:
        raise TableError(
            f"of {passed.n_rows:,} rows none can be held out: each class, or each group, needs its rows in training. "
            "Give validation rows of your own (X_val)."
        )
    counted = passed.summary.counted()
    columns = tuple(find_target(counted, name) for name in reading.names)
    target = fitted(columns, wanted)
    held = None if passed.held is None else held_out_task(reading, passed, choice, target)
    roles = {} if held is None else {name: getattr(held, name) for name in ("weights", "groups", "times", "ids")}
    names = reading.roles.names
    return StreamedTask(
        counted.drop([*reading.names, *reading.roles.columns]),
        replace(target, values=typical(target), counts=None),
        reading.overrides,
        **roles,
        n_dropped=reading.stream.n_rows - passed.n_rows,
        group_column=names.get("groups"),
        weight_column=names.get("sample_weight"),
        reading=reading,
        held_out=held,
        held_rows=np.empty(0, np.int64) if passed.held is None else numbers_of_rows(passed.held),
        n_rows=n_rows,
        columns=columns,
        n_groups=n_groups,
        wanted=wanted,
        counts=None if target.classes is None else bin_counts(target.values, len(target.classes), target.counts),
    )


def fitted(columns: Sequence[Column], task: str | None) -> Target:
    """The target that one or several counted columns are."""
    return fit_target(columns[0], task) if len(columns) == 1 else fit_targets(columns, task)


def typical(target: Target) -> Array:
    """Some thousand targets, evenly chosen by rank from those that stand for several rows each."""
    values, counts = target.values, target.counts
    if counts is None:
        return values[:N_TYPICAL]
    order = np.argsort(values, kind="stable")
    ends = np.cumsum(counts[order])
    n = min(N_TYPICAL, int(ends[-1]))
    ranks = (np.arange(n) * 2 + 1) * int(ends[-1]) // (2 * n)
    return np.asarray(values[order][np.searchsorted(ends, ranks, side="right")])


def held_out_task(reading: Reading, passed: Passed, choice: Choice | None, target: Target) -> TabularTask:
    """The rows that are held out."""
    table, named = passed.held, reading.roles.names
    assert table is not None
    groups = level_column(group_column(table, named["groups"])).values.astype(np.int64) if "groups" in named else None
    times = choice.times(table) if isinstance(choice, LaterChoice) else None
    weights = weights_in(table, named["sample_weight"]) if "sample_weight" in named else None
    inputs = table.drop([*reading.names, *reading.roles.columns])
    ids = Table({name: table.columns[name] for name in reading.roles.ids}, table.n_rows) if reading.roles.ids else None
    if ids is not None and groups is None and times is None:
        warn_of_repeats(ids, "held-out rows")
    values = target.read([table.columns[name] for name in reading.names])
    known = replace(target, values=values, counts=None)
    return TabularTask(inputs, known, reading.overrides, weights, groups, times, ids)
