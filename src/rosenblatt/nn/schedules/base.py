"""What a schedule is to training, and how schedules refuse wrong settings.

Takes settings. Returns nothing, or raises a `ValueError` that says what is allowed. Never holds a schedule.
"""

from __future__ import annotations

import math
import numbers
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Schedule"]

Steps = NDArray[np.int64]
Rates = NDArray[np.float64]


@runtime_checkable
class Schedule(Protocol):
    """What training asks of a schedule.

    Those that plan the whole training have an attribute ``runs_to_completion`` that is true: a training that reached
    its last step is complete, and has not failed to converge.
    """

    def rates(self, base: float, steps: Steps, steps_per_epoch: int, total_steps: int) -> Rates:
        """Learning rates of the given steps.

        Parameters
        ----------
        base : float
            The learning rate that was asked for.
        steps : ndarray of int64, shape (n,)
            Numbers of steps from the start of training, counted from 0.
        steps_per_epoch, total_steps : int
            Of the whole training.

        Returns
        -------
        ndarray of float64, shape (n,)
        """


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def check_range(schedule: object, low: float, high: float, *names: str, above: bool = False) -> None:
    """Refuse fields that are no finite numbers in [low, high]; `above` excludes `low`."""
    for name in names:
        value = getattr(schedule, name)
        if not _is_number(value) or not low <= value <= high or (above and value == low) or value == math.inf:
            end = "infinity)" if high == math.inf else f"{high:g}]"
            allowed = f"{'(' if above else '['}{low:g}, {end}"
            raise ValueError(f"{type(schedule).__name__}: {name} is {value!r}; it must be a number in {allowed}")


def check_whole(schedule: object, low: int, high: float, *names: str) -> None:
    """Refuse fields that are no whole numbers in [low, high]."""
    check_range(schedule, low, high, *names)
    for name in names:
        value = getattr(schedule, name)
        if value != math.floor(value):
            raise ValueError(f"{type(schedule).__name__}: {name} is {value!r}; it must be a whole number")


def numbers_of(schedule: object, name: str) -> tuple[float, ...]:
    """A field that is a sequence of numbers, as a tuple; which numbers, its schedule knows."""
    value = getattr(schedule, name)
    items = tuple(value) if isinstance(value, (tuple, list, np.ndarray)) else (None,)
    if not all(map(_is_number, items)):
        raise ValueError(f"{type(schedule).__name__}: {name} are {value!r}; they must be a tuple of numbers")
    return items
