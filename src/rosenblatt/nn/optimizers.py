"""Optimizers: how an update is written into a program, and which numbers each of its steps needs.

An optimizer appends one instruction for each contiguous block of parameters. What varies from step to step (learning
rate, momentum, bias correction) is a slot of the program, computed here for all steps of an epoch at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from rosenblatt.ir.program import Builder, Value

__all__ = ["SGD", "Adam", "Optimizer"]


class Optimizer(Protocol):
    """What training asks of an optimizer."""

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the slots that it reads, in the order of `slot_values`."""

    @property
    def state(self) -> tuple[str, ...]:
        """Names of its arrays, each of the shape of the parameters."""

    def update(self, b: Builder, parameter: Value, gradient: Value, state: Mapping[str, Value]) -> None:
        """Append the update of one block of parameters; the slots are leaves of `b` by their names."""

    def slot_values(self, learning_rate: float, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """Slot values of `n_steps` steps, shape (n_steps, n_slots), or (n_slots,) where they do not vary."""


def _slots(b: Builder, names: tuple[str, ...]) -> list[Value]:
    """The slots called `names`, declared on first use."""
    return [b.find_leaf(name) or b.slot(name) for name in names]


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with (Nesterov) momentum.

    v ← μ v − η g; w ← w + v, or w ← w + μ v − η g with Nesterov's look-ahead (Sutskever et al., 2013).

    Parameters
    ----------
    momentum : float
        μ in [0, 1].
    nesterov : bool
    """

    momentum: float = 0.9
    nesterov: bool = True
    slots: ClassVar[tuple[str, ...]] = ("learning_rate", "momentum")
    state: ClassVar[tuple[str, ...]] = ("velocity",)

    def update(self, b: Builder, parameter: Value, gradient: Value, state: Mapping[str, Value]) -> None:
        """Append one `sgd_update`."""
        rate, momentum = _slots(b, self.slots)
        nesterov = int(self.nesterov and self.momentum > 0)
        b.emit("sgd_update", parameter, state["velocity"], gradient, rate, momentum, 0.0, nesterov=nesterov)

    def slot_values(self, learning_rate: float, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """(learning rate, momentum), the same for all steps."""
        return np.array([learning_rate, self.momentum])


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba, 2015), in the form with the bias correction in the step size.

    m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; w ← w − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε).

    Parameters
    ----------
    beta_1, beta_2 : float
        Decay rates in [0, 1).
    epsilon : float
        ε > 0.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    slots: ClassVar[tuple[str, ...]] = ("step_size", "denominator_scale")
    state: ClassVar[tuple[str, ...]] = ("first_moment", "second_moment")

    def update(self, b: Builder, parameter: Value, gradient: Value, state: Mapping[str, Value]) -> None:
        """Append one `adam_update`."""
        step_size, scale = _slots(b, self.slots)
        first, second = state["first_moment"], state["second_moment"]
        b.emit(
            "adam_update", parameter, first, second, gradient, step_size, scale, 0.0,
            beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon,
        )  # fmt: skip

    def slot_values(self, learning_rate: float, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """(bias-corrected step size, 1) for steps ``first_step + 1`` to ``first_step + n_steps``."""
        if first_step >= max(_steps_until_one(self.beta_1), _steps_until_one(self.beta_2)):
            return np.array([learning_rate, 1.0])
        values = np.ones((n_steps, 2))
        denominator = _one_minus_powers(self.beta_1, first_step, n_steps)
        values[:, 0] = learning_rate * np.sqrt(_one_minus_powers(self.beta_2, first_step, n_steps)) / denominator
        return values


def _steps_until_one(base: float) -> int:
    """A number of steps from which on 1 - base**t rounds to 1."""
    return 1 if base == 0 else math.ceil(-54 * math.log(2) / math.log(base))


def _one_minus_powers(base: float, first_step: int, n_steps: int) -> NDArray[np.float64]:
    """1 - base**t for t = first_step + 1 to first_step + n_steps; powers that make no difference are not computed."""
    values = np.ones(n_steps)
    n_different = min(n_steps, max(0, _steps_until_one(base) - first_step))
    values[:n_different] -= base ** np.arange(first_step + 1, first_step + n_different + 1, dtype=np.float64)
    return values
