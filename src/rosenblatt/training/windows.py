"""The order of rows that are not all in memory: epochs are cut into windows, which are shuffled one by one.

Takes the numbers of rows, of those in memory and of those in a batch, and random numbers. Returns the ranges of rows of
each window, and the order in which it is trained on. Never depends on anything else, such as the machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import check_count
from rosenblatt.storage.container import Arrays, require_keys

__all__ = ["BLOCK_ROWS", "Ranges", "WindowOrders", "Windows"]

BLOCK_ROWS = 65_536
BLOCKS_PER_WINDOW = 16
"""Rows are shuffled by blocks, and within a window: of a window of few blocks, most rows would meet again and again."""
Ranges = tuple[tuple[int, int], ...]
"""Rows [start, stop), in ascending order."""


class Kept(Protocol):
    """What else a checkpoint keeps with the orders of rows."""

    def state(self) -> Arrays:
        """The arrays to keep."""

    def restore(self, arrays: Arrays) -> None:
        """Continue from a `state`."""


@dataclass(frozen=True)
class Windows:
    """How an epoch over `n` rows is cut.

    With W = ceil(n / window) windows, window k takes the rows ``n * k // W`` to ``n * (k + 1) // W`` of the epoch's
    order of blocks, and trains on as many whole batches of them as there are.

    Parameters
    ----------
    n : int
        Rows.
    window : int
        The most rows of a window.
    batch_size : int
    parts : int
        W, if it is given.

    Raises
    ------
    ValueError
        If a window would be smaller than a batch.
    """

    n: int
    window: int
    batch_size: int
    parts: int = 0

    def __post_init__(self) -> None:
        check_count("window", self.window, 1)
        if self.sizes.min() < self.batch_size:
            raise ValueError(
                f"window={self.window} makes windows of {self.sizes.min()} rows, fewer than the {self.batch_size} of a "
                f"batch; take a window of {2 * self.batch_size} rows or more, or a smaller batch_size"
            )

    @cached_property
    def bounds(self) -> NDArray[np.int64]:
        """Where each window begins in the order of an epoch, and the number of rows; shape (n_windows + 1,)."""
        count = self.parts or -(-self.n // self.window)
        return np.array([self.n * k // count for k in range(count + 1)], np.int64)

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Rows of each window."""
        return np.diff(self.bounds)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """How many rows an epoch trains on before each window, and in all; shape (n_windows + 1,)."""
        return np.concatenate([[0], np.cumsum(self.sizes // self.batch_size * self.batch_size)])

    @property
    def count(self) -> int:
        """Number of windows."""
        return len(self.sizes)

    @property
    def block_rows(self) -> int:
        """Rows of a block; all rows where one window has them."""
        return self.n if self.count == 1 else max(1, min(BLOCK_ROWS, self.window // BLOCKS_PER_WINDOW))

    @property
    def n_blocks(self) -> int:
        """Blocks of all rows; the last one may be smaller."""
        return -(-self.n // self.block_rows)

    def at(self, row: int) -> int:
        """The window that the training is in when an epoch has trained on so many rows."""
        return int(np.searchsorted(self.starts, row, side="right")) - 1

    def ranges(self, blocks: NDArray[np.int64], number: int) -> Ranges:
        """The rows of a window, where the epoch takes the blocks in this order; neighbours are joined."""
        starts = blocks * self.block_rows
        ends = np.cumsum(np.minimum(starts + self.block_rows, self.n) - starts)  # in the order of the epoch
        low, high = int(self.bounds[number]), int(self.bounds[number + 1])
        first, last = (int(np.searchsorted(ends, place, side="right")) for place in (low, high - 1))
        found = list[list[int]]()
        for block in sorted(range(first, last + 1), key=lambda block: int(starts[block])):
            begin = int(ends[block - 1]) if block else 0
            start = int(starts[block]) + max(low - begin, 0)
            stop = int(starts[block]) + min(high, int(ends[block])) - begin
            if found and found[-1][1] == start:
                found[-1][1] = stop
            else:
                found.append([start, stop])
        return tuple((start, stop) for start, stop in found)


@dataclass
class WindowOrders:
    """The orders of rows of a training by windows: see `rosenblatt.training.loop.RowOrders`.

    Random numbers are drawn one after another: the order of the blocks in an epoch (none where there is one window),
    then that of the rows in each window as it begins. So one window has the orders that training in memory has.

    Attributes
    ----------
    number : int
        The window that has begun last, -1 before the first; its rows are trained on in the order `order`.
    blocks, next_blocks : ndarray of int64
        The orders of blocks in this epoch, and in the next one once its last window has begun.
    """

    windows: Windows
    rng: np.random.Generator
    kept: Kept | None = None
    number: int = -1
    order: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    blocks: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    next_blocks: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    max_epochs: int = 1
    n_rows: int = field(init=False)  # that an epoch trains on

    def __post_init__(self) -> None:
        self.n_rows = int(self.windows.starts[-1])

    def draw(self, n_epochs: int) -> None:
        """Begin an epoch; its windows draw their orders as they begin."""
        self.blocks = self.next_blocks if len(self.next_blocks) else self._draw_blocks()
        self.next_blocks, self.number = np.empty(0, np.int64), -1

    def present(self) -> None:
        """The order of the epoch is that of its windows."""

    def _draw_blocks(self) -> NDArray[np.int64]:
        return np.zeros(1, np.int64) if self.windows.count == 1 else self.rng.permutation(self.windows.n_blocks)

    def _draw_rows(self, number: int) -> NDArray[np.int64]:
        size, start, stop = self.windows.sizes[number], *self.windows.starts[number : number + 2]
        return self.rng.permutation(int(size))[: stop - start].astype(np.int64, copy=False)

    def begin(self, number: int) -> None:
        """Draw the order of a window's rows, unless it has begun."""
        if number == self.number:
            return
        self.order, self.number = self._draw_rows(number), number
        if number == self.windows.count - 1:
            self.next_blocks = self._draw_blocks()

    def ranges(self, number: int) -> Ranges:
        """The rows of a window of this epoch."""
        return self.windows.ranges(self.blocks, number)

    def ranges_ahead(self) -> Ranges:
        """The rows of the window after the present one, perhaps of the next epoch."""
        if self.number + 1 < self.windows.count:
            return self.ranges(self.number + 1)
        return self.windows.ranges(self.next_blocks, 0)

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """See `rosenblatt.training.loop.RowOrders`."""
        arrays = {"order": self.order, "blocks": self.blocks, "next_blocks": self.next_blocks}
        arrays |= {} if self.kept is None else self.kept.state()
        return {"window": self.number, "generator": dict(self.rng.bit_generator.state)}, arrays

    def restore(self, state: dict[str, Any], arrays: Arrays) -> None:
        """See `rosenblatt.training.loop.RowOrders`."""
        require_keys(state, {"window", "generator"}, what="the entry on the order of rows")
        number = check_count("the window", state["window"] + 1, 0, self.windows.count) - 1
        require_keys(state["generator"], set(self.rng.bit_generator.state), what="the state of a random generator")
        size, starts = (int(self.windows.sizes[number]) if number >= 0 else 0), self.windows.starts
        trained = int(starts[number + 1] - starts[number]) if number >= 0 else 0
        order, n_blocks = permuted("order", arrays, size, trained), self.windows.n_blocks
        blocks = permuted("blocks", arrays, n_blocks, n_blocks)
        ahead = n_blocks if number == self.windows.count - 1 else 0
        next_blocks = permuted("next_blocks", arrays, n_blocks, ahead)
        self.rng.bit_generator.state = state["generator"]
        self.number, self.order, self.blocks, self.next_blocks = number, order, blocks, next_blocks
        if self.kept is not None:
            self.kept.restore(arrays)


def permuted(name: str, arrays: Arrays, n: int, length: int) -> NDArray[np.int64]:
    """An array of so many different numbers below n; a `ValueError` for anything else."""
    found = arrays[name]
    if found.shape != (length,) or found.dtype != np.int64:
        raise ValueError(f"the array {name!r} has shape {found.shape}; it must have {length} numbers")
    if len(np.unique(found)) < length or not ((found >= 0) & (found < n)).all():
        raise ValueError(f"the array {name!r} is not an order of this training")
    return np.array(found)
