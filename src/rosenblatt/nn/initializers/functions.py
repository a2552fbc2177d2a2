"""Initializers that draw each element by itself.

Takes and returns what `rosenblatt.nn.initializers.base` says. Those that scale by the number of inputs or outputs are
for matrices only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rosenblatt._checks import check_fields
from rosenblatt.nn.initializers.base import Array, Initializer, Shape, matrix_shape

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LeCunNormal",
    "LeCunUniform",
    "Normal",
    "TruncatedNormal",
    "Uniform",
    "Zeros",
]

TRUNCATED_AT = 2.0
"""Standard deviations at which `TruncatedNormal` cuts."""

# Of one number ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Constant(Initializer):
    """Every element is `value`.

    Parameters
    ----------
    value : float
    force : bool
        Whether weights of hidden layers may be constant, too. Otherwise a network refuses it: equal neurons stay equal.
    """

    name: ClassVar[str] = "constant"
    is_constant: ClassVar[bool] = True
    value: float
    force: bool = False

    def __post_init__(self) -> None:
        check_fields(self, "value")

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Draw nothing."""
        return np.full(shape, self.value, np.float64)


@dataclass(frozen=True)
class Zeros(Initializer):
    """Every element is 0."""

    name: ClassVar[str] = "zeros"
    is_constant: ClassVar[bool] = True

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Draw nothing."""
        return np.zeros(shape)


@dataclass(frozen=True)
class Normal(Initializer):
    """Normal numbers with mean 0.

    Parameters
    ----------
    std : float
        Standard deviation, above 0.
    """

    name: ClassVar[str] = "normal"
    std: float

    def __post_init__(self) -> None:
        check_fields(self, "std", low=0, above=True)

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Draw an array of `shape`."""
        return self.std * rng.standard_normal(shape)


@dataclass(frozen=True)
class Uniform(Initializer):
    """Uniform numbers from -bound to bound.

    Parameters
    ----------
    bound : float
        Above 0.
    """

    name: ClassVar[str] = "uniform"
    bound: float

    def __post_init__(self) -> None:
        check_fields(self, "bound", low=0, above=True)

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Draw an array of `shape`."""
        return rng.uniform(-self.bound, self.bound, shape)


@dataclass(frozen=True)
class TruncatedNormal(Initializer):
    """Normal numbers with mean 0; those beyond two standard deviations are drawn again.

    Parameters
    ----------
    std : float
        Standard deviation before the cut, above 0; afterwards it is 0.88 times that.
    """

    name: ClassVar[str] = "truncated_normal"
    std: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self, "std", low=0, above=True)

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Draw an array of `shape`."""
        drawn = rng.standard_normal(shape)
        while (outside := np.abs(drawn) > TRUNCATED_AT).any():
            drawn[outside] = rng.standard_normal(int(outside.sum()))
        return self.std * drawn


# Scaled by the number of inputs and outputs ----------------------------------------------------------------------


class _Scaled(Initializer):
    """Numbers of mean 0 and variance `numerator` / fan_in, or over fan_in + fan_out."""

    numerator: ClassVar[float]
    counts_outputs: ClassVar[bool] = False
    is_normal: ClassVar[bool] = False

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Draw an array of shape (fan_in, fan_out)."""
        fan_in, fan_out = matrix_shape(self.name, shape)
        variance = self.numerator / max(fan_in + fan_out if self.counts_outputs else fan_in, 1)
        if self.is_normal:
            return math.sqrt(variance) * rng.standard_normal(shape)
        bound = math.sqrt(3 * variance)
        return rng.uniform(-bound, bound, shape)


@dataclass(frozen=True)
class GlorotNormal(_Scaled):
    """Normal with variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""

    name: ClassVar[str] = "glorot_normal"
    numerator: ClassVar[float] = 2.0
    counts_outputs: ClassVar[bool] = True
    is_normal: ClassVar[bool] = True


@dataclass(frozen=True)
class GlorotUniform(_Scaled):
    """Uniform with bound √(6 / (fan_in + fan_out)), the same variance (Glorot and Bengio, 2010)."""

    name: ClassVar[str] = "glorot_uniform"
    numerator: ClassVar[float] = 2.0
    counts_outputs: ClassVar[bool] = True


@dataclass(frozen=True)
class HeNormal(_Scaled):
    """Normal with variance 2 / fan_in: keeps the scale of activations with ReLU (He et al., 2015)."""

    name: ClassVar[str] = "he_normal"
    numerator: ClassVar[float] = 2.0
    is_normal: ClassVar[bool] = True


@dataclass(frozen=True)
class HeUniform(_Scaled):
    """Uniform with bound √(6 / fan_in), the same variance (He et al., 2015)."""

    name: ClassVar[str] = "he_uniform"
    numerator: ClassVar[float] = 2.0


@dataclass(frozen=True)
class LeCunNormal(_Scaled):
    """Normal with variance 1 / fan_in: keeps the scale of pre-activations; for SELU (LeCun et al., 1998)."""

    name: ClassVar[str] = "lecun_normal"
    numerator: ClassVar[float] = 1.0
    is_normal: ClassVar[bool] = True


@dataclass(frozen=True)
class LeCunUniform(_Scaled):
    """Uniform with bound √(3 / fan_in), the same variance (LeCun et al., 1998)."""

    name: ClassVar[str] = "lecun_uniform"
    numerator: ClassVar[float] = 1.0
