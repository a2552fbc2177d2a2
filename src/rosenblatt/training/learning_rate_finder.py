"""The learning-rate range test (Smith 2015): train with a rate that grows from tiny to far too large.

Goes in: a network, its loss, data. Comes out: rates, losses and a suggestion. The network is not changed, and nothing
is ever applied by itself: look at the curve.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rosenblatt.nn.network import Network
from rosenblatt.nn.objective import LossGiven
from rosenblatt.nn.optimizers import Optimizer, optimizer_named
from rosenblatt.training.fitting import default_loss
from rosenblatt.training.trainer import Trainer

__all__ = ["RateRange", "find_learning_rate"]


@dataclass(frozen=True)
class RateRange:
    """What a range test found.

    Attributes
    ----------
    rates, losses, smoothed : list of float
        For each step: the rate, the loss of its batch, and their exponential average.
    suggestion : float
        The rate of the steepest fall of the smoothed loss before its minimum.
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    suggestion: float


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
    """Try learning rates from `low` to `high`, each a constant factor above the one before.

    Parameters
    ----------
    network : Network
        A copy of it is trained.
    X, y, loss, optimizer, batch_size, seed
        As for `rosenblatt.training.fit`.
    low, high : float
        0 < low < high.
    steps : int
        At least 10.
    smoothing : float in [0, 1)
        Share that the average keeps of itself.

    Returns
    -------
    RateRange
        Ends early where the smoothed loss exceeds four times its minimum.
    """
    if not 0 < low < high < math.inf:
        raise ValueError(f"rates go from {low} to {high}; needed: 0 < low < high")
    if steps < 10:
        raise ValueError(f"steps is {steps}; it must be at least 10")
    twin = network.copy()
    optimizer = optimizer_named(optimizer) if isinstance(optimizer, str) else optimizer
    trainer = Trainer(twin, loss or default_loss(twin.graph), optimizer, batch_size=batch_size, seed=seed)
    trainer.set_data(X, y)
    rates = np.geomspace(low, high, steps)
    losses: list[float] = []
    smoothed: list[float] = []
    average = 0.0
    rng = np.random.default_rng(seed)
    for i, rate in enumerate(rates):
        batch = rng.permutation(trainer.n_rows)[: min(batch_size, trainer.n_rows)]
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
            f"the loss was not finite after {len(losses)} steps, from a rate of {low:g} on: scale the inputs"
        )
    return RateRange(rates[: len(losses)].tolist(), losses, smoothed, suggest(rates[: len(losses)], smoothed))


def suggest(rates: Any, smoothed: list[float]) -> float:
    """The rate at the steepest fall over the logarithm of the rate, before the minimum."""
    n = len(smoothed)
    half = max(2, n // 12)  # slopes are those of lines through so many neighbours on each side: single steps are noise
    end = max(2 * half + 1, int(np.argmin(smoothed)) + 1)
    places = range(half, max(half + 1, end - half))
    logs, values = np.log(rates), np.asarray(smoothed)
    slopes = [np.polyfit(logs[i - half : i + half + 1], values[i - half : i + half + 1], 1)[0] for i in places]
    return float(rates[places[int(np.argmin(slopes))]])
