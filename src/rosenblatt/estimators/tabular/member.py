"""One member of an ensemble: a network trained on some rows, its best epoch chosen on others.

Goes in: a design, inputs and targets, row numbers. Comes out: a `Member`, whose parameters are those of its best epoch.
It decides nothing about other members and never looks at rows that it was not given.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt import nn
from rosenblatt.estimators.tabular.architecture import INITIAL_ROWS, NetworkWithRates, Settings, design_network, feed
from rosenblatt.training.fitting import annealing_strength
from rosenblatt.training.trainer import DivergenceError, Trainer

__all__ = ["Course", "Data", "Epoch", "Member", "Problem", "train_member"]

Array = NDArray[Any]
Metric = Callable[[Array, Array, Array | None], float]
"""``metric(target, prediction, weights)``: the smaller the better."""


@dataclass(frozen=True)
class Problem:
    """What the networks of an ensemble are for.

    Attributes
    ----------
    n_outputs : int
    output : str
        Output activation.
    loss : Loss
        What is minimized.
    metric : callable
        What the best epoch is chosen by: of targets, predictions and weights, the smaller the better.
    read : callable
        From outputs to predictions.
    """

    n_outputs: int
    output: str
    loss: Any
    metric: Metric
    read: Callable[[Array], Array] = np.asarray


@dataclass(frozen=True)
class Data:
    """A prepared table, its targets (labels int32 [n] or float32 [n, k]) and weights of the rows."""

    preparation: Any
    prepared: Any
    y: Array
    weights: Array | None = None

    def take(self, rows: NDArray[np.int64]) -> tuple[dict[str, Any], Array, Array | None]:
        """Inputs, targets and weights of some rows."""
        weights = None if self.weights is None else np.ascontiguousarray(self.weights[rows])
        return feed(self.prepared, rows), np.ascontiguousarray(self.y[rows]), weights


@dataclass(frozen=True)
class Member:
    """A trained network.

    Attributes
    ----------
    network : Network
        With the parameters of the best epoch.
    held_out : ndarray of int64
        Rows that it was not trained on.
    predictions : ndarray of shape (n_held_out, n)
        Of those rows.
    curve : list of (float, float)
        Training loss, and metric on the held-out rows, after each epoch.
    best_epoch : int
        Counted from 1; of equally good ones the last.
    epoch_seconds : float
        The quickest epoch, with its look at the held-out rows.
    diverged : bool
        Whether an infinite loss or prediction ended the training; then the best epoch came before.
    """

    network: nn.Network
    held_out: NDArray[np.int64]
    predictions: Array
    curve: list[tuple[float, float]]
    best_epoch: int
    epoch_seconds: float = math.inf
    diverged: bool = False


@dataclass(frozen=True)
class Epoch:
    """How far the training of a member has come.

    Attributes
    ----------
    member, members : int
        Which one of how many, counted from 1.
    number, epochs : int
        The epoch that is over, counted from 1, and how many there may be.
    training_loss, held_out : float
        The mean loss of its steps; the metric on held-out rows, the smaller the better.
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
        return (
            f"network {self.member} of {self.members}, epoch {self.number:>3} of {self.epochs}: loss "
            f"{self.training_loss:.4f}, held-out {self.held_out:.4f}, best epoch {self.best}"
        )


@dataclass
class Course:
    """When all members have to be done, and who is told of their epochs.

    Attributes
    ----------
    deadline : float
        `time.monotonic` at which training ends, after an epoch, or within the first.
    on_epoch : callable, optional
        Called with an `Epoch`, by one thread at a time.
    members : int
    stopped : threading.Event
        Set when members shall end after their present epoch.
    n_told : int
        Epochs that are over.
    """

    deadline: float = math.inf
    on_epoch: Callable[[Epoch], object] | None = None
    members: int = 1
    stopped: threading.Event = field(default_factory=threading.Event)
    n_told: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def left(self) -> float:
        """Seconds that remain."""
        return 0.0 if self.stopped.is_set() else self.deadline - time.monotonic()

    def tell(self, epoch: Epoch) -> None:
        """Count an epoch and pass it on."""
        with self.lock:
            self.n_told += 1
            if self.on_epoch is not None:
                self.on_epoch(epoch)


def train_member(
    data: Data,
    problem: Problem,
    settings: Settings,
    training: NDArray[np.int64],
    held_out: NDArray[np.int64],
    seed: int,
    course: Course | None = None,
    number: int = 1,
) -> Member:
    """Train one network.

    Parameters
    ----------
    training, held_out : ndarray of int64
        Row numbers.
    seed : int
        Of initial weights, row orders and masks.
    course : Course, optional
    number : int
        Of the member, for `Epoch`.

    Raises
    ------
    DivergenceError
        If the loss or a prediction is not finite in the first epoch; later ones only end the training.
    """
    course = course or Course()
    (X, y, weights), (X_held, y_held, weights_held) = data.take(training), data.take(held_out)
    sample = feed(data.prepared, training[:INITIAL_ROWS])
    design = design_network(data.preparation, problem.n_outputs, problem.output, settings, seed, sample)
    network, rng = design.network, np.random.default_rng([seed, 2])
    batch_size = settings.rows_per_step(len(y))
    trainer = trainer_of(design, problem, settings, batch_size, weights is not None, seed)
    trainer.set_data(X, y, weights)
    n_steps = len(y) // batch_size  # the rest of the rows is left out, each epoch others
    t = np.arange(n_steps * settings.epochs) / (n_steps * settings.epochs)
    rates, strength = learning_rates(settings.learning_rate, t), annealing_strength(t)
    best, best_value, best_epoch, quickest = network.block.copy(), math.inf, 0, math.inf
    curve: list[tuple[float, float]] = []
    diverged = False
    for epoch in range(settings.epochs):
        now = slice(epoch * n_steps, (epoch + 1) * n_steps)
        order = rng.permutation(len(y))[: n_steps * batch_size].astype(np.int64)
        began, left = time.monotonic(), course.left()
        if curve and left <= 0:
            break
        limit = 0.0 if math.isinf(left) else max(left, 1e-3)
        losses = trainer.epochs(1, rates[now], order[None], regularization=strength[now], max_seconds=limit)
        predictions = network.predict(X_held)
        if (losses and not math.isfinite(losses[0])) or not np.isfinite(predictions).all():
            diverged = True
            break
        value = problem.metric(y_held, problem.read(predictions), weights_held)
        curve.append((losses[0] if losses else math.nan, value))
        if value <= best_value:
            best, best_value, best_epoch = network.block.copy(), value, epoch + 1
        course.tell(Epoch(number, course.members, epoch + 1, settings.epochs, *curve[-1], best_epoch))
        if not losses:
            break
        quickest = min(quickest, time.monotonic() - began)
    if best_epoch == 0:
        raise DivergenceError(
            "The loss, or a prediction, became infinite or NaN in the first epoch. Are there extreme target values? "
            f"Try a smaller learning_rate (now {settings.learning_rate:g})."
        )
    trainer.release_data()
    network = network.copy()  # out of the trainer's memory
    network.block[...] = best
    return Member(network, held_out, problem.read(network.predict(X_held)), curve, best_epoch, quickest, diverged)


def trainer_of(
    design: NetworkWithRates, problem: Problem, settings: Settings, batch_size: int, weighted: bool, seed: int
) -> Trainer:
    """The trainer of a member, without data."""
    return Trainer(
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


def learning_rates(peak: float, t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Four cycles that double in length, each falling to zero: peak / 2 * (1 - cos(2 pi log2(1 + 15 t)))."""
    return np.asarray(peak * 0.5 * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * t))))
