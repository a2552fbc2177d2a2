"""The epoch loop of the solvers "sgd" and "adam", shared by all estimators.

Goes in: a trainer with its data, the rows to train on and a validation score. Comes out: a trained network and the
history attributes (``loss_curve_``, ``n_iter_``, ...). It never touches the data itself, and it leaves no non-finite
network behind: it raises `DivergenceError`, or restores the best weights where it has them.

The rules (learning-rate modes, plateau count, what ends training) are those of scikit-learn 1.9.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning

from rosenblatt import _core
from rosenblatt.estimators.base import DivergenceError, NetworkEstimator, divergence_message, warn_user
from rosenblatt.estimators.fit_state import Course, OptimizerState
from rosenblatt.estimators.resume import fit_state
from rosenblatt.nn.schedules import Plateau
from rosenblatt.training.checkpoint import run_epoch
from rosenblatt.training.history import History

__all__ = ["StochasticSolver"]

Array = npt.NDArray[Any]
MAX_ORDERED_ROWS = 1 << 20
"""Row numbers that are drawn ahead, for as many epochs as they are enough for."""
ADVICE = (
    "The loss became {loss} in epoch {epoch}: try a smaller learning_rate_init (now {rate:g}), and scale the inputs, "
    "for example with sklearn.preprocessing.StandardScaler."
)


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
    history_: History
    _no_improvement_count: int
    _optimizer: OptimizerState
    ema_decay = 0.0

    def _start_history(self, first_pass: bool, early_stopping: bool) -> None:
        """Begin the history attributes, or get those of earlier calls ready to be continued."""
        if first_pass:
            for name in ("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_", "history_"):
                self.__dict__.pop(name, None)
            self.t_, self._no_improvement_count = 0, 0
        have = vars(self)
        self.loss_curve_ = list(have.get("loss_curve_") or [])
        self.history_ = History(have.get("history_"))
        self.n_iter_ = 0
        self.t_, self._no_improvement_count = have.get("t_", 0), have.get("_no_improvement_count", 0)
        best_loss, best_score = have.get("best_loss_"), have.get("best_validation_score_")
        scores = list(have.get("validation_scores_") or [])
        self.best_loss_ = None if early_stopping else best_loss if best_loss is not None else math.inf
        self.validation_scores_ = scores if early_stopping else None
        self.best_validation_score_ = (best_score if best_score is not None else -math.inf) if early_stopping else None

    def _run_epochs(self, course: Course) -> None:
        """Train until a rule ends it; with a validation score the best weights are put back at the end."""
        for _ in self._stages(course):
            raise AssertionError("a course without a pause has one stage")

    def _stages(self, course: Course) -> Generator[None, float, None]:
        """The same with pauses: what is sent is the epoch to pause at next, as if training ended there."""
        if course.score is not None and course.best is None:
            course.best = np.array(self._network.block)
        max_iter = 1 if course.incremental else self.max_iter
        trainer = self._optimizer.running_trainer
        losses: list[float] = []  # of epochs that the history does not have yet
        try:
            while self.n_iter_ < max_iter and not course.finished:
                while self.n_iter_ >= course.pause:
                    with self._as_if_ended(course):
                        course.finish()
                        course.pause = yield
                losses = self._train_some(course, max_iter)
                course.finished = not self._end_epochs(losses, course) or self._reached_end(course)
                if course.checkpoints is not None and course.checkpoints.is_due(trainer.step_count):
                    self._save(course)
            ends_as_planned = getattr(self._optimizer.schedule, "runs_to_completion", False)
            if not course.finished and not course.incremental and not ends_as_planned:
                self._warn_not_converged()
        except KeyboardInterrupt:
            if course.score is None:  # else an epoch without its score is none
                self._end_epochs([*losses, *trainer.whole_epochs], course)
            trainer.whole_epochs = []
            warn_user(f"Training interrupted by user in epoch {self.n_iter_ + 1}; the network is kept as it is.")
            if course.checkpoints is None:
                trainer.position = (0, 0.0)
        else:
            course.finished = True
        if course.checkpoints is not None and course.finished:
            self._save(course)
        if course.best is not None:
            self._network.block[:] = course.best
        elif self.ema_decay:
            self._network.parameters[:] = trainer.averages()

    def _save(self, course: Course) -> None:
        assert course.checkpoints is not None
        course.checkpoints.save(self._optimizer.running_trainer.step_count, *fit_state(self, course))

    def _train_some(self, course: Course, max_iter: int) -> list[float]:
        """Run as many epochs as can pass before anything has to be decided; their losses."""
        trainer = self._optimizer.running_trainer
        course.tasks.begin_epoch()
        n_epochs = min(max_iter - self.n_iter_, self._epochs_without_decision(course))
        steps = trainer.steps_per_epoch(course.n_rows)
        first = trainer.step_count if course.incremental else self.n_iter_ * steps
        rates = self._optimizer.rates(first, n_epochs * steps, steps, self.max_iter * steps)
        if course.rows is not None and course.in_epoch:
            orders: Array | None = course.rows[None, :]
        else:
            orders = None if course.rows is None else self._orders(course.rows, n_epochs, course.rng)
        if course.checkpoints is None:
            return trainer.epochs(n_epochs, rates, orders, shuffle=False)
        order, resume = None if orders is None else orders[0], course.in_epoch
        course.in_epoch = False
        loss = run_epoch(
            trainer,
            rates,
            order,
            shuffle=False,
            resume=resume,
            checkpoints=course.checkpoints,
            snapshot=lambda: fit_state(self, course),
        )
        return [loss]

    def _reached_end(self, course: Course) -> bool:
        """Whether lack of progress, or a callback, ends training."""
        if course.tasks.stopped:
            return True
        return self._no_improvement_count > self.n_iter_no_change and self._ends_at_plateau()

    def _epochs_without_decision(self, course: Course) -> int:
        """Epochs that can run before anything but a divergence may end training or change the learning rate."""
        optimizer = self._optimizer
        if (
            course.score is not None
            or course.checkpoints is not None
            or course.tasks.wanted
            or self.verbose
            or course.probe is not None
            or optimizer.mode == "invscaling"
            or isinstance(optimizer.mode, Plateau)
        ):
            return 1
        until_plateau = self.n_iter_no_change + 1 - self._no_improvement_count
        return int(max(1, min(until_plateau, course.pause - self.n_iter_, MAX_ORDERED_ROWS // course.n_rows)))

    def _orders(self, rows: Array, n_epochs: int, rng: np.random.RandomState) -> Array:
        """The row orders of the next epochs, (n_epochs, n_rows); each shuffles the one before, as in scikit-learn."""
        orders = np.empty((n_epochs, len(rows)), np.int64) if n_epochs > 1 else rows[None, :]  # not a copy
        for order in orders:
            if self.shuffle:
                shuffle(rows, rng)
            if n_epochs > 1:
                order[:] = rows
        return orders

    def _end_epochs(self, losses: list[float], course: Course) -> bool:
        """Move losses from the list into the history; False when training diverged."""
        while losses:
            if not self._end_epoch(losses.pop(0), course):
                return False
        return True

    def _end_epoch(self, loss: float, course: Course) -> bool:
        """Take an epoch into the history; False when training diverged but the best weights are at hand."""
        steps = self._optimizer.running_trainer.steps_per_epoch(course.n_rows)
        rates = self._optimizer.rates((self.n_iter_ + 1) * steps - 1, 1, steps, self.max_iter * steps)
        self.n_iter_ += 1
        self.t_ += course.n_rows
        self.loss_ = loss
        self.loss_curve_.append(loss)
        if self.verbose:
            print(f"Iteration {self.n_iter_}, loss = {loss:.8f}")
        if not math.isfinite(loss):
            self._stop_divergence(loss)
            return False
        row = {"loss": loss, "learning_rate": float(np.ravel(rates)[-1])}
        if course.score is None:
            self._count_loss(loss)
        else:
            with self._averaged():
                score = course.score()
                if course.evaluator is not None:
                    row["val_loss"] = course.evaluator.loss()
                row["val_score"] = score
                self._count_score(score, course.best)
        if course.probe is not None:
            row |= course.probe.row()
        self.history_.append(**row)
        self._optimizer.end_epoch(self.t_, loss if course.score is None else -row["val_score"])
        course.tasks.end_epoch(self._reconstruction)
        return True

    def _reconstruction(self) -> dict[str, Any]:
        """Attributes of an estimator that is as if training had ended now."""
        with self._averaged():
            return {"_network": self._network.copy()}

    @contextmanager
    def _as_if_ended(self, course: Course) -> Iterator[None]:
        """The network that would be kept if training ended now: the best one or the average, where they are kept."""
        if course.best is None:
            with self._averaged():
                yield
            return
        present = np.array(self._network.block)
        self._network.block[:] = course.best
        try:
            yield
        finally:
            self._network.block[:] = present

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The network with the averages of its weights, where they are kept."""
        if not self.ema_decay:
            yield
            return
        parameters = self._network.parameters
        raw = parameters.copy()
        parameters[:] = self._optimizer.running_trainer.averages()
        try:
            yield
        finally:
            parameters[:] = raw

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
            best[:] = self._network.block

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
