"""Training rows in a file, of which members read a window at a time.

Takes a `PreparedFile`, the rows of a window and the memory that members may take. Returns rows as networks read them,
and how many members can train at once. Never holds rows itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.estimators.tabular.architecture import feed
from rosenblatt.estimators.tabular.row_ranges import RowRanges
from rosenblatt.memory import enough_text, size_text
from rosenblatt.tables.prepared_file import PreparedFile

__all__ = ["StoredRows", "members_at_once", "window_bytes"]

Array = NDArray[Any]
Rows = tuple[dict[str, Any], Array, Array | None]
WINDOWS_AT_ONCE = 2
"""The one that is trained on, and the one that is read."""
ORDER_BYTES = 32
"""Of a row in its window: its place in the order, which is copied, and what checks and changes of targets need."""


@dataclass(frozen=True)
class StoredRows:
    """The rows of a file, and how members read them.

    Attributes
    ----------
    file : PreparedFile
        Written to its end; who made it closes it when no member trains any more.
    window : int
        The most rows of a window.
    memory_limit : int or None
        Bytes that all members together may take for their windows.
    changes : tuple of callable
        What turns the targets of the file into those that members learn, one after another and row by row.
    """

    file: PreparedFile
    window: int
    memory_limit: int | None = None
    changes: tuple[Callable[[Array], Array], ...] = ()

    @property
    def n_rows(self) -> int:
        """Rows of the file."""
        return self.file.n_rows

    @property
    def rows(self) -> RowRanges:
        """All rows: the training side of a fold."""
        return RowRanges.all_of(self.n_rows)

    @property
    def weighted(self) -> bool:
        """Whether the rows have weights."""
        return bool(self.file.layout.weights)

    def with_targets(self, change: Callable[[Array], Array]) -> StoredRows:
        """The rows with other targets, which a function makes of the present ones, row by row."""
        return replace(self, changes=(*self.changes, change))

    def read(self, rows: RowRanges, cancelled: Callable[[], bool] = lambda: False) -> Rows:
        """Inputs, targets and weights of some rows; see `PreparedFile.read`."""
        prepared, y, weights = self.file.read(rows.ranges, cancelled)
        for change in self.changes:
            y = change(y)
        return feed(prepared), np.ascontiguousarray(y), weights

    def first(self, rows: RowRanges, n: int) -> Rows:
        """The first n of some rows."""
        return self.read(rows.first(n))

    def targets(self, rows: RowRanges) -> tuple[Array, Array | None]:
        """Targets and weights of some rows; reads the inputs, too, but keeps few of them at a time."""
        step = min(self.window, self.file.layout.rows_at_once)
        starts = range(0, max(1, len(rows)), step)  # no rows have targets of some type, too
        parts = [self.read(rows.part([(first, first + step)]))[1:] for first in starts]
        weights = np.concatenate([weights for _, weights in parts if weights is not None]) if self.weighted else None
        return np.concatenate([y for y, _ in parts]), weights

    def any_weight(self, rows: RowRanges) -> bool:
        """Whether a row has a weight other than zero; true without weights."""
        step = min(self.window, self.file.layout.rows_at_once)
        parts = (rows.part([(first, first + step)]) for first in range(0, len(rows), step))
        return not self.weighted or any(np.any(self.file.read(part.ranges)[2]) for part in parts)

    def members_at_once(self, n_members: int) -> int:
        """How many of so many members may train at once; see the function of this name."""
        window = min(self.window, self.n_rows)
        limit = self.memory_limit
        return n_members if limit is None else min(n_members, members_at_once(self.file.row_bytes, window, limit))


def window_bytes(row_bytes: float, window: int) -> int:
    """Bytes that a member takes for windows of so many rows, each of so many bytes."""
    return int(window * (WINDOWS_AT_ONCE * row_bytes + ORDER_BYTES))


def members_at_once(row_bytes: float, window: int, memory_limit: int, n_ranks: int = 1, smallest: int = 1) -> int:
    """How many members may train at once by windows of `window` rows within `memory_limit` bytes.

    Each of several ranks holds its part of a window, and may take that memory. `smallest` is the least window that
    training allows.

    Raises
    ------
    ValueError
        If not even one may; it names a window that would fit, and a limit that would suffice.
    """
    row_bytes /= n_ranks
    needed = window_bytes(row_bytes, window)
    if needed <= memory_limit:
        return memory_limit // needed
    fits = int(memory_limit / (WINDOWS_AT_ONCE * row_bytes + ORDER_BYTES))
    remedy = f"say memory_limit='{enough_text(needed)}' (or more)"
    if fits >= smallest:
        least = f", but at least {smallest}" if smallest > 1 else ""
        remedy = f"say window={fits} (or less{least}) or {remedy.removeprefix('say ')}"
    elif 1 < smallest < window:
        limit = enough_text(window_bytes(row_bytes, smallest))
        remedy += f", or window={smallest}, the smallest that can be, and memory_limit='{limit}' (or more)"
    each = f" on each of {n_ranks} ranks" if n_ranks > 1 else ""
    raise ValueError(
        f"window={window} rows of {row_bytes:.0f} bytes{each} need {size_text(needed)} of memory, of which a network "
        f"holds {WINDOWS_AT_ONCE} windows; memory_limit leaves {size_text(memory_limit)} for them: {remedy}."
    )
