"""Activations: functions that append instructions to a program.

An activation is ``activation(b, x) -> value`` of the shape of ``x``, built from the ops of the builder ``b``; its
derivative follows. A user's own function of that form can stand wherever a name can. Those with parameters are frozen
dataclasses: ``LeakyReLU(alpha=0.1)`` can be called, compared, printed and stored.

Goes in: a name, a function, a state. Comes out: the activation, its name, its state. What each computes is in
`rosenblatt.nn.activations.functions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from types import MappingProxyType
from typing import Any

from rosenblatt.ir.types import Value
from rosenblatt.nn import _registry
from rosenblatt.nn.activations import functions as f
from rosenblatt.nn.activations.functions import CELU, ELU, GELU, LeakyReLU, Parametric, PReLU, Step

__all__ = [
    "ACTIVATIONS",
    "CELU",
    "ELU",
    "GELU",
    "OUTPUTS",
    "Activation",
    "LeakyReLU",
    "PReLU",
    "Parametric",
    "Step",
    "activation_from_state",
    "activation_function",
    "activation_to_state",
    "name_of",
]

Activation = Callable[..., Value]
"""``activation(b, x) -> value``; those with the attribute `parameters` take a value for each of these after x."""

ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        **{"identity": f.identity, "logistic": f.logistic, "tanh": f.tanh, "relu": f.relu, "step": Step()},
        **{"hard_tanh": f.hard_tanh, "relu6": f.relu6, "leaky_relu": LeakyReLU(), "prelu": PReLU(), "elu": ELU()},
        "parametric": Parametric(),
        **{"selu": f.selu, "celu": CELU(), "gelu": GELU(), "silu": f.silu, "mish": f.mish, "softplus": f.softplus},
        **{"softsign": f.softsign, "hard_sigmoid": f.hard_sigmoid, "hard_swish": f.hard_swish},
    }
)
"""Activations of hidden layers by name."""
OUTPUTS: Mapping[str, Activation] = MappingProxyType(
    {
        **{"identity": f.identity, "logistic": f.logistic, "softmax": f.softmax, "exp": f.exp},
        **{"tanh": f.tanh, "softplus": f.softplus, "relu": f.relu, "step": Step()},
    }
)
"""Activations of the output layer by name."""

_STORABLE = {**ACTIVATIONS, **OUTPUTS}
_CLASSES: dict[str, type[Any]] = {name: type(a) for name, a in _STORABLE.items() if is_dataclass(a)}


def activation_function(given: str | Activation, allowed: Mapping[str, Activation] = ACTIVATIONS) -> Activation:
    """The function that `given` names or is.

    Raises
    ------
    ValueError
        If it is no name in `allowed` and no callable.
    """
    if instance := _registry.class_hint(given):
        raise ValueError(f"activation is the class {instance[:-2]}; give an instance of it, such as {instance}")
    if callable(given):
        return given
    if not isinstance(given, str) or given not in allowed:
        raise _registry.unknown_name("activation", given, allowed, "a function (b, x) -> value")
    return allowed[given]


def name_of(given: str | Activation) -> str:
    """A name for summaries: "relu", "leaky_relu(alpha=0.1)"."""
    if isinstance(given, str):
        return given
    if _is_named(given):
        return _registry.describe(given)
    return getattr(given, "__name__", type(given).__name__)


def _is_named(activation: Activation) -> bool:
    return type(activation) in _CLASSES.values()


def activation_to_state(activation: str | Activation) -> dict[str, Any]:
    """Name and parameters of an activation, ready for JSON.

    Raises
    ------
    ValueError
        If it is a function of the user's own: files hold no code.
    """
    if isinstance(activation, str):
        activation = activation_function(activation, _STORABLE)
    if _is_named(activation):
        return _registry.to_state(activation)
    for name, function in _STORABLE.items():
        if function is activation:
            return {"name": name, "parameters": {}}
    raise _registry.not_storable(activation)


def activation_from_state(state: Any) -> Activation:
    """The activation that `activation_to_state` was given.

    Raises
    ------
    ValueError
        If the state has another form or names something unknown.
    """
    restored: Activation = _registry.from_state("an activation", state, {**_STORABLE, **_CLASSES})
    return restored
