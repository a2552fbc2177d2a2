"""Losses by name, for classes and for numbers."""

from rosenblatt.nn.losses import base, classification, registry, regression
from rosenblatt.nn.losses.base import *
from rosenblatt.nn.losses.classification import *
from rosenblatt.nn.losses.registry import *
from rosenblatt.nn.losses.regression import *

__all__ = [*base.__all__, *classification.__all__, *regression.__all__, *registry.__all__]
