"""Activations: functions that append instructions to a program.

An activation is ``activation(b, x) -> value`` of the shape of ``x``, built from the ops of the builder ``b``; its
derivative follows. A user's own function of that form can stand wherever a name can.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from rosenblatt.ir.program import Builder, Value

__all__ = ["ACTIVATIONS", "OUTPUTS", "Activation", "activation_function", "name_of"]

Activation = Callable[[Builder, Value], Value]


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


ACTIVATIONS = MappingProxyType({"identity": identity, "logistic": logistic, "tanh": tanh, "relu": relu})
"""Activations of hidden layers by name."""
OUTPUTS = MappingProxyType({"identity": identity, "logistic": logistic, "softmax": softmax, "exp": exp})
"""Activations of the output layer by name."""


def activation_function(
    given: str | Activation, allowed: MappingProxyType[str, Activation] = ACTIVATIONS
) -> Activation:
    """The function that `given` names or is.

    Raises
    ------
    ValueError
        If it is no name in `allowed` and no callable.
    """
    if callable(given):
        return given
    if given not in allowed:
        raise ValueError(f"activation is {given!r}; allowed: {', '.join(allowed)}, or a function (b, x) -> value")
    return allowed[given]


def name_of(given: str | Activation) -> str:
    """A name for summaries."""
    return given if isinstance(given, str) else getattr(given, "__name__", type(given).__name__)
