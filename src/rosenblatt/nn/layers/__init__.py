"""Layers, each in the file of its kind; all of them by name here."""

from rosenblatt.nn.layers import base, core, dropout, normalization, periodic
from rosenblatt.nn.layers.base import *
from rosenblatt.nn.layers.core import *
from rosenblatt.nn.layers.dropout import *
from rosenblatt.nn.layers.normalization import *
from rosenblatt.nn.layers.periodic import *
from rosenblatt.nn.registry import Registry, members_of

LAYERS: Registry[Layer] = Registry("layer", members_of(Layer, base, core, dropout, normalization, periodic))
"""Layers by the names of their classes."""

__all__ = ["LAYERS"]
__all__ += base.__all__
__all__ += core.__all__
__all__ += dropout.__all__
__all__ += normalization.__all__
__all__ += periodic.__all__
