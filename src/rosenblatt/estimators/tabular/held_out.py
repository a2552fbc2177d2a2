"""The rows that a member holds out: how good it is on them after each epoch, and their predictions.

Takes held-out rows and a network in training. Returns the metric that chooses the best epoch, and in the end the
predictions that score the member. Never lets a group of rows choose the epoch that it is scored by: of many epochs the
best for a few groups is so by chance, and a score by the same groups would promise too much.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt import nn
from rosenblatt.training.trainer import DivergenceError

__all__ = ["HalfChoices", "HeldOutRows"]

Array = NDArray[Any]
Metric = Callable[[Array, Array, Array | None], float]
Decode = Callable[[Array], Array]


class HeldOutRows:
    """Rows that score a member.

    Parameters
    ----------
    rows : (inputs, targets, weights or None)
    metric : callable
        ``metric(targets, predictions, weights)``: the smaller the better.
    decode : callable
        From a network's outputs to its predictions.
    groups : ndarray of int of shape (n_rows,), optional
        The group of each row. Half of the groups then chooses the epoch whose predictions the others keep.
    """

    def __init__(
        self, rows: tuple[dict[str, Any], Array, Array | None], metric: Metric, decode: Decode, groups: Array | None
    ) -> None:
        self.X, self.y, self.weights = rows
        self.metric, self.decode = metric, decode
        self.choices = None if groups is None else HalfChoices(groups)

    def measure(self, network: nn.Network, epoch: int) -> dict[str, float]:
        """The metric after an epoch; `DivergenceError` if a prediction is not finite."""
        outputs = network.predict(self.X)
        if not np.isfinite(outputs).all():
            raise DivergenceError(f"A prediction became infinite or NaN in epoch {epoch}")
        predictions = self.decode(outputs)
        if self.choices is not None:
            self.choices.after_epoch(self.y, predictions, self.weights, self.metric)
        return {"val_loss": self.metric(self.y, predictions, self.weights)}

    def state(self) -> dict[str, Array]:
        """What a checkpoint needs to continue; see `rosenblatt.training.loop.RowOrders`."""
        if self.choices is None:
            return {}
        return {"best_for_halves": self.choices.best, "chosen_predictions": self.choices.predictions}

    def restore(self, arrays: dict[str, Array]) -> None:
        """Continue from a `state`; a `ValueError` or `KeyError` for anything else."""
        if self.choices is None:
            return
        best, predictions = arrays["best_for_halves"], arrays["chosen_predictions"]
        if best.shape != (2,) or best.dtype != np.float64 or np.isnan(best).any():
            raise ValueError("the best values of the held-out groups are not two numbers")
        n_rows = len(self.y) if predictions.size else 0
        if predictions.dtype.kind != "f" or len(predictions) != n_rows or not np.isfinite(predictions).all():
            raise ValueError("the predictions for held-out groups are not a finite number in each of their rows")
        self.choices.best, self.choices.predictions = np.array(best), np.array(predictions)

    def predictions(self, network: nn.Network) -> Array:
        """What the rows are scored by: predictions of the network at its best epoch or, with groups, those chosen."""
        return self.decode(network.predict(self.X)) if self.choices is None else self.choices.predictions


class HalfChoices:
    """The choices of both halves of the held-out groups.

    Parameters
    ----------
    groups : ndarray of int of shape (n_held_out,)
        With a single group, all rows are in one half, and predictions are those of the first epoch.
    """

    def __init__(self, groups: Array) -> None:
        distinct, codes = np.unique(groups, return_inverse=True)
        in_first = (np.random.default_rng(0).permutation(len(distinct)) % 2 == 0)[codes]
        self.halves = np.flatnonzero(in_first), np.flatnonzero(~in_first)
        self.best = np.full(2, math.inf)
        self.predictions: Array = np.empty(0)

    def after_epoch(self, y: Array, predictions: Array, weights: Array | None, metric: Metric) -> None:
        """Keep the predictions of a half where the metric of the other is the smallest so far; the last of equal ones.

        Raises nothing where a half cannot be measured, such as one of a single class: it never chooses.
        """
        if not len(self.predictions):
            self.predictions = predictions.copy()
        for number, (chooser, scored) in enumerate((self.halves, self.halves[::-1])):
            own = None if weights is None else weights[chooser]
            if not len(chooser) or (own is not None and not own.any()):
                continue
            value = metric(y[chooser], predictions[chooser], own)
            if value <= self.best[number]:
                self.best[number] = value
                self.predictions[scored] = predictions[scored]
