"""Optimizers by name."""

from rosenblatt.nn.optimizers import base, rules
from rosenblatt.nn.optimizers.base import *
from rosenblatt.nn.optimizers.rules import *
from rosenblatt.nn.registry import Registry, members_of

OPTIMIZERS: Registry[Optimizer] = Registry(
    "optimizer",
    members_of(None, rules),
    adapt=lambda given: given if hasattr(given, "update") and hasattr(given, "slot_values") else None,
)
"""Optimizers by name."""

__all__ = ["OPTIMIZERS"]
__all__ += base.__all__
__all__ += rules.__all__
