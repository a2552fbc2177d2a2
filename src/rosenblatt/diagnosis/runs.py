"""Trainings of clones on parts of the rows, measured at a few dozen epochs.

Takes unfitted clones with their rows for training and validation. Returns a `Run` for each, even if it diverged. Never
decides anything.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning

from rosenblatt.estimators.base import DivergenceError, predict_rows
from rosenblatt.metrics import R2
from rosenblatt.nn.spec import each_layer
from rosenblatt.threads import get_num_threads, one_blas_thread, threads_with_room
from rosenblatt.training.evaluation import LayerGradient, gradient_statistics

__all__ = ["MAX_ERROR", "FitTask", "Run", "Watched", "has_single_labels", "run_tasks", "wrong_labels"]

Array = npt.NDArray[Any]
Watched = Literal["all", "curves", "held out", "end"]
"""What is measured: curves and gradients, curves, the held-out error on the way, or nothing before the end."""
MAX_ERROR = 10.0
"""Errors are cut here, so that one training that diverges does not hide the others in a mean."""
MAX_ROWS = 1000
"""Training rows on which errors, curves and gradients are measured."""
SPACING = 1.2
"""Ratio of successive epochs at which a training is measured: 24 of 200, and 36 of 2,000."""
PIECE_SECONDS = 0.1
"""A training looks this often whether it should stop, but once an epoch at most."""


@dataclass(frozen=True)
class FitTask:
    """An unfitted estimator, and the rows to train and to validate it on."""

    split: int
    estimator: Any
    X: Any
    y: Any
    train: Array
    held_out: Array
    baseline: float
    """Mean squared error of the best constant prediction."""
    watch: Watched = "all"


@dataclass
class Run:
    """The outcome of a training; errors are shares of the target's variance that the outputs do not explain.

    `score` is accuracy or R2 on the held-out rows; a training that diverged has the worst that is told apart. The run
    was measured at `epochs`, the last of which is the end; `val_errors`, `outputs` (on the held-out rows) and `curves`
    belong to them.
    """

    split: int = 0
    diverged: bool = False
    reached_end: bool = False
    n_parameters: int = 0
    train_error: float = MAX_ERROR
    score: float = math.nan
    epochs: list[int] = field(default_factory=list)
    val_errors: list[float] = field(default_factory=list)
    outputs: list[Array] = field(default_factory=list)
    curves: dict[str, list[float]] = field(default_factory=dict)
    first_gradients: list[LayerGradient] = field(default_factory=list)
    gradients: list[LayerGradient] = field(default_factory=list)
    dead: dict[str, float] = field(default_factory=dict)

    @property
    def error(self) -> float:
        """Validation error at the end of the training."""
        return self.val_errors[-1] if self.val_errors and not self.diverged else MAX_ERROR

    def at(self, i: int) -> int:
        """The index of a measurement in this run, which may have ended before it."""
        return min(i, len(self.val_errors) - 1)


def run_tasks(tasks: Sequence[FitTask]) -> list[Run]:
    """Train and measure all, as many at a time as there are threads. The results do not depend on that number.

    Ctrl-C, or an error in the order of the tasks, ends all trainings after their present epochs (L-BFGS at its end).
    """
    stop = Event()
    n_threads = threads_with_room(get_num_threads())
    with one_blas_thread(), warnings.catch_warnings(), ThreadPoolExecutor(n_threads) as pool:
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", message="batch_size=", category=UserWarning)
        try:
            return list(pool.map(lambda task: run(task, stop.is_set), tasks))
        except BaseException:
            stop.set()
            raise


def run(task: FitTask, stopped: Callable[[], bool] = lambda: False) -> Run:
    """Train one estimator, measured on the way and at the end; a `CancelledError` if it was stopped."""
    watch = Monitor(task)
    try:
        with np.errstate(all="ignore"):
            for epoch in stages(task.estimator, task.X[task.train], task.y[task.train], task.watch != "end", stopped):
                watch.measure(epoch)
            watch.finish()
        # Finite, but ten times worse than a constant on its own rows, and it was not so before it was trained.
        watch.run.diverged = watch.run.train_error >= MAX_ERROR > watch.run.val_errors[0]
    except DivergenceError:
        watch.run.diverged, watch.run.score = True, watch.worst_score
    return watch.run


def stages(estimator: Any, X: Any, y: Any, looks: bool, stopped: Callable[[], bool]) -> Iterator[int]:
    """Train an estimator; with `looks`, yield before epoch 1 and then ever more rarely.

    In a pause it predicts as if training had ended there. There are more pauses, to see whether it should stop.
    """
    estimator.check_parameters()
    training = estimator.fit_in_stages(X, y)
    epoch, look, piece = 0, 0 if looks else math.inf, 1.0
    for _ in training:  # the first pause
        while True:
            if epoch == look:
                yield epoch
                look = max(epoch + 1, int(SPACING * epoch))
            if stopped():
                training.close()
                raise CancelledError
            before, began = epoch, time.monotonic()
            epoch = int(min(look, epoch + piece))
            try:
                training.send(epoch)
            except StopIteration:
                return
            piece = max(1.0, PIECE_SECONDS * (epoch - before) / max(time.monotonic() - began, 1e-9))


class Monitor:
    """Measures a training in its pauses."""

    def __init__(self, task: FitTask) -> None:
        self.task, self.run, self.estimator = task, Run(task.split), task.estimator
        self.parts: dict[str, tuple[Any, Any, Array]] = {}
        """Rows as the network takes them, what measures its loss on them, and their encoded target."""
        self.curves = task.watch in ("all", "curves")
        self.classes = is_classifier(task.estimator)
        self.worst_score = 0.0 if self.classes else 1 - MAX_ERROR

    def measure(self, epoch: int) -> None:
        """In a pause, measure the held-out error, and the curves if they are wanted."""
        if not self.parts:
            self._prepare()
        self.run.epochs.append(epoch)
        for name in self.parts if self.curves else ("val_",):
            _, evaluator, target = self.parts[name]
            points = self._points(name)
            if self.curves:
                loss = evaluator.loss() if evaluator else math.nan
                self.run.curves.setdefault(name + "loss", []).append(loss)
                score = mean_score(points, target, self.classes)
                self.run.curves.setdefault(name + "score", []).append(score)
            if name:
                self.run.outputs.append(points)
                self.run.val_errors.append(self._error(points, target))

    def finish(self) -> None:
        """Measure the fitted estimator, whose weights need not be those of the last epoch."""
        estimator, run = self.estimator, self.run
        self.measure(estimator.n_iter_)
        data, _, target = self.parts[""]
        run.train_error = self._error(self._points(""), target)
        if np.isfinite(run.outputs[-1]).all():
            score = mean_score(run.outputs[-1], self.parts["val_"][2], self.classes)
            run.score = max(score, self.worst_score)
        else:
            run.score = self.worst_score
        run.reached_end = estimator.n_iter_ >= estimator.max_iter
        run.n_parameters = int(estimator.network.parameters.size)
        if self.task.watch == "all":
            run.gradients, run.dead = self._gradients(), dead_units(estimator, data.X)

    def _points(self, name: str) -> Array:
        data, _, target = self.parts[name]
        outputs = predict_rows(self.estimator.network, data.X).astype(np.float64)
        return np.asarray(self.estimator.target_estimates(outputs, target.shape[1]))

    def _prepare(self) -> None:
        task = self.task
        for name, rows in (("", task.train[:MAX_ROWS]), ("val_", task.held_out)):
            data = self.estimator.check_validation_set(task.X[rows], task.y[rows])
            evaluator = self.estimator.evaluator(data) if self.curves else None
            self.parts[name] = (data, evaluator, one_hot(self.estimator, data.y))
        if task.watch == "all":
            self.run.first_gradients = self._gradients()

    def _error(self, points: Array, target: Array) -> float:
        """The squared error as a share of that of the best constant."""
        error = float(((points - target) ** 2).sum(axis=1).mean()) / self.task.baseline
        return min(error, MAX_ERROR) if math.isfinite(error) else MAX_ERROR

    def _gradients(self) -> list[LayerGradient]:
        """Statistics by layer at the current weights."""
        data, estimator = self.parts[""][0], self.estimator
        target = estimator.network_target(data.y)
        return gradient_statistics(estimator.network, estimator.network_loss(), data.X, target, max_rows=MAX_ROWS)


def one_hot(estimator: Any, y: Array) -> Array:
    """The encoded target as numbers of shape (n, n_outputs)."""
    return np.asarray(np.eye(len(estimator.classes_))[y]) if y.ndim == 1 else np.asarray(y, np.float64)


def has_single_labels(target: Array) -> bool:
    """Whether a target is one-hot: neither a column of 0 and 1 nor sets of labels."""
    return target.shape[1] > 1 and bool((target.sum(axis=1) == 1).all())


def wrong_labels(points: Array, target: Array) -> Array:
    """Rows whose most probable label, or set of labels, is another one; bool of shape (n,)."""
    if has_single_labels(target):
        return np.asarray(points.argmax(axis=1) != target.argmax(axis=1))
    return np.asarray(((points > 0.5) != (target > 0.5)).any(axis=1))


def mean_score(points: Array, target: Array, classes: bool) -> float:
    """Accuracy, or R2 as the mean over outputs."""
    if classes:
        return 1 - float(wrong_labels(points, target).mean())
    return R2.measure(target, points, None)


def dead_units(estimator: Any, X: Any) -> dict[str, float]:
    """Share of the neurons that are zero for all rows, for each hidden layer with ReLU."""
    found, network, n_hidden = {}, estimator.network, estimator.n_layers_ - 2
    for i, activation in enumerate(each_layer("activation", estimator.activation, n_hidden), 1):
        if activation == "relu":
            layer, separate = f"hidden{i}", f"hidden{i}_activation"  # behind a normalization
            outputs = predict_rows(network.truncate_at(separate if separate in network.graph.layers else layer), X)
            found[layer] = float((outputs == 0).all(axis=0).mean())
    return found
