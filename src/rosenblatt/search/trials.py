"""One candidate on one fold: a training that stops at an epoch, is scored, and continues from there if it is promoted.

Takes an unfitted estimator, training and test rows. Returns scores after so many epochs. A training that waits is a
suspended call of `fit`: it never differs, bit for bit, from one that was not interrupted.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.utils.metaestimators import available_if

from rosenblatt._checks import parse_duration
from rosenblatt.estimators.base import score_rows

if TYPE_CHECKING:
    from rosenblatt.search.data import SearchData

__all__ = ["Fold", "RestartedTrial", "ResumableTrial", "TrialOutcome", "run_trial"]

PIECE_SECONDS = 0.1
"""Training time between looks at the time that is left."""
Scorer = Callable[..., float]


@dataclass(frozen=True)
class Fold:
    """Rows to train on and to score, converted once and shared by all candidates."""

    X: Any
    y: Any
    weight: Any = None
    X_test: Any = None
    y_test: Any = None
    weight_test: Any = None


@dataclass(frozen=True)
class TrialOutcome:
    """A candidate on a fold: its score or, if it failed, NaN and the `error`.

    It is not `complete` if time ran out first. `seconds` is the time of the training so far, and `epoch_seconds` that
    of one epoch (infinite if none was trained).
    """

    score: float
    complete: bool = True
    error: str = ""
    seconds: float = 0.0
    epoch_seconds: float = math.inf


def run_trial(training: ResumableTrial | RestartedTrial, epochs: int, left: Callable[[], float]) -> TrialOutcome:
    """Advance a training while ``left()``, in seconds, is above 0; an exception becomes the outcome's error.

    Minus infinity means that the search was interrupted: what a training does then is thrown away.
    """
    try:
        with config_context(assume_finite=True, skip_parameter_validation=True):  # the folds were checked once for all
            score, complete = training.advance(epochs, left)
        error = "" if math.isfinite(score) else f"the score is {score}"
    except Exception as failure:
        score, complete, error = math.nan, True, f"{type(failure).__name__}: {' '.join(str(failure).split())}"
    return TrialOutcome(score if not error else math.nan, complete, error, training.seconds, training.epoch_seconds)


class ResumableTrial:
    """A training of `MLPClassifier` or `MLPRegressor` on a fold; without a scorer it is not scored."""

    def __init__(self, estimator: Any, fold: Fold, scorer: Scorer | None) -> None:
        self.estimator, self.fold, self.scorer = estimator, fold, scorer
        self.finished = False
        self.seconds, self.epoch_seconds = 0.0, math.inf
        self._fit: Generator[None, float, None] | None = None

    @property
    def epochs_done(self) -> int:
        """How far the training has come."""
        return int(getattr(self.estimator, "n_iter_", 0))

    def advance(self, epochs: int, left: Callable[[], float]) -> tuple[float, bool]:
        """Train for up to `epochs` in total, and at least one; the score, and whether it is that of the end."""
        while not self.finished and self.epochs_done < epochs and (left() > 0 or self.epochs_done == 0):
            seconds = min(PIECE_SECONDS, max(0.0, left()))
            piece = 1 if self.epoch_seconds == math.inf else max(1, int(seconds / self.epoch_seconds))
            self._train_to(min(epochs, self.epochs_done + piece))
        fold, scorer = self.fold, self.scorer
        if scorer is None:
            return math.nan, self.finished or self.epochs_done >= epochs
        score = score_rows(scorer, self.estimator, fold.X_test, fold.y_test, fold.weight_test)
        return score, self.finished or self.epochs_done >= epochs

    def close(self) -> None:
        """End the training, as if its last epoch had been the end."""
        if self._fit is not None and not self.finished:
            network = self.estimator.network.copy()
            self._fit.close()
            self.estimator.network = network
        self.finished = True

    def _train_to(self, epoch: int) -> None:
        if self._fit is None:
            self.estimator.check_parameters()
            self._fit = self.estimator.fit_in_stages(self.fold.X, self.fold.y, self.fold.weight)
            began = time.monotonic()
            self._step(None)
            self.seconds += time.monotonic() - began
        before, began = self.epochs_done, time.monotonic()
        if not self.finished:
            self._step(epoch)
        took = time.monotonic() - began
        self.seconds += took
        self.epoch_seconds = min(self.epoch_seconds, max(took, 1e-9) / max(1, self.epochs_done - before))

    def _step(self, epoch: int | None) -> None:
        assert self._fit is not None
        try:
            self._fit.send(epoch)  # type: ignore[arg-type]
        except BaseException as end:
            self.finished = True
            if not isinstance(end, StopIteration):
                raise


class RestartedTrial:
    """A training that restarts for more epochs, of an estimator that makes its own folds and is scored out of fold.

    Without a scorer, the score is the estimator's own. The scorer compares predictions with the targets of `data`.
    """

    def __init__(self, estimator: Any, data: SearchData, scorer: Scorer | None) -> None:
        self.estimator, self.data, self.scorer = estimator, data, scorer
        self.seconds, self.epoch_seconds = 0.0, math.inf

    def advance(self, epochs: int, left: Callable[[], float]) -> tuple[float, bool]:
        """The out-of-fold score after so many epochs, and whether time was enough; if not, the last model is kept."""
        began, budget, own = time.monotonic(), left(), self.estimator.time_budget
        model = self.data.own_folds(clone(self.estimator)).set_params(max_iter=epochs, verbose=False)
        model.check_parameters()
        if budget < math.inf:
            model.set_params(
                time_budget=max(0.1, budget if own is None else min(budget, parse_duration("time_budget", own)))
            )
        data = self.data.X, self.data.y, self.data.sample_weight
        model.fit_unless(lambda: left() == -math.inf, *data, **self.data.roles)
        model.set_params(time_budget=own, verbose=self.estimator.verbose)
        if model.ensemble_.interrupted:  # Ctrl-C is meant for the search
            raise KeyboardInterrupt
        took = time.monotonic() - began
        members, asked = model.ensemble_.members, model.settings
        n_epochs = max(len(member.curve) for member in members)
        self.seconds, self.epoch_seconds = self.seconds + took, took / max(1, n_epochs)
        planned = model.ensemble_.settings  # a budget that is too small allows fewer
        complete = (planned.epochs, planned.members) == (asked.epochs, asked.members)
        complete = complete and all(member.diverged or len(member.curve) == asked.epochs for member in members)
        if complete or not hasattr(self.estimator, "score_"):
            self.estimator = model
        if self.scorer is None:
            return float(model.score_), complete
        seen = np.flatnonzero(~np.isnan(np.reshape(model.out_of_fold_, (len(model.out_of_fold_), -1))).any(axis=1))
        weights = self.data.weights()
        weights = None if weights is None else np.asarray(weights)[seen]
        return score_rows(self.scorer, OutOfFold(model), seen, np.asarray(self.data.targets)[seen], weights), complete

    def close(self) -> None:
        """There is nothing to end."""


class OutOfFold:
    """Predictions of training rows by members that did not see them, for scorers."""

    def __init__(self, model: Any) -> None:
        self.model = model
        if is_classifier(model):
            self.classes_ = model.classes_

    def __sklearn_tags__(self) -> Any:
        return self.model.__sklearn_tags__()

    def predict(self, rows: NDArray[np.int64]) -> Any:
        """Labels or values for rows, given by their numbers."""
        known = self.model.out_of_fold_[rows]
        if not is_classifier(self.model):
            return known
        return self.classes_[(known * self.model.decision_weights_).argmax(axis=1)]

    @available_if(lambda self: is_classifier(self.model))  # type: ignore[untyped-decorator]
    def predict_proba(self, rows: NDArray[np.int64]) -> Any:
        """Probabilities for rows, given by their numbers."""
        known = self.model.out_of_fold_[rows].astype(float)
        return known / known.sum(axis=1, keepdims=True)
