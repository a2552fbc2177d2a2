"""Activations by name, and the functions they stand for."""

from rosenblatt.nn.activations import registry
from rosenblatt.nn.activations.registry import *

__all__ = [*registry.__all__]
