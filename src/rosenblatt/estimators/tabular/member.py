"""One member of an ensemble: a network trained on some rows, its best epoch chosen on others.

Takes data, a problem, settings and row numbers. Returns a `Member` with the parameters of its best epoch. Never decides
anything about other members, and never reads rows that it was not given.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rosenblatt import nn
from rosenblatt.distributed.jobs import Jobs, Threads
from rosenblatt.distributed.ranks import ranks
from rosenblatt.estimators.callbacks import FitTasks
from rosenblatt.estimators.tabular.architecture import NetworkWithRates, Settings, design_network
from rosenblatt.estimators.tabular.checkpoints import FitCheckpoints
from rosenblatt.estimators.tabular.held_out import HeldOutRows
from rosenblatt.estimators.tabular.member_units import MemberUnits
from rosenblatt.estimators.tabular.problem import Data, Problem, Rows
from rosenblatt.estimators.tabular.row_ranges import RowNumbers
from rosenblatt.tables.first_pass import Heard, unheard
from rosenblatt.training.checkpoint import fingerprint_of
from rosenblatt.training.early_stopping import BestEpoch
from rosenblatt.training.learning_rates import LearningRates
from rosenblatt.training.loop import Outcome, RowOrders, TrainingLoop
from rosenblatt.training.sharded import SHARDED
from rosenblatt.training.trainer import DivergenceError, Trainer

__all__ = ["FitBudget", "Member", "MemberEpoch", "check_fold_weights", "train_member"]

Array = NDArray[Any]
FEW_ROWS = 16
"""With fewer training rows a divergence is blamed on their number."""
POLL_SECONDS = 0.1
"""Training time between looks at whether it has to end."""
AnyTrainer = TypeVar("AnyTrainer", bound=Trainer)


@dataclass(frozen=True)
class Member:
    """A network with the parameters of its best epoch, and how it was trained."""

    network: nn.Network
    held_out: NDArray[np.int64]  # rows that it was not trained on
    predictions: Array  # for these rows, (n_held_out, n)
    curve: list[tuple[float, float]]  # training loss, and metric on the held-out rows, after each epoch
    best_epoch: int  # counted from 1; the last one of several that are equally good
    epoch_seconds: float = math.inf  # of the fastest epoch, including the predictions for the held-out rows
    diverged: bool = False  # whether an infinite loss or prediction ended the training after the best epoch


@dataclass(frozen=True)
class MemberEpoch:
    """The progress of a member's training.

    Attributes
    ----------
    member, members : int
        Number of the member, counted from 1, and number of members.
    number, epochs : int
        The epoch that is over, counted from 1, and the largest number of epochs.
    training_loss, held_out : float
        The mean loss of its steps (NaN if the time ended within the epoch), and the metric on held-out rows (the
        smaller the better).
    best : int
        The best epoch so far.
    """

    member: int
    members: int
    number: int
    epochs: int
    training_loss: float
    held_out: float
    best: int

    def __str__(self) -> str:
        loss = f"loss {self.training_loss:.4f}" if math.isfinite(self.training_loss) else "cut off by the time limit"
        return (
            f"network {self.member} of {self.members}, epoch {self.number:>3} of {self.epochs}: {loss}, "
            f"held-out {self.held_out:.4f}, best epoch {self.best}"
        )


@dataclass
class FitBudget:
    """What all members have together: the time, who hears of their epochs, and where they are kept."""

    deadline: float = math.inf  # `time.monotonic` at which training ends, after an epoch or within the first
    on_epoch: Callable[[MemberEpoch], object] | None = None  # called by one thread at a time
    show: Callable[[MemberEpoch], object] | None = None  # likewise, also for the last epoch of an earlier process
    begin: Callable[..., FitTasks] = lambda **how: FitTasks()  # tells scikit-learn's callbacks that training begins
    tasks: FitTasks = field(default_factory=FitTasks)  # what they hear of
    rebuild: Callable[[Member], dict[str, Any]] = lambda member: {}  # attributes of an estimator of this member alone
    checkpoints: FitCheckpoints | None = None
    jobs: Jobs = field(default_factory=Threads)  # where members are trained
    members: int = 1
    stopped: threading.Event = field(default_factory=threading.Event)  # set to end all; their best epochs are kept
    cancelled: Callable[[], bool] = lambda: False  # whether the caller wants nothing any more
    n_epochs: int = 0  # that are over, of all members
    passed: Heard = unheard  # hears of passes over a table that is larger than memory
    resources: ExitStack = field(default_factory=ExitStack)  # closed when the fit ends
    lock: threading.RLock = field(default_factory=threading.RLock)

    def left(self) -> float:
        """Seconds that remain."""
        return self.deadline - time.monotonic()

    @staticmethod
    def deadline_in(seconds: float) -> float:
        """The deadline that is so many seconds away."""
        return time.monotonic() + seconds

    def seconds_to_run(self) -> float:
        """Seconds that a member may train before it asks again; `KeyboardInterrupt` if all have to end."""
        if self.stopped.is_set() or self.cancelled():
            raise KeyboardInterrupt
        return ranks().until(lambda: min(POLL_SECONDS, self.left()))

    def resume(self, checkpoints: FitCheckpoints) -> None:
        """Keep the fit there, and take no more time than an earlier process left."""
        self.checkpoints = checkpoints
        if checkpoints.seconds_left is not None:
            self.deadline = min(self.deadline, time.monotonic() + checkpoints.seconds_left)

    def must_train(self, number: int) -> bool:
        """Whether the member `number`, counted from 1, is trained, or read where it is kept.

        The first one always is. The others are not when the time is over, or all have to end.
        """
        kept = self.checkpoints is not None and self.checkpoints.has_member(number)
        return not self.stopped.is_set() and (number == 1 or kept or ranks().until(self.left) > 0)

    def heard(self, what: str, done: int, n_rows: int) -> None:
        """So many rows of a pass are behind; `KeyboardInterrupt` if the caller wants nothing any more."""
        if self.cancelled():
            raise KeyboardInterrupt
        ranks().until(lambda: 0.0)  # an interrupt of one rank is one of all
        self.passed(what, done, n_rows)

    def report(self, loop: TrainingLoop, number: int, epochs: int, *, resumed: bool = False) -> None:
        """Count an epoch of the member `number`, or those of an earlier process, and say so."""
        losses, values = loop.history["loss"], loop.history["val_loss"]
        self.tell(
            MemberEpoch(number, self.members, loop.epoch, epochs, losses[-1], values[-1], best_epoch(values)), resumed
        )

    def tell(self, epoch: MemberEpoch, resumed: bool) -> None:
        """Count an epoch, or with `resumed` all those of an earlier process up to it, and say so."""
        with self.lock:
            self.n_epochs += epoch.number if resumed else 1
            if self.show is not None:
                self.show(epoch)
            if not resumed:
                try:
                    ranks().first(lambda: self._tell(epoch))
                except KeyboardInterrupt:  # as if it came from the keyboard: all end, and are kept as they are
                    self.stopped.set()
                    raise
            if self.checkpoints is not None:
                self.checkpoints.note(self.left())

    def _tell(self, epoch: MemberEpoch) -> None:
        if self.on_epoch is not None:
            self.on_epoch(epoch)


def train_member(
    data: Data,
    problem: Problem,
    settings: Settings,
    training: RowNumbers,
    held_out: NDArray[np.int64],
    seed: int,
    budget: FitBudget | None = None,
    number: int = 1,
) -> Member:
    """Train one network on the rows `training`; `seed` draws initial weights, row orders and masks.

    Raises `DivergenceError` if the loss or a prediction is not finite in the first epoch. Later it only ends training.
    If `budget.stopped` is set, the unfinished epoch is dropped; `KeyboardInterrupt` is raised if it is the first one.
    """
    budget = budget or FitBudget()
    check_fold_weights(data, (training, held_out), number)
    rows = data.training_rows(training)
    units = problem.units_of(data, rows)
    held = held_out_rows(data, problem, units, held_out)
    design = design_network(data.preparation, problem.n_outputs, problem.output, settings, seed, rows.sample)
    batch_size = settings.rows_per_step(len(training))
    make = partial(trainer_of, design, problem, settings, batch_size, data.weighted, seed)
    trainer, orders = rows.given_to(make, batch_size, units.encode, np.random.default_rng([seed, 2]), held)
    identity = identity_of(design.network, (rows.identity(), held.rows), settings, problem, seed)
    alone = lambda twin, loop: rebuilt(budget, units.share(twin), loop)  # noqa: E731
    tasks = budget.tasks.begin_member(number, settings.epochs, alone)
    loop = loop_of(trainer, orders, held, settings, budget, number, tasks, identity)
    if loop.epoch:
        budget.report(loop, number, settings.epochs, resumed=True)
    try:
        outcome = loop.run()
    finally:
        trainer.release_data()
    if outcome is Outcome.INTERRUPTED and ranks().are_together:  # which all ranks see here
        budget.stopped.set()
    if outcome is Outcome.INTERRUPTED and (loop.best is None or not budget.stopped.is_set()):
        raise KeyboardInterrupt
    if loop.best is None:
        raise DivergenceError(f"{loop.failure}. {divergence_advice(len(training), settings.learning_rate)}")
    predictions = held.predictions(design.network)
    network = units.share(design.network.copy())  # out of the trainer's memory
    member = member_of(loop, network, held_out, predictions)
    tasks.end(lambda: rebuilt(budget, network, loop))
    return member


def held_out_rows(data: Data, problem: Problem, units: MemberUnits, rows: NDArray[np.int64]) -> HeldOutRows:
    """The rows that a member holds out, and how it predicts them."""
    groups, times = (None if of is None else of[rows] for of in (data.held_out.groups, data.held_out.times))
    decode = lambda outputs: problem.decode(units.decode(outputs))  # noqa: E731
    return HeldOutRows(data.held_out.take(rows), problem.metric, decode, groups, times)


def loop_of(
    trainer: Trainer,
    orders: RowOrders,
    held: HeldOutRows,
    settings: Settings,
    budget: FitBudget,
    number: int,
    tasks: FitTasks,
    identity: Callable[[], dict[str, str]],
) -> TrainingLoop:
    """The loop of a member, which continues that of an earlier process."""
    network = trainer.network
    told = tasks.callbacks(network)

    def tell(loop: TrainingLoop) -> bool:
        answers = ranks().first(lambda: [callback(loop) for callback in told])  # all of them are called
        return any(answers)

    loop = TrainingLoop(
        *(trainer, settings.epochs, BestEpoch(), LearningRates(settings.learning_rate, nn.CosLog(4))),
        measure=lambda: held.measure(network, loop.epoch + 1),
        before_epoch=tasks.begin_epoch,
        callbacks=[lambda loop: budget.report(loop, number, settings.epochs), tell],
        rows=orders,
        seconds_left=budget.seconds_to_run,
        keep_interrupted=True,
        checkpoints=None if budget.checkpoints is None else budget.checkpoints.member(number, identity()),
    )
    return loop


def rebuilt(budget: FitBudget, network: nn.Network, loop: TrainingLoop) -> dict[str, Any]:
    """The attributes of an estimator that predicts by this network alone, and has the history of its loop."""
    member = member_of(loop, network, np.empty(0, np.int64), np.empty((0, network.graph.n_outputs)))
    return {"network": network, **budget.rebuild(member)}


def identity_of(
    network: nn.Network, rows: tuple[Any, Rows], settings: Settings, problem: Problem, seed: int
) -> Callable[[], dict[str, str]]:
    """What the checkpoint of a member belongs to, which is computed when it is asked for."""

    def identity() -> dict[str, str]:
        said = {**asdict(settings), "loss": problem.loss, "seed": seed, **(SHARDED if ranks().are_together else {})}
        return fingerprint_of(said, {"rows": rows[0], "held-out rows": rows[1], "starting weights": network.block})

    return identity


def member_of(loop: TrainingLoop, network: nn.Network, held_out: NDArray[np.int64], predictions: Array) -> Member:
    """The member that a loop has trained."""
    diverged = loop.outcome is Outcome.DIVERGED
    values = loop.history["val_loss"][: loop.epoch - diverged]
    curve = list(zip(loop.history["loss"], values, strict=False))
    return Member(network, held_out, predictions, curve, best_epoch(values), loop.epoch_seconds, diverged)


def divergence_advice(n_rows: int, learning_rate: float) -> str:
    """What a user can do if training on so many rows diverges in its first epoch."""
    few = f"There are only {n_rows} training rows: give more." if n_rows < FEW_ROWS else ""
    return f"{few or 'Are there extreme target values?'} Try a smaller learning_rate_init (now {learning_rate:g})."


def check_fold_weights(data: Data, fold: tuple[RowNumbers, NDArray[np.int64]], number: int) -> None:
    """Refuse a fold of the network `number` if all weights of its training rows, or of its held-out rows, are zero."""
    what = ("training rows", "there is nothing to learn"), ("held-out rows", "they cannot choose its best epoch")
    for part, rows, (name, consequence) in zip((data, data.held_out), fold, what, strict=True):
        if not part.any_weight(rows):
            raise ValueError(
                f"the weights of all {len(rows)} {name} of network {number} are zero, so {consequence}. Leave rows of "
                "weight zero out, or set fewer members."
            )


def best_epoch(values: list[float]) -> int:
    """The number of the last of the best epochs, counted from 1."""
    return len(values) - int(np.nanargmin(values[::-1]))


def trainer_of(
    design: NetworkWithRates,
    problem: Problem,
    settings: Settings,
    batch_size: int,
    weighted: bool,
    seed: int,
    kind: type[AnyTrainer],
) -> AnyTrainer:
    """The trainer of a member, of this class and without data."""
    return kind(
        design.network,
        problem.loss,
        nn.Adam(beta_2=settings.beta_2, weight_decay=settings.weight_decay),
        batch_size=batch_size,
        weighted=weighted,
        learning_rate_factors=design.learning_rate_factors,
        weight_decay_factors=design.weight_decay_factors,
        anneal_regularization=True,
        per_batch=False,
        seed=seed,
    )
