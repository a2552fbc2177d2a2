"""The rows that a member trains on, in memory or in a file; on several ranks, each has those of its shards.

Takes rows, and how a trainer is made. Returns a trainer that has the rows, and the order in which it takes them. With
one window, rows of a file are trained on in the same order as rows in memory. Never reads other rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rosenblatt.distributed.communicator import SHARDS
from rosenblatt.distributed.ranks import ranks
from rosenblatt.estimators.tabular.architecture import INITIAL_ROWS
from rosenblatt.estimators.tabular.held_out import HeldOutRows
from rosenblatt.estimators.tabular.row_orders import Permutations
from rosenblatt.estimators.tabular.row_ranges import RowRanges
from rosenblatt.estimators.tabular.stored_rows import StoredRows
from rosenblatt.estimators.tabular.stored_shards import StoredShards
from rosenblatt.training.checkpoint import data_digest, flat
from rosenblatt.training.loop import RowOrders
from rosenblatt.training.sharded import ShardedTrainer, shard_starts, trainer_class
from rosenblatt.training.sharded_windows import ShardedOrders, ShardedWindowedTrainer, ShardedWindows
from rosenblatt.training.trainer import Trainer
from rosenblatt.training.windowed_trainer import WindowedTrainer, WindowReader
from rosenblatt.training.windows import WindowOrders, Windows

__all__ = ["MemoryRows", "RowsOfFile", "RowsOfShards", "TrainingRows", "require_windows"]

Array = NDArray[Any]
Rows = tuple[dict[str, Any], Array, Array | None]
Encode = Callable[[Array], Array]
DIGEST_BYTES = 20


class TrainingRows(Protocol):
    """Rows of one member."""

    @property
    def sample(self) -> dict[str, Any]:
        """The inputs of the first rows, which scale the initial weights."""

    @property
    def weighted(self) -> bool:
        """Whether rows have weights."""

    def targets(self) -> tuple[Array, Array | None]:
        """All targets and weights."""

    def identity(self) -> Any:
        """Arrays that tell them from other rows."""

    def given_to(
        self, make: Callable[..., Any], batch_size: int, encode: Encode, rng: np.random.Generator, held: HeldOutRows
    ) -> tuple[Trainer, RowOrders]:
        """A trainer that has the rows, with targets as `encode` gives them, and the order of the rows.

        ``make(kind)`` returns a trainer of a class.
        """


def require_windows(n_rows: int, window: int, batch_size: int) -> None:
    """Refuse windows that are too small for training on so many rows, in a `ValueError`."""
    if ranks().are_together:
        ShardedWindows.of(tuple(np.diff(shard_starts(n_rows)).tolist()), window, batch_size)
    else:
        Windows(n_rows, window, batch_size)


@dataclass(frozen=True)
class MemoryRows:
    """Rows in memory."""

    rows: Rows

    @property
    def sample(self) -> dict[str, Any]:
        """See `TrainingRows`."""
        return {name: matrix[:INITIAL_ROWS] for name, matrix in self.rows[0].items()}

    @property
    def weighted(self) -> bool:
        """Whether rows have weights."""
        return self.rows[2] is not None

    def targets(self) -> tuple[Array, Array | None]:
        """See `TrainingRows`."""
        return self.rows[1], self.rows[2]

    def identity(self) -> Any:
        """See `TrainingRows`."""
        return self.rows

    def given_to(
        self, make: Callable[..., Any], batch_size: int, encode: Encode, rng: np.random.Generator, held: HeldOutRows
    ) -> tuple[Trainer, RowOrders]:
        """See `TrainingRows`."""
        trainer: Trainer = make(trainer_class())
        inputs, y, weights = self.rows
        trainer.set_data(inputs, encode(y), weights)
        return trainer, Permutations(len(y), len(y) // batch_size * batch_size, rng, held)


class Takes(Protocol):
    """A table in memory, of which rows can be taken."""

    @property
    def y(self) -> Array:
        """The targets of all rows."""

    @property
    def weights(self) -> Array | None:
        """The weights of all rows."""

    def take(self, rows: NDArray[np.int64]) -> Rows:
        """Inputs, targets and weights of some rows."""


@dataclass(frozen=True)
class RowsOfShards:
    """Rows of a table that all ranks have in memory, of which each takes those of its shards."""

    data: Takes
    rows: NDArray[np.int64]

    @property
    def sample(self) -> dict[str, Any]:
        """See `TrainingRows`."""
        return self.data.take(self.rows[:INITIAL_ROWS])[0]

    @property
    def weighted(self) -> bool:
        """Whether rows have weights."""
        return self.data.weights is not None

    def targets(self) -> tuple[Array, Array | None]:
        """See `TrainingRows`."""
        return self.data.y[self.rows], None if self.data.weights is None else self.data.weights[self.rows]

    def identity(self) -> Any:
        """A digest of the rows of each shard, of all ranks."""
        starts, found = shard_starts(len(self.rows)), ranks()
        digests = np.zeros((SHARDS, DIGEST_BYTES), np.uint8)
        for shard in found.shards:
            of_shard = data_digest(*flat(self.data.take(self.rows[starts[shard] : starts[shard + 1]])))
            digests[shard] = np.frombuffer(bytes.fromhex(of_shard), np.uint8)
        found.share(digests, slice(found.shards.start, found.shards.stop))
        return digests

    def given_to(
        self, make: Callable[..., Any], batch_size: int, encode: Encode, rng: np.random.Generator, held: HeldOutRows
    ) -> tuple[Trainer, RowOrders]:
        """See `TrainingRows`."""
        trainer: ShardedTrainer = make(ShardedTrainer)
        n, own, starts = len(self.rows), ranks().shards, shard_starts(len(self.rows))
        inputs, y, weights = self.data.take(self.rows[starts[own.start] : starts[own.stop]])
        trainer.set_own_data(starts, inputs, encode(y), weights)
        trainer.keep_inputs(self.sample)
        return trainer, Permutations(n, n // batch_size * batch_size, rng, held)


@dataclass(frozen=True)
class RowsOfFile:
    """Rows in a file, or in those of all ranks, which are read by windows."""

    stored: StoredRows
    rows: RowRanges
    first: Rows  # of the rows

    @classmethod
    def of(cls, stored: StoredRows, rows: RowRanges) -> RowsOfFile:
        """These rows of a file; reads the first ones."""
        return cls(stored, rows, stored.first(rows, INITIAL_ROWS))

    @property
    def sample(self) -> dict[str, Any]:
        """See `TrainingRows`."""
        return self.first[0]

    @property
    def weighted(self) -> bool:
        """Whether rows have weights."""
        return self.stored.weighted

    def targets(self) -> tuple[Array, Array | None]:
        """See `TrainingRows`."""
        return self.stored.targets(self.rows)

    def identity(self) -> Any:
        """The file's digest, which rows of it, their windows, and the first rows, whose targets may be changed."""
        said = f"{self.stored.file.digest} {self.rows.ranges} {self.stored.window} {data_digest(*flat(self.first))}"
        return np.frombuffer(said.encode(), np.uint8)

    def given_to(
        self, make: Callable[..., Any], batch_size: int, encode: Encode, rng: np.random.Generator, held: HeldOutRows
    ) -> tuple[Trainer, RowOrders]:
        """See `TrainingRows`."""

        def read(places: Any, cancelled: Callable[[], bool]) -> Rows:
            inputs, y, weights = self.stored.read(self.rows.part(places), cancelled)
            return inputs, encode(y), weights

        trainer: WindowedTrainer
        orders: WindowOrders
        if isinstance(self.stored, StoredShards):
            sizes = self.stored.shard_sizes(self.rows)
            trainer = make(ShardedWindowedTrainer)
            orders = ShardedOrders(ShardedWindows.of(sizes, self.stored.window, batch_size), rng, held)
        else:
            trainer = make(WindowedTrainer)
            orders = WindowOrders(Windows(len(self.rows), self.stored.window, batch_size), rng, held)
        trainer.set_windows(orders, WindowReader(read), self.sample)
        return trainer, orders
