"""The rows that a member holds out: how good it is on them after each epoch, and their predictions.

Takes held-out rows and a network in training. Returns the metric that chooses the best epoch, and in the end the
predictions that score the member. Never lets a group of rows, or a row in time, choose the epoch that it is scored by:
of many epochs the best for a few rows is so by chance, and a score by the same rows would promise too much.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt import nn
from rosenblatt.training.sharded import predict_together
from rosenblatt.training.trainer import DivergenceError

__all__ = ["HalfChoices", "HeldOutRows"]

Array = NDArray[Any]
Metric = Callable[[Array, Array, Array | None], float]
Decode = Callable[[Array], Array]
MIN_UNITS = 5
"""Fewest groups of a half that chooses an epoch."""


class HeldOutRows:
    """Rows that score a member.

    Parameters
    ----------
    rows : (inputs, targets, weights or None)
    metric : callable
        ``metric(targets, predictions, weights)``: the smaller the better.
    decode : callable
        From a network's outputs to its predictions.
    groups, times : ndarray of shape (n_rows,), optional
        The group, or the time, of each row. No row then chooses the epoch that it is scored by; see `HalfChoices`.
    """

    def __init__(
        self,
        rows: tuple[dict[str, Any], Array, Array | None],
        metric: Metric,
        decode: Decode,
        groups: Array | None = None,
        times: Array | None = None,
    ) -> None:
        self.rows = rows
        self.X, self.y, self.weights = rows
        self.metric, self.decode = metric, decode
        apart = groups is not None or times is not None
        self.choices = HalfChoices(self.y, self.weights, groups) if apart else None

    def measure(self, network: nn.Network, epoch: int) -> dict[str, float]:
        """The metric after an epoch; `DivergenceError` if a prediction is not finite."""
        outputs = predict_together(network, self.X)
        if not np.isfinite(outputs).all():
            raise DivergenceError(f"A prediction became infinite or NaN in epoch {epoch}")
        predictions = self.decode(outputs)
        if self.choices is not None:
            self.choices.after_epoch(predictions, self.metric)
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
    """The choices of both halves of the held-out rows, which are random halves of the groups.

    Without groups, which is so for rows in time, and where a half is too small to choose, no row chooses an epoch: all
    keep the predictions of the last one, at which the learning rate's schedule ends. Any later row knows the level that
    a trend has reached, and would choose by it. A half is too small if its rows with a weight are of fewer than
    `MIN_UNITS` groups, or if all have the same target. It would prefer epochs that predict its own class, and where the
    classes are as frequent in all folds, these are bad for the other half.

    Parameters
    ----------
    y : ndarray of shape (n_held_out,) or (n_held_out, n)
    weights : ndarray of shape (n_held_out,) or None
    groups : ndarray of int of shape (n_held_out,), optional
    """

    def __init__(self, y: Array, weights: Array | None = None, groups: Array | None = None) -> None:
        self.y, self.weights = y, weights
        units = np.zeros(len(y)) if groups is None else groups
        self.halves = halves_of_groups(units)
        self.can_choose = all(self._is_large(half, units) for half in self.halves)
        self.best = np.full(2, math.inf)
        self.predictions: Array = np.empty(0)

    def _is_large(self, half: Array, groups: Array) -> bool:
        """Whether the rows of a half are enough to choose an epoch."""
        rows = half if self.weights is None else half[self.weights[half] > 0]
        return len(np.unique(groups[rows])) >= MIN_UNITS and bool((self.y[rows] != self.y[rows[0]]).any())

    def after_epoch(self, predictions: Array, metric: Metric) -> None:
        """Keep the predictions of a half where the metric of the other is the smallest so far; the last of equal ones.

        Where no half can choose, keep all of them.
        """
        if not len(self.predictions) or not self.can_choose:
            self.predictions = predictions.copy()
        for number, (chooser, scored) in enumerate((self.halves, self.halves[::-1]) if self.can_choose else ()):
            own = None if self.weights is None else self.weights[chooser]
            value = metric(self.y[chooser], predictions[chooser], own)
            if value <= self.best[number]:
                self.best[number] = value
                self.predictions[scored] = predictions[scored]


def halves_of_groups(groups: Array) -> tuple[Array, Array]:
    """The rows of each half of the groups, drawn at random."""
    distinct, codes = np.unique(groups, return_inverse=True)
    in_first = (np.random.default_rng(0).permutation(len(distinct)) % 2 == 0)[codes]
    return np.flatnonzero(in_first), np.flatnonzero(~in_first)
