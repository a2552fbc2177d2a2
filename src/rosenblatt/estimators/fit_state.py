"""What a fit by mini-batches carries from epoch to epoch, besides the estimator's own attributes.

Goes in: trainer, learning rate, row orders, validation, callbacks, checkpoints. Comes out: one place for them. The loop
over epochs is in `_stochastic`, what a checkpoint holds of them in `_resume`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rosenblatt.estimators.callbacks import FitTasks
from rosenblatt.nn.schedules import Plateau, PlateauState, Schedule
from rosenblatt.training import Trainer
from rosenblatt.training.checkpoint import Checkpoints
from rosenblatt.training.evaluation import Evaluator, GradientProbe

__all__ = ["MIN_LEARNING_RATE", "Course", "OptimizerState", "Resumption"]

Array = npt.NDArray[Any]
MIN_LEARNING_RATE = 1e-6
"""The adaptive mode stops instead of going on with a learning rate at or below this."""


@dataclass
class OptimizerState:
    """What `partial_fit` continues from: the trainer (moments, step count) and the learning rate."""

    trainer: Trainer | None
    learning_rate_init: float
    mode: str | Schedule = "constant"
    power_t: float = 0.5
    learning_rate: float = 0.0
    made_for: tuple[Any, ...] = ()
    plateau: PlateauState = field(default_factory=PlateauState)

    def __post_init__(self) -> None:
        self.learning_rate = self.learning_rate or float(self.learning_rate_init)

    @property
    def running_trainer(self) -> Trainer:
        """The trainer, of which there is one from the first epoch on (an unpickled state has none)."""
        assert self.trainer is not None
        return self.trainer

    @property
    def schedule(self) -> Schedule | None:
        """The schedule, if the learning rate follows one; scikit-learn's modes are none."""
        return None if isinstance(self.mode, str) else self.mode

    def rates(self, first_step: int, n_steps: int, steps_per_epoch: int, total_steps: int) -> float | Array:
        """Learning rates of the next steps."""
        if self.schedule is None:
            return self.learning_rate
        steps = np.arange(first_step, first_step + n_steps)
        rates = self.schedule.rates(self.learning_rate_init, steps, steps_per_epoch, max(total_steps, 1))
        return np.asarray(rates * self.plateau.factor, np.float64)

    def end_epoch(self, n_samples_seen: int, loss_or_score: float) -> None:
        """Inverse scaling: learning_rate_init / (samples seen + 1) ** power_t; and a plateau schedule's next state."""
        if self.mode == "invscaling":
            self.learning_rate = self.learning_rate_init / (n_samples_seen + 1) ** self.power_t
        if isinstance(self.mode, Plateau):
            self.plateau = self.mode.after_epoch(self.plateau, loss_or_score)

    def reached_plateau(self) -> str:
        """Lower an adaptive learning rate and say so, or say why training stops (ends with "Stopping.")."""
        if self.mode != "adaptive":
            return "Stopping."
        if self.learning_rate <= MIN_LEARNING_RATE:
            return "Learning rate too small. Stopping."
        self.learning_rate /= 5.0
        return f"Setting learning rate to {self.learning_rate:f}"

    def replace_trainer(self, fresh: Trainer, made_for: tuple[Any, ...]) -> None:
        """Go on with a trainer that was built for other settings; it takes over the moments and the step count."""
        if self.trainer is not None:
            fresh.continue_from(self.trainer)
        self.trainer, self.made_for = fresh, made_for

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "trainer": None, "made_for": ()}


@dataclass(frozen=True)
class Resumption:
    """Where a fit starts: random state before it, folder of checkpoints, and what was found there."""

    start: tuple[dict[str, Any], Array] | None = None
    checkpoints: Checkpoints | None = None
    found: tuple[dict[str, Any], dict[str, Array]] | None = None


@dataclass
class Course:
    """What a fit needs besides the trainer and the estimator's attributes.

    Attributes
    ----------
    rows : ndarray or None
        Row numbers to train on, in the order of the present epoch; None: all rows as they are.
    n_rows : int
    rng : RandomState
        Source of the row orders.
    score : callable or None
        The validation score at the network's present weights.
    evaluator : Evaluator or None
        Its loss.
    incremental : bool
        One epoch, without a decision (`partial_fit`).
    best : ndarray or None
        Weights of the best validation score.
    tasks : FitTasks
        Callbacks to tell.
    mask_seed : int
        Of dropout and noise.
    probe : GradientProbe or None
        Statistics of the gradient.
    resumption : Resumption
        Checkpoints, and what was found in them.
    in_epoch : bool
        The first epoch goes on where a checkpoint left it.
    finished : bool
        The checkpoint was of a finished training.
    pause : float
        Training pauses before the epoch after this one.
    finish : callable
        Called in a pause: what `predict` needs besides the network.
    """

    rows: Array | None
    n_rows: int
    rng: np.random.RandomState
    score: Callable[[], float] | None = None
    evaluator: Evaluator | None = None
    incremental: bool = False
    best: Array | None = None
    tasks: FitTasks = field(default_factory=FitTasks)
    mask_seed: int = 0
    probe: GradientProbe | None = None
    resumption: Resumption = field(default_factory=Resumption)
    in_epoch: bool = False
    finished: bool = False
    pause: float = math.inf
    finish: Callable[[], None] = field(default=lambda: None)

    @property
    def checkpoints(self) -> Checkpoints | None:
        """Where the fit is saved, if it is."""
        return self.resumption.checkpoints
