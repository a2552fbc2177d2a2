"""Which trainings a diagnosis compares: the model as it is, and with one thing changed at a time.

Goes in: the model and the data. Comes out: for each trial a `Run` for each split, in the same order, so that trials can
be compared in pairs. A trial is an experiment: nothing is inferred from the shape of a curve where it can be tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from rosenblatt.estimators._mlp_parameters import hidden_sizes

from .runs import Job, Run, run_all

__all__ = ["LARGER", "RATES", "REGULARIZED", "Trials", "larger", "unregularized"]

Array = npt.NDArray[Any]
FRACTIONS = (0.25, 0.5)
RATES = (0.01, 0.1, 10.0, 100.0, 1000.0)
"""Factors of the learning rate; a rate at an extreme is rarely further off than this."""
REGULARIZED = (1.0, 10.0)
"""L2 penalties of the reference: with batches of 200 rows the first is mild and the second firm."""
LARGER = 4
"""Factor of the widths of a larger network, which has at least `WIDE` neurons in a layer."""
WIDE, WIDEST = 64, 512
OFF: dict[str, Any] = {
    "dropout": 0.0,
    "input_dropout": 0.0,
    "noise": 0.0,
    "max_norm": 0.0,
    "weight_decay": 0.0,
    "l1": 0.0,
    "label_smoothing": 0.0,
}
MILD_ALPHA = 1e-4
BY_EPOCH = ("as given", "rows x0.5", "alpha")
"""Trials of which the best epoch is wanted."""


def unregularized(model: Any) -> dict[str, Any]:
    """The parameters that free the model of its penalties and noises; empty if it has none to speak of."""
    parameters = model.get_params(deep=False)
    changes = {n: off for n, off in OFF.items() if n in parameters and np.any(np.asarray(parameters[n], float) != off)}
    if np.max(np.asarray(model.alpha, float), initial=0.0) > MILD_ALPHA:
        changes["alpha"] = MILD_ALPHA
    return changes


def larger(model: Any) -> dict[str, Any]:
    """The parameters of a wider network with at least one hidden layer."""
    sizes = hidden_sizes(model.hidden_layer_sizes)
    wide = tuple(max(s, min(WIDEST, max(WIDE, LARGER * s))) for s in sizes) or (WIDE,)
    return {"hidden_layer_sizes": wide}


@dataclass
class Trials:
    """Trainings on the same splits.

    Attributes
    ----------
    model : estimator
        Never trained: each job trains a clone.
    X, y : arrays as checked
    target : ndarray of shape (n_rows, n_outputs)
        The encoded target, one-hot for classes.
    splits : list of (training rows, held-out rows)
    seeds : ndarray of int
        One for each split: the same initial weights for all trials of a split.
    """

    model: Any
    X: Any
    y: Array
    target: Array
    splits: list[tuple[Array, Array]]
    seeds: Array

    def run(self, named: dict[str, tuple[dict[str, Any], float]]) -> dict[str, list[Run]]:
        """Train the model with changed parameters on a share of the rows, for each name and split."""
        spread = float(((self.target - self.target.mean(axis=0)) ** 2).sum(axis=1).mean())
        jobs = [
            self._job(i, changes, fraction, spread, name.startswith(BY_EPOCH))
            for name, (changes, fraction) in named.items()
            for i in range(len(self.splits))
        ]
        runs, k = run_all(jobs), len(self.splits)
        return {name: runs[i * k : (i + 1) * k] for i, name in enumerate(named)}

    def _job(self, i: int, changes: dict[str, Any], fraction: float, spread: float, by_epoch: bool) -> Job:
        train, held_out = self.splits[i]
        rows = train if fraction == 1.0 else self.share(train, fraction)
        estimator = clone(self.model).set_params(
            random_state=int(self.seeds[i]), checkpoint=None, warm_start=False, verbose=False, statistics=False
        )
        estimator.set_params(**changes)
        batch = 200 if estimator.batch_size == "auto" else int(estimator.batch_size)
        steps = np.ceil(len(train) / batch) / np.ceil(len(rows) / batch)  # as many steps on fewer rows
        estimator.set_params(max_iter=int(np.ceil(estimator.max_iter * steps)))
        return Job(estimator, self.X, self.y, rows, held_out, spread, by_epoch)

    def share(self, rows: Array, fraction: float) -> Array:
        """A share of the rows, at least one of each class."""
        if not self.is_discrete:
            return rows[: max(2, round(fraction * len(rows)))]
        kinds = np.unique(self.target[rows], axis=0, return_inverse=True)[1].ravel()
        chosen = [np.flatnonzero(kinds == k) for k in range(kinds.max() + 1)]
        kept = np.sort(np.concatenate([c[: int(np.ceil(fraction * len(c)))] for c in chosen]))
        return np.asarray(rows[kept])

    @property
    def is_discrete(self) -> bool:
        """Whether the target is classes."""
        return hasattr(self.model, "predict_proba") or hasattr(self.model, "label_smoothing")

    def learning_rates(self, factors: tuple[float, ...]) -> dict[str, tuple[dict[str, Any], float]]:
        """Trials of other learning rates, which L-BFGS has not."""
        if self.model.solver == "lbfgs":
            return {}
        solver = self.model.solver
        rate = float(self.model.learning_rate_init)
        return {} if solver is None else {f"rate x{f:g}": ({"learning_rate_init": f * rate}, 1.0) for f in factors}
