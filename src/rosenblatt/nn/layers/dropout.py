"""Layers that act in training only: dropout and noise, from counters.

Takes values. Returns them perturbed in training, and unchanged in prediction. Never draws a number that depends on
anything but the seed, the step, the row and the column.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rosenblatt._checks import check_fields
from rosenblatt.ir.types import Value
from rosenblatt.nn.layers.base import Layer, Scope

__all__ = ["AlphaDropout", "Dropout", "GaussianNoise"]


@dataclass(frozen=True, eq=False)
class Dropout(Layer):
    """Zeroes each value with probability `rate` in training, and scales the others by 1 / (1 - rate).

    Parameters
    ----------
    rate : float
        Probability of being dropped, in [0, 1).
    """

    rate: float

    def __post_init__(self) -> None:
        check_fields(self, "rate", low=0, high=1, below=True)

    def append(self, scope: Scope, *inputs: Value) -> Value:
        (x,) = inputs
        return scope.b.mul(x, scope.mask(self.rate, x.shape[1])) if scope.training and self.rate else x


@dataclass(frozen=True, eq=False)
class AlphaDropout(Layer):
    """Dropout that keeps mean 0 and variance 1, for SELU (Klambauer et al. 2017, section 3).

    Values become the SELU's limit -1.7580993408473766 instead of 0; then everything is scaled and shifted back.

    Parameters
    ----------
    rate : float
        Probability of being dropped, in [0, 1).
    """

    rate: float

    def __post_init__(self) -> None:
        check_fields(self, "rate", low=0, high=1, below=True)

    def append(self, scope: Scope, *inputs: Value) -> Value:
        (x,), b, limit, keep = inputs, scope.b, -1.7580993408473766, 1 - self.rate
        if not scope.training or not self.rate:
            return x
        a = 1 / math.sqrt(keep * (1 + self.rate * limit**2))
        kept = b.mul(scope.mask(self.rate, x.shape[1]), a * keep)  # 0 or a
        # a (x kept + limit dropped) - a limit rate = (x - limit) kept + a limit - a limit rate
        return b.add(b.mul(b.sub(x, limit), kept), a * limit * keep)


@dataclass(frozen=True, eq=False)
class GaussianNoise(Layer):
    """Adds normal numbers of standard deviation `std` in training.

    Parameters
    ----------
    std : float
        Standard deviation, at least 0.
    """

    std: float

    def __post_init__(self) -> None:
        check_fields(self, "std", low=0)

    def append(self, scope: Scope, *inputs: Value) -> Value:
        (x,) = inputs
        return scope.b.add(x, scope.b.mul(scope.noise(x.shape[1]), self.std)) if scope.training and self.std else x
