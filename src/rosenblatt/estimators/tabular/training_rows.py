"""The rows that a member trains on, in memory or in a file.

Takes rows, and how a trainer is made. Returns a trainer that has the rows, and the order in which it takes them. With
one window, rows of a file are trained on in the same order as rows in memory. Never reads other rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rosenblatt.estimators.tabular.architecture import INITIAL_ROWS
from rosenblatt.estimators.tabular.held_out import HeldOutRows
from rosenblatt.estimators.tabular.row_orders import Permutations
from rosenblatt.estimators.tabular.row_ranges import RowRanges
from rosenblatt.estimators.tabular.stored_rows import StoredRows
from rosenblatt.training.checkpoint import data_digest, flat
from rosenblatt.training.loop import RowOrders
from rosenblatt.training.sharded import trainer_class
from rosenblatt.training.trainer import Trainer
from rosenblatt.training.windowed_trainer import ReadAhead, WindowedTrainer
from rosenblatt.training.windows import WindowOrders, Windows

__all__ = ["MemoryRows", "RowsOfFile", "TrainingRows"]

Array = NDArray[Any]
Rows = tuple[dict[str, Any], Array, Array | None]
Encode = Callable[[Array], Array]


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


@dataclass(frozen=True)
class RowsOfFile:
    """Rows in a file, which are read by windows."""

    stored: StoredRows
    rows: RowRanges
    first: Rows  # of the rows

    @classmethod
    def of(cls, stored: StoredRows, rows: RowRanges) -> RowsOfFile:
        """These rows of a file; reads the first ones."""
        return cls(stored, rows, stored.read(rows.first(INITIAL_ROWS)))

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
        trainer: WindowedTrainer = make(WindowedTrainer)

        def read(places: Any, cancelled: Callable[[], bool]) -> Rows:
            inputs, y, weights = self.stored.read(self.rows.part(places), cancelled)
            return inputs, encode(y), weights

        orders = WindowOrders(Windows(len(self.rows), self.stored.window, batch_size), rng, held)
        trainer.set_windows(orders, ReadAhead(read), self.sample)
        return trainer, orders
