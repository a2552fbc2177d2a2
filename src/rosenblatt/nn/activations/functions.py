"""The activations: what each appends to a program.

Takes a builder and a value. Returns a value of its shape. Every public function and class here is an activation that
`rosenblatt.nn.activations` knows by name. Never gives infinite values or derivatives for an x of up to 1e4 in
magnitude, except for `exp`.

Definitions are PyTorch's. At a kink, where there is no derivative, a one-sided derivative (or 0) is used.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from rosenblatt._checks import check_fields
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import Value

__all__ = ["CELU", "ELU", "GELU", "Activation", "LeakyReLU", "PReLU", "Parametric", "Step"]

Activation = Callable[..., Value]
"""``activation(b, x) -> value``; those with the attribute `parameters` take a value for each of these after x."""

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


# Without parameters ----------------------------------------------------------------------------------------------


def identity(b: Builder, x: Value) -> Value:
    """Return x itself."""
    return x


def logistic(b: Builder, x: Value) -> Value:
    """1 / (1 + exp(-x))."""
    return b.logistic(x)


def tanh(b: Builder, x: Value) -> Value:
    """Hyperbolic tangent."""
    return b.tanh(x)


def relu(b: Builder, x: Value) -> Value:
    """max(x, 0)."""
    return b.relu(x)


def softmax(b: Builder, x: Value) -> Value:
    """exp(x) over its sum along each row."""
    return b.softmax(x)


def exp(b: Builder, x: Value) -> Value:
    """Exponential: the mean of a Poisson regression from its logarithm."""
    return b.exp(x)


def softplus(b: Builder, x: Value) -> Value:
    """log(1 + exp(x))."""
    return b.softplus(x)


def hard_tanh(b: Builder, x: Value) -> Value:
    """x, cut to [-1, 1]."""
    # One instruction backward; with maximum and minimum it would take ten.
    return b.where(b.less(b.abs(x), 1.0), x, b.sign(x))


def relu6(b: Builder, x: Value) -> Value:
    """x, cut to [0, 6]."""
    positive = b.relu(x)
    return b.where(b.greater_equal(positive, 6.0), 6.0, positive)


def selu(b: Builder, x: Value) -> Value:
    """The ELU that keeps mean 0 and variance 1 from layer to layer (Klambauer et al., 2017)."""
    return _exponential_linear(b, x, slope=SELU_SCALE, height=SELU_SCALE * SELU_ALPHA)


def silu(b: Builder, x: Value) -> Value:
    """SiLU, also called swish: x · logistic(x)."""
    return b.mul(x, b.logistic(x))


def mish(b: Builder, x: Value) -> Value:
    """Mish: x · tanh(softplus(x)) (Misra, 2019)."""
    return b.mish(x)


def softsign(b: Builder, x: Value) -> Value:
    """Softsign: x / (1 + |x|)."""
    return b.div(x, b.add(b.abs(x), 1.0))


def hard_sigmoid(b: Builder, x: Value) -> Value:
    """Straight logistic: x / 6 + 1/2, cut to [0, 1]."""
    return b.mul(relu6(b, b.add(x, 3.0)), 1 / 6)


def hard_swish(b: Builder, x: Value) -> Value:
    """Straight swish: x · hard_sigmoid(x) (Howard et al., 2019)."""
    return b.mul(x, hard_sigmoid(b, x))


def _exponential_linear(b: Builder, x: Value, slope: float = 1.0, height: float = 1.0, rate: float = 1.0) -> Value:
    """For x > 0 slope · x, else height · (exp(rate · x) - 1)."""
    positive = b.greater(x, 0.0)
    # Where it is not chosen the exponential must not overflow: zero times infinity would be the gradient.
    curve = _times(b, b.expm1(_times(b, b.where(positive, 0.0, x), rate)), height)
    return b.where(positive, _times(b, x, slope), curve)


def _times(b: Builder, x: Value, factor: float) -> Value:
    return x if factor == 1 else b.mul(x, factor)


# With parameters -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """1 for x >= 0, else 0: the threshold of the perceptron. Forward only.

    Attributes
    ----------
    trainable : bool
        False: layers before it cannot be trained by gradients.
    why : str
        The reason, for messages.
    """

    name: ClassVar[str] = "step"
    trainable: ClassVar[bool] = False
    why: ClassVar[str] = (
        "the derivative of the step is zero wherever it exists, so no gradient passes through it; "
        "train with logistic, tanh or relu, or with the perceptron rule"
    )

    def __call__(self, b: Builder, x: Value) -> Value:
        """Append it."""
        return b.greater_equal(x, 0.0)


@dataclass(frozen=True)
class LeakyReLU:
    """x for x > 0, else alpha · x.

    Parameters
    ----------
    alpha : float
        Slope for negative x.
    """

    name: ClassVar[str] = "leaky_relu"
    alpha: float = 0.01

    def __post_init__(self) -> None:
        check_fields(self, "alpha")

    def __call__(self, b: Builder, x: Value) -> Value:
        """Append it."""
        return b.mul(x, b.where(b.greater(x, 0.0), 1.0, self.alpha))


@dataclass(frozen=True)
class PReLU:
    """x for x > 0, else alpha · x with an alpha that is learned for each neuron (He et al., 2015).

    Parameters
    ----------
    alpha : float
        Where training starts.

    Attributes
    ----------
    parameters : mapping of str to float
        Learned vectors, one number for each neuron, with their initial values. A network makes them and calls
        ``activation(b, x, alpha)``.
    """

    name: ClassVar[str] = "prelu"
    alpha: float = 0.25

    def __post_init__(self) -> None:
        check_fields(self, "alpha")

    @property
    def parameters(self) -> Mapping[str, float]:
        """Initial values by name."""
        return {"alpha": self.alpha}

    def __call__(self, b: Builder, x: Value, alpha: Value) -> Value:
        """Append it; `alpha` has the shape of one row of `x`."""
        return b.mul(x, b.where(b.greater(x, 0.0), 1.0, alpha))


@dataclass(frozen=True)
class Parametric:
    """x + alpha · (base(x) - x) with an alpha that is learned for each neuron: 0 is the identity, 1 the base.

    Source: Holzmüller et al. 2024, arXiv:2407.04491.

    Parameters
    ----------
    base : {"relu", "selu", "mish", "silu", "tanh"}
        The activation that is mixed with the identity.
    alpha : float
        Where training starts.

    Attributes
    ----------
    parameters : mapping of str to float
        As those of `PReLU`.
    """

    name: ClassVar[str] = "parametric"
    base: str = "mish"
    alpha: float = 1.0

    def __post_init__(self) -> None:
        if self.base not in BASES:
            raise ValueError(f"base of parametric is {self.base!r}; allowed: {', '.join(BASES)}")
        check_fields(self, "alpha")

    @property
    def parameters(self) -> Mapping[str, float]:
        """Initial values by name."""
        return {"alpha": self.alpha}

    def __call__(self, b: Builder, x: Value, alpha: Value) -> Value:
        """Append it; `alpha` has the shape of one row of `x`."""
        return b.add(x, b.mul(alpha, b.sub(BASES[self.base](b, x), x)))


@dataclass(frozen=True)
class ELU:
    """x for x > 0, else alpha · (exp(x) - 1) (Clevert et al., 2015).

    Parameters
    ----------
    alpha : float
        The negative of the limit at minus infinity.
    """

    name: ClassVar[str] = "elu"
    alpha: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self, "alpha")

    def __call__(self, b: Builder, x: Value) -> Value:
        """Append it."""
        return _exponential_linear(b, x, height=self.alpha)


@dataclass(frozen=True)
class CELU:
    """x for x > 0, else alpha · (exp(x / alpha) - 1): smooth for every alpha (Barron, 2017).

    Parameters
    ----------
    alpha : float
        Above 0.
    """

    name: ClassVar[str] = "celu"
    alpha: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self, "alpha", low=0, above=True)

    def __call__(self, b: Builder, x: Value) -> Value:
        """Append it."""
        return _exponential_linear(b, x, height=self.alpha, rate=1 / self.alpha)


@dataclass(frozen=True)
class GELU:
    """x · Φ(x), Φ the distribution function of the normal distribution (Hendrycks and Gimpel, 2016).

    Parameters
    ----------
    approximate : {"none", "tanh"}
        "none" is exact; "tanh" puts 1/2 + 1/2 tanh(√(2/π) (x + 0.044715 x³)) for Φ(x).
    """

    name: ClassVar[str] = "gelu"
    approximate: str = "none"

    def __post_init__(self) -> None:
        if self.approximate not in ("none", "tanh"):
            raise ValueError(f"approximate of gelu is {self.approximate!r}; allowed: none, tanh")

    def __call__(self, b: Builder, x: Value) -> Value:
        """Append it."""
        if self.approximate == "none":
            return b.mul(x, b.add(b.mul(b.erf(b.mul(x, math.sqrt(0.5))), 0.5), 0.5))
        # 1/2 + 1/2 tanh(u) is logistic(2u).
        scale = math.sqrt(8 / math.pi)
        factor = b.add(b.mul(b.square(x), 0.044715 * scale), scale)
        return b.mul(x, b.logistic(b.mul(x, factor)))


BASES: Mapping[str, Callable[[Builder, Value], Value]] = MappingProxyType(
    {"relu": relu, "selu": selu, "mish": mish, "silu": silu, "tanh": tanh}
)
"""What `Parametric` mixes with the identity."""
