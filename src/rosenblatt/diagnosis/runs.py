"""Trainings of clones on parts of the rows, looked at in a few dozen epochs.

Goes in: unfitted clones with their rows for training and validation. Comes out: a `Run` each, whatever becomes of the
training: a divergence is an outcome here, not an error. Nothing is decided here.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning

from rosenblatt._blas import one_blas_thread
from rosenblatt.estimators.base import DivergenceError, predict_rows
from rosenblatt.metrics import R2
from rosenblatt.threads import get_num_threads
from rosenblatt.training.evaluation import LayerGradient, gradient_statistics

__all__ = ["WORST", "FitTask", "Run", "Watched", "run_all", "wrong_labels"]

Array = npt.NDArray[Any]
Watched = Literal["all", "curves", "held out", "end"]
"""What is measured: curves and gradients, curves, the held-out error on the way, or nothing before the end."""
WORST = 10.0
"""Errors are cut here, so that one training that went astray does not hide the others in a mean."""
MAX_ROWS = 1000
"""Training rows on which errors, curves and gradients are measured."""
SPACING = 1.2
"""Ratio of the epochs that are looked at: 24 of 200, and 36 of 2,000."""


@dataclass(frozen=True)
class FitTask:
    """An unfitted estimator, the rows to train it on and to judge it by."""

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
    """What became of a training; the errors are shares of the target's variance that the outputs do not explain.

    `split` is the number of its rows. `epochs` were looked at, the last of which is the end; `val_errors`, `outputs`
    (on the held-out rows) and `curves` belong to them.
    """

    split: int = 0
    diverged: bool = False
    reached_end: bool = False
    n_parameters: int = 0
    train_error: float = WORST
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
        return self.val_errors[-1] if self.val_errors and not self.diverged else WORST

    def at(self, look: int) -> int:
        """The index of a look in this run, which may have ended before it."""
        return min(look, len(self.val_errors) - 1)


def run_all(jobs: Sequence[FitTask]) -> list[Run]:
    """Train and judge all, as many at a time as there are threads; the results do not depend on their number."""
    with one_blas_thread(), warnings.catch_warnings(), ThreadPoolExecutor(get_num_threads()) as pool:
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", message="batch_size=", category=UserWarning)
        return list(pool.map(run, jobs))


def run(job: FitTask) -> Run:
    """Train one estimator, looked at on the way and at the end."""
    watch = Monitor(job)
    try:
        with np.errstate(all="ignore"):
            for epoch in stages(job.estimator, job.X[job.train], job.y[job.train], job.watch != "end"):
                watch.look(epoch)
            watch.finish()
    except DivergenceError:
        watch.run.diverged = True
    return watch.run


def stages(estimator: Any, X: Any, y: Any, pauses: bool) -> Iterator[int]:
    """Train an estimator; stop before epoch 1 and then ever more rarely, where it predicts as if it had ended."""
    estimator.check_parameters()
    training = estimator.fit_in_stages(X, y, pause=0 if pauses else math.inf)
    epoch = 0
    for _ in training:  # the first stop
        yield 0
        while True:
            epoch = max(epoch + 1, int(SPACING * epoch))
            try:
                training.send(epoch)
            except StopIteration:
                return
            yield epoch


class Monitor:
    """Measures a training in its pauses."""

    def __init__(self, job: FitTask) -> None:
        self.job, self.run, self.estimator = job, Run(job.split), job.estimator
        self.parts: dict[str, tuple[Any, Any, Array]] = {}
        self.curves = job.watch in ("all", "curves")

    def look(self, epoch: int) -> None:
        """In a pause: the held-out error, and the curves if they are wanted."""
        if not self.parts:
            self._prepare()
            if self.job.watch == "all":
                self.run.first_gradients = self._gradients()
        self.run.epochs.append(epoch)
        for name in self.parts if self.curves else ("val_",):
            self._look_at(name)

    def _look_at(self, name: str) -> None:
        _, evaluator, target = self.parts[name]
        points = self._points(name)
        if self.curves:
            value = evaluator.loss() if evaluator else math.nan
            self.run.curves.setdefault(name + "loss", []).append(value)
            score = score_of(points, target, is_classifier(self.estimator))
            self.run.curves.setdefault(name + "score", []).append(score)
        if name:
            self.run.outputs.append(points)
            self.run.val_errors.append(self._error(points, target))

    def finish(self) -> None:
        """Measure the estimator that came out, which need not be that of the last epoch."""
        estimator, run = self.estimator, self.run
        self.look(estimator.n_iter_)
        data, _, target = self.parts[""]
        run.train_error = self._error(self._points(""), target)
        run.reached_end = estimator.n_iter_ >= estimator.max_iter
        run.n_parameters = int(estimator._network.parameters.size)
        if self.job.watch == "all":
            run.gradients, run.dead = self._gradients(), dead_units(estimator, data.X)

    def _points(self, name: str) -> Array:
        data, _, target = self.parts[name]
        return points_of(self.estimator, predict_rows(self.estimator._network, data.X), target.shape[1])

    def _prepare(self) -> None:
        """The rows as the network takes them, and what measures its loss on them."""
        job = self.job
        for name, rows in (("", job.train[:MAX_ROWS]), ("val_", job.held_out)):
            data = self.estimator._check_validation_set(job.X[rows], job.y[rows])
            evaluator = self.estimator._evaluator(data) if self.curves else None
            self.parts[name] = (data, evaluator, one_hot(self.estimator, data.y))

    def _error(self, points: Array, target: Array) -> float:
        """The squared error as a share of what the best constant has."""
        error = float(((points - target) ** 2).sum(axis=1).mean()) / self.job.baseline
        return min(error, WORST) if math.isfinite(error) else WORST

    def _gradients(self) -> list[LayerGradient]:
        """Statistics by layer at the present weights."""
        data, estimator = self.parts[""][0], self.estimator
        target = estimator._engine_target(data.y)
        return gradient_statistics(estimator._network, estimator._engine_loss(), data.X, target, max_rows=MAX_ROWS)


def one_hot(estimator: Any, y: Array) -> Array:
    """The encoded target as numbers of shape (n, n_outputs)."""
    return np.asarray(np.eye(len(estimator.classes_))[y]) if y.ndim == 1 else np.asarray(y, np.float64)


def points_of(estimator: Any, outputs: Array, n_targets: int) -> Array:
    """Outputs as predictions of the target: probabilities, decisions where there are none, or values."""
    outputs = outputs.astype(np.float64)
    if not is_classifier(estimator):
        return np.asarray(estimator._point(outputs, n_targets))
    if estimator.out_activation_ in ("logistic", "softmax"):
        return outputs
    if estimator._picks_one():
        return np.asarray(np.eye(outputs.shape[1])[outputs.argmax(axis=1)])
    return np.asarray(estimator._is_positive(outputs), np.float64)


def wrong_labels(points: Array, target: Array) -> Array:
    """Rows whose most probable label, or set of labels, is another one; bool of shape (n,)."""
    if points.shape[1] == 1 or not (target.sum(axis=1) == 1).all():
        return np.asarray(((points > 0.5) != (target > 0.5)).any(axis=1))
    return np.asarray(points.argmax(axis=1) != target.argmax(axis=1))


def score_of(points: Array, target: Array, classes: bool) -> float:
    """Accuracy, or R2 as the mean over outputs."""
    if classes:
        return 1 - float(wrong_labels(points, target).mean())
    return R2.measure(target, points, None)


def dead_units(estimator: Any, X: Any) -> dict[str, float]:
    """Share of the neurons that are zero for all rows, for each hidden layer with ReLU."""
    found, n_hidden = {}, estimator.n_layers_ - 2
    activations = estimator.activation if isinstance(estimator.activation, (list, tuple)) else None
    for i in range(n_hidden):
        if (activations[i] if activations else estimator.activation) == "relu":
            layer, network = f"hidden{i + 1}", estimator._network
            own = f"{layer}_activation"  # a layer of its own behind a normalization
            outputs = predict_rows(network.truncate_at(own if own in network.graph.layers else layer), X)
            found[layer] = float((outputs == 0).all(axis=0).mean())
    return found
