"""The epochs of a table's network: progress, early stopping on a validation set, the best weights put back.

Goes in: an unfitted estimator, training and validation matrices. Comes out: the trained estimator and a `History`. It
never looks at held-out rows.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.estimators import DivergenceError

__all__ = ["Epoch", "History", "Settings", "train_network"]

Array = NDArray[Any]
RATE_DROP = 5.0


@dataclass(frozen=True)
class Settings:
    """How a network is trained; `TableModel.train` explains each."""

    hidden: tuple[int, ...] = (128, 64)
    max_epochs: int = 200
    patience: int = 6
    learning_rate: float = 2e-3
    rate_drops: int = 2
    alpha: float = 0.1
    batch_size: int | None = None
    validation_share: float = 0.15
    seed: int = 0

    def __post_init__(self) -> None:
        counts = {"max_epochs": self.max_epochs, "patience": self.patience, "batch_size": self.batch_size or 1}
        for name, count in counts.items():
            if not is_integer(count) or count < 1:
                raise ValueError(f"{name} is {count!r}; it must be a positive integer.")
        if not is_integer(self.seed) or not 0 <= self.seed < 2**32:
            raise ValueError(f"seed is {self.seed!r}; it must be an integer from 0 to 2**32 - 1.")
        if not all(is_integer(units) and units > 0 for units in self.hidden):
            raise ValueError(
                f"hidden is {self.hidden!r}; it must list the neurons of each hidden layer, such as (128, 64)."
            )
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ValueError(
                f"learning_rate is {self.learning_rate!r}; it must be a positive number, usually 0.0001 to 0.01."
            )
        if not (math.isfinite(self.alpha) and self.alpha >= 0):
            raise ValueError(f"alpha is {self.alpha!r}; it must be zero or a positive number.")
        if not 0 < self.validation_share < 1:
            raise ValueError(f"validation_share is {self.validation_share!r}; it must lie between 0 and 1.")

    def rows_per_batch(self, n_rows: int) -> int:
        """The batch size: about a hundredth of the rows, as a power of two from 32 to 256."""
        wanted = self.batch_size or 2 ** round(math.log2(min(max(n_rows / 100, 32), 256)))
        return min(wanted, n_rows)


def is_integer(value: Any) -> bool:
    """An int, NumPy's included, but no bool."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


@dataclass(frozen=True)
class Epoch:
    """What is known after an epoch. Losses are the log loss, or half the squared error of the standardized target."""

    number: int
    of: int
    training_loss: float
    validation_loss: float
    best: int
    learning_rate: float


@dataclass
class History:
    """All epochs, and how training ended: "converged", "all epochs", "interrupted" or "diverged"."""

    epochs: list[Epoch] = field(default_factory=list)
    ended: str = "all epochs"
    seconds: float = 0.0

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights the network has; 0 if none was completed."""
        return self.epochs[-1].best if self.epochs else 0


def train_network(
    estimator: Any,
    training: tuple[Array, Array],
    validation: tuple[Array, Array],
    settings: Settings,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> History:
    """Train `estimator` in place.

    When `patience` epochs bring no smaller validation loss, the best weights are put back and the learning rate is
    divided by 5; when that has happened `rate_drops` times, training ends.

    Raises
    ------
    DivergenceError
        If the loss is not finite before a single epoch was completed. Later divergence ends training with the best
        weights.
    KeyboardInterrupt
        Likewise before the first epoch is over; later it ends training with the best weights.
    """
    run = Run(estimator, training, validation, settings, on_epoch)
    started = time.perf_counter()
    try:
        run.epochs()
    except DivergenceError:
        if run.best_parameters is None:
            raise DivergenceError(
                f"the loss became non-finite in the first epoch, with learning_rate {settings.learning_rate:g}. Try a "
                "smaller one, usually 0.0001 to 0.01."
            ) from None
        run.end_early("diverged")
    except KeyboardInterrupt:
        run.end_early("interrupted")
    run.put_best_back()
    run.history.seconds = time.perf_counter() - started
    return run.history


class Run:
    """The state of one training."""

    def __init__(
        self,
        estimator: Any,
        training: tuple[Array, Array],
        validation: tuple[Array, Array],
        settings: Settings,
        on_epoch: Callable[[Epoch], None] | None,
    ) -> None:
        self.estimator = estimator
        self.training, self.validation = training, validation
        self.settings, self.on_epoch = settings, on_epoch
        self.history = History()
        self.best_loss = math.inf
        self.best_parameters: Array | None = None
        self.learning_rate = settings.learning_rate

    def epochs(self) -> None:
        """Epochs until one of the rules ends them."""
        stalled, drops_left = 0, self.settings.rate_drops
        for number in range(1, self.settings.max_epochs + 1):
            improved = self.one_epoch(number)
            stalled = 0 if improved else stalled + 1
            if stalled < self.settings.patience:
                continue
            if drops_left == 0:
                self.history.ended = "converged"
                return
            drops_left, stalled = drops_left - 1, 0
            self.put_best_back()
            self.learning_rate /= RATE_DROP
            self.estimator._optimizer.learning_rate = self.learning_rate

    def one_epoch(self, number: int) -> bool:
        """Train, validate, report; whether the validation loss is the smallest so far."""
        X, y = self.training
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Training interrupted")
            try:
                self.estimator.partial_fit(X, y, **self.classes)
            except UserWarning:
                raise KeyboardInterrupt from None
        loss = self.validation_loss()
        improved = loss < self.best_loss
        if improved:
            self.best_loss = loss
            self.best_parameters = np.array(self.estimator._fitted_network().parameters)
        best = number if improved else self.history.best_epoch
        epoch = Epoch(number, self.settings.max_epochs, self.estimator.loss_, loss, best, self.learning_rate)
        self.history.epochs.append(epoch)
        if self.on_epoch is not None:
            self.on_epoch(epoch)
        return improved

    @property
    def classes(self) -> dict[str, Array]:
        """What `partial_fit` of a classifier needs to know."""
        return {"classes": np.arange(self.training[1].max() + 1)} if self.training[1].dtype.kind == "i" else {}

    def validation_loss(self) -> float:
        """Mean log loss, or half the mean squared error."""
        X, y = self.validation
        if y.dtype.kind != "i":
            return float(np.mean(np.square(self.estimator.predict(X).astype(np.float64) - y))) / 2
        probability = self.estimator.predict_proba(X)[np.arange(len(y)), y].astype(np.float64)
        return float(-np.mean(np.log(np.maximum(probability, 1e-7))))

    def put_best_back(self) -> None:
        """Restore the weights of the best epoch, if there is one."""
        if self.best_parameters is not None:
            self.estimator._fitted_network().parameters[:] = self.best_parameters

    def end_early(self, reason: str) -> None:
        """Note the reason; with no finished epoch there is nothing to keep, and the exception goes on."""
        if self.best_parameters is None:
            raise
        self.history.ended = reason
