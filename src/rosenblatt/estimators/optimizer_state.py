"""What `partial_fit` continues from, and scikit-learn's learning rates.

Takes a trainer and the parameters that say how fast to learn. Returns one place for both. Never trains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rosenblatt.nn.schedules import Schedule
from rosenblatt.training import Trainer
from rosenblatt.training.learning_rates import ScheduledRates

__all__ = ["MIN_LEARNING_RATE", "OptimizerState", "SolverRates", "rates_of"]

MIN_LEARNING_RATE = 1e-6
"""The adaptive mode stops instead of continuing with a learning rate at or below this."""


@dataclass
class SolverRates:
    """scikit-learn's modes "constant", "invscaling" and "adaptive".

    Attributes
    ----------
    present : float
        The learning rate of the next epoch.
    n_rows_seen : int
        Rows of all epochs so far.
    """

    base: float
    mode: str = "constant"
    power_t: float = 0.5
    n_rows_seen: int = 0
    runs_to_completion = False

    def __post_init__(self) -> None:
        self.present = float(self.base)

    @property
    def depends_on_results(self) -> bool:
        """Inverse scaling needs the number of rows."""
        return self.mode == "invscaling"

    def of_steps(self, first: int, n_steps: int, steps_per_epoch: int, total: int) -> float:
        """One rate for all of them."""
        return self.present

    def after_epoch(self, value: float, n_rows: int) -> None:
        """Inverse scaling: base / (rows seen + 1) ** power_t."""
        self.n_rows_seen += n_rows
        if self.mode == "invscaling":
            self.present = self.base / (self.n_rows_seen + 1) ** self.power_t

    def reached_plateau(self) -> tuple[bool, str]:
        """Lower an adaptive learning rate; whether training ends, and a sentence on that."""
        if self.mode != "adaptive":
            return True, "Stopping."
        if self.present <= MIN_LEARNING_RATE:
            return True, "Learning rate too small. Stopping."
        self.present /= 5.0
        return False, f"Setting learning rate to {self.present:f}"

    def state(self) -> dict[str, Any]:
        """What changes."""
        return {"present": self.present, "n_rows_seen": self.n_rows_seen}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
        self.present, self.n_rows_seen = state["present"], state["n_rows_seen"]


@dataclass
class SchedulerRates(ScheduledRates):
    """Rates of a schedule, with what scikit-learn's rules ask besides."""

    @property
    def present(self) -> float:
        """The rate that was asked for."""
        return self.base

    @property
    def runs_to_completion(self) -> bool:
        """Whether a training that came to its last step is complete."""
        return getattr(self.schedule, "runs_to_completion", False)

    def reached_plateau(self) -> tuple[bool, str]:
        """See `SolverRates.reached_plateau`."""
        return True, "Stopping."


def rates_of(
    base: float, mode: str | Schedule, power_t: float = 0.5, n_rows_seen: int = 0
) -> SolverRates | SchedulerRates:
    """The learning rates of a mode or a schedule."""
    return SolverRates(base, mode, power_t, n_rows_seen) if isinstance(mode, str) else SchedulerRates(base, mode)


@dataclass
class OptimizerState:
    """The trainer (moments, step count), for which settings it was made, and the learning rates."""

    rates: SolverRates | SchedulerRates
    trainer: Trainer | None = None
    made_for: tuple[Any, ...] = ()

    @property
    def running_trainer(self) -> Trainer:
        """The trainer, of which there is one from the first epoch on (an unpickled state has none)."""
        assert self.trainer is not None
        return self.trainer

    def replace_trainer(self, fresh: Trainer, made_for: tuple[Any, ...]) -> None:
        """Continue with a trainer that was built for other settings; it takes over the moments and the step count."""
        if self.trainer is not None:
            fresh.continue_from(self.trainer)
        self.trainer, self.made_for = fresh, made_for

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "trainer": None, "made_for": ()}
