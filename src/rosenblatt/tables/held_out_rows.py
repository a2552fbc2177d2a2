"""Which rows of a table beyond memory are held out to choose epochs and to score: a choice that each block can repeat.

Takes blocks of a table. Returns a `Choice`, which says of each row of any block whether it is held out. Never keeps a
row, never separates rows with equal cells (or those of a group) unless rows repeat by nature, and never depends on the
sizes of blocks.

A row is held out if the hash of its cells is among the smallest. The hash is uniform, so that a limit is known before
any row is read: `begin_choice` sets it somewhat too high, and `settled` lowers it once the hashes below it are known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.row_hashes import hash_cells, hash_numbers, hash_rows
from rosenblatt.tables.splits import MIN_DISTINCT
from rosenblatt.tables.table import Column, Table, TableError

__all__ = [
    *("MAX_HELD_OUT", "Choice", "GroupChoice", "GroupCounts", "HashChoice", "LaterChoice", "begin_choice"),
    *("most_held", "numbers_of_rows", "repeats_by_nature", "rows_wanted", "settled", "start_of_latest"),
]

Hashes = NDArray[np.uint64]
Mask = NDArray[np.bool_]
MAX_HELD_OUT = 2**17
"""Rows that are held out of a large table. The standard error of an accuracy of 90 % is then below 0.1 %."""
ONE_IN = 5
"""Of a smaller table, one row in so many."""
SPARE = 4.0
"""Standard deviations of a number of rows by which a first limit is too high."""
MAX_COUNTED = 2**18
"""Groups whose rows are counted: those with the smallest hashes."""
MAX_LATEST = 2**18
"""Most rows with the latest times, which cannot be divided where times are equal."""


class Choice(Protocol):
    """Which rows are held out."""

    def hashes_of(self, table: Table) -> Hashes:
        """Equal numbers for rows of a block that the choice never separates, uint64 [n_rows]."""
        ...

    def holds(self, table: Table) -> Mask:
        """Whether each row of a block is held out, bool [n_rows]."""
        ...


@dataclass(frozen=True, eq=False)
class HashChoice:
    """Rows whose hash is below a limit: that of their cells in the columns `names`, or without names of their number.

    By their cells, equal rows are on one side.
    """

    limit: int
    names: tuple[str, ...] | None = None

    def hashes_of(self, table: Table) -> Hashes:
        """What the limit is compared with."""
        return hash_numbers(numbers_of_rows(table)) if self.names is None else hash_rows(table, self.names)

    def holds(self, table: Table) -> Mask:
        """Whether each row of a block is held out."""
        return np.asarray(self.hashes_of(table) < np.uint64(self.limit))


@dataclass(frozen=True, eq=False)
class GroupChoice:
    """The rows of the groups whose hashes are `chosen`, sorted; groups are equal cells of a column."""

    name: str
    chosen: Hashes

    def hashes_of(self, table: Table) -> Hashes:
        """Those of the groups."""
        return hash_cells(table.columns[self.name])

    def holds(self, table: Table) -> Mask:
        """Whether the group of each row is held out."""
        return np.isin(self.hashes_of(table), self.chosen)


@dataclass(frozen=True, eq=False)
class LaterChoice:
    """The rows that are as late as `since`, or later; `times` reads the times of a block as numbers."""

    times: Callable[[Table], NDArray[np.float64]]
    since: float

    def hashes_of(self, table: Table) -> Hashes:
        """Those of the times."""
        return hash_numbers(self.times(table))

    def holds(self, table: Table) -> Mask:
        """Whether each row is late."""
        return np.asarray(self.times(table) >= self.since)


def rows_wanted(n_rows: int) -> int:
    """How many rows of a table are held out."""
    return min(MAX_HELD_OUT, n_rows // ONE_IN)


def numbers_of_rows(table: Table) -> NDArray[np.int64]:
    """The numbers of the rows of a block in the whole table, from 0."""
    first: Column = next(iter(table.columns.values()))
    return np.arange(table.n_rows) if first.rows is None else first.rows


# By the hashes of cells or numbers ------------------------------------------------------------------------------------


def begin_choice(n_rows: int, names: tuple[str, ...] | None = None) -> HashChoice:
    """A choice of somewhat more rows than are wanted: by the cells in these columns, without names by row numbers."""
    wanted = rows_wanted(n_rows)
    share = min(0.5, (wanted + SPARE * math.sqrt(wanted) + SPARE) / n_rows)
    return HashChoice(int(share * 2**64), names)


def most_held(choice: HashChoice, n_rows: int) -> int:
    """More rows below the limit than this are a sign that rows repeat."""
    return 2 * int(choice.limit / 2**64 * n_rows) + 2 * MIN_DISTINCT


def repeats_by_nature(choice: HashChoice, hashes: Hashes, n_rows: int) -> bool:
    """Whether the rows below the limit are no sample of `n_rows`, because a few rows occur all over again.

    `hashes` are those of the rows below the limit. They may be of the first `n_rows` alone, if there are too many.
    """
    fewest, n_distinct = choice.limit / 2**65 * n_rows, len(np.unique(hashes))
    return n_distinct < MIN_DISTINCT or not fewest <= len(hashes) <= most_held(choice, n_rows)


def settled(choice: HashChoice, hashes: Hashes, n_rows: int) -> HashChoice:
    """The choice with a limit below which there are as many of `n_rows` as are wanted, or fewer where rows are equal.

    `hashes` are those of the rows below the present limit.
    """
    distinct, counts = np.unique(hashes, return_counts=True)
    fits = int(np.searchsorted(np.cumsum(counts), rows_wanted(n_rows), side="right"))
    return choice if fits == len(distinct) else replace(choice, limit=int(distinct[fits]))


# By groups ------------------------------------------------------------------------------------------------------------


class GroupCounts:
    """The rows of each group, as far as it may be held out: of the groups with the smallest hashes.

    Attributes
    ----------
    hashes : ndarray of uint64, increasing
    counts : ndarray of int64
        Rows of each of these groups. They are exact: a hash that was dropped never comes back.
    n_rows : int
    """

    def __init__(self) -> None:
        self.hashes: Hashes = np.empty(0, np.uint64)
        self.counts: NDArray[np.int64] = np.empty(0, np.int64)
        self.n_rows = 0

    def add(self, hashes: Hashes) -> None:
        """The hashes of the groups of more rows."""
        self.n_rows += len(hashes)
        new, counts = np.unique(hashes, return_counts=True)
        distinct, place = np.unique(np.concatenate([self.hashes, new]), return_inverse=True)
        sums = np.zeros(len(distinct), np.int64)
        np.add.at(sums, place, np.concatenate([self.counts, counts]))
        self.hashes, self.counts = distinct[:MAX_COUNTED], sums[:MAX_COUNTED]

    @property
    def n_groups(self) -> int:
        """How many groups there are; an estimate if they are too many to count (Bar-Yossef et al. 2002)."""
        n = len(self.hashes)
        return n if n < MAX_COUNTED else int((n - 1) / (float(self.hashes[-1]) / 2**64))

    def choice(self, name: str) -> GroupChoice:
        """The groups that are held out: in the order of their hashes, each that fits among the rows wanted.

        If each group is larger than that, it is the smallest one. A `TableError` refuses more rows than memory holds.
        """
        left, chosen = rows_wanted(self.n_rows), []
        for place, count in enumerate(self.counts.tolist()):
            if 0 < count <= left:
                chosen.append(place)
                left -= count
        if not chosen:
            smallest = int(np.argmin(self.counts))
            if self.counts[smallest] > MAX_LATEST:
                raise TableError(
                    f"groups (column {name!r}) has {self.n_groups:,} values, the rarest of which has "
                    f"{self.counts[smallest]:,} rows: too many to hold out. Give validation rows of your own (X_val), "
                    "or leave groups out."
                )
            chosen = [smallest]
        return GroupChoice(name, self.hashes[chosen])


# By time --------------------------------------------------------------------------------------------------------------


def start_of_latest(times: NDArray[np.float64], counts: NDArray[np.int64], label: str) -> float:
    """The time from which on rows are held out, so that they are about as many as are wanted.

    Parameters
    ----------
    times : ndarray of float64, increasing
        Different times.
    counts : ndarray of int64
        How many rows have each of them.
    label : str
        What errors call the times.

    Raises
    ------
    TableError
        If no row is later than another, or if the latest time is that of more rows than memory holds.
    """
    if len(times) < 2:
        raise TableError(f"{label} is the same in every row: no row is later than another. Leave time out.")
    n_later = np.cumsum(counts[::-1])[::-1][1:]  # rows that are as late as each time but the first
    since = 1 + int(np.argmin(np.abs(n_later - rows_wanted(int(counts.sum())))))
    if n_later[since - 1] > MAX_LATEST and n_later[-1] <= MAX_LATEST:
        since = 1 + int(np.argmax(n_later <= MAX_LATEST))
    if n_later[since - 1] > MAX_LATEST:
        raise TableError(
            f"the latest {label} is that of {n_later[-1]:,} rows: too many to hold out. Give validation rows of your "
            "own (X_val), or finer times."
        )
    return float(times[since])
