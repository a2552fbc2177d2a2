"""The training loop: whole epochs until a rule, a callback, a deadline or Ctrl-C ends them.

Takes a trainer with its data, learning rates, a stopping rule, and what to measure and to call after each epoch.
Returns an `Outcome`; the network ends with its best, or averaged, weights. Never decides when to stop: that is for the
rules of `rosenblatt.training.early_stopping`. Never raises for a divergence: the caller knows what to advise.

`rosenblatt.training.lbfgs` takes other steps inside the same loop.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rosenblatt.storage.container import Arrays, decode_value
from rosenblatt.training.checkpoint import Checkpoints
from rosenblatt.training.early_stopping import EarlyStopping
from rosenblatt.training.evaluation import GradientProbe, what_diverged
from rosenblatt.training.history import History
from rosenblatt.training.learning_rates import LearningRates, annealed_strength
from rosenblatt.training.restoring import read_state, state_of
from rosenblatt.training.trainer import DivergenceError, Trainer

__all__ = ["Outcome", "RowOrders", "TrainingLoop"]

NO_SCORE = (
    "The validation score was not a number after any epoch: check the validation rows, and the scorer on them (some "
    "scores need rows of every class)"
)


class Outcome(Enum):
    """Why a training ended."""

    ALL_EPOCHS = "all epochs are over"
    NO_PROGRESS = "there was no more progress"
    CALLBACK = "a callback asked for it"
    DEADLINE = "the time was over"
    INTERRUPTED = "it was interrupted"
    DIVERGED = "it diverged"
    NO_SCORE = "no epoch had a validation score"


UNFINISHED = (Outcome.INTERRUPTED, Outcome.DIVERGED)  # continued from the last checkpoint


class RowOrders(Protocol):
    """The rows of each epoch, in the order in which they are taken."""

    n_rows: int
    max_epochs: int

    def draw(self, n_epochs: int) -> NDArray[np.int64] | None:
        """Orders of the next epochs, at most `max_epochs` of them; shape (n_epochs, n_rows). Or None."""

    def present(self) -> NDArray[np.int64] | None:
        """The order of the epoch that has begun, shape (1, n_rows)."""

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """What a checkpoint needs to continue."""

    def restore(self, state: dict[str, Any], arrays: Arrays) -> None:
        """Continue from a `state`."""


class TrainingLoop:
    """One training: what it consists of, and how far it has come.

    Parameters
    ----------
    trainer : Trainer
        With its data; without an optimizer where `rosenblatt.training.lbfgs.minimize` takes the steps.
    max_epochs : int
    rule : EarlyStopping
        Receives minus "val_score", or "val_loss", or "loss", from each epoch's row.
    rates : LearningRates, optional
    measure : callable, optional
        Validates the network as it is after an epoch; returns "val_loss" or "val_score" or both. Then the weights of
        the best epoch are kept. May raise `DivergenceError`.
    keep_best : bool
        False: end with the last weights though there is a validation.
    probe : GradientProbe, optional
        Adds its statistics to each row of the history.
    before_epoch : callable, optional
        Called before each epoch, or before several that run at once.
    on_epoch : callable, optional
        Called with the row of each epoch, perhaps of several at once after the last of them.
    callbacks : sequence of callable
        Each is called with the loop right after each epoch; a true result ends training.
    rows : RowOrders, optional
        Default: all rows, shuffled by the trainer if `shuffle` is true.
    total_epochs : int, optional
        What schedules take for the length of the training; default `max_epochs`.
    history : History, optional
        To continue.
    checkpoints : Checkpoints, optional
        Training continues from the one that is there.
    seconds_left : callable, optional
        Seconds until training has to end, after an epoch or within the first.
    keep_interrupted : bool
        Whether Ctrl-C ends training as a rule would. Otherwise it reaches the caller.
    on_pause : callable, optional
        Called before each pause of `stages`.

    Attributes
    ----------
    epoch : int
        Epochs that are over.
    outcome : Outcome or None
    failure : str
        What went wrong, where the outcome says that something did.
    best : ndarray or None
        Parameters and buffers of the best epoch.
    epoch_seconds, max_seconds_ahead, paused_seconds : float
        The quickest epoch, with what was measured after it; how long epochs may run at once, by default infinite; how
        long training has waited in pauses.
    """

    def __init__(
        self,
        trainer: Trainer,
        max_epochs: int,
        rule: EarlyStopping,
        rates: LearningRates | None = None,
        *,
        measure: Callable[[], dict[str, float]] | None = None,
        keep_best: bool = True,
        probe: GradientProbe | None = None,
        before_epoch: Callable[[], object] = lambda: None,
        on_epoch: Callable[[dict[str, float]], object] = lambda row: None,
        callbacks: Sequence[Callable[[TrainingLoop], object]] = (),
        rows: RowOrders | None = None,
        shuffle: bool = False,
        total_epochs: int | None = None,
        history: History | None = None,
        checkpoints: Checkpoints | None = None,
        seconds_left: Callable[[], float] = lambda: math.inf,
        keep_interrupted: bool = False,
        on_pause: Callable[[], object] = lambda: None,
    ) -> None:
        self.trainer, self.network, self.shuffle = trainer, trainer.network, shuffle
        self.max_epochs, self.total_epochs = max_epochs, total_epochs or max_epochs
        self.rule, self.rates, self.measure, self.probe = rule, rates, measure, probe
        self.keep_best = keep_best and measure is not None
        self.before_epoch, self.on_epoch, self.callbacks, self.on_pause = before_epoch, on_epoch, callbacks, on_pause
        self.rows, self.n_rows = rows, trainer.n_rows if rows is None else rows.n_rows
        self.history = History() if history is None else history
        self.checkpoints, self.seconds_left, self.keep_interrupted = checkpoints, seconds_left, keep_interrupted
        self.epoch, self.paused_seconds, self.failure, self._in_epoch = 0, 0.0, "", False
        self.outcome: Outcome | None = None
        continues = self.keep_best and rule.state.best < math.inf  # the weights of the best value so far
        self.best: NDArray[Any] | None = np.array(self.network.block) if continues else None
        self.epoch_seconds = self.max_seconds_ahead = self.pause = math.inf
        self._losses: list[float] = []  # of epochs that the history does not have yet
        if checkpoints is not None and checkpoints.found is not None:
            with checkpoints.restoring():
                self._restore(*checkpoints.found)

    def run(self) -> Outcome:
        """Train until something ends it."""
        for _ in self.stages():
            raise AssertionError("a training without a pause has one stage")
        assert self.outcome is not None
        return self.outcome

    def stages(self, pause: float = math.inf) -> Generator[None, float, None]:
        """Train with pauses, in which the network is as if training had ended there.

        The first is when `pause` epochs are over. What is sent is the number of epochs before the next.
        """
        self.pause = pause
        try:
            while self.outcome is None:
                while self.epoch >= self.pause:
                    with self.as_if_ended():
                        self.on_pause()
                        began, self.pause = time.monotonic(), (yield)
                        self.paused_seconds += time.monotonic() - began
                self._train_some()
        except KeyboardInterrupt:
            if not self.keep_interrupted:
                raise
            self._end_interrupted()
        self.finish()

    def _train_some(self) -> None:
        """Run as many epochs as can pass before anything has to be decided."""
        began = time.monotonic()
        if self.epoch and self.seconds_left() <= 0:
            self.outcome = Outcome.DEADLINE
            return
        self.before_epoch()
        n_epochs, steps = self._epochs_ahead(), self.trainer.steps_per_epoch(self.n_rows)
        if not self._in_epoch:
            self.trainer.position = (0, 0.0)
        first = self.trainer.step_count - self._steps_done()
        total = self.total_epochs * steps
        assert self.rates is not None
        rates = self.rates.of_steps(first, n_epochs * steps, steps, total)
        anneals = self.trainer.objective.anneal_regularization
        strength = annealed_strength(first, n_epochs * steps, total) if anneals else 1.0
        self._losses = self._epochs(n_epochs, rates, strength)
        cut = not self._losses
        for i, loss in enumerate([math.nan] if cut else list(self._losses)):
            rate = float(rates[(i + 1) * steps - 1]) if isinstance(rates, np.ndarray) else float(rates)
            del self._losses[:1]  # an epoch whose end is interrupted is lost, and never counted twice
            self.end_epoch({"loss": loss, "learning_rate": rate}, cut=cut)
            if self.outcome is not None:
                break
        if cut:
            self.outcome = self.outcome or Outcome.DEADLINE
        else:
            self.epoch_seconds = min(self.epoch_seconds, (time.monotonic() - began) / n_epochs)
        if self.outcome is None:
            self._save_if_due()

    def _save_if_due(self) -> None:
        """Write a checkpoint when it is time."""
        if self.checkpoints is not None and self.checkpoints.is_due(self.trainer.step_count):
            state = state_of(self)
            if state is not None:
                self.checkpoints.save(self.trainer.step_count, *state)

    def _epochs(self, n_epochs: int, rates: Any, strength: Any) -> list[float]:
        """Losses of the next epochs, with checkpoints on the way; none where the time ended within the first."""
        orders = None
        if self.rows is not None:
            orders = self.rows.present() if self._in_epoch else self.rows.draw(n_epochs)
        self._in_epoch = False
        while True:
            max_steps, max_seconds = 0, 0.0
            if self.checkpoints is not None:
                max_steps, max_seconds = self.checkpoints.until_next(self.trainer.step_count)
            left = self.seconds_left()
            if math.isfinite(left):
                max_seconds = max(1e-3, min(left, max_seconds or math.inf))
            done = self._steps_done()
            remaining, strengths = (of[done:] if isinstance(of, np.ndarray) else of for of in (rates, strength))
            losses = self.trainer.epochs(
                *(n_epochs, remaining, orders),
                regularization=strengths,
                shuffle=self.shuffle,
                resume=True,
                max_steps=max_steps,
                max_seconds=max_seconds,
            )
            if losses or self.seconds_left() <= 0:
                return losses
            if self.trainer.position[0] > 0:  # else the order, which is drawn, would be drawn again
                self._save_if_due()

    def _steps_done(self) -> int:
        """Steps of the epoch that has begun."""
        return self.trainer.position[0] // max(1, min(self.trainer.batch_size or self.n_rows, self.n_rows))

    def _epochs_ahead(self) -> int:
        """Epochs that can run before anything but a divergence may end training or change the learning rate."""
        assert self.rates is not None
        by_epoch = self.measure, self.probe, self.checkpoints, self.callbacks, self.rates.depends_on_results
        if any(by_epoch) or math.isfinite(self.seconds_left()):
            return 1
        at_once = self.trainer.epochs_at_once(self.n_rows) if self.rows is None else self.rows.max_epochs
        in_time = self.max_seconds_ahead / min(max(self.epoch_seconds, 1e-9), 1e9)
        ahead = min(min(self.max_epochs, self.pause) - self.epoch, self.rule.epochs_until_decision(), at_once, in_time)
        return int(max(1, ahead))

    def end_epoch(self, row: dict[str, float], cut: bool = False) -> None:
        """Measure, remember, decide.

        Parameters
        ----------
        row : dict
            "loss", and what else the steps know.
        cut : bool
            The epoch was not completed; it has no loss.
        """
        if not cut and not math.isfinite(row["loss"]):
            self._diverge(f"The loss became {row['loss']} in epoch {self.epoch + 1}", row)
            return
        try:
            value, best = self._validate(row)
        except DivergenceError as error:
            self._diverge(str(error), row)
            return
        if self.probe is not None:
            row |= self.probe.row()
        self.epoch += 1
        self.history.append(**row)
        if self.rule.after_epoch(value) and best is not None:
            self.best = best
        if self.rates is not None:
            self.rates.after_epoch(value, self.n_rows)
        self.on_epoch(row)
        answers = [callback(self) for callback in self.callbacks]
        if any(answers):  # only now, when all of them were called
            self.outcome = Outcome.CALLBACK
        elif self.rule.should_stop():
            self.outcome = Outcome.NO_PROGRESS
        elif self.epoch >= self.max_epochs:
            self.outcome = Outcome.ALL_EPOCHS

    def _validate(self, row: dict[str, float]) -> tuple[float, NDArray[Any] | None]:
        """The value for the rule, and the weights that it belongs to if they might be kept."""
        if self.measure is None:
            return row["loss"], None
        with self.averaged():
            row |= self.measure()
            value = -row["val_score"] if "val_score" in row else row["val_loss"]
            keep = self.keep_best and self.rule.is_best(value)
            return value, np.array(self.network.block) if keep else None

    def _diverge(self, failure: str, row: dict[str, float]) -> None:
        self.epoch += 1
        self.history.append(**row)
        self.outcome, self.failure = Outcome.DIVERGED, failure
        self.on_epoch(row)

    def _end_interrupted(self) -> None:
        """Count the epochs that are over; where each is measured, one that was not measured does not count."""
        losses = [*self._losses, *self.trainer.whole_epochs] if self.measure is None else []
        self.trainer.whole_epochs = []
        for loss in losses:
            self.end_epoch({"loss": loss})
        if self.outcome is not Outcome.DIVERGED:
            self.outcome = Outcome.INTERRUPTED
        if self.checkpoints is None:
            self.trainer.position = (0, 0.0)

    def finish(self) -> None:
        """Save the finished training, and leave the best, or the averaged, weights in the network."""
        state = state_of(self) if self.checkpoints is not None else None
        scored = self.measure is None or self.rule.state.best < math.inf
        if not scored and self.epoch and self.outcome not in (Outcome.DIVERGED, Outcome.INTERRUPTED):
            self.outcome, self.failure = Outcome.NO_SCORE, NO_SCORE
            return
        if self.best is not None:
            self.network.block[...] = self.best
        elif self.trainer.objective.ema_decay:
            self.network.parameters[...] = self.trainer.averages()
        if problem := what_diverged(self.network, self.trainer.inputs):
            self.outcome, self.failure = Outcome.DIVERGED, self.failure or problem
            self.best = None
        elif state is not None and self.checkpoints is not None and self.outcome not in UNFINISHED:
            self.checkpoints.save(self.trainer.step_count, *state)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The network with the averages of its weights, where they are kept."""
        if not self.trainer.objective.ema_decay:
            yield
            return
        raw = np.array(self.network.parameters)
        self.network.parameters[...] = self.trainer.averages()
        try:
            yield
        finally:
            self.network.parameters[...] = raw

    @contextmanager
    def as_if_ended(self) -> Iterator[None]:
        """The network that would be kept if training ended now."""
        if self.best is None:
            with self.averaged():
                yield
            return
        present = np.array(self.network.block)
        self.network.block[...] = self.best
        try:
            yield
        finally:
            self.network.block[...] = present

    def _restore(self, state: dict[str, Any], arrays: Arrays) -> None:
        """Continue from a checkpoint."""
        found = read_state(self, state, arrays)
        self.epoch, self.outcome = found.epoch, Outcome[found.outcome] if found.outcome else None
        self.history, self.rule.state, self.best = found.history, found.stopping, found.best
        if self.rates is not None:
            self.rates.restore(decode_value(state["rates"]))
        if self.rows is not None:
            self.rows.restore(state["rows"], arrays)
        self.trainer.resume_from(state["counts"], arrays)  # last, as it changes the network
        self._in_epoch = self.trainer.position[0] > 0
