"""Activations: functions that append instructions to a program.

An activation is ``activation(b, x) -> value`` of the shape of ``x``, built from the ops of the builder ``b``; its
derivative follows. A user's own function of that form can stand wherever a name can. Those with parameters are frozen
dataclasses: ``LeakyReLU(alpha=0.1)`` can be called, compared, printed and stored.

What each computes is in `rosenblatt.nn.activations.functions`.
"""

from rosenblatt.nn.activations import functions
from rosenblatt.nn.activations.functions import *
from rosenblatt.nn.registry import Registry, members_of

FUNCTIONS: Registry[Activation] = Registry(
    "activation",
    members_of(None, functions),
    "a function (b, x) -> value",
    lambda given: given if callable(given) else None,
)
"""All activations by name."""
OUTPUTS = FUNCTIONS.select("identity", "logistic", "softmax", "exp", "tanh", "softplus", "relu", "step")
"""Activations of the output layer by name."""
ACTIVATIONS = FUNCTIONS.select(*(name for name in FUNCTIONS if name not in ("softmax", "exp")))
"""Activations of hidden layers by name."""

__all__ = ["ACTIVATIONS", "OUTPUTS"]
__all__ += functions.__all__
