"""Training by windows on several ranks, each of which reads its part of every window.

Takes the numbers of rows of eight shards, of a window and of a batch, and random numbers. Returns what
`rosenblatt.training.windows` does for one process, and a trainer. Never depends on the number of ranks.

A window has rows of all shards: that many of each as an epoch over the shard alone would have in it. The rows of a
shard lie side by side, those of the shard 0 first, and so do those of a window; an epoch deals them in turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rosenblatt.distributed.communicator import SHARDS
from rosenblatt.distributed.ranks import ranks
from rosenblatt.storage.container import Arrays
from rosenblatt.training.sharded import ShardedTrainer, dealt_permutation
from rosenblatt.training.windowed_trainer import WindowedTrainer, WindowRows
from rosenblatt.training.windows import Ranges, WindowOrders, Windows

__all__ = ["ShardedOrders", "ShardedWindowedTrainer", "ShardedWindows"]


@dataclass(frozen=True)
class ShardedWindows(Windows):
    """How an epoch over eight shards is cut; `n`, `window` and the sizes are those of all shards together.

    Parameters
    ----------
    n, window, batch_size, parts
        See `Windows`.
    shard_sizes : tuple of int
        Rows of each shard.

    Raises
    ------
    ValueError
        If a window would be smaller than a batch, or without rows of a shard.
    """

    shard_sizes: tuple[int, ...] = ()

    @classmethod
    def of(cls, shard_sizes: tuple[int, ...], window: int, batch_size: int) -> ShardedWindows:
        """Windows of these shards."""
        return cls(sum(shard_sizes), window, batch_size, shard_sizes=shard_sizes)

    def __post_init__(self) -> None:
        """Refuse windows that are too small."""
        super().__post_init__()
        n_windows = -(-self.n // self.window)
        fewest = min(self.shard_sizes) // n_windows
        if fewest < 1 or self.dealt_rows.min() < self.batch_size:
            raise ValueError(
                f"window={self.window} makes windows with as few as {fewest} rows of one of the {SHARDS} shards, too "
                f"few for the {self.batch_size} of a batch; take a window of {2 * max(SHARDS, self.batch_size)} rows "
                "or more, or a smaller batch_size"
            )

    @cached_property
    def shards(self) -> tuple[Windows, ...]:
        """The windows of each shard."""
        window, n_windows = -(-self.window // SHARDS), -(-self.n // self.window)
        return tuple(Windows(size, window, 1, n_windows) for size in self.shard_sizes)

    @cached_property
    def first_rows(self) -> NDArray[np.int64]:
        """Where each shard begins among all rows, and their number; shape (9,)."""
        return np.concatenate([[0], np.cumsum(self.shard_sizes)]).astype(np.int64)

    @cached_property
    def shards_of_windows(self) -> NDArray[np.int64]:
        """Rows of each shard in each window; shape (8, n_windows)."""
        return np.stack([shard.sizes for shard in self.shards])

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Rows of each window."""
        return np.asarray(self.shards_of_windows.sum(axis=0))

    @cached_property
    def dealt_rows(self) -> NDArray[np.int64]:
        """How many rows of each window can be dealt in turn, until a shard has no more."""
        return np.asarray((SHARDS * self.shards_of_windows + np.arange(SHARDS)[:, None]).min(axis=0))

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """See `Windows`."""
        return np.concatenate([[0], np.cumsum(self.dealt_rows // self.batch_size * self.batch_size)])

    @property
    def n_blocks(self) -> int:
        """Blocks of all shards."""
        return sum(shard.n_blocks for shard in self.shards)

    @cached_property
    def first_blocks(self) -> NDArray[np.int64]:
        """Where the blocks of each shard begin among all blocks, and their number."""
        return np.cumsum([0, *(shard.n_blocks for shard in self.shards)])

    def in_window(self, number: int) -> NDArray[np.int64]:
        """Where each shard begins among the rows of a window, and their number."""
        return np.concatenate([[0], np.cumsum(self.shards_of_windows[:, number])]).astype(np.int64)

    def ranges(self, blocks: NDArray[np.int64], number: int) -> Ranges:
        """The rows of a window, shard by shard, where the epoch takes the blocks of each in this order."""
        found = list[tuple[int, int]]()
        for s, shard in enumerate(self.shards):
            own = blocks[self.first_blocks[s] : self.first_blocks[s + 1]] - self.first_blocks[s]
            first = int(self.first_rows[s])
            found += [(first + start, first + stop) for start, stop in shard.ranges(own, number)]
        return tuple(found)


@dataclass
class ShardedOrders(WindowOrders):
    """The orders of rows of a training by windows on ranks; all ranks draw those of all shards."""

    windows: ShardedWindows

    def _draw_blocks(self) -> NDArray[np.int64]:
        shards, firsts = self.windows.shards, self.windows.first_blocks
        if self.windows.count == 1:
            return np.arange(len(shards))
        return np.concatenate(
            [first + self.rng.permutation(shard.n_blocks) for first, shard in zip(firsts[:-1], shards, strict=True)]
        )

    def _draw_rows(self, number: int) -> NDArray[np.int64]:
        start, stop = self.windows.starts[number : number + 2]
        return dealt_permutation(self.rng, int(stop - start), self.windows.in_window(number))

    def restore(self, state: dict[str, object], arrays: Arrays) -> None:
        """See `rosenblatt.training.loop.RowOrders`."""
        super().restore(state, arrays)
        for blocks in (self.blocks, self.next_blocks):
            shards = np.searchsorted(self.windows.first_blocks, blocks, side="right")
            if (np.diff(shards) < 0).any():
                raise ValueError("the order of the blocks mixes those of different shards")


class ShardedWindowedTrainer(WindowedTrainer, ShardedTrainer):
    """Trains a network by windows on the ranks that are together where it is made."""

    orders: ShardedOrders

    def _wait(self, ranges: Ranges, max_seconds: float) -> bool:
        """Whether the rows of a window are there on all ranks."""
        missing = np.array([0.0 if super()._wait(ranges, max_seconds) else 1.0])
        ranks().communicator.allreduce(missing)
        return not missing[0]

    def _take(self, rows: WindowRows, number: int) -> None:
        """Train on this rank's rows of a window."""
        self.set_own_data(self.orders.windows.in_window(number), *rows)
