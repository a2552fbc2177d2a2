"""Trainings of clones on parts of the rows, each watched epoch by epoch.

Goes in: unfitted clones with their rows for training and validation. Comes out: a `Run` each, whatever becomes of the
training: a divergence is an outcome here, not an error. Nothing is decided here.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning

from rosenblatt.estimators._base import DivergenceError, predict_rows
from rosenblatt.threads import engine_info
from rosenblatt.training.evaluation import LayerGradient, gradient_statistics

__all__ = ["WORST", "Job", "Run", "run_all"]

Array = npt.NDArray[Any]
WORST = 10.0
"""Errors are cut here, so that one training that went astray does not hide the others in a mean."""
MOST_ROWS = 1000
"""Training rows on which curves and gradients are measured."""


@dataclass(frozen=True)
class Job:
    """An unfitted estimator and the rows to train it on and to judge it by."""

    estimator: Any
    X: Any
    y: Any
    train: Array
    held_out: Array
    baseline: float
    """Mean squared error of the best constant prediction."""
    by_epoch: bool = True
    """Whether the curves are wanted; without them training needs no word of Python between epochs."""


@dataclass
class Run:
    """What became of a training; the errors are shares of the targets' variance that the outputs do not explain.

    `best_outputs` are those on the held-out rows in the epoch in which their error was smallest.
    """

    diverged: bool = False
    reached_end: bool = False
    n_parameters: int = 0
    train_error: float = WORST
    error: float = WORST
    curves: dict[str, list[float]] = field(
        default_factory=lambda: {n: [] for n in ("loss", "val_loss", "score", "val_score", "error", "val_error")}
    )
    best_outputs: Array | None = None
    first_gradients: list[LayerGradient] = field(default_factory=list)
    gradients: list[LayerGradient] = field(default_factory=list)
    dead: dict[str, float] = field(default_factory=dict)


def run_all(jobs: Sequence[Job]) -> list[Run]:
    """Train and judge all, as many at a time as there are threads; the results do not depend on their number."""
    with warnings.catch_warnings(), ThreadPoolExecutor(engine_info()["threads"]) as pool:
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", message="batch_size=", category=UserWarning)
        return list(pool.map(run, jobs))


def run(job: Job) -> Run:
    """Train one estimator and judge it by its held-out rows after each epoch and at the end."""
    watch = Watch(job)
    estimator = job.estimator.set_callbacks(watch) if job.by_epoch else job.estimator
    try:
        with np.errstate(all="ignore"):
            estimator.fit(job.X[job.train], job.y[job.train])
            watch.finish(estimator)
    except DivergenceError:
        watch.run.diverged = True
    return watch.run


class Watch:
    """A callback that notes losses, scores and errors on both sets of rows after each epoch."""

    def __init__(self, job: Job) -> None:
        self.job, self.run, self.smallest = job, Run(), math.inf
        self.parts: dict[str, tuple[Any, Any, Array]] = {}
        self.shadow: Any = None

    def setup(self, estimator: Any, context: Any) -> None:
        """Nothing is prepared."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """Nothing is left to close."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Before the first epoch: measure the gradient at the initial weights."""
        if context.task_name == "epoch" and self.shadow is None:
            self.prepare(estimator)
            self.run.first_gradients = self.gradients(estimator)

    def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any = None) -> None:
        """After an epoch."""
        if context.task_name == "epoch":
            with np.errstate(all="ignore"):
                self.measure(fitted_estimator)

    def prepare(self, estimator: Any) -> None:
        """The rows as the network takes them, and a network of our own whose loss is measured."""
        job = self.job
        self.shadow = estimator._network.copy()
        for name, rows in (("", job.train[:MOST_ROWS]), ("val_", job.held_out)):
            data = estimator._check_validation_set(job.X[rows], job.y[rows])
            self.parts[name] = (data, evaluator_of(estimator, self.shadow, data), one_hot(estimator, data.y))
        self.run.n_parameters = int(estimator._network.parameters.size)

    def measure(self, estimator: Any) -> None:
        """Append to the curves."""
        self.shadow.block[...] = estimator._network.block
        for name, (data, evaluator, target) in self.parts.items():
            outputs = predict_rows(self.shadow, data.X)
            error = self.error(estimator, outputs, target)
            curves = self.run.curves
            curves[name + "loss"].append(evaluator.loss() if evaluator else math.nan)
            curves[name + "score"].append(float(estimator._score_on(data)()))
            curves[name + "error"].append(error)
            if name and error < self.smallest:
                self.smallest, self.run.best_outputs = error, points(estimator, outputs, target.shape[1])

    def error(self, estimator: Any, outputs: Array, target: Array) -> float:
        """The squared error as a share of what the best constant has."""
        with np.errstate(all="ignore"):
            squares = (points(estimator, outputs, target.shape[1]) - target) ** 2
        error = float(squares.sum(axis=1).mean()) / self.job.baseline
        return min(error, WORST) if math.isfinite(error) else WORST

    def finish(self, estimator: Any) -> None:
        """Measure the estimator that came out, which need not be that of the last epoch."""
        if self.shadow is None:
            self.prepare(estimator)
        train, held_out = (
            self.error(estimator, predict_rows(estimator._network, data.X), target)
            for data, _, target in self.parts.values()
        )
        self.run.train_error, self.run.error = train, held_out
        self.run.reached_end = estimator.n_iter_ >= estimator.max_iter
        if self.job.by_epoch:
            self.run.gradients = self.gradients(estimator)
            self.run.dead = dead_units(estimator, self.parts[""][0].X)

    def gradients(self, estimator: Any) -> list[LayerGradient]:
        """Statistics by layer at the present weights."""
        data = self.parts[""][0]
        return gradient_statistics(
            estimator._network, estimator._engine_loss(), data.X, estimator._engine_target(data.y), max_rows=MOST_ROWS
        )


def evaluator_of(estimator: Any, network: Any, data: Any) -> Any:
    """Measures the estimator's loss for another network of the same architecture."""
    own, estimator._network = estimator._network, network
    try:
        return estimator._evaluator(data)
    finally:
        estimator._network = own


def one_hot(estimator: Any, y: Array) -> Array:
    """The encoded target as numbers of shape (n, n_outputs)."""
    return np.asarray(np.eye(len(estimator.classes_))[y]) if y.ndim == 1 else np.asarray(y, np.float64)


def points(estimator: Any, outputs: Array, n_targets: int) -> Array:
    """Outputs as predictions of the target: probabilities, decisions where there are none, or values."""
    outputs = outputs.astype(np.float64)
    if not is_classifier(estimator):
        return np.asarray(estimator._point(outputs, n_targets))
    if estimator.out_activation_ in ("logistic", "softmax"):
        return outputs
    if estimator._picks_one():
        return np.asarray(np.eye(outputs.shape[1])[outputs.argmax(axis=1)])
    return np.asarray(estimator._is_positive(outputs), np.float64)


def dead_units(estimator: Any, X: Any) -> dict[str, float]:
    """Share of the neurons that are zero for all rows, for each hidden layer with ReLU."""
    found, n_hidden = {}, estimator.n_layers_ - 2
    activations = estimator.activation if isinstance(estimator.activation, (list, tuple)) else None
    for i in range(n_hidden):
        activation = activations[i] if activations else estimator.activation
        if activation == "relu":
            layer, network = f"hidden{i + 1}", estimator._network
            own = f"{layer}_activation"  # a layer of its own behind a normalization
            outputs = predict_rows(network.cut(own if own in network.graph.layers else layer), X)
            found[f"hidden{i + 1}"] = float((outputs == 0).all(axis=0).mean())
    return found
