"""Learning-rate schedules by name."""

from rosenblatt.nn.registry import Registry, members_of
from rosenblatt.nn.schedules import base, rules
from rosenblatt.nn.schedules.base import *
from rosenblatt.nn.schedules.rules import *

SCHEDULES: Registry[Schedule] = Registry(
    "schedule", members_of(Schedule, rules), adapt=lambda given: given if isinstance(given, Schedule) else None
)
"""Schedules by name."""

__all__ = ["SCHEDULES"]
__all__ += base.__all__
__all__ += rules.__all__
