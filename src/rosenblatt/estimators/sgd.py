"""Fits by mini-batches with scikit-learn's rules, shared by all estimators: an estimator around a `TrainingLoop`.

Takes a trainer with its data, the rows to train on and a validation score. Returns a trained network and the history
attributes (``loss_curve_``, ``n_iter_``, ...). Never touches the data itself, and never leaves a non-finite network
behind: it raises `DivergenceError`, or restores the best weights where it has them.

The rules (learning-rate modes, count of stalled epochs, what ends training) are those of scikit-learn 1.9.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning

from rosenblatt import _core
from rosenblatt._checks import check_count, check_number
from rosenblatt.estimators.base import (
    DivergenceError,
    NetworkEstimator,
    divergence_message,
    unchanged_if_failed,
    warn_user,
)
from rosenblatt.estimators.callbacks import FitTasks
from rosenblatt.estimators.checkpoints import fit_fingerprint, own_folder
from rosenblatt.estimators.optimizer_state import OptimizerState
from rosenblatt.storage.container import Arrays, require_keys
from rosenblatt.training.checkpoint import Checkpoints, check_checkpoints
from rosenblatt.training.early_stopping import EarlyStopping, StoppingState, Tolerance
from rosenblatt.training.evaluation import doubt_of_loss, what_diverged
from rosenblatt.training.history import History
from rosenblatt.training.lbfgs import Minimum, minimize
from rosenblatt.training.loop import Outcome, TrainingLoop
from rosenblatt.training.progress import iteration_lines, print_line, show_epochs, shown_iterations
from rosenblatt.training.trainer import Trainer

__all__ = ["Shown", "ShuffledRows", "StochasticSolver", "open_checkpoints"]

Array = npt.NDArray[Any]
Shown = Sequence[Callable[[TrainingLoop], None]]
"""What shows the progress after each epoch."""
MAX_ORDERED_ROWS = 1 << 20
"""Row numbers that are drawn in advance, for as many epochs as they suffice."""


def shuffle_in_place(rows: Array, rng: np.random.RandomState) -> None:
    """What ``rng.shuffle(rows)`` does to int64 numbers, with the same random bits, in less time."""
    bits = rng._bit_generator
    with bits.lock:
        _core.shuffle_as_numpy(rows, bits.capsule)


def random_state_to(rng: np.random.RandomState, name: str) -> tuple[dict[str, Any], Arrays]:
    """The state of NumPy's RandomState as JSON and an array, under this name."""
    kind, keys, position, has_gauss, gauss = rng.get_state()
    state = {"name": kind, "position": position, "has_gauss": has_gauss, "gauss": float(gauss).hex()}
    return {name: state}, {name: np.array(keys)}


def random_state_from(rng: np.random.RandomState, state: Mapping[str, Any], keys: Array) -> None:
    """Set a RandomState to what `random_state_to` was given; a `ValueError` for anything else.

    NumPy itself looks at none of the numbers, and reads beyond its memory at a position that is too large.
    """
    require_keys(state, {"name", "position", "has_gauss", "gauss"}, what="the state of a random generator")
    if state["name"] != "MT19937" or keys.shape != (624,) or keys.dtype != np.uint32:
        raise ValueError("the state of a random generator is not that of NumPy's RandomState")
    position = check_count("position of the random generator", state["position"], 0, 624)
    has_gauss = check_count("has_gauss of the random generator", state["has_gauss"], 0, 1)
    gauss = check_number("gauss of the random generator", float.fromhex(state["gauss"]))
    rng.set_state(("MT19937", keys, position, has_gauss, gauss))


@dataclass
class ShuffledRows:
    """Row numbers, of which each epoch shuffles the order of the one before, as in scikit-learn."""

    rows: npt.NDArray[np.int64]
    rng: np.random.RandomState
    shuffle: bool

    def __post_init__(self) -> None:
        self.n_rows = len(self.rows)
        self.max_epochs = max(1, MAX_ORDERED_ROWS // self.n_rows)

    def draw(self, n_epochs: int) -> npt.NDArray[np.int64]:
        """The orders of the next epochs; a single one is no copy."""
        orders = np.empty((n_epochs, self.n_rows), np.int64) if n_epochs > 1 else self.present()
        for order in orders:
            if self.shuffle:
                shuffle_in_place(self.rows, self.rng)
            if n_epochs > 1:
                order[:] = self.rows
        return orders

    def present(self) -> npt.NDArray[np.int64]:
        """The order of the epoch that has begun."""
        return self.rows[None, :]

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """See `rosenblatt.training.loop.RowOrders`."""
        state, arrays = random_state_to(self.rng, "random")
        return state, {**arrays, "rows": self.rows.copy()}

    def restore(self, state: dict[str, Any], arrays: Arrays) -> None:
        """See `rosenblatt.training.loop.RowOrders`."""
        rows = arrays["rows"]
        if rows.shape != self.rows.shape or not np.array_equal(np.sort(rows), np.sort(self.rows)):
            raise ValueError("the order of the rows is not one of the rows of this training")
        random_state_from(self.rng, state["random"], arrays["random"])
        self.rows[:] = rows


def open_checkpoints(estimator: Any, data: Mapping[str, Any], rng: np.random.RandomState) -> Checkpoints | None:
    """The checkpoints of a fit, in a folder of its own; random numbers start as those of the fit that is resumed."""
    if estimator.checkpoint is None:
        return None
    fingerprint = fit_fingerprint(estimator, data, rng)
    checkpoints = Checkpoints(own_folder(estimator, fingerprint), estimator.checkpoint_every, fingerprint)
    if checkpoints.found is not None:
        state, arrays = checkpoints.found
        with checkpoints.restoring():
            random_state_from(rng, state["random_start"], arrays["random_start"])
    checkpoints.start = random_state_to(rng, "random_start")
    return checkpoints


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

    checkpoint: Any
    checkpoint_every: Any

    def _validate_params(self) -> None:
        super()._validate_params()
        check_checkpoints(self.checkpoint, self.checkpoint_every)

    @contextmanager
    def _unchanged_if_failed(self, first_pass: bool) -> Iterator[None]:
        """Restore every attribute and weight if `fit` fails, so that the earlier model is whole and none holds NaN."""
        kept = None if first_pass else np.array(self._fitted_network().block)
        try:
            with unchanged_if_failed(self):
                yield
        except Exception:
            if kept is not None and not np.array_equal(block := self._fitted_network().block, kept):
                block[:] = kept
                self.__dict__.pop("_optimizer", None)  # its moments may hold NaN
            raise

    def _start_history(self, first_pass: bool, early_stopping: bool) -> None:
        """Begin the history attributes, or prepare those of earlier calls to be continued."""
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

    @contextmanager
    def _progress(self, live: bool = True) -> Iterator[Shown]:
        """What shows each epoch or iteration, if `verbose` asks for it; without `live` by lines."""
        with shown_iterations(self.max_iter, iteration_lines, live) if self.verbose else nullcontext(()) as show:
            yield show

    def _make_loop(self, tasks: FitTasks, *, incremental: bool = False, show: Shown = (), **how: Any) -> TrainingLoop:
        """The loop of a fit, or of the one epoch of `partial_fit`; resumed where `how` has checkpoints."""
        best = self.best_loss_ if self.best_validation_score_ is None else -self.best_validation_score_
        state = StoppingState(math.inf if best is None else best, self._no_improvement_count)
        loop = TrainingLoop(
            self._optimizer.running_trainer,
            1 if incremental else self.max_iter,
            Tolerance(self.n_iter_no_change, self.tol, state, self._ends_at_plateau),
            self._optimizer.rates,
            before_epoch=tasks.begin_epoch,
            on_epoch=lambda row: self._note_epoch(loop, row),
            callbacks=tasks.callbacks(self._network),
            total_epochs=self.max_iter,
            history=self.history_,
            keep_interrupted=not incremental,  # a loop over partial_fit ends, too
            **how,
        )
        self.history_ = loop.history  # with the epochs of a checkpoint, which count as if they were trained now
        for i in range(loop.history.n_epochs - loop.epoch, loop.history.n_epochs):
            self._note_epoch(loop, {name: column[i] for name, column in loop.history.items()})
        self.n_iter_ = loop.epoch
        show_epochs(loop, show)
        return loop

    def _note_epoch(self, loop: TrainingLoop, row: Mapping[str, float]) -> None:
        """scikit-learn's attributes of an epoch."""
        self.n_iter_ = loop.epoch
        self.t_ += loop.n_rows
        self.loss_ = row["loss"]
        self.loss_curve_.append(self.loss_)
        self._no_improvement_count = int(loop.rule.state.stalled)
        if self.validation_scores_ is None:
            self.best_loss_ = loop.rule.state.best
        else:
            self.validation_scores_.append(row.get("val_score", math.nan))
            self.best_validation_score_ = -loop.rule.state.best

    def _ends_at_plateau(self) -> bool:
        """Whether no progress ends training; an adaptive learning rate is lowered first."""
        what = "Training loss" if self.validation_scores_ is None else "Validation score"
        ends, outcome = self._optimizer.rates.reached_plateau()
        self._no_improvement_count = self._no_improvement_count if ends else 0
        if self.verbose:
            print_line(
                f"{what} did not improve more than tol={self.tol:f} for {self.n_iter_no_change} consecutive epochs. "
                f"{outcome}"
            )
        return ends

    def _note_outcome(self, loop: TrainingLoop, warn_at_end: bool = True) -> None:
        """Warn if training did not end as planned, or raise `DivergenceError`."""
        self.n_iter_ = loop.epoch
        if loop.outcome is Outcome.DIVERGED:
            rate = self._optimizer.rates.present
            advice = (
                f"{loop.failure}: try a smaller learning_rate_init (now {rate:g}), and scale the inputs, for example "
                f"with sklearn.preprocessing.StandardScaler.{doubt_of_loss(loop.trainer, loop.epoch)}"
            )
            if loop.best is None:
                raise DivergenceError(divergence_message(advice))
            warn_user(
                f"Training diverged and was stopped; the weights of the best validation score are kept. {advice}",
                ConvergenceWarning,
            )
        elif loop.outcome is Outcome.NO_SCORE:
            raise ValueError(f"{loop.failure}. The estimator is left as it was before this call.")
        elif loop.outcome is Outcome.INTERRUPTED:
            warn_user(f"Training interrupted by user in epoch {self.n_iter_ + 1}; the network is kept as it is.")
        elif loop.outcome is Outcome.ALL_EPOCHS and warn_at_end and not self._optimizer.rates.runs_to_completion:
            warn_user(
                f"Maximum iterations ({self.max_iter}) reached before training converged: loss {self.loss_:.6g}, tol "
                f"{self.tol:g}. Raise max_iter or tol, or scale the inputs.",
                ConvergenceWarning,
            )

    def _minimize(
        self, trainer: Trainer, options: Mapping[str, Any], tasks: FitTasks, show: Shown, **how: Any
    ) -> Minimum:
        """Train the trainer's network by L-BFGS, and copy its parameters to the estimator's network; see `minimize`."""
        callbacks = [*show, *tasks.callbacks(self._network)]
        loop = TrainingLoop(trainer, sys.maxsize, EarlyStopping(), callbacks=callbacks, keep_interrupted=True)
        found = minimize(loop, options, **how)
        if loop.outcome is Outcome.DIVERGED:
            raise DivergenceError(
                divergence_message(f"{loop.failure}: scale the inputs and the target.{doubt_of_loss(trainer, 1)}")
            )
        with np.errstate(over="ignore"):
            self._network.parameters[:] = trainer.network.parameters
        if problem := what_diverged(self._network, trainer.inputs):
            raise DivergenceError(divergence_message(f"{problem}: scale the inputs and the target."))
        found = replace(found, n_iter=min(found.n_iter, int(options["maxiter"])))
        if loop.outcome is Outcome.INTERRUPTED:
            warn_user(f"Training interrupted by user after {found.n_iter} iterations; the network is kept as it is.")
        elif found.message:
            warn_user(
                f"L-BFGS ended before it converged, after {found.n_iter} iterations: {found.message}. Raise max_iter "
                f"(now {options['maxiter']}), or scale the inputs.",
                ConvergenceWarning,
            )
        return found
