"""Learning-rate schedules by name."""

from rosenblatt.nn.schedules import base, rules
from rosenblatt.nn.schedules.base import *
from rosenblatt.nn.schedules.rules import *

__all__ = [*base.__all__, *rules.__all__]
