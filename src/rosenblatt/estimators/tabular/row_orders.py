"""The rows of each epoch of a member, in the order in which they are taken.

Takes the number of rows and random numbers. Returns permutations, and all that a checkpoint needs to continue with the
same ones, and with the same choices on held-out rows. Never takes a batch that is not whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.distributed.ranks import ranks
from rosenblatt.estimators.tabular.held_out import HeldOutRows
from rosenblatt.storage.container import require_keys
from rosenblatt.training.sharded import dealt_permutation

__all__ = ["Permutations"]

Array = NDArray[Any]


@dataclass
class Permutations:
    """Each epoch takes the first `n_rows`, which are whole batches, of a new permutation of all `n`."""

    n: int
    n_rows: int
    rng: np.random.Generator
    held: HeldOutRows | None = None  # whose choices go with the epochs
    max_epochs: int = 1
    order: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))  # of the epoch that has begun

    def draw(self, n_epochs: int) -> NDArray[np.int64]:
        """The order of the next epoch."""
        permute = dealt_permutation if ranks().are_together else np.random.Generator.permutation
        self.order = permute(self.rng, self.n)[: self.n_rows].astype(np.int64)
        return self.present()

    def present(self) -> NDArray[np.int64]:
        """The order of the epoch that has begun."""
        return self.order[None, :]

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """See `rosenblatt.training.loop.RowOrders`."""
        kept = {} if self.held is None else self.held.state()
        return dict(self.rng.bit_generator.state), {"order": self.order, **kept}

    def restore(self, state: dict[str, Any], arrays: dict[str, Array]) -> None:
        """See `rosenblatt.training.loop.RowOrders`."""
        order = arrays["order"]
        if order.shape not in ((0,), (self.n_rows,)) or order.dtype != np.int64:
            raise ValueError(f"the order of the rows has shape {order.shape}; it must have {self.n_rows} rows")
        if len(np.unique(order)) < len(order) or not ((order >= 0) & (order < self.n)).all():
            raise ValueError("the order of the rows is not one of the rows of this training")
        require_keys(state, set(self.rng.bit_generator.state), what="the state of a random generator")
        self.rng.bit_generator.state = state
        self.order = np.array(order)
        if self.held is not None:
            self.held.restore(arrays)
