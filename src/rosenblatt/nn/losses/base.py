"""What a loss is to training: a function, and what must be known about it.

Takes a frozen dataclass, one for each loss. Returns its record. Also checks which targets a loss takes, and forms the
mean over a batch. Never computes a loss itself.
"""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import M, Type, Value

__all__ = ["Loss", "LossFunction", "NamedLoss", "Targets"]

LossFunction = Callable[[Builder, Value, Value], Value]
"""``loss(b, prediction, target) -> value``: the loss of each element, from the outputs and the targets."""


@dataclass(frozen=True)
class Targets:
    """The numbers that a loss takes as targets; always finite.

    Attributes
    ----------
    low, high : float
        Limits.
    above_low : bool
        The lower limit itself is excluded.
    whole : bool
        Whole numbers only.
    """

    low: float = -math.inf
    high: float = math.inf
    above_low: bool = False
    whole: bool = False

    def __str__(self) -> str:
        if self.whole:
            return "targets that are 0 or 1" if self.high == 1 else "class numbers 0, 1, 2, ..."
        if self.high < math.inf:
            return f"targets in [{self.low:g}, {self.high:g}]"
        if self.low > -math.inf:
            return f"targets {'>' if self.above_low else '>='} {self.low:g}"
        return "finite targets"

    def problem(self, y: NDArray[Any]) -> str | None:
        """What is wrong with `y`, and where; None if nothing is."""
        if y.size == 0:
            return None
        if not np.isfinite(y).all():
            return _at(y, int(np.argmin(np.isfinite(y))), "there is")
        low, high = int(np.argmin(y)), int(np.argmax(y))
        if y.flat[low] < self.low or (self.above_low and y.flat[low] == self.low):
            return _at(y, low, "the smallest is")
        if y.flat[high] > self.high:
            return _at(y, high, "the largest is")
        if self.whole and not (y == np.floor(y)).all():
            return _at(y, int(np.argmax(y != np.floor(y))), "there is")
        return None


def _at(y: NDArray[Any], place: int, what: str) -> str:
    row, *column = np.unravel_index(place, y.shape)
    where = f"row {row}" + (f", column {column[0]}" if column and y.shape[1] > 1 else "")
    return f"{what} {float(y.flat[place]):g} ({where})"


ANY_NUMBER = Targets()
CLASSES = Targets(0.0, whole=True)
ZERO_OR_ONE = Targets(0.0, 1.0, whole=True)


@dataclass(frozen=True)
class Loss:
    """A loss with what training needs to know about it.

    Attributes
    ----------
    function : callable
        ``function(b, prediction, target)``, see `rosenblatt.nn.losses`.
    labels : bool
        Targets are class numbers, int32[m]; otherwise floats, [m, k].
    raw : bool
        Takes the outputs before the output activation.
    mean_of_outputs : bool
        The reported value is divided by the number of outputs; the gradient is not (scikit-learn's squared error).
    outputs : tuple of str
        Output activations that go with it, by name, the natural one first.
    outputs_per_target : int
        Network outputs for each column of the target.
    targets : Targets
        Which numbers may be targets.
    """

    function: LossFunction
    labels: bool = False
    raw: bool = True
    mean_of_outputs: bool = False
    outputs: tuple[str, ...] = ("identity",)
    outputs_per_target: int = 1
    targets: Targets = ANY_NUMBER


class NamedLoss(ABC):
    """A loss of the library: a frozen dataclass of its parameters; the class says the rest of its record."""

    name: ClassVar[str]
    labels: ClassVar[bool] = False
    raw: ClassVar[bool] = True
    mean_of_outputs: ClassVar[bool] = False
    outputs: ClassVar[tuple[str, ...]]
    targets: ClassVar[Targets] = ANY_NUMBER

    @property
    def outputs_per_target(self) -> int:
        """Network outputs for each column of the target."""
        return 1

    @functools.cached_property
    def record(self) -> Loss:
        """What training needs to know about it."""
        return Loss(self, **{f.name: getattr(self, f.name) for f in fields(Loss) if f.name != "function"})

    @abstractmethod
    def __call__(self, b: Builder, prediction: Value, target: Value) -> Value:
        """Append it: a value of shape [m] or [m, k]."""


def check_row_losses(given: Type) -> None:
    """Refuse what a loss gave unless it is a number, or k of them, for each row."""
    shape = given.shape
    if len(shape) not in (1, 2) or shape[0] != M or shape[1:2] == (0,):
        raise ValueError(f"a loss must give a value of shape [m] or [m, k], one for each row; it gave {given}")
    if shape[-1] < 0 and len(shape) == 2:
        raise ValueError(
            f"a loss must give a value of shape [m] or [m, k], one for each row; it gave {given}, each row with each: "
            "[m] and [m, 1] met. Keep the axis of both, as in p[:, 0:1] - t, or of neither"
        )


def mean_over_rows(b: Builder, per_row: Value, sample_weight: Value | None, inverse_weight: Value) -> Value:
    """Sum of `per_row` ([m] or [m, k]), weighted by row, times `inverse_weight`: the batch's (weighted) mean."""
    if sample_weight is not None:
        if len(per_row.shape) == 2:
            sample_weight = b.reshape(sample_weight, shape=(M, 1))
        per_row = b.mul(per_row, sample_weight)
    return b.mul(b.sum(per_row), inverse_weight)
