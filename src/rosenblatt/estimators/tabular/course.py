"""How the training of a tabular estimator is shown, kept and told: progress, checkpoints, callbacks, history, summary.

Takes an estimator's parameters and its task. Returns the budget of a fit, which carries all of these to the members,
and what a fitted ensemble says of its training. Never trains.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import Any, NoReturn

import numpy as np
from sklearn.base import is_classifier
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from rosenblatt._checks import parse_duration
from rosenblatt.distributed.choice import jobs_of
from rosenblatt.distributed.jobs import Jobs, ThisThread, Threads
from rosenblatt.distributed.ranks import ROWS, ranks
from rosenblatt.distributed.versions import versions
from rosenblatt.estimators.callbacks import begin_fit, has_callbacks
from rosenblatt.estimators.checkpoints import fit_fingerprint, own_folder
from rosenblatt.estimators.tabular.architecture import feed
from rosenblatt.estimators.tabular.checkpoints import FitCheckpoints, table_digest
from rosenblatt.estimators.tabular.ensemble import Ensemble
from rosenblatt.estimators.tabular.explain.learning_curve import LearningCurve
from rosenblatt.estimators.tabular.member import FitBudget
from rosenblatt.estimators.tabular.problem import Data
from rosenblatt.estimators.tabular.progress import shown_progress
from rosenblatt.memory import memory_size
from rosenblatt.tables.readers.reading import is_nameless, names_columns
from rosenblatt.tables.streamed_task import StreamedTask
from rosenblatt.tables.task import TabularTask
from rosenblatt.training.checkpoint import check_checkpoints
from rosenblatt.training.history import History
from rosenblatt.training.sharded import SHARDED

__all__ = ["Trainable"]


class Trainable(CallbackSupportMixin):  # type: ignore[misc]
    """The methods of tabular estimators around a training."""

    time_budget: float | str | None
    on_epoch: Callable[[Any], object] | None
    client: Any
    verbose: bool | int
    random_state: Any
    checkpoint: Any
    checkpoint_every: Any
    window: int
    memory_limit: int | str | None
    ensemble_: Ensemble

    def _validate_params(self) -> None:
        super()._validate_params()
        check_checkpoints(self.checkpoint, self.checkpoint_every)
        if self.memory_limit is not None:
            memory_size("memory_limit", self.memory_limit)

    @contextmanager
    def _budget(self, cancelled: Callable[[], bool]) -> Iterator[FitBudget]:
        """The time of a fit, and who hears of its epochs."""
        seconds = math.inf if self.time_budget is None else parse_duration("time_budget", self.time_budget)
        deadline = time.monotonic() + seconds
        shown = shown_progress() if self.verbose and ranks().is_first else nullcontext()
        with ExitStack() as resources, shown as show, self._jobs() as jobs:
            budget = FitBudget(deadline, self.on_epoch, show, cancelled=cancelled, resources=resources, jobs=jobs)
            yield budget if show is None else replace(budget, passed=show.passed)

    def _jobs(self) -> Jobs:
        """Where the networks are trained: here, if callbacks of scikit-learn look at them after each epoch.

        All ranks of an MPI job train one network after another.
        """
        if ranks().are_together:
            if self.client is not None:
                raise ValueError(
                    "client spreads networks over the workers of a cluster, but the ranks of this MPI job train each "
                    "of them together: leave client out, or start one process."
                )
            return ThisThread()
        if not has_callbacks(self):
            return jobs_of(self.client)
        if self.client is not None:
            raise ValueError(
                "callbacks of scikit-learn look at the networks after each epoch, which they cannot while other "
                "machines train them: leave client out, or use `on_epoch`. Those of a search or pipeline stay with it "
                "if they are made with max_propagation_depth=0."
            )
        return Threads()

    def _announce(self, budget: FitBudget, task: TabularTask, X: Any, y: Any) -> None:
        """Let the budget tell scikit-learn's callbacks of the fit to X and y, as soon as its members are known."""
        if isinstance(task, StreamedTask):
            known = task.held_out
            X, y = (None, None) if known is None else (known.inputs, known.target.decoded())
            budget.begin = partial(begin_fit, self, X, y, task.weights, sequential=False)
            return
        incomplete = isinstance(X, TabularTask) or task.n_dropped > 0
        named = incomplete or names_columns(y, several=not is_classifier(self) and not is_nameless(X))
        rows, target = task.inputs if incomplete else X, task.target.decoded() if named else y
        budget.begin = partial(begin_fit, self, rows, target, task.weights, sequential=False)

    def _draw_seed(self, budget: FitBudget, task: TabularTask, validation: Data | None, digest: str = "") -> int:
        """The seed of everything else, or that of an earlier process, whose checkpoints the budget continues.

        `digest` is that of the rows in a file, if they are not in memory.
        """
        given, rng = self.random_state, check_random_state(self.random_state)
        if self.checkpoint is not None or ranks().size > 1:
            fingerprint = self._fingerprint(task, validation, rng, digest)
            n_rows = task.stream.n_rows if isinstance(task, StreamedTask) else task.inputs.n_rows
            settings = {ROWS: str(n_rows), "checkpoint": repr(self.checkpoint is not None)}
            ranks().require_same({**settings, **fingerprint, **versions()})
        if self.checkpoint is not None:
            budget.resume(FitCheckpoints(own_folder(self, fingerprint), self.checkpoint_every, fingerprint))
        drawn = int(given if isinstance(given, Integral) else rng.randint(2**31 - 1))
        seed = ranks().first(lambda: drawn)
        return seed if budget.checkpoints is None else budget.checkpoints.keep_seed(seed)

    def _fingerprint(
        self, task: TabularTask, validation: Data | None, rng: np.random.RandomState, digest: str
    ) -> dict[str, str]:
        """What the fit is of."""
        rows: dict[str, Any] = {name: getattr(task, name) for name in ("weights", "groups", "times")}
        rows |= {"target": task.target.values, "classes": task.target.classes}
        rows |= {} if validation is None else {"validation": (feed(validation.prepared), validation.y)}
        fingerprint = fit_fingerprint(self, rows, rng)
        fingerprint |= {"kinds of columns": repr(sorted(task.overrides.items()))}
        fingerprint |= {"X": digest, "window": str(self.window)} if digest else {"X": table_digest(task.inputs)}
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
