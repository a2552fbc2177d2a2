"""The learning-rate range test (Smith 2015): train with a rate that grows from tiny to far too large.

Takes a network, its loss and data. Returns rates, losses and a suggested rate. Never changes the network or applies the
suggestion: look at the curve first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rosenblatt._checks import check_count, check_number
from rosenblatt._suggestions import suggest_keywords
from rosenblatt.nn.objective import LossGiven
from rosenblatt.nn.optimizers import OPTIMIZERS, Optimizer
from rosenblatt.training.fitting import default_loss
from rosenblatt.training.trainer import Trainer

if TYPE_CHECKING:
    from rosenblatt.nn.network import Network

__all__ = ["RateRange", "check_range_test", "find_learning_rate", "range_test"]


@dataclass(frozen=True, repr=False)
class RateRange:
    """The result of a range test.

    Attributes
    ----------
    rates, losses, smoothed : list of float
        For each step, the learning rate, the loss of its batch, and the exponential average of these losses.
    suggestion : float
        The rate at which the smoothed loss falls most steeply, before its minimum.
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    suggestion: float

    def __repr__(self) -> str:
        n = len(self.rates)
        return (
            f"RateRange(suggestion={self.suggestion:.3g}, {n} rates from {self.rates[0]:.3g} to {self.rates[-1]:.3g})"
        )


@suggest_keywords
def find_learning_rate(
    network: Network,
    X: Any,
    y: Any,
    *,
    loss: LossGiven | Mapping[str, LossGiven] | None = None,
    optimizer: str | Optimizer = "adam",
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 200,
    batch_size: int = 32,
    seed: int = 0,
    smoothing: float = 0.95,
) -> RateRange:
    """Try learning rates from `low` to `high`, each a constant factor above the previous one.

    Parameters
    ----------
    network : Network
        The network to test. Only a copy of it is trained.
    X, y, loss, optimizer
        The same as for `rosenblatt.training.fit`.
    low, high : float
        The first and the last rate, with 0 < low < high.
    steps : int
        Number of rates, at least 10. Each is used for one batch.
    batch_size, seed
        The same as for `rosenblatt.training.fit`.
    smoothing : float in [0, 1)
        Share of its previous value that the exponential average of the losses keeps in each step.

    Returns
    -------
    RateRange
        The rates and losses. They end early if the smoothed loss exceeds four times its minimum.

    Raises
    ------
    ValueError
        If the rates or the number of steps are out of range, or the loss is not finite within the first 10 steps.
    """
    twin = network.copy()
    optimizer = OPTIMIZERS.resolve(optimizer)
    trainer = Trainer(twin, loss or default_loss(twin.graph), optimizer, batch_size=batch_size, seed=seed)
    trainer.set_data(X, y)
    return range_test(trainer, low=low, high=high, steps=steps, smoothing=smoothing, seed=seed)


def range_test(
    trainer: Trainer,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 200,
    smoothing: float = 0.95,
    seed: int = 0,
) -> RateRange:
    """The test with a trainer that holds data; its network is trained, so give a copy. See `find_learning_rate`."""
    check_range_test(low, high, steps, smoothing)
    batch_size = min(trainer.batch_size or trainer.n_rows, trainer.n_rows)
    rates = np.geomspace(low, high, steps)
    losses: list[float] = []
    smoothed: list[float] = []
    average = 0.0
    rng = np.random.default_rng(seed)
    for i, rate in enumerate(rates):
        batch = rng.permutation(trainer.n_rows)[:batch_size]
        value = trainer.epoch(batch, float(rate))
        if not math.isfinite(value):
            break
        average = smoothing * average + (1 - smoothing) * value
        losses.append(value)
        smoothed.append(average / (1 - smoothing ** (i + 1)))
        if i > steps // 10 and smoothed[-1] > 4 * min(smoothed):
            break
    if len(losses) < 10:
        raise ValueError(
            f"the loss was not finite after {len(losses)} steps, starting from a rate of {low:g}: scale the inputs"
        )
    return RateRange(rates[: len(losses)].tolist(), losses, smoothed, suggest(rates[: len(losses)], smoothed))


def check_range_test(low: float, high: float, steps: int, smoothing: float) -> None:
    """Refuse numbers with which there is no test."""
    for name, value in (("low", low), ("high", high)):
        check_number(name, value, 0)
    if not 0 < low < high < math.inf:
        raise ValueError(f"low is {low} and high is {high}; they must satisfy 0 < low < high")
    check_count("steps", steps, 10)
    check_number("smoothing", smoothing, 0, 1, below=True)


def suggest(rates: Any, smoothed: list[float]) -> float:
    """The rate where the loss falls most steeply over the logarithm of the rate, before its minimum."""
    n = len(smoothed)
    half = max(2, n // 12)  # single steps are noisy: fit a line through so many neighbours on each side
    end = max(2 * half + 1, int(np.argmin(smoothed)) + 1)
    places = range(half, max(half + 1, end - half))
    logs, values = np.log(rates), np.asarray(smoothed)
    slopes = [np.polyfit(logs[i - half : i + half + 1], values[i - half : i + half + 1], 1)[0] for i in places]
    return float(rates[places[int(np.argmin(slopes))]])
