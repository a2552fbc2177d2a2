"""The epoch loop of the solvers "sgd" and "adam", shared by all estimators.

Goes in: a trainer with its data, the rows to train on and a validation score. Comes out: a trained network and the
history attributes (``loss_curve_``, ``n_iter_``, ...). It never touches the data itself, and it leaves no non-finite
network behind: it raises `DivergenceError`, or restores the best weights where it has them.

The rules (learning-rate modes, plateau count, what ends training) are those of scikit-learn 1.9.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning

from rosenblatt import _core
from rosenblatt.training import Trainer

from ._base import DivergenceError, NetworkEstimator, divergence_message, warn_user

__all__ = ["SMALLEST_LEARNING_RATE", "OptimizerState", "StochasticSolver"]

Array = npt.NDArray[Any]
MOST_ORDERED_ROWS = 1 << 20
"""Row numbers that are drawn ahead, for as many epochs as they are enough for."""
SMALLEST_LEARNING_RATE = 1e-6
"""The adaptive mode stops instead of going on with a learning rate at or below this."""
ADVICE = (
    "The loss became {loss} in epoch {epoch}: try a smaller learning_rate_init (now {rate:g}), and scale the inputs, "
    "for example with sklearn.preprocessing.StandardScaler."
)


@dataclass
class OptimizerState:
    """What `partial_fit` continues from: the trainer (moments, step count) and the learning rate."""

    trainer: Trainer | None
    learning_rate_init: float
    mode: str = "constant"
    power_t: float = 0.5
    learning_rate: float = 0.0
    made_for: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        self.learning_rate = self.learning_rate or float(self.learning_rate_init)

    @property
    def running_trainer(self) -> Trainer:
        """The trainer, of which there is one from the first epoch on (an unpickled state has none)."""
        assert self.trainer is not None
        return self.trainer

    def end_epoch(self, n_samples_seen: int) -> None:
        """Inverse scaling: learning_rate_init / (samples seen + 1) ** power_t."""
        if self.mode == "invscaling":
            self.learning_rate = self.learning_rate_init / (n_samples_seen + 1) ** self.power_t

    def reached_plateau(self) -> str:
        """Lower an adaptive learning rate and say so, or say why training stops (ends with "Stopping.")."""
        if self.mode != "adaptive":
            return "Stopping."
        if self.learning_rate <= SMALLEST_LEARNING_RATE:
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


def shuffle(rows: Array, rng: np.random.RandomState) -> None:
    """What ``rng.shuffle(rows)`` does to int64 numbers, with the same random bits, in less time."""
    bits = rng._bit_generator
    with bits.lock:
        _core.shuffle_as_numpy(rows, bits.capsule)


class StochasticSolver(NetworkEstimator):
    """Epochs of mini-batches over ``self._network``; settings are read from the constructor parameters."""

    max_iter: int
    tol: float
    shuffle: bool
    verbose: bool | int
    n_iter_no_change: float
    early_stopping: bool
    learning_rate_init: float
    n_iter_: int
    t_: int
    loss_: float
    loss_curve_: list[float]
    best_loss_: float | None
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    _no_improvement_count: int
    _optimizer: OptimizerState

    def _start_history(self, first_pass: bool, early_stopping: bool) -> None:
        """Begin the history attributes, or get those of earlier calls ready to be continued."""
        if first_pass:
            for name in ("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"):
                self.__dict__.pop(name, None)
            self.t_, self._no_improvement_count = 0, 0
        have = vars(self)
        self.loss_curve_ = list(have.get("loss_curve_") or [])
        self.t_, self._no_improvement_count = have.get("t_", 0), have.get("_no_improvement_count", 0)
        best_loss, best_score = have.get("best_loss_"), have.get("best_validation_score_")
        scores = list(have.get("validation_scores_") or [])
        self.best_loss_ = None if early_stopping else best_loss if best_loss is not None else math.inf
        self.validation_scores_ = scores if early_stopping else None
        self.best_validation_score_ = (best_score if best_score is not None else -math.inf) if early_stopping else None

    def _run_epochs(
        self,
        rows: Array | None,
        n_rows: int,
        rng: np.random.RandomState,
        score: Callable[[], float] | None,
        incremental: bool,
    ) -> None:
        """Train until a rule ends it; with a validation `score` the best weights are put back at the end."""
        best = None if score is None else np.array(self._network.parameters)
        max_iter = 1 if incremental else self.max_iter
        trainer = self._optimizer.running_trainer
        self.n_iter_ = 0
        losses: list[float] = []  # of epochs that the history does not have yet
        try:
            while self.n_iter_ < max_iter:
                n_epochs = min(max_iter - self.n_iter_, self._epochs_without_decision(n_rows, score is not None))
                orders = None if rows is None else self._orders(rows, n_epochs, rng)
                losses = trainer.epochs(n_epochs, self._optimizer.learning_rate, orders, shuffle=False)
                if not self._end_epochs(losses, n_rows, score, best):
                    break
                if self._no_improvement_count > self.n_iter_no_change and self._ends_at_plateau():
                    break
            else:
                if not incremental:
                    self._warn_not_converged()
        except KeyboardInterrupt:
            if score is None:  # else an epoch without its score is none
                self._end_epochs([*losses, *trainer.whole_epochs], n_rows, None, None)
            trainer.whole_epochs = []
            warn_user(f"Training interrupted by user in epoch {self.n_iter_ + 1}; the network is kept as it is.")
        if best is not None:
            self._network.parameters[:] = best

    def _epochs_without_decision(self, n_rows: int, validates: bool) -> int:
        """Epochs that can run before anything but a divergence may end training or change the learning rate."""
        if validates or self.verbose or self._optimizer.mode == "invscaling":
            return 1
        until_plateau = self.n_iter_no_change + 1 - self._no_improvement_count
        return int(max(1, min(until_plateau, MOST_ORDERED_ROWS // n_rows)))

    def _orders(self, rows: Array, n_epochs: int, rng: np.random.RandomState) -> Array:
        """The row orders of the next epochs, (n_epochs, n_rows); each shuffles the one before, as in scikit-learn."""
        orders = np.empty((n_epochs, len(rows)), np.int64) if n_epochs > 1 else rows[None, :]  # not a copy
        for order in orders:
            if self.shuffle:
                shuffle(rows, rng)
            if n_epochs > 1:
                order[:] = rows
        return orders

    def _end_epochs(
        self, losses: list[float], n_rows: int, score: Callable[[], float] | None, best: Array | None
    ) -> bool:
        """Move losses from the list into the history; False when training diverged."""
        while losses:
            if not self._end_epoch(losses.pop(0), n_rows, score, best):
                return False
        return True

    def _end_epoch(self, loss: float, n_rows: int, score: Callable[[], float] | None, best: Array | None) -> bool:
        """Take an epoch into the history; False when training diverged but the best weights are at hand."""
        self.n_iter_ += 1
        self.t_ += n_rows
        self.loss_ = loss
        self.loss_curve_.append(loss)
        if self.verbose:
            print(f"Iteration {self.n_iter_}, loss = {loss:.8f}")
        if not math.isfinite(loss):
            self._stop_divergence(loss)
            return False
        if score is None:
            self._count_loss(loss)
        else:
            self._count_score(score(), best)
        self._optimizer.end_epoch(self.t_)
        return True

    def _count_loss(self, loss: float) -> None:
        """Epochs in a row whose loss was not at least `tol` below the best one."""
        assert self.best_loss_ is not None
        stalled = loss > self.best_loss_ - self.tol
        self._no_improvement_count = self._no_improvement_count + 1 if stalled else 0
        self.best_loss_ = min(loss, self.best_loss_)

    def _count_score(self, score: float, best: Array | None) -> None:
        """Epochs in a row whose validation score was not `tol` above the best; keeps the best weights in `best`."""
        assert self.validation_scores_ is not None
        assert self.best_validation_score_ is not None
        assert best is not None
        self.validation_scores_.append(score)
        if self.verbose:
            print(f"Validation score: {score:f}")
        stalled = score < self.best_validation_score_ + self.tol
        self._no_improvement_count = self._no_improvement_count + 1 if stalled else 0
        if score > self.best_validation_score_:
            self.best_validation_score_ = score
            best[:] = self._network.parameters

    def _ends_at_plateau(self) -> bool:
        """Whether no progress ends training; an adaptive learning rate is lowered first."""
        what = "Training loss" if self.validation_scores_ is None else "Validation score"
        outcome = self._optimizer.reached_plateau()
        if self.verbose:
            print(
                f"{what} did not improve more than tol={self.tol:f} for {self.n_iter_no_change} consecutive epochs. "
                f"{outcome}"
            )
        if outcome.endswith("Stopping."):
            return True
        self._no_improvement_count = 0
        return False

    def _stop_divergence(self, loss: float) -> None:
        """Raise, unless a validation score says which earlier weights to go back to: then warn."""
        advice = ADVICE.format(loss=loss, epoch=self.n_iter_, rate=self._optimizer.learning_rate)
        if self.validation_scores_ is None or self.best_validation_score_ == -math.inf:
            raise DivergenceError(divergence_message(advice))
        self.validation_scores_.append(math.nan)
        warn_user(
            f"Training diverged and was stopped; the weights of the best validation score are kept. {advice}",
            ConvergenceWarning,
        )

    def _warn_not_converged(self) -> None:
        warn_user(
            f"Maximum iterations ({self.max_iter}) reached before training converged: loss {self.loss_:.6g}, tol "
            f"{self.tol:g}. Raise max_iter or tol, or scale the inputs.",
            ConvergenceWarning,
        )
