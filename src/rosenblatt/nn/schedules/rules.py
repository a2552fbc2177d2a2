"""Learning-rate schedules: the rate of each step, as an array.

Takes the base rate and the numbers of some steps. Returns their rates. A schedule is a pure function of the
step's number, so that it is the same whichever steps it is asked for, and after an interruption; `Plateau` alone
depends on results, through a state that its caller keeps. Times are in epochs, which may be fractions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import ClassVar

import numpy as np

from rosenblatt._checks import check_fields
from rosenblatt.nn.schedules.base import Rates, Schedule, Steps, numbers_of

__all__ = [
    "ConstantRate",
    "CosLog",
    "Cosine",
    "Exponential",
    "OneCycle",
    "Piecewise",
    "Plateau",
    "PlateauState",
    "Power",
    "Warmup",
]


@dataclass(frozen=True)
class ConstantRate:
    """The base rate in every step."""

    name: ClassVar[str] = "constant"

    def rates(self, base: float, steps: Steps, steps_per_epoch: int, total_steps: int) -> Rates:
        """See `Schedule.rates`."""
        return np.full(steps.shape, base, np.float64)


@dataclass(frozen=True)
class Exponential:
    """base * factor ** (epoch / epochs): the rate falls to `factor` of itself in every `epochs` epochs.

    Parameters
    ----------
    factor : float
        In (0, 1].
    epochs : float
        Number of epochs, above 0.
    """

    name: ClassVar[str] = "exponential"
    factor: float = 0.1
    epochs: float = 20.0

    def __post_init__(self) -> None:
        check_fields(self, "factor", low=0, high=1, above=True)
        check_fields(self, "epochs", low=0, above=True)

    def rates(self, base: float, steps: Steps, steps_per_epoch: int, total_steps: int) -> Rates:
        """See `Schedule.rates`."""
        return np.asarray(base * self.factor ** (steps / (steps_per_epoch * self.epochs)))


@dataclass(frozen=True)
class Power:
    """base / (1 + epoch / epochs) ** exponent.

    Parameters
    ----------
    epochs : float
        Number of epochs after which an exponent of 1 halves the rate; above 0.
    exponent : float
        Above 0.
    """

    name: ClassVar[str] = "power"
    epochs: float = 10.0
    exponent: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self, "epochs", "exponent", low=0, above=True)

    def rates(self, base: float, steps: Steps, steps_per_epoch: int, total_steps: int) -> Rates:
        """See `Schedule.rates`."""
        return np.asarray(base / (1 + steps / (steps_per_epoch * self.epochs)) ** self.exponent)


@dataclass(frozen=True)
class Piecewise:
    """base * factors[i] from ``boundaries[i]`` epochs on; before the first boundary the base rate.

    Parameters
    ----------
    boundaries : tuple of float
        Epochs, above 0 and increasing.
    factors : tuple of float
        As many factors of the base rate, each above 0.
    """

    name: ClassVar[str] = "piecewise"
    boundaries: tuple[float, ...] = (30.0, 60.0)
    factors: tuple[float, ...] = (0.1, 0.01)

    def __post_init__(self) -> None:
        for name in ("boundaries", "factors"):
            object.__setattr__(self, name, numbers_of(self, name))  # a list would make it unhashable
        if len(self.boundaries) != len(self.factors):
            raise ValueError(
                f"Piecewise: {len(self.boundaries)} boundaries and {len(self.factors)} factors; give equally many"
            )
        if not all(a < b for a, b in pairwise((0.0, *self.boundaries))):  # NaN too
            raise ValueError(f"Piecewise: boundaries are {self.boundaries}; they must be positive epochs that increase")
        if not all(0 < factor < math.inf for factor in self.factors):
            raise ValueError(f"Piecewise: factors are {self.factors}; they must be greater than 0, and finite")

    def rates(self, base: float, steps: Steps, steps_per_epoch: int, total_steps: int) -> Rates:
        """See `Schedule.rates`."""
        part = np.searchsorted(np.asarray(self.boundaries), steps / steps_per_epoch, side="right")
        return np.asarray(base * np.array([1.0, *self.factors])[part])


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from the base rate to `final` times it, over the whole training; `cycles` times, with restarts.

    Loshchilov and Hutter (2017), "SGDR".

    Parameters
    ----------
    final : float
        Last rate as a share of the base rate, in [0, 1].
    cycles : int
        Number of times that the rate falls, from 1 to 1000.
    """

    name: ClassVar[str] = "cosine"
    final: float = 0.0
    cycles: int = 1
    runs_to_completion: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_fields(self, "final", low=0, high=1)
        check_fields(self, "cycles", low=1, high=1000, whole=True)

    def rates(self, base: float, steps: Steps, steps_per_epoch: int, total_steps: int) -> Rates:
        """See `Schedule.rates`."""
        # The remainder of whole numbers, as a rounded share of all steps could miss the first step of a cycle.
        t = np.where(steps >= total_steps, 1.0, steps * self.cycles % total_steps / total_steps)
        return np.asarray(base * (self.final + (1 - self.final) * 0.5 * (1 + np.cos(np.pi * t))))


@dataclass(frozen=True)
class Warmup:
    """From near zero to the base rate in a straight line over `epochs`; then `then`, as if training began there.

    Parameters
    ----------
    epochs : float
        Length of the line, above 0.
    then : Schedule or str
        What follows; any schedule but `Plateau`.
    """

    name: ClassVar[str] = "warmup"
    epochs: float = 5.0
    then: Schedule = field(default_factory=ConstantRate)  # or a name

    def __post_init__(self) -> None:
        check_fields(self, "epochs", low=0, above=True)
        if isinstance(self.then, str) and self.then in AFTER_WARMUP:
            object.__setattr__(self, "then", AFTER_WARMUP[self.then]())
        if not isinstance(self.then, Schedule) or isinstance(self.then, (type, Plateau)):
            raise ValueError(
                f"Warmup: then is {self.then!r}; it must be {', '.join(AFTER_WARMUP)}, or an instance of "
                "a schedule other than Plateau"
            )

    def rates(self, base: float, steps: Steps, steps_per_epoch: int, total_steps: int) -> Rates:
        """See `Schedule.rates`."""
        n = max(1, round(min(self.epochs * steps_per_epoch, 2.0**53)))  # no training has more steps
        later = self.then.rates(base, np.maximum(steps - n, 0), steps_per_epoch, max(1, total_steps - n))
        return np.where(steps < n, base * (steps + 1) / n, later)


@dataclass(frozen=True)
class OneCycle:
    """Up to the base rate, then down far below where it began, along cosines (Smith 2018), as in PyTorch's OneCycleLR.

    Parameters
    ----------
    peak : float
        Share of the steps until the base rate, the largest, is reached.
    start : float
        First rate, as a share of the base rate.
    final : float
        Last rate, as a share of the first one.
    """

    name: ClassVar[str] = "one_cycle"
    peak: float = 0.3
    start: float = 0.04
    final: float = 1e-4
    runs_to_completion: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_fields(self, "peak", "start", "final", low=0, high=1, above=True)

    def rates(self, base: float, steps: Steps, steps_per_epoch: int, total_steps: int) -> Rates:
        """See `Schedule.rates`."""
        top, last = self.peak * total_steps - 1, total_steps - 1
        first, end = base * self.start, base * self.start * self.final
        up = np.clip(steps / top, 0, 1) if top > 0 else np.ones(steps.shape)
        down = np.clip((steps - top) / (last - top), 0, 1) if last > top else np.zeros(steps.shape)
        rising = base + (first - base) * 0.5 * (1 + np.cos(np.pi * up))
        falling = end + (base - end) * 0.5 * (1 + np.cos(np.pi * down))
        return np.where(steps <= top, rising, falling)


@dataclass(frozen=True)
class CosLog:
    """base / 2 * (1 - cos(2 pi log2(1 + (2**cycles - 1) t))) at the share t of all steps: cycles that double in length.

    Holzmüller et al. (2024), "Better by Default".

    Parameters
    ----------
    cycles : int
        From 1 to 32.
    """

    name: ClassVar[str] = "coslog"
    cycles: int = 4
    runs_to_completion: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_fields(self, "cycles", low=1, high=32, whole=True)

    def rates(self, base: float, steps: Steps, steps_per_epoch: int, total_steps: int) -> Rates:
        """See `Schedule.rates`."""
        t = np.minimum(steps / total_steps, 1.0)
        return np.asarray(base * 0.5 * (1 - np.cos(2 * np.pi * np.log2(1 + (2.0**self.cycles - 1) * t))))


@dataclass(frozen=True)
class PlateauState:
    """What `Plateau` remembers.

    Attributes
    ----------
    best : float
        The best value so far.
    bad_epochs : int
        Epochs since.
    factor : float
        The factor of the rate so far.
    """

    best: float = math.inf
    bad_epochs: int = 0
    factor: float = 1.0


@dataclass(frozen=True)
class Plateau:
    """The rate is multiplied by `factor` after more than `patience` epochs without progress (in validation, if any).

    Parameters
    ----------
    factor : float
    patience : int
        Epochs that may pass without progress.
    min_delta : float
        Progress smaller than this does not count.
    smallest : float
        Smallest product of factors, in [0, 1].
    """

    name: ClassVar[str] = "plateau"
    factor: float = 0.2
    patience: int = 5
    min_delta: float = 1e-4
    smallest: float = 1e-6

    def __post_init__(self) -> None:
        check_fields(self, "factor", low=0, high=1, above=True)
        check_fields(self, "patience", low=0, whole=True)
        check_fields(self, "min_delta", low=0)
        check_fields(self, "smallest", low=0, high=1)

    def rates(self, base: float, steps: Steps, steps_per_epoch: int, total_steps: int) -> Rates:
        """The base rate; the training multiplies it by the state's factor."""
        return np.full(steps.shape, base, np.float64)

    def after_epoch(self, state: PlateauState, value: float) -> PlateauState:
        """The state after an epoch with this value, of which lower is better."""
        if value < state.best - self.min_delta:
            return replace(state, best=value, bad_epochs=0)
        if state.bad_epochs + 1 > self.patience:
            return replace(state, bad_epochs=0, factor=max(state.factor * self.factor, self.smallest))
        return replace(state, bad_epochs=state.bad_epochs + 1)


AFTER_WARMUP = {kind.name: kind for kind in (ConstantRate, Exponential, Power, Cosine, OneCycle, CosLog)}
"""What `Warmup` takes by name."""
