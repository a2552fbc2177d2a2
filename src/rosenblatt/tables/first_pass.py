"""The first pass over a table that is larger than memory: which rows are held out, and a summary of the others.

Takes a `Reading`: a stream, and what its columns are for. Returns a `Passed`, which holds the rows that are held out
and a `TableSummary` of those that train. Never keeps another row, and never separates rows that belong together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.held_out_rows import (
    Choice,
    GroupChoice,
    GroupCounts,
    HashChoice,
    LaterChoice,
    begin_choice,
    most_held,
    repeats_by_nature,
    settled,
    start_of_latest,
)
from rosenblatt.tables.joining import concat
from rosenblatt.tables.readers.streams import TableStream
from rosenblatt.tables.roles import Roles, group_column, time_column, time_reader
from rosenblatt.tables.summary import TableSummary
from rosenblatt.tables.table import Column, Table, TableError, level_column
from rosenblatt.tables.targets import require_finite, rows_with_target

__all__ = ["Heard", "Passed", "Reading", "choice_of", "pass_over", "train_all_classes", "unheard"]

Heard = Callable[[str, int, int], object]
"""``heard(what, done, all)``: how many rows of a pass are behind; it may raise to end the pass."""


def unheard(what: str, done: int, n_rows: int) -> None:
    """Nobody hears of a pass."""


@dataclass(frozen=True, eq=False)
class Reading:
    """How the rows of a stream are read: names of targets, roles, what is read as text, rows without a target."""

    stream: TableStream
    names: tuple[str, ...]
    roles: Roles
    overrides: dict[str, str]
    text: frozenset[str]
    drop_missing: bool
    heard: Heard = unheard
    classifies: bool = False  # whether the user said that the target holds classes

    @cached_property
    def levels(self) -> frozenset[str]:
        """Columns whose cells are levels, even if they are numbers."""
        named = {name for name, kind in self.overrides.items() if kind in ("categorical", "text")}
        return frozenset(named | ({*self.names} if self.classifies else set()))

    @cached_property
    def compared(self) -> tuple[str, ...]:
        """The columns that tell copies: inputs that the user does not ignore."""
        others = {*self.names, *self.roles.columns, *(n for n, kind in self.overrides.items() if kind == "ignored")}
        return tuple(name for name in self.stream.columns if name not in others)

    def blocks(self, what: str, names: Collection[str] | None = None) -> Iterator[Table]:
        """The blocks of a pass, of some columns or of all; `heard` is told of each."""
        reads = (lambda name: True) if names is None else frozenset(names).__contains__
        done = 0
        for block in self.stream.blocks(text=self.text, reads=reads):
            yield block
            done += block.n_rows
            self.heard(what, done, self.stream.n_rows)

    def complete_blocks(self, what: str, names: Collection[str] | None = None) -> Iterator[Table]:
        """The blocks of a pass without rows that lack a target; they are refused unless these may be dropped."""
        for block in self.blocks(what, names):
            kept = self._with_target([block.columns[name] for name in self.names])
            if kept is None:
                yield block
            elif len(kept):
                yield block.take(kept)

    def _with_target(self, columns: list[Column]) -> NDArray[np.int64] | None:
        """The rows of a block that have a target; None for all."""
        for column in columns:
            column.require_readable()
            if column.storage != "text":
                require_finite(column)
        missing = np.any([column.missing for column in columns], axis=0)
        if not missing.all():
            return rows_with_target(columns, self.drop_missing)
        if not self.drop_missing:
            where = next(column for column in columns if column.missing.any())
            first = where.name_rows(np.flatnonzero(where.missing)[:1])
            raise TableError(
                f"target {where.name!r} is missing in {first} and later ones (the first row is 1). Fill it in, remove "
                "the rows, or say drop_missing_target=True, which leaves them out."
            )
        return np.empty(0, np.int64)


@dataclass
class Passed:
    """What the pass has found: rows that are held out, a summary of the others, one of the targets of all."""

    names: tuple[str, ...]
    summary: TableSummary
    targets: TableSummary
    held: Table | None = None
    n_rows: int = 0
    n_held: int = 0
    _blocks: list[Table] = field(default_factory=list)

    @classmethod
    def of(cls, reading: Reading) -> Passed:
        """Before the first row."""
        return cls(reading.names, TableSummary(reading.levels), TableSummary(reading.levels & {*reading.names}))

    def add(self, block: Table, held_out: NDArray[np.bool_]) -> None:
        """The rows of a block."""
        self.n_rows += block.n_rows
        self.n_held += int(held_out.sum())
        self.targets.add(Table({name: block.columns[name] for name in self.names}, block.n_rows))
        if held_out.any():
            self._blocks.append(block.take(np.flatnonzero(held_out)))
        self._summarize(block, ~held_out)

    def _summarize(self, table: Table, chosen: NDArray[np.bool_]) -> None:
        """These rows train."""
        if chosen.any():
            self.summary.add(table if chosen.all() else table.take(np.flatnonzero(chosen)))

    def end(self) -> Passed:
        """There are no more blocks."""
        self.held = concat(self._blocks) if self._blocks else None
        self._blocks = []
        return self

    def keep(self, held_out: NDArray[np.bool_]) -> None:
        """Of the rows that are held out, keep these; the others train."""
        if self.held is not None and not held_out.all():
            self._summarize(self.held, ~held_out)
            self.held = self.held.take(np.flatnonzero(held_out)) if held_out.any() else None
            self.n_held = int(held_out.sum())


def pass_over(reading: Reading, choice: Choice | None) -> Passed:
    """Read all rows; those of the choice are held out, none without a choice."""
    if isinstance(choice, HashChoice):
        return pass_by_hash(reading, choice)
    passed = Passed.of(reading)
    for block in reading.complete_blocks("summarizing rows"):
        passed.add(block, np.zeros(block.n_rows, np.bool_) if choice is None else choice.holds(block))
    return passed.end()


def pass_by_hash(reading: Reading, choice: HashChoice) -> Passed:
    """Read all rows; held out are those with the smallest hashes: of their cells or, if rows repeat, their numbers."""
    passed, hashes = Passed.of(reading), [np.empty(0, np.uint64)]
    for block in reading.complete_blocks("summarizing rows"):
        of_rows = choice.hashes_of(block)
        held_out = of_rows < np.uint64(choice.limit)
        hashes.append(of_rows[held_out])
        passed.add(block, held_out)
        if choice.names is not None and passed.n_held > most_held(choice, reading.stream.n_rows):
            break  # the rows repeat: more of them may not fit into memory
    found = np.concatenate(hashes)
    if choice.names is not None and repeats_by_nature(choice, found, passed.n_rows):
        return pass_by_hash(reading, begin_choice(reading.stream.n_rows))
    passed.end().keep(found < np.uint64(settled(choice, found, passed.n_rows).limit))
    return passed


def choice_of(reading: Reading) -> tuple[Choice, int | None]:
    """Which rows are held out, as far as it is known before they are read, and the number of groups.

    Groups and times are read for it, in a pass over their column alone.
    """
    named = reading.roles.names
    if (name := named.get("groups")) is not None:
        return choice_of_groups(reading, name)
    if (name := named.get("time")) is not None:
        return choice_of_latest(reading, name), None
    return begin_choice(reading.stream.n_rows, reading.compared), None


def choice_of_groups(reading: Reading, name: str) -> tuple[Choice, int]:
    """Whole groups, and how many there are."""
    counts, every = GroupCounts(), GroupChoice(name, np.empty(0, np.uint64))
    for block in reading.blocks("reading groups", [name]):
        group_column(block, name)
        counts.add(every.hashes_of(block))
    if len(counts.hashes) == 1:
        raise TableError(
            f"groups (column {name!r}) is the same in every row: of a single group, nothing can be held out. Leave "
            "groups out."
        )
    return counts.choice(name), counts.n_groups


def choice_of_latest(reading: Reading, name: str) -> Choice:
    """The latest rows."""
    label, summary = f"time (column {name!r})", TableSummary()
    for block in reading.blocks("reading times", [name]):
        summary.add(Table({name: time_column(block, name)}, block.n_rows))
    column = summary.counted().columns[name]
    read = time_reader(column, label)
    distinct, place = np.unique(read(column), return_inverse=True)
    counts = np.bincount(place, column.counts).astype(np.int64)
    return LaterChoice(lambda block: read(time_column(block, name)), start_of_latest(distinct, counts, label))


def train_all_classes(passed: Passed, choice: Choice, column: Column) -> bool:
    """Let rows train that have a class which no training row has, with all that belong together with them.

    `column` is the target's of the rows that train, with counts. Returns whether rows were moved. Later rows never
    train, whatever their classes are.
    """
    if passed.held is None or isinstance(choice, LaterChoice):
        return False
    known, held = set(level_column(column).levels), level_column(passed.held.columns[column.name])
    unknown = np.array([*(level not in known for level in held.levels), False])[held.values]
    if not unknown.any():
        return False
    hashes = choice.hashes_of(passed.held)
    passed.keep(~np.isin(hashes, hashes[unknown]))
    return True
