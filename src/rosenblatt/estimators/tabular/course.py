"""How the training of a tabular estimator is shown, kept and told: progress, checkpoints, callbacks, history, summary.

Takes an estimator's parameters and its task. Returns the budget of a fit, which carries all of these to the members,
and what a fitted ensemble says of its training. Never trains.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from numbers import Integral
from typing import Any, NoReturn

import numpy as np
from sklearn.base import is_classifier
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from rosenblatt._checks import parse_duration
from rosenblatt.distributed.ranks import ranks
from rosenblatt.distributed.versions import versions
from rosenblatt.estimators.callbacks import begin_fit
from rosenblatt.estimators.checkpoints import fit_fingerprint, own_folder
from rosenblatt.estimators.tabular.architecture import feed
from rosenblatt.estimators.tabular.checkpoints import FitCheckpoints, table_digest
from rosenblatt.estimators.tabular.ensemble import Ensemble
from rosenblatt.estimators.tabular.explain.learning_curve import LearningCurve
from rosenblatt.estimators.tabular.member import Data, FitBudget
from rosenblatt.estimators.tabular.progress import shown_progress
from rosenblatt.tables.readers.reading import is_nameless, names_columns
from rosenblatt.tables.task import TabularTask
from rosenblatt.training.checkpoint import check_checkpoints
from rosenblatt.training.history import History
from rosenblatt.training.sharded import SHARDED

__all__ = ["Trainable"]


class Trainable(CallbackSupportMixin):  # type: ignore[misc]
    """The methods of tabular estimators around a training."""

    time_budget: float | str | None
    on_epoch: Callable[[Any], object] | None
    verbose: bool | int
    random_state: Any
    checkpoint: Any
    checkpoint_every: Any
    ensemble_: Ensemble

    def _validate_params(self) -> None:
        super()._validate_params()
        check_checkpoints(self.checkpoint, self.checkpoint_every)

    @contextmanager
    def _budget(self, cancelled: Callable[[], bool]) -> Iterator[FitBudget]:
        """The time of a fit, and who hears of its epochs."""
        seconds = math.inf if self.time_budget is None else parse_duration("time_budget", self.time_budget)
        deadline = time.monotonic() + seconds
        with shown_progress() if self.verbose and ranks().is_first else nullcontext() as show:
            yield FitBudget(deadline, self.on_epoch, show, cancelled=cancelled)

    def _announce(self, budget: FitBudget, task: TabularTask, X: Any, y: Any) -> None:
        """Let the budget tell scikit-learn's callbacks of the fit to X and y, as soon as its members are known."""
        incomplete = isinstance(X, TabularTask) or task.n_dropped > 0
        named = incomplete or names_columns(y, several=not is_classifier(self) and not is_nameless(X))
        rows, target = task.inputs if incomplete else X, task.target.decoded() if named else y
        budget.begin = partial(begin_fit, self, rows, target, task.weights, sequential=False)

    def _draw_seed(self, budget: FitBudget, task: TabularTask, validation: Data | None) -> int:
        """The seed of everything else, or that of an earlier process, whose checkpoints the budget continues."""
        given, rng = self.random_state, check_random_state(self.random_state)
        if self.checkpoint is not None or ranks().size > 1:
            fingerprint = self._fingerprint(task, validation, rng)
            ranks().require_same({**fingerprint, **versions(), "checkpoint": repr(self.checkpoint is not None)})
        if self.checkpoint is not None:
            budget.resume(FitCheckpoints(own_folder(self, fingerprint), self.checkpoint_every, fingerprint))
        drawn = int(given if isinstance(given, Integral) else rng.randint(2**31 - 1))
        seed = ranks().first(lambda: drawn)
        return seed if budget.checkpoints is None else budget.checkpoints.keep_seed(seed)

    def _fingerprint(self, task: TabularTask, validation: Data | None, rng: np.random.RandomState) -> dict[str, str]:
        """What the fit is of."""
        rows: dict[str, Any] = {name: getattr(task, name) for name in ("weights", "groups", "times")}
        rows |= {"target": task.target.values, "classes": task.target.classes}
        rows |= {} if validation is None else {"validation": (feed(validation.prepared), validation.y)}
        fingerprint = fit_fingerprint(self, rows, rng)
        fingerprint |= {"X": table_digest(task.inputs), "kinds of columns": repr(sorted(task.overrides.items()))}
        return fingerprint | (SHARDED if ranks().are_together else {})

    @property
    def history_(self) -> History:
        """Columns "loss" and "held_out" with a number for each epoch: means over the networks.

        The first is the training loss. The second is the metric that chooses each network's best epoch, on the rows
        that it does not train on: the smaller the better. `learning_curve` has the curves of each network.
        """
        return LearningCurve.of(self.ensemble_.members).history()

    def summary(self) -> str:
        """A table of the networks (every tensor's shape, parameters, memory, operations), and how they are combined."""
        check_is_fitted(self, "ensemble_")
        different: dict[str, int] = {}
        for network in self.ensemble_.networks:
            text = network.summary()
            different[text] = different.get(text, 0) + 1
        parts = [f"{n} network{'s' if n > 1 else ''} of this form:\n\n{text}" for text, n in different.items()]
        return "\n\n".join([*parts, self.ensemble_.summary()])

    @property
    def partial_fit(self) -> NoReturn:
        """There is none: the attribute raises an error that says what to do instead."""
        raise AttributeError(
            f"{type(self).__name__} has no partial_fit: kinds of columns, scales, folds and calibration are learned "
            "from all rows at once. Call fit on all rows, old and new; with `checkpoint`, a fit that was ended is "
            "continued. MLPClassifier and MLPRegressor have partial_fit, for rows that are numbers already."
        )
