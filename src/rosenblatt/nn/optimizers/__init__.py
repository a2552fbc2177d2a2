"""Optimizers by name."""

from rosenblatt.nn.optimizers import base, rules
from rosenblatt.nn.optimizers.base import *
from rosenblatt.nn.optimizers.rules import *

__all__ = [*base.__all__, *rules.__all__]
