"""Optimizers: how an update is written into a program, and which numbers each of its steps needs.

An optimizer appends one instruction for each contiguous block of parameters. What varies from step to step (learning
rate, momentum, bias correction) is a slot of the program, computed here for all steps of an epoch at once, from nothing
but the rates and the number of the first step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import check_fields, check_flag
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import Value
from rosenblatt.nn.optimizers.base import (
    NOTHING,
    Rates,
    declared_slots,
    one_minus_powers,
    slot_rows,
    steps_until_one,
)

__all__ = ["SGD", "AdaGrad", "Adam", "AdamW", "Nadam", "RMSProp"]


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with (Nesterov) momentum.

    v ← μ v − η g; w ← w + v, or w ← w + μ v − η g with Nesterov's look-ahead (Sutskever et al., 2013). With a learning
    rate that varies this differs from PyTorch, whose velocity does not hold the rate.

    Parameters
    ----------
    momentum : float
        μ in [0, 1].
    nesterov : bool
    weight_decay : float
        See `Optimizer`.
    """

    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 0.0
    name: ClassVar[str] = "sgd"
    slots: ClassVar[tuple[str, ...]] = ("learning_rate", "momentum")
    state: ClassVar[tuple[str, ...]] = ("velocity",)
    initial_state: ClassVar[Mapping[str, float]] = NOTHING

    def __post_init__(self) -> None:
        check_fields(self, "momentum", low=0, high=1)
        check_flag("nesterov", self.nesterov, type(self).__name__)
        check_fields(self, "weight_decay", low=0)

    def update(
        self, b: Builder, parameter: Value, gradient: Value, state: Mapping[str, Value], factor: float = 1.0
    ) -> None:
        """Append one `sgd_update`."""
        rate, momentum = declared_slots(b, self.slots, factor)
        nesterov = int(self.nesterov and self.momentum > 0)
        b.emit("sgd_update", parameter, state["velocity"], gradient, rate, momentum, 0.0, nesterov=nesterov)

    def slot_values(self, learning_rate: Rates, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """(learning rate, momentum)."""
        return slot_rows(n_steps, learning_rate, self.momentum)


@dataclass(frozen=True)
class AdaGrad:
    """AdaGrad (Duchi, Hazan & Singer, 2011), as in PyTorch.

    s ← s + g²; w ← w − η / (1 + (t − 1) · rate_decay) · g / (√s + ε).

    Parameters
    ----------
    epsilon : float
        ε > 0.
    initial_accumulator : float
        What s starts from, ≥ 0.
    rate_decay : float
    weight_decay : float
        See `Optimizer`.
    """

    epsilon: float = 1e-10
    initial_accumulator: float = 0.0
    rate_decay: float = 0.0
    weight_decay: float = 0.0
    name: ClassVar[str] = "adagrad"
    slots: ClassVar[tuple[str, ...]] = ("step_rate",)
    state: ClassVar[tuple[str, ...]] = ("square", "velocity")

    def __post_init__(self) -> None:
        check_fields(self, "epsilon", low=0, above=True)
        check_fields(self, "initial_accumulator", "rate_decay", "weight_decay", low=0)

    @property
    def initial_state(self) -> Mapping[str, float]:
        """The initial accumulator."""
        return {"square": self.initial_accumulator}

    def update(
        self, b: Builder, parameter: Value, gradient: Value, state: Mapping[str, Value], factor: float = 1.0
    ) -> None:
        """Append one `rms_update` without momentum."""
        (rate,) = declared_slots(b, self.slots, factor)
        b.emit(
            "rms_update", parameter, state["square"], state["velocity"], gradient, rate, 0.0, 0.0,
            keep=1.0, gain=1.0, epsilon=self.epsilon,
        )  # fmt: skip

    def slot_values(self, learning_rate: Rates, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """The learning rate, decayed."""
        if not self.rate_decay:
            return slot_rows(n_steps, learning_rate)
        decayed = learning_rate / (1 + np.arange(first_step, first_step + n_steps) * self.rate_decay)
        return slot_rows(n_steps, decayed.astype(np.float64))


@dataclass(frozen=True)
class RMSProp:
    """RMSProp (Tieleman & Hinton, 2012), as in PyTorch.

    s ← ρ s + (1 − ρ) g²; v ← μ v + g / (√s + ε); w ← w − η v.

    Parameters
    ----------
    decay : float
        ρ in [0, 1).
    momentum : float
        μ in [0, 1).
    epsilon : float
        ε > 0.
    weight_decay : float
        See `Optimizer`.
    """

    decay: float = 0.99
    momentum: float = 0.0
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    name: ClassVar[str] = "rmsprop"
    slots: ClassVar[tuple[str, ...]] = ("learning_rate", "momentum")
    state: ClassVar[tuple[str, ...]] = ("square", "velocity")
    initial_state: ClassVar[Mapping[str, float]] = NOTHING

    def __post_init__(self) -> None:
        check_fields(self, "decay", "momentum", low=0, high=1, below=True)
        check_fields(self, "epsilon", low=0, above=True)
        check_fields(self, "weight_decay", low=0)

    def update(
        self, b: Builder, parameter: Value, gradient: Value, state: Mapping[str, Value], factor: float = 1.0
    ) -> None:
        """Append one `rms_update`."""
        rate, momentum = declared_slots(b, self.slots, factor)
        b.emit(
            "rms_update", parameter, state["square"], state["velocity"], gradient, rate, momentum, 0.0,
            keep=self.decay, gain=1 - self.decay, epsilon=self.epsilon,
        )  # fmt: skip

    def slot_values(self, learning_rate: Rates, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """(learning rate, momentum)."""
        return slot_rows(n_steps, learning_rate, self.momentum)


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba, 2015), in the form with the bias correction in the step size, as in scikit-learn.

    m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; w ← w − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε).

    Parameters
    ----------
    beta_1, beta_2 : float
        Decay rates in [0, 1).
    epsilon : float
        ε > 0.
    weight_decay : float
        See `Optimizer`.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    name: ClassVar[str] = "adam"
    slots: ClassVar[tuple[str, ...]] = ("step_size", "gradient_step", "denominator_scale")
    state: ClassVar[tuple[str, ...]] = ("first_moment", "second_moment")
    initial_state: ClassVar[Mapping[str, float]] = NOTHING

    def __post_init__(self) -> None:
        check_fields(self, "beta_1", "beta_2", low=0, high=1, below=True)
        check_fields(self, "epsilon", low=0, above=True)
        check_fields(self, "weight_decay", low=0)

    def update(
        self, b: Builder, parameter: Value, gradient: Value, state: Mapping[str, Value], factor: float = 1.0
    ) -> None:
        """Append one `adam_update`."""
        first, second = state["first_moment"], state["second_moment"]
        b.emit(
            "adam_update", parameter, first, second, gradient, *declared_slots(b, self.slots, factor), 0.0,
            beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon,
        )  # fmt: skip

    def slot_values(self, learning_rate: Rates, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """(bias-corrected step size, 0, 1)."""
        if first_step >= max(steps_until_one(self.beta_1), steps_until_one(self.beta_2)):
            return slot_rows(n_steps, learning_rate, 0.0, 1.0)
        roots = np.sqrt(one_minus_powers(self.beta_2, first_step, n_steps))
        step_sizes = learning_rate * roots / one_minus_powers(self.beta_1, first_step, n_steps)
        return slot_rows(n_steps, step_sizes, 0.0, 1.0)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled decay (Loshchilov & Hutter, 2019), as in PyTorch: ε is added after the bias correction.

    w ← w − η λ w − η / (1 − β₁ᵗ) · m / (√(v / (1 − β₂ᵗ)) + ε). Only weights decay, not biases.

    Parameters
    ----------
    beta_1, beta_2 : float
        Decay rates in [0, 1).
    epsilon : float
        ε > 0.
    weight_decay : float
        λ ≥ 0.
    """

    name: ClassVar[str] = "adamw"
    weight_decay: float = 0.01

    def slot_values(self, learning_rate: Rates, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """(step size, 0, scale of the second moment's root)."""
        if first_step >= max(steps_until_one(self.beta_1), steps_until_one(self.beta_2)):
            return slot_rows(n_steps, learning_rate, 0.0, 1.0)
        step_sizes = learning_rate / one_minus_powers(self.beta_1, first_step, n_steps)
        scales = 1 / np.sqrt(one_minus_powers(self.beta_2, first_step, n_steps))
        return slot_rows(n_steps, step_sizes, 0.0, scales)


@dataclass(frozen=True)
class Nadam(Adam):
    """Adam with Nesterov's momentum (Dozat, 2016), as in PyTorch's NAdam.

    w ← w − η ((1 − μₜ) / (1 − Πμ) · g + μₜ₊₁ / (1 − Πμ μₜ₊₁) · m) / (√(v / (1 − β₂ᵗ)) + ε),
    with μₜ = β₁ (1 − ½ · 0.96^(t ψ)) and Πμ the product of all μ up to step t.

    Parameters
    ----------
    beta_1, beta_2 : float
        Decay rates in [0, 1).
    epsilon : float
        ε > 0.
    weight_decay : float
        See `Optimizer`.
    momentum_decay : float
        ψ ≥ 0.
    """

    name: ClassVar[str] = "nadam"
    momentum_decay: float = 4e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(self, "momentum_decay", low=0)

    def slot_values(self, learning_rate: Rates, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """(step size of the moment, of the gradient, scale of the second moment's root)."""
        # The product always starts at the first step, so that it depends on nothing but the step's number. Once it has
        # so many factors, each at most beta_1, that 1 - product rounds to 1, older ones make no difference.
        begin = max(0, first_step - 2 * steps_until_one(self.beta_1))
        t = np.arange(begin + 1, first_step + n_steps + 2, dtype=np.float64)
        mu = self.beta_1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))
        products = np.cumprod(mu)
        now = slice(first_step - begin, first_step - begin + n_steps)
        after = slice(now.start + 1, now.stop + 1)
        moment = learning_rate * mu[after] / (1 - products[after])
        gradient = learning_rate * (1 - mu[now]) / (1 - products[now])
        return slot_rows(n_steps, moment, gradient, 1 / np.sqrt(one_minus_powers(self.beta_2, first_step, n_steps)))
