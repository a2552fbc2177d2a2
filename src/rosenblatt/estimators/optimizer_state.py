"""What `partial_fit` continues from, and scikit-learn's learning rates.

Takes a trainer and the parameters of its learning rate. Returns an object that holds both. Never trains.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rosenblatt._checks import check_count, check_number
from rosenblatt.nn.schedules import ConstantRate, Schedule
from rosenblatt.storage.container import require_keys
from rosenblatt.training import Trainer
from rosenblatt.training.learning_rates import LearningRates

__all__ = ["MIN_LEARNING_RATE", "OptimizerState", "SolverRates"]

MIN_LEARNING_RATE = 1e-6
"""The adaptive mode stops instead of continuing with a learning rate at or below this."""


@dataclass
class SolverRates(LearningRates):
    """scikit-learn's modes "constant", "invscaling" and "adaptive"."""

    schedule: Schedule = field(default_factory=ConstantRate)
    mode: str = "constant"
    power_t: float = 0.5
    n_rows_seen: int = 0  # in all epochs so far

    def __post_init__(self) -> None:
        self.rate = float(self.base)  # of the next epoch

    @property
    def depends_on_results(self) -> bool:
        return self.mode == "invscaling"

    @property
    def runs_to_completion(self) -> bool:
        return False

    @property
    def present(self) -> float:
        return self.rate

    def of_steps(self, first: int, n_steps: int, steps_per_epoch: int, total: int) -> float:
        return self.rate

    def after_epoch(self, value: float, n_rows: int) -> None:
        self.n_rows_seen += n_rows
        if self.mode == "invscaling":
            self.rate = self.base / (self.n_rows_seen + 1) ** self.power_t

    def reached_plateau(self) -> tuple[bool, str]:
        if self.mode != "adaptive":
            return True, "Stopping."
        if self.rate <= MIN_LEARNING_RATE:
            return True, "Learning rate too small. Stopping."
        self.rate /= 5.0
        return False, f"Setting learning rate to {self.rate:f}"

    def state(self) -> dict[str, Any]:
        return {"rate": self.rate, "n_rows_seen": self.n_rows_seen}

    def restore(self, state: dict[str, Any]) -> None:
        require_keys(state, {"rate", "n_rows_seen"}, what="the entry on learning rates")
        rate = check_number("the learning rate", state["rate"], 0, self.base)
        self.rate, self.n_rows_seen = rate, check_count("n_rows_seen", state["n_rows_seen"], 0)


@dataclass
class OptimizerState:
    """The trainer (moments, step count), the settings that it was built for, and the learning rates."""

    rates: LearningRates
    trainer: Trainer | None = None
    made_for: tuple[Any, ...] = ()

    @property
    def running_trainer(self) -> Trainer:
        """The trainer, which exists from the first epoch on (an unpickled state has none)."""
        assert self.trainer is not None
        return self.trainer

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next epoch, under scikit-learn's name."""
        return self.rates.present

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "trainer": None, "made_for": ()}
