"""Initializers by name, and the rules they stand for."""

from rosenblatt.nn.initializers import registry
from rosenblatt.nn.initializers.registry import *

__all__ = [*registry.__all__]
