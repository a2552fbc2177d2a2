"""Optimizers: how an update is written into a program, and which numbers each of its steps needs.

An optimizer appends one instruction for each contiguous block of parameters. What varies from step to step (learning
rate, momentum, bias correction) is a slot of the program, computed here for all steps of an epoch at once, from nothing
but the rates and the number of the first step.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from rosenblatt.ir.program import Builder, Value

__all__ = ["OPTIMIZERS", "SGD", "AdaGrad", "Adam", "AdamW", "Nadam", "Optimizer", "RMSProp", "optimizer_named"]

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
        What those arrays are full of at the start, where it is not zero.
    weight_decay : float
        Decoupled decay (Loshchilov and Hutter 2019): before each step the weights, not the biases, are multiplied by
        1 - learning rate * weight_decay. It is the training program that applies it.
    """

    @property
    def slots(self) -> tuple[str, ...]: ...

    @property
    def state(self) -> tuple[str, ...]: ...

    @property
    def initial_state(self) -> Mapping[str, float]: ...

    @property
    def weight_decay(self) -> float: ...

    def update(self, b: Builder, parameter: Value, gradient: Value, state: Mapping[str, Value]) -> None:
        """Append the update of one block of parameters; the slots are leaves of `b` by their names."""

    def slot_values(self, learning_rate: Rates, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """Slot values of steps ``first_step + 1`` to ``first_step + n_steps``.

        Shape (n_steps, n_slots); or (n_slots,) where they do not vary.
        """


def _slots(b: Builder, names: tuple[str, ...]) -> list[Value]:
    """The slots called `names`, declared on first use."""
    return [b.find_leaf(name) or b.slot(name) for name in names]


def _rows(n_steps: int, *columns: Rates) -> NDArray[np.float64]:
    """Columns that may be constant, as slot values."""
    if all(np.ndim(column) == 0 for column in columns):
        return np.array(columns, np.float64)
    return np.column_stack([np.broadcast_to(np.asarray(column, np.float64), (n_steps,)) for column in columns])


def _require(optimizer: object, low: float, high: float, *names: str, open_low: bool = False) -> None:
    """Refuse fields outside [low, high), or (low, high)."""
    for name in names:
        value = getattr(optimizer, name)
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not low <= value < high or (open_low and value == low):
            allowed = f"{'(' if open_low else '['}{low:g}, {high:g})"
            raise ValueError(f"{type(optimizer).__name__}: {name} is {value!r}; it must be a number in {allowed}")


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
    slots: ClassVar[tuple[str, ...]] = ("learning_rate", "momentum")
    state: ClassVar[tuple[str, ...]] = ("velocity",)
    initial_state: ClassVar[Mapping[str, float]] = NOTHING

    def __post_init__(self) -> None:
        _require(self, 0, math.nextafter(1, 2), "momentum")
        _require(self, 0, math.inf, "weight_decay")

    def update(self, b: Builder, parameter: Value, gradient: Value, state: Mapping[str, Value]) -> None:
        """Append one `sgd_update`."""
        rate, momentum = _slots(b, self.slots)
        nesterov = int(self.nesterov and self.momentum > 0)
        b.emit("sgd_update", parameter, state["velocity"], gradient, rate, momentum, 0.0, nesterov=nesterov)

    def slot_values(self, learning_rate: Rates, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """(learning rate, momentum)."""
        return _rows(n_steps, learning_rate, self.momentum)


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
    slots: ClassVar[tuple[str, ...]] = ("step_rate",)
    state: ClassVar[tuple[str, ...]] = ("square", "velocity")

    def __post_init__(self) -> None:
        _require(self, 0, math.inf, "epsilon", open_low=True)
        _require(self, 0, math.inf, "initial_accumulator", "rate_decay", "weight_decay")

    @property
    def initial_state(self) -> Mapping[str, float]:
        """The accumulator's start."""
        return {"square": self.initial_accumulator}

    def update(self, b: Builder, parameter: Value, gradient: Value, state: Mapping[str, Value]) -> None:
        """Append one `rms_update` without momentum."""
        (rate,) = _slots(b, self.slots)
        b.emit(
            "rms_update", parameter, state["square"], state["velocity"], gradient, rate, 0.0, 0.0,
            keep=1.0, gain=1.0, epsilon=self.epsilon,
        )  # fmt: skip

    def slot_values(self, learning_rate: Rates, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """The learning rate, decayed."""
        if not self.rate_decay:
            return _rows(n_steps, learning_rate)
        decayed = learning_rate / (1 + np.arange(first_step, first_step + n_steps) * self.rate_decay)
        return decayed.astype(np.float64).reshape(-1, 1)


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
    slots: ClassVar[tuple[str, ...]] = ("learning_rate", "momentum")
    state: ClassVar[tuple[str, ...]] = ("square", "velocity")
    initial_state: ClassVar[Mapping[str, float]] = NOTHING

    def __post_init__(self) -> None:
        _require(self, 0, 1, "decay", "momentum")
        _require(self, 0, math.inf, "epsilon", open_low=True)
        _require(self, 0, math.inf, "weight_decay")

    def update(self, b: Builder, parameter: Value, gradient: Value, state: Mapping[str, Value]) -> None:
        """Append one `rms_update`."""
        rate, momentum = _slots(b, self.slots)
        b.emit(
            "rms_update", parameter, state["square"], state["velocity"], gradient, rate, momentum, 0.0,
            keep=self.decay, gain=1 - self.decay, epsilon=self.epsilon,
        )  # fmt: skip

    def slot_values(self, learning_rate: Rates, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """(learning rate, momentum)."""
        return _rows(n_steps, learning_rate, self.momentum)


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
    slots: ClassVar[tuple[str, ...]] = ("step_size", "gradient_step", "denominator_scale")
    state: ClassVar[tuple[str, ...]] = ("first_moment", "second_moment")
    initial_state: ClassVar[Mapping[str, float]] = NOTHING

    def __post_init__(self) -> None:
        _require(self, 0, 1, "beta_1", "beta_2")
        _require(self, 0, math.inf, "epsilon", open_low=True)
        _require(self, 0, math.inf, "weight_decay")

    def update(self, b: Builder, parameter: Value, gradient: Value, state: Mapping[str, Value]) -> None:
        """Append one `adam_update`."""
        first, second = state["first_moment"], state["second_moment"]
        b.emit(
            "adam_update", parameter, first, second, gradient, *_slots(b, self.slots), 0.0,
            beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon,
        )  # fmt: skip

    def slot_values(self, learning_rate: Rates, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """(bias-corrected step size, 0, 1)."""
        if first_step >= max(_steps_until_one(self.beta_1), _steps_until_one(self.beta_2)):
            return _rows(n_steps, learning_rate, 0.0, 1.0)
        values = np.zeros((n_steps, 3))
        denominator = _one_minus_powers(self.beta_1, first_step, n_steps)
        values[:, 0] = learning_rate * np.sqrt(_one_minus_powers(self.beta_2, first_step, n_steps)) / denominator
        values[:, 2] = 1.0
        return values


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled decay (Loshchilov & Hutter, 2019), as in PyTorch: ε is added after the bias correction.

    w ← w − η λ w − η / (1 − β₁ᵗ) · m / (√(v / (1 − β₂ᵗ)) + ε). Only weights decay, not biases.
    """

    weight_decay: float = 0.01

    def slot_values(self, learning_rate: Rates, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """(step size, 0, scale of the second moment's root)."""
        values = np.zeros((n_steps, 3))
        values[:, 0] = learning_rate / _one_minus_powers(self.beta_1, first_step, n_steps)
        values[:, 2] = 1 / np.sqrt(_one_minus_powers(self.beta_2, first_step, n_steps))
        return values


@dataclass(frozen=True)
class Nadam(Adam):
    """Adam with Nesterov's momentum (Dozat, 2016), as in PyTorch's NAdam.

    w ← w − η ((1 − μₜ) / (1 − Πμ) · g + μₜ₊₁ / (1 − Πμ μₜ₊₁) · m) / (√(v / (1 − β₂ᵗ)) + ε),
    with μₜ = β₁ (1 − ½ · 0.96^(t ψ)) and Πμ the product of all μ up to step t.

    Parameters
    ----------
    momentum_decay : float
        ψ ≥ 0.
    """

    momentum_decay: float = 4e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        _require(self, 0, math.inf, "momentum_decay")

    def slot_values(self, learning_rate: Rates, first_step: int, n_steps: int) -> NDArray[np.float64]:
        """(step size of the moment, of the gradient, scale of the second moment's root)."""
        # The product is begun at the first step, so that it depends on nothing but the step's number; it ends up at 0.
        begin = max(0, first_step - 8 * _steps_until_one(self.beta_1)) if self.beta_1 < 1 else 0
        t = np.arange(begin + 1, first_step + n_steps + 2, dtype=np.float64)
        mu = self.beta_1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))
        products = np.cumprod(mu)
        now = slice(first_step - begin, first_step - begin + n_steps)
        after = slice(now.start + 1, now.stop + 1)
        values = np.zeros((n_steps, 3))
        values[:, 0] = learning_rate * mu[after] / (1 - products[after])
        values[:, 1] = learning_rate * (1 - mu[now]) / (1 - products[now])
        values[:, 2] = 1 / np.sqrt(_one_minus_powers(self.beta_2, first_step, n_steps))
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


OPTIMIZERS = MappingProxyType(
    {"sgd": SGD, "adagrad": AdaGrad, "rmsprop": RMSProp, "adam": Adam, "adamw": AdamW, "nadam": Nadam}
)
"""Optimizers by name."""


def optimizer_named(name: str, **settings: Any) -> Optimizer:
    """The optimizer called `name`.

    Raises
    ------
    ValueError
        If there is none; the nearest is suggested.
    """
    if name not in OPTIMIZERS:
        near = difflib.get_close_matches(str(name).lower(), OPTIMIZERS, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"optimizer is {name!r}; allowed: {', '.join(OPTIMIZERS)}, or an instance. {hint}".rstrip())
    known = {field.name for field in fields(OPTIMIZERS[name])}
    unknown = set(settings) - known
    if unknown:
        raise ValueError(f"optimizer {name!r} has no {', '.join(sorted(unknown))}; it has: {', '.join(sorted(known))}")
    return OPTIMIZERS[name](**settings)  # type: ignore[no-any-return]
