"""What a schedule is to training, and how schedules refuse wrong settings.

Takes settings. Returns nothing, or raises a `ValueError` that says what is allowed. Never holds a schedule.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import is_number

__all__ = ["Schedule"]

Steps = NDArray[np.int64]
Rates = NDArray[np.float64]


@runtime_checkable
class Schedule(Protocol):
    """What training asks of a schedule.

    Those that plan the whole training have an attribute ``runs_to_completion`` that is true: a training that reached
    its last step is complete; it did not fail to converge.
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
            The length of the whole training.

        Returns
        -------
        ndarray of float64, shape (n,)
        """


def numbers_of(schedule: object, name: str) -> tuple[float, ...]:
    """A field that is a sequence of numbers, as a tuple; their ranges are checked by the schedule."""
    value = getattr(schedule, name)
    items = tuple(value) if isinstance(value, (tuple, list, np.ndarray)) else (None,)
    if not all(map(is_number, items)):
        raise ValueError(f"{type(schedule).__name__}: {name} are {value!r}; they must be a tuple of finite numbers")
    return items
