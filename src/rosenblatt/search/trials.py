"""One candidate on one fold: a training that stops at an epoch, is scored, and goes on from there if it is promoted.

Goes in: an unfitted estimator, training and test rows. Comes out: scores after so many epochs. A training that waits
keeps its thread, so that it goes on bit by bit as if it had never stopped, whatever its optimizer, schedule or masks.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

__all__ = ["Fold", "Paused", "Whole"]

CHUNKS = 8
"""A deadline is looked at so many times on the way to an epoch."""


@dataclass(frozen=True)
class Fold:
    """Rows to train on and to score, shared by all candidates."""

    X: Any
    y: NDArray[Any]
    X_test: Any
    y_test: NDArray[Any]


class Abandoned(BaseException):
    """Ends the thread of a training that is no longer wanted."""


class Paused:
    """A training of `MLPClassifier` or `MLPRegressor` in a thread of its own.

    Parameters
    ----------
    estimator : unfitted estimator
    fold : Fold
    scorer : callable
        ``scorer(estimator, X, y)``.
    """

    def __init__(self, estimator: Any, fold: Fold, scorer: Callable[[Any, Any, Any], float]) -> None:
        self.estimator, self.fold, self.scorer = estimator, fold, scorer
        self.epoch, self.finished, self.abandoned = 0, False, False
        self.error: BaseException | None = None
        self.seconds, self.epoch_seconds = 0.0, math.inf
        self._go, self._here = threading.Semaphore(0), threading.Semaphore(0)
        self._thread: threading.Thread | None = None

    @property
    def epochs_done(self) -> int:
        """How far the training has come."""
        return int(getattr(self.estimator, "n_iter_", 0))

    def advance(self, epochs: int, left: Callable[[], float]) -> tuple[float, bool]:
        """Train up to so many epochs; the score there, and whether it came so far (or ended by itself).

        Parameters
        ----------
        epochs : int
        left : callable
            Gives the seconds that remain; without any, training ends at its next look, but not before an epoch.

        Raises
        ------
        Exception
            What training or scoring raised.
        """
        step = max(1, epochs // CHUNKS)
        while not self.finished and self.epochs_done < epochs:
            began = time.monotonic()
            if left() <= 0 and self.epochs_done > 0:
                break
            before = self.epochs_done
            self._resume(min(epochs, before + step))
            took = time.monotonic() - began
            self.seconds += took
            # The quickest is without the making of the network.
            self.epoch_seconds = min(self.epoch_seconds, took / max(1, self.epochs_done - before))
        if self.error is not None:
            raise self.error
        score = float(self.scorer(self.estimator, self.fold.X_test, self.fold.y_test))
        return score, self.finished or self.epochs_done >= epochs

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None and not self.finished:
            self.abandoned = True
            self._go.release()
            self._thread.join()
        self._thread = None

    def reached(self, estimator: Any) -> None:
        """Called by the training before an epoch; waits if it is the one to stop at."""
        while estimator.n_iter_ >= self.epoch or self.abandoned:
            if self.abandoned:
                raise Abandoned
            self._here.release()
            self._go.acquire()

    def _resume(self, epoch: int) -> None:
        self.epoch = epoch
        if self._thread is None:
            self.estimator._pause = self
            self._thread = threading.Thread(target=self._train, daemon=True)
            self._thread.start()
        else:
            self._go.release()
        self._here.acquire()

    def _train(self) -> None:
        try:
            self.estimator.fit(self.fold.X, self.fold.y)
        except Abandoned:
            pass
        except BaseException as error:
            self.error = error
        finally:
            self.finished = True
            vars(self.estimator).pop("_pause", None)
            self._here.release()


class Whole:
    """A training that begins anew for more epochs: of a tabular estimator, which is scored by its own folds.

    Parameters
    ----------
    estimator : unfitted estimator
    X, y : all rows
    """

    def __init__(self, estimator: Any, X: Any, y: Any) -> None:
        self.estimator, self.X, self.y = estimator, X, y
        self.seconds, self.epoch_seconds = 0.0, math.inf
        self.epochs_done = 0

    def advance(self, epochs: int, left: Callable[[], float]) -> tuple[float, bool]:
        """Train for so many epochs; the out-of-fold score, and whether time was enough."""
        began, seconds = time.monotonic(), left()
        self.estimator.set_params(epochs=epochs)
        if seconds < math.inf:
            self.estimator.set_params(time_budget=max(0.1, seconds))
        self.estimator.fit(self.X, self.y)
        self.seconds = time.monotonic() - began
        members = self.estimator._ensemble.members
        self.epochs_done = max(len(member.curve) for member in members)
        self.epoch_seconds = self.seconds / self.epochs_done
        return float(self.estimator.score_), self.epochs_done >= epochs

    def close(self) -> None:
        """Nothing is left to end."""
