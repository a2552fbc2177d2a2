"""Training on several ranks, each with its part of the rows.

Takes a network, arrays that are equal on all ranks, and the `Ranks`. Returns the same bits on every rank, whatever
their number: rows lie in eight fixed shards, each batch has rows of all of them, each shard's gradient is summed by
itself, and the sums are added in one fixed binary tree. Never looks at a clock or at Ctrl-C without asking all ranks.

The order of an epoch deals the rows of the shards in turn: position j has a row of the shard j % 8. So a batch, which
is a stretch of the order as everywhere, has equally many rows of each shard, to within one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt import _core
from rosenblatt.distributed.communicator import SHARDS
from rosenblatt.distributed.ranks import Ranks, ranks
from rosenblatt.nn.effects import effects_of
from rosenblatt.nn.inputs import sources_of
from rosenblatt.nn.programs import block_rows, training_rows
from rosenblatt.training.trainer import Trainer

if TYPE_CHECKING:
    from rosenblatt.nn.network import Network
    from rosenblatt.training.loop import TrainingLoop

__all__ = [
    "SHARDED",
    "ShardedTrainer",
    "dealt",
    "dealt_permutation",
    "on_first_rank",
    "predict_together",
    "shard_starts",
    "trainer_class",
]

Order = NDArray[np.int64]
FLAGS = 2
"""Numbers behind the gradient in the message of a step: ranks that were interrupted, and whether to pause."""
MIN_BLOCK = 16
SHARDED = {"shards": str(SHARDS)}
"""What the checkpoint of a training on ranks says besides the others: the same settings train other batches alone."""


def trainer_class() -> type[Trainer]:
    """How networks are trained here: by the ranks together, or as in an ordinary process."""
    return ShardedTrainer if ranks().are_together else Trainer


def on_first_rank(callback: Callable[[TrainingLoop], Any]) -> Callable[[TrainingLoop], bool]:
    """A callback of a loop that runs on rank 0, but whose answer, error, and changes of the network reach all ranks."""
    found = ranks()

    def call(loop: TrainingLoop) -> bool:
        answer = found.first(lambda: bool(callback(loop)))
        if found.size > 1:
            loop.network.block[...] = found.communicator.broadcast(loop.network.block)
        return answer

    return call if found.are_together else callback


def predict_together(network: Network, inputs: Mapping[str, Any]) -> NDArray[Any]:
    """The outputs of a network with one head, of which each rank computes those of a part of the rows."""
    found, n_rows = ranks(), next(iter(inputs.values())).shape[0]
    if found.size == 1:
        return np.asarray(network.predict(inputs))
    own = found.part(n_rows, block_rows(network.graph))
    outputs = np.empty((n_rows, network.graph.n_outputs), network.dtype)
    outputs[own] = network.predict({name: array[own] for name, array in inputs.items()})
    found.share(outputs, own)
    return outputs


def shard_starts(n_rows: int) -> Order:
    """Where each shard of so many rows begins, and where the last one ends; the first n_rows % 8 have a row more."""
    sizes = (n_rows + SHARDS - 1 - np.arange(SHARDS)) // SHARDS
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def dealt(shards: list[Order], n_rows: int) -> Order:
    """An order of `n_rows` rows, dealt in turn from the orders of all shards."""
    order = np.empty(n_rows, np.int64)
    for number, rows in enumerate(shards):
        order[number::SHARDS] = rows[: len(order[number::SHARDS])]
    return order


def dealt_permutation(rng: np.random.Generator, n_rows: int, starts: Order | None = None) -> Order:
    """So many rows in an order that deals a permutation of each shard; `starts` says where each begins and ends."""
    starts = shard_starts(n_rows) if starts is None else starts
    return dealt([a + rng.permutation(b - a) for a, b in zip(starts[:-1], starts[1:], strict=True)], n_rows)


def taken(shard: Any, position: Any) -> Any:
    """Rows of a shard before a position of the order."""
    return (position + SHARDS - 1 - shard) // SHARDS


class ShardedTrainer(Trainer):
    """Trains a network on the ranks that are together where it is made; see `Trainer`.

    `set_data` takes all rows on each rank, of which a rank reads its own; `set_own_data` takes these alone.
    `batch_size` counts the rows of all ranks.

    Raises
    ------
    ValueError
        For layers that look at all rows of a batch, such as BatchNorm, which no rank has.
    """

    _starts: Order | None = None

    def _build(self) -> None:
        self._refuse_whole_batches()
        rows = training_rows(self.network.spec)
        if self.batch_size is not None:  # of one shard, so that what lies between the layers stays in the cache
            rows = min(rows, max(MIN_BLOCK, -(-self.batch_size // SHARDS)))
        sums = self._build_pair(rows)
        self._bind()
        gradient = self.memory[sums].view(self.network.dtype)
        self._session = ShardedSession(self._session, gradient, ranks())

    def _refuse_whole_batches(self) -> None:
        graph = self.network.graph
        for node, effects in effects_of(graph, self.network.frozen).items():
            if effects.needs_whole_batch or effects.updates_buffers:
                raise ValueError(
                    f"layer {graph.names[node]!r} ({type(node.layer).__name__}) computes from all rows of a batch, but "
                    "under mpiexec each rank has a part of them: use LayerNorm or no normalization, or train on one "
                    "machine where `with rosenblatt.distributed.alone():` holds"
                )

    def epochs_at_once(self, n_rows: int) -> int:
        """One, since no rank may go by how long its own epochs take."""
        return 1

    def set_own_data(self, starts: Order, X: Any, y: Any, sample_weight: NDArray[Any] | None = None) -> None:
        """`set_data` with the rows of this rank alone, where each shard begins and the last one ends at `starts`."""
        self._starts = starts
        try:
            self.set_data(X, y, sample_weight)
        finally:
            self._starts = None
        self._n_rows = int(starts[-1])

    def _sources_of(self, arrays: Mapping[str, Any]) -> list[_core.Source]:
        """The rows of this rank."""
        own, session = ranks().shards, self._session
        if self._starts is not None:
            session.starts = self._starts
        else:
            session.starts = shard_starts(next(iter(arrays.values())).shape[0])
            rows = slice(int(session.starts[own.start]), int(session.starts[own.stop]))
            arrays = {name: array[rows] for name, array in arrays.items()}
        session.weights = arrays.get("sample_weight")
        return sources_of(self.executable, self.network.graph, arrays)


Step = tuple[float, NDArray[np.float64], int, int]
"""1 / (sum of the weights), the slots, the seed, and the number of a step."""


@dataclass(frozen=True)
class Call:
    """What a call of `ShardedSession.train` was given; `end` is when rank 0 pauses, by `time.monotonic`."""

    memory: NDArray[np.uint8]
    sources: list[_core.Source]
    batch_size: int
    n_rows: int
    slots: NDArray[np.float64]
    seed: int
    first_step: int
    max_steps: int
    end: float

    def of_step(self, number: int, inverse_weight: float) -> Step:
        """What the programs get for a step, counted from the first of the call."""
        slots = self.slots[number] if self.slots.ndim == 2 else self.slots
        return inverse_weight, slots, self.seed, self.first_step + number


class ShardedSession:
    """What `rosenblatt._core.Session` does for a trainer, for the ranks together: the same call, the same results.

    Parameters
    ----------
    session : _core.Session
        Of a pair of programs, the first of which leaves sums in `gradient`.
    gradient : ndarray of shape (n,)
        All sums of a step, in the trainer's memory: the gradient and the loss.
    ranks : Ranks

    Attributes
    ----------
    starts : ndarray of int64
        Where each shard begins.
    weights : ndarray or None
        Of this rank's rows.
    losses, n_steps, position
        See `_core.Session`.
    """

    def __init__(self, session: Any, gradient: NDArray[Any], ranks: Ranks) -> None:
        self.session, self.gradient, self.ranks = session, gradient, ranks
        self.starts: Order = np.zeros(SHARDS + 1, np.int64)
        self.weights: NDArray[Any] | None = None
        self.losses: list[float] = []
        self.n_steps, self.position = 0, (0, 0.0)
        self.message = np.zeros(gradient.size + FLAGS, gradient.dtype)
        n_levels = len(ranks.shards).bit_length() - 1
        self._partial = [np.empty_like(gradient) for _ in range(n_levels)]

    def train(
        self,
        memory: NDArray[np.uint8],
        sources: list[_core.Source],
        batch_size: int,
        orders: NDArray[np.int64] | None,
        n_rows: int,
        slots: NDArray[np.float64],
        seed: int = 0,
        first_step: int = 0,
        n_epochs: int = 1,
        shuffle: bool = False,
        first_epoch: int = 0,
        position: tuple[int, float] = (0, 0.0),
        max_steps: int = 0,
        max_seconds: float = 0.0,
        min_rows: int = 1,
    ) -> tuple[list[float], int, bool]:
        """Whole epochs, or as far as they come; rank 0's clock counts `max_seconds`."""
        self.losses, self.n_steps, self.position = [], 0, position
        end = time.monotonic() + max_seconds if max_seconds and self.ranks.is_first else math.inf
        call = Call(memory, sources, batch_size, n_rows, slots, seed, first_step, max_steps, end)
        finished = True
        with self.ranks.held(), np.errstate(over="ignore", invalid="ignore"):  # a divergence is seen by the loss
            for i in range(n_epochs):
                if orders is not None:
                    own = self.own_rows(orders[i])
                else:
                    own = [self.own_order(shard, seed, first_epoch + i, shuffle) for shard in self.ranks.shards]
                finished = self._epoch(call, own)
                if not finished:
                    break
        return self.losses, self.n_steps, finished

    def own_order(self, shard: int, seed: int, epoch: int, shuffle: bool) -> Order:
        """The rows of a shard, counted from this rank's first, in the order of an epoch."""
        size = int(self.starts[shard + 1] - self.starts[shard])
        rows = np.random.default_rng([seed, epoch, shard]).permutation(size) if shuffle else np.arange(size)
        first = int(self.starts[shard] - self.starts[self.ranks.shards.start])
        return np.asarray(rows + first, np.int64)

    def own_rows(self, order: Order) -> list[Order]:
        """The part of an order that this rank has, shard by shard, counted from its first row."""
        for shard in range(SHARDS):  # all of them, so that all ranks refuse what one does
            rows = order[shard::SHARDS]
            if len(rows) and not (rows.min() >= self.starts[shard] and rows.max() < self.starts[shard + 1]):
                raise ValueError(f"the order of the rows does not deal those of shard {shard} at its turns")
        return [order[shard::SHARDS] - self.starts[self.ranks.shards.start] for shard in self.ranks.shards]

    def _epoch(self, call: Call, own: list[Order]) -> bool:
        """An epoch from the present position on; whether another may follow."""
        inverse_weights = self._inverse_weights(own, call.batch_size, call.n_rows)
        row, total = self.position
        paused = interrupted = False
        while row < call.n_rows and not (paused or interrupted):
            stop = min(call.n_rows, row + call.batch_size)
            how = call.of_step(self.n_steps, float(inverse_weights[row // call.batch_size]))
            self._add_up(call, own, row, stop, how)
            interrupted, paused = self._reduce(time.monotonic() >= call.end)
            loss = self.session.update(call.memory, *how)
            total, row, self.n_steps = total + loss * (stop - row), stop, self.n_steps + 1
            self.position = row, total
            if not math.isfinite(loss):
                break
            paused = paused or self.n_steps == call.max_steps
        finite = math.isfinite(total)
        if row >= call.n_rows or not finite:
            self.losses.append(total / row)
            self.position = 0, 0.0
        if interrupted and finite:
            self.ranks.raise_interrupt()
        return finite and not paused

    def _add_up(self, call: Call, own: list[Order], row: int, stop: int, how: Step) -> None:
        """Leave the sum over this rank's shards in `message`, added as a subtree of the tree over all shards.

        Between two shards, `_partial` holds the sums of the subtrees that are complete, one for each of its levels.
        """
        gradient, first = self.gradient, self.ranks.shards.start
        first_row = sum(taken(shard, stop) - taken(shard, row) for shard in range(first))
        for i, rows in enumerate(own):
            rows = rows[taken(first + i, row) : taken(first + i, stop)]
            self.session.gradient(call.memory, call.sources, rows, first_row, *how)
            first_row += len(rows)
            level = 0
            while i >> level & 1:
                np.add(self._partial[level], gradient, out=gradient)
                level += 1
            if i + 1 < len(own):
                self._partial[level][:] = gradient
        self.message[:-FLAGS] = gradient

    def _reduce(self, is_over: bool) -> tuple[bool, bool]:
        """Sum over all ranks, in one message; whether a rank was interrupted, and whether rank 0's time is over."""
        self.message[-FLAGS:] = self.ranks.interrupt is not None, is_over
        self.ranks.communicator.allreduce(self.message)
        self.gradient[:] = self.message[:-FLAGS]
        interrupted, is_over = self.message[-FLAGS:]
        return bool(interrupted), bool(is_over)

    def _inverse_weights(self, own: list[Order], batch_size: int, n_rows: int) -> NDArray[np.float64]:
        """1 / (sum of the weights of all rows) of each step, or of their number; 0 where all weights are 0."""
        edges = np.append(np.arange(0, n_rows, batch_size), n_rows)
        totals = np.diff(edges).astype(np.float64)
        if self.weights is not None:
            first = self.ranks.shards.start
            sums = [sums_between(self.weights, rows, taken(first + i, edges)) for i, rows in enumerate(own)]
            while len(sums) > 1:
                sums = [a + b for a, b in zip(sums[::2], sums[1::2], strict=True)]
            totals = sums[0]
            self.ranks.communicator.allreduce(totals)
        return np.divide(1.0, totals, out=np.zeros_like(totals), where=totals > 0)


def sums_between(weights: NDArray[Any], rows: Order, edges: Order) -> NDArray[np.float64]:
    """The sums of the weights of these rows, from each edge to the next."""
    ordered = np.append(weights[rows].astype(np.float64), 0.0)  # with an end that the last edge can name
    sums = np.add.reduceat(ordered, edges[:-1])
    return np.where(np.diff(edges) > 0, sums, 0.0)
