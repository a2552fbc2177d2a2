"""Losses of regressors.

Takes predictions, or logarithms of means, and targets [m, k]. Returns a loss for each target, or for each
output; what needs several outputs for each target finds them in blocks of k columns. Values and gradients are finite
for outputs up to 1e4 in magnitude, but where the exponential of an output overflows: there the loss is infinite, and
its gradient too, never NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from rosenblatt._checks import check_fields, check_number
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import Value
from rosenblatt.nn.losses.base import NamedLoss, Targets

__all__ = ["AbsoluteError", "Gamma", "GaussianNLL", "Huber", "Poisson", "Quantile", "SquaredError", "Tweedie"]

MIN_LOG_VARIANCE = math.log(1e-6)


class _OfActivated(NamedLoss):
    """A loss of the activated outputs, whatever their activation; a mean over outputs is reported."""

    raw: ClassVar[bool] = False
    mean_of_outputs: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("identity", "softplus", "relu", "exp", "logistic", "tanh")


@dataclass(frozen=True)
class SquaredError(_OfActivated):
    """Half the squared difference, shape [m, k]."""

    name: ClassVar[str] = "squared_error"

    def __call__(self, b: Builder, prediction: Value, target: Value) -> Value:
        """Append it."""
        return b.mul(b.squared_error(prediction, target), 0.5)


@dataclass(frozen=True)
class AbsoluteError(_OfActivated):
    """Absolute difference, shape [m, k]: predicts the median."""

    name: ClassVar[str] = "absolute"

    def __call__(self, b: Builder, prediction: Value, target: Value) -> Value:
        """Append it."""
        return b.abs(b.sub(prediction, target))


@dataclass(frozen=True)
class Huber(_OfActivated):
    """Half the squared difference d up to delta, beyond it delta (abs(d) - delta / 2); shape [m, k] (Huber, 1964).

    Parameters
    ----------
    delta : float
        Where the square ends, in units of the target; above 0.
    """

    name: ClassVar[str] = "huber"
    delta: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self, "delta", low=0, above=True)

    def __call__(self, b: Builder, prediction: Value, target: Value) -> Value:
        """Append it."""
        error = b.sub(prediction, target)
        size = b.abs(error)
        linear = b.sub(b.mul(size, self.delta), self.delta**2 / 2)
        return b.where(b.less_equal(size, self.delta), b.mul(b.square(error), 0.5), linear)


@dataclass(frozen=True)
class Quantile(_OfActivated):
    """Pinball loss: q (t - p) where the target t is above the prediction p, else (1 - q) (p - t) (Koenker, 1978).

    Shape [m, n_quantiles · k]: the first k outputs are the first quantile of each target, and so on.

    Parameters
    ----------
    quantiles : tuple of float
        Each between 0 and 1.
    """

    name: ClassVar[str] = "quantile"
    quantiles: tuple[float, ...] = (0.5,)

    def __post_init__(self) -> None:
        if not isinstance(self.quantiles, tuple) or not self.quantiles:
            raise ValueError(f"quantiles of quantile are {self.quantiles!r}; give a tuple, such as (0.1, 0.5, 0.9)")
        for q in self.quantiles:
            check_number("a quantile", q, 0, 1, above=True, below=True, where="Quantile")

    @property
    def outputs_per_target(self) -> int:
        """Number of quantiles."""
        return len(self.quantiles)

    def __call__(self, b: Builder, prediction: Value, target: Value) -> Value:
        """Append it."""
        n, k = len(self.quantiles), _n_targets(self, prediction, target)
        if n == 1:
            error = b.sub(prediction, target)
            return b.sub(b.relu(error), b.mul(error, self.quantiles[0]))
        error = b.sub(prediction, b.concat(*[target] * n, axis=1))
        levels = b.concat(*(b.fill(value=q, shape=(k,)) for q in self.quantiles), axis=0)
        return b.sub(b.relu(error), b.mul(error, levels))


def _n_targets(loss: NamedLoss, prediction: Value, target: Value) -> int:
    """Columns of the target, after a look at how many outputs there are for each."""
    shape, n = prediction.shape, loss.outputs_per_target
    if len(shape) != 2 or len(target.shape) != 2 or shape[1] != n * target.shape[1]:
        raise ValueError(
            f"loss {loss.name!r} needs {n} outputs for each target, given outputs {prediction.type} "
            f"and targets {target.type}"
        )
    return target.shape[1]


@dataclass(frozen=True)
class Poisson(NamedLoss):
    """Half the Poisson deviance, t log(t / p) - t + p with p = exp(output), shape [m, k]."""

    name: ClassVar[str] = "poisson"
    outputs: ClassVar[tuple[str, ...]] = ("exp",)
    targets: ClassVar[Targets] = Targets(0.0)

    def __call__(self, b: Builder, prediction: Value, target: Value) -> Value:
        """Append it."""
        return b.poisson_loss(prediction, target)


@dataclass(frozen=True)
class Gamma(NamedLoss):
    """Half the gamma deviance, log(p / t) + t / p - 1 with p = exp(output), shape [m, k]."""

    name: ClassVar[str] = "gamma"
    outputs: ClassVar[tuple[str, ...]] = ("exp",)
    targets: ClassVar[Targets] = Targets(0.0, above_low=True)

    def __call__(self, b: Builder, prediction: Value, target: Value) -> Value:
        """Append it."""
        log_ratio = b.sub(prediction, b.log(target))
        return b.add(log_ratio, b.expm1(b.neg(log_ratio)))


@dataclass(frozen=True)
class Tweedie(NamedLoss):
    """Half the Tweedie deviance with p = exp(output), shape [m, k] (Jørgensen, 1987); for amounts that may be 0.

    t^(2 - power) / ((1 - power) (2 - power)) - t p^(1 - power) / (1 - power) + p^(2 - power) / (2 - power).

    Parameters
    ----------
    power : float
        The variance grows as this power of the mean; between 1 (use `Poisson`) and 2 (use `Gamma`).
    """

    name: ClassVar[str] = "tweedie"
    outputs: ClassVar[tuple[str, ...]] = ("exp",)
    targets: ClassVar[Targets] = Targets(0.0)
    power: float = 1.5

    def __post_init__(self) -> None:
        if self.power in (1, 2):
            raise ValueError(f"power of tweedie is {self.power}; use loss {('poisson', 'gamma')[self.power == 2]!r}")
        check_fields(self, "power", low=1, high=2, above=True, below=True)

    def __call__(self, b: Builder, prediction: Value, target: Value) -> Value:
        """Append it."""
        above, below = 2 - self.power, 1 - self.power
        log_target = b.log(target)  # of 0 minus infinity, whose exponential is 0 even times the largest number
        of_target = b.mul(b.exp(b.mul(log_target, above)), 1 / (below * above))
        mixed = b.mul(b.exp(b.add(log_target, b.mul(prediction, below))), 1 / below)
        of_mean = b.mul(b.exp(b.mul(prediction, above)), 1 / above)
        return b.add(b.sub(of_target, mixed), of_mean)


@dataclass(frozen=True)
class GaussianNLL(NamedLoss):
    """Half of log variance + (t - mean)² / variance, shape [m, k]; PyTorch's GaussianNLLLoss of exp(log variance).

    Of 2k outputs the first k are means, the last k logarithms of variances. A variance below 1e-6 counts as 1e-6.
    """

    name: ClassVar[str] = "gaussian_nll"
    outputs: ClassVar[tuple[str, ...]] = ("identity",)

    @property
    def outputs_per_target(self) -> int:
        """Mean and logarithm of the variance."""
        return 2

    def __call__(self, b: Builder, prediction: Value, target: Value) -> Value:
        """Append it."""
        k = _n_targets(self, prediction, target)
        mean = b.slice(prediction, axis=1, start=0, stop=k)
        given = b.slice(prediction, axis=1, start=k, stop=2 * k)
        log_variance = b.where(b.less(given, MIN_LOG_VARIANCE), MIN_LOG_VARIANCE, given)
        scaled = b.mul(b.squared_error(mean, target), b.exp(b.neg(log_variance)))
        return b.mul(b.add(log_variance, scaled), 0.5)
