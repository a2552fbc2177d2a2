"""The learning rates of a training, step by step.

Takes a base rate and a schedule. Returns the rates of the next steps, which may depend on the results of epochs. Never
trains.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import MAX_COUNT, check_count, check_number
from rosenblatt.nn.schedules import Plateau, PlateauState, Schedule
from rosenblatt.storage.container import require_keys

__all__ = ["LearningRates", "annealed_strength"]


@dataclass
class LearningRates:
    """The rates of a schedule, multiplied by the factor of `Plateau` where that is the schedule."""

    base: float
    schedule: Schedule
    plateau: PlateauState = field(default_factory=PlateauState)

    @property
    def depends_on_results(self) -> bool:
        """Whether `after_epoch` has to be called before the next epoch's rates are known."""
        return isinstance(self.schedule, Plateau)

    @property
    def runs_to_completion(self) -> bool:
        """Whether a training that reached its last step is complete."""
        return getattr(self.schedule, "runs_to_completion", False)

    @property
    def present(self) -> float:
        """The rate that error messages name."""
        return self.base

    def of_steps(self, first: int, n_steps: int, steps_per_epoch: int, total: int) -> float | NDArray[np.float64]:
        """The rates of the steps first, first + 1, ..., one for each, or one for all.

        Raises ValueError if the training has so many steps, `total`, that a schedule cannot tell them apart.
        """
        if total > MAX_COUNT:
            raise ValueError(f"the training would have {total} steps; at most 2**53 are allowed, so take fewer epochs")
        steps = np.arange(first, first + n_steps)
        return self.schedule.rates(self.base, steps, steps_per_epoch, max(total, 1)) * self.plateau.factor

    def after_epoch(self, value: float, n_rows: int) -> None:
        """Note an epoch over `n_rows` rows that ended with `value`, of which lower is better."""
        if isinstance(self.schedule, Plateau):
            self.plateau = self.schedule.after_epoch(self.plateau, value)

    def reached_plateau(self) -> tuple[bool, str]:
        """What follows from a lack of progress: whether training ends, and a sentence that says so."""
        return True, "Stopping."

    def state(self) -> dict[str, Any]:
        """What changes, for a checkpoint."""
        return asdict(self.plateau)

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a `state`; a `ValueError` or `TypeError` for anything else."""
        require_keys(state, {"best", "bad_epochs", "factor"}, what="the entry on learning rates")
        plateau = PlateauState(**state)
        if type(plateau.best) is not float or math.isnan(plateau.best):
            raise ValueError(f"the best value of the schedule is {plateau.best!r}; it must be a number")
        check_count("bad_epochs of the schedule", plateau.bad_epochs, 0)
        check_number("factor of the schedule", plateau.factor, 0, 1, above=True)
        self.plateau = plateau


def annealed_strength(first: int, n_steps: int, total: int) -> NDArray[np.float64]:
    """What regularization is multiplied by: 1 in the first half of all steps, then (1 + cos(pi (2 t - 1))) / 2.

    t is the share of all `total` steps (Holzmüller et al. 2024, arXiv:2407.04491).
    """
    t = np.arange(first, first + n_steps) / total
    return np.where(t < 0.5, 1.0, 0.5 * (1 + np.cos(np.pi * (2 * t - 1))))
