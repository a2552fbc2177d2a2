"""Predictions for held-out groups, each from an epoch that other groups have chosen.

Takes the groups of held-out rows, and after each epoch their predictions. Returns for each half of the groups the
predictions of the epoch that is best for the other half. Never lets a group choose the epoch that it is scored by: of
many epochs the best for a few groups is so by chance, and a score by the same groups would promise too much.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["HalfChoices"]

Array = NDArray[Any]


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

    def after_epoch(
        self, y: Array, predictions: Array, weights: Array | None, metric: Callable[[Array, Array, Array | None], float]
    ) -> None:
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
