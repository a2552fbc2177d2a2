"""What an optimizer is to training, and what optimizers share.

Takes learning rates, numbers of steps, settings. Returns rows of slot values, or raises a `ValueError` that says what
is allowed. Never holds the rule of an optimizer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import Value

__all__ = ["Optimizer"]

Rates = float | NDArray[np.float64]
NOTHING: Mapping[str, float] = MappingProxyType({})


class Optimizer(Protocol):
    """What training asks of an optimizer.

    Attributes
    ----------
    slots : tuple of str
        Names of the slots that it reads, in the order of `slot_values`.
    state : tuple of str
        Names of its arrays, each of the shape of the parameters.
    initial_state : mapping of str to float
        The value that each array starts from, if it is not zero.
    weight_decay : float
        Decoupled decay (Loshchilov and Hutter 2019): before each step the weights, not the biases, are multiplied by
        1 - learning rate * weight_decay. The training program applies it.
    """

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the slots, in the order of `slot_values`."""

    @property
    def state(self) -> tuple[str, ...]:
        """Names of the arrays of state."""

    @property
    def initial_state(self) -> Mapping[str, float]:
        """What an array of state starts from, if not from zero."""

    @property
    def weight_decay(self) -> float:
        """The decoupled decay."""

    def update(
        self, b: Builder, parameter: Value, gradient: Value, state: Mapping[str, Value], factor: float = 1.0
    ) -> None:
        """Append the update of one block; the slots are leaves of `b` by their names.

        `factor` multiplies the learning rate of this block.
        """

    def slot_values(self, learning_rate: Rates, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """Slot values of steps ``first_step + 1`` to ``first_step + n_steps``.

        Shape (n_steps, n_slots); or (n_slots,) where they do not vary.
        """


RATE_SLOTS = ("learning_rate", "step_size", "gradient_step")
"""Slots that are proportional to the learning rate."""


def declared_slots(b: Builder, names: tuple[str, ...], factor: float = 1.0) -> list[Value]:
    """The slots called `names`, declared on first use; those that are rates multiplied by `factor`."""
    slots = [b.slot(name) for name in names]
    if factor == 1.0:
        return slots
    return [b.mul(slot, factor) if name in RATE_SLOTS else slot for name, slot in zip(names, slots, strict=True)]


def slot_rows(n_steps: int, *columns: Rates) -> NDArray[np.float64]:
    """Columns that may be constant, as slot values."""
    if not any(isinstance(column, np.ndarray) for column in columns):
        return np.array(columns, np.float64)
    values = np.empty((n_steps, len(columns)))
    for i, column in enumerate(columns):
        values[:, i] = column
    return values


def steps_until_one(base: float) -> int:
    """A number of steps from which on 1 - base**t rounds to 1."""
    return 1 if base == 0 else math.ceil(-54 * math.log(2) / math.log(base))


def one_minus_powers(base: float, first_step: int, n_steps: int) -> NDArray[np.float64]:
    """1 - base**t for t = first_step + 1 to first_step + n_steps; powers that make no difference are not computed."""
    values = np.ones(n_steps)
    n_different = min(n_steps, max(0, steps_until_one(base) - first_step))
    values[:n_different] -= base ** np.arange(first_step + 1, first_step + n_different + 1, dtype=np.float64)
    return values
