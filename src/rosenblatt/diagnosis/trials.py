"""Which trainings a diagnosis compares: the model as it is, and with one thing changed at a time.

Takes the model and the data. Returns for each trial a `Run` per split, in the same order, so that trials can be
compared in pairs. Never infers from the shape of a curve what can be tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier

from rosenblatt.estimators.mlp.hyperparameters import hidden_sizes, is_listed

from .runs import FitTask, Run, Watched, run_tasks
from .steps import Steps

__all__ = [
    *("DEFAULT_BATCH", "FRACTIONS", "GIVEN", "RATE_FACTORS", "RESTRAINTS", "Changes", "Trial", "Trials"),
    *("larger", "longer", "on", "penalties", "rates", "smaller", "unregularized"),
]

Changes = dict[str, Any]
"""Parameters that differ from the model's; empty if the model has no room for a change."""
Array = npt.NDArray[Any]
GIVEN = "as given"
RATE_FACTORS = (0.01, 0.1, 10.0, 100.0, 1000.0)
"""Factors of the learning rate; a rate at an extreme is rarely further off than this."""
L2_PER_ROW = (0.005, 0.05)
"""L2 penalties by row of a batch: mild (alpha=1 with batches of 200) and firm."""
WIDTH_FACTOR = 4
"""Factor of the widths of a larger network and divisor of those of a smaller one."""
MIN_WIDE, MAX_WIDE, MIN_NARROW = 64, 512, 4
EPOCHS_FACTOR = 5
RESTRAINING = ("dropout", "input_dropout", "input_noise", "max_norm", "weight_decay", "l1", "label_smoothing")
"""Parameters that are off at 0."""
MILD_ALPHA, DEFAULT_BATCH = 1e-4, 200
FIXED: dict[str, Any] = {"checkpoint": None, "warm_start": False, "verbose": False, "gradient_statistics": False}
RESTRAINTS = (GIVEN, *(f"L2 {p:g}" for p in L2_PER_ROW), "smaller")
FRACTIONS = (0.25, 0.5, 1.0)
"""Shares of the training rows for learning curves."""


@dataclass(frozen=True)
class Trial:
    """Parameters that differ from the model's, the share of the training rows, and what is watched."""

    changes: Changes
    fraction: float = 1.0
    watch: Watched = "end"


def unregularized(model: Any) -> Changes:
    """The parameters that remove penalties and noise; empty if there is next to none."""
    parameters = model.get_params(deep=False)
    changes = {n: 0.0 for n in RESTRAINING if np.any(np.asarray(parameters.get(n, 0.0), float))}
    if np.max(np.asarray(model.alpha, float), initial=0.0) > MILD_ALPHA:
        changes["alpha"] = MILD_ALPHA
    return changes


def rates(model: Any, factors: Sequence[float] = RATE_FACTORS) -> dict[str, Changes]:
    """Other learning rates; none with L-BFGS, which has no use for them."""
    factors = () if model.solver == "lbfgs" else factors
    # Twelve digits, as 1e-6 times 1000 should read 0.001.
    return {f"rate x{f:g}": {"learning_rate_init": float(f"{f * model.learning_rate_init:.12g}")} for f in factors}


def penalties(model: Any, batch_size: int) -> dict[str, Changes]:
    """L2 penalties for batches of so many rows; none if each layer has its own."""
    by_row = () if is_listed(model.alpha) else L2_PER_ROW
    return {f"L2 {p:g}": {"alpha": max(MILD_ALPHA, p * batch_size)} for p in by_row}


def larger(model: Any) -> Changes:
    """The sizes of a wider network with at least one hidden layer."""
    sizes = hidden_sizes(model.hidden_layer_sizes)
    wide = tuple(max(s, min(MAX_WIDE, max(MIN_WIDE, WIDTH_FACTOR * s))) for s in sizes) or (MIN_WIDE,)
    return {"hidden_layer_sizes": wide}


def smaller(model: Any, divisor: int = WIDTH_FACTOR) -> Changes:
    """The sizes of a narrower network; empty if all layers are narrow already."""
    sizes = tuple(hidden_sizes(model.hidden_layer_sizes))
    narrow = tuple(max(min(s, MIN_NARROW), s // divisor) for s in sizes)
    return {"hidden_layer_sizes": narrow} if narrow != sizes else {}


def longer(model: Any) -> Changes:
    """Five times the epochs."""
    return {"max_iter": EPOCHS_FACTOR * model.max_iter}


def on(fraction: float, name: str) -> str:
    """The name of a trial on a share of the rows."""
    return name if fraction == 1 else f"{name}, {fraction:g} of the rows"


@dataclass
class Trials:
    """Trainings on the same splits, of copies of the unfitted `model`.

    `target` is encoded (one-hot for classes), of shape (n_rows, n_outputs); `splits` are pairs of training rows and
    held-out rows. There is one seed for each split: the same initial weights for all its trials. `steps` transform the
    rows of a pipeline, in each trial as its training rows teach them; `X` is only looked at then.
    """

    model: Any
    X: Any
    y: Array
    target: Array
    splits: list[tuple[Array, Array]]
    seeds: Array
    steps: Steps | None = None

    def run(self, named: dict[str, Trial], splits: Sequence[int] | None = None) -> dict[str, list[Run]]:
        """Train the model with changed parameters on a share of the rows, for each name and split."""
        spread = float(((self.target - self.target.mean(axis=0)) ** 2).sum(axis=1).mean())
        chosen = range(len(self.splits)) if splits is None else splits
        runs = run_tasks([self._task(i, trial, spread) for trial in named.values() for i in chosen])
        k = len(chosen)
        return {name: runs[i * k : (i + 1) * k] for i, name in enumerate(named)}

    def screen(self, named: dict[str, Trial], given: Sequence[Run]) -> dict[str, list[Run]]:
        """The same, but those that are no better on the split that is learned worst are trained on that one only."""
        worst = max(given, key=lambda r: r.train_error)
        found = self.run(named, [worst.split])
        better = [n for n, (r,) in found.items() if r.train_error < worst.train_error and r.error < worst.error]
        others = [i for i in range(len(self.splits)) if i != worst.split]
        more = self.run({name: named[name] for name in better}, others)
        return {name: sorted(found[name] + more.get(name, []), key=lambda r: r.split) for name in found}

    def _task(self, i: int, trial: Trial, spread: float) -> FitTask:
        train, held_out = self.splits[i]
        estimator = copy(self.model)
        vars(estimator).update(trial.changes, random_state=int(self.seeds[i]), **FIXED)
        rows = train
        if trial.fraction < 1:  # smaller batches, so that there are as many steps
            rows = self.share(train, trial.fraction)
            estimator.batch_size = max(1, round(trial.fraction * self.batch_size))
        watch: Watched = "all" if trial.watch == "curves" and i == 0 else trial.watch
        X = self.X if self.steps is None else self.steps.fitted_on(rows)
        return FitTask(i, estimator, X, self.y, rows, held_out, spread, watch)

    @property
    def batch_size(self) -> int:
        """Rows of a step."""
        n_rows = min(len(train) for train, _ in self.splits)
        return min(n_rows, DEFAULT_BATCH if self.model.batch_size == "auto" else int(self.model.batch_size))

    def share(self, rows: Array, fraction: float) -> Array:
        """A share of the rows, at least one of each class."""
        if not is_classifier(self.model):
            return rows[: max(2, round(fraction * len(rows)))]
        kinds = np.unique(self.target[rows], axis=0, return_inverse=True)[1].ravel()
        chosen = [np.flatnonzero(kinds == k) for k in range(kinds.max() + 1)]
        kept = np.sort(np.concatenate([c[: int(np.ceil(fraction * len(c)))] for c in chosen]))
        return np.asarray(rows[kept])

    def learning_curve(self, changes: Changes | None = None, name: str = GIVEN) -> dict[str, Trial]:
        """The model as it is, or changed, on all rows and on fewer."""
        watch: Any = {f: "curves" if f == 1 and name == GIVEN else "held out" for f in FRACTIONS}
        return {on(f, name): Trial(changes or {}, f, watch[f]) for f in FRACTIONS}

    def freedom(self) -> dict[str, Trial]:
        """Other learning rates (except with L-BFGS), more neurons and less regularization."""
        free = unregularized(self.model)
        found = {name: Trial(changes) for name, changes in rates(self.model).items()}
        found["larger"] = Trial(larger(self.model))
        if free:
            found |= {"unregularized": Trial(free), "larger, unregularized": Trial(larger(self.model) | free)}
        return found

    def restraint(self) -> dict[str, Trial]:
        """L2 penalties and fewer neurons, on all rows and on fewer."""
        changes = penalties(self.model, self.batch_size) | {"smaller": smaller(self.model)}
        return {n: t for name, c in changes.items() if c for n, t in self.learning_curve(c, name).items()}
