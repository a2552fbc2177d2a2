"""Integrated gradients (Sundararajan, Taly and Yan 2017, arXiv:1703.01365) of raw columns.

Takes rows as mixtures with the mean training row, and a quantity. Returns contributions, and how many steps each row
took. Never stops before the contributions of a row add up, unless the limit of steps is reached.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.estimators.tabular.explain.mixtures import Mixtures
from rosenblatt.estimators.tabular.explain.quantities import Quantity

__all__ = ["MAX_STEPS", "TOLERANCE", "integrated_gradients"]

Array = NDArray[Any]
TOLERANCE = 1e-3
"""How far the sum of contributions may miss, as a share of the sum of their absolute values."""
FIRST_STEPS, MAX_STEPS = 8, 1024
ROUNDING = 1e-6
"""What float32 networks miss by, relative to the quantity."""


def integrated_gradients(mixtures: Mixtures, quantity: Quantity) -> tuple[Array, Array]:
    """Contributions [n_rows, n_columns, n_quantities], and the number of steps for each row.

    The derivative by each column's share is integrated on the straight way from the mean training row, by Simpson's
    rule. The number of its steps is doubled until the sum is right to within `TOLERANCE`, or `MAX_STEPS` are taken.
    """
    rows = np.arange(mixtures.n_rows)
    end, start = quantity.values(mixtures.raw, rows), mixtures.values(quantity, rows, np.zeros(1))[0]
    found = mean_slopes(mixtures, quantity, rows, np.array([0.0, 1.0]))  # the trapezoidal rule's
    contributions, steps, intervals = found.copy(), np.ones(len(rows), np.int64), 1
    while len(rows) and 2 * intervals <= MAX_STEPS:
        middles = mean_slopes(mixtures, quantity, rows, (np.arange(intervals) + 0.5) / intervals)
        contributions[rows] = (found + 2 * middles) / 3
        found, intervals = (found + middles) / 2, 2 * intervals
        steps[rows] = intervals
        if intervals >= FIRST_STEPS:
            own = contributions[rows]
            gap = np.abs(own.sum(axis=1) - (end - start)[rows])
            allowed = TOLERANCE * np.abs(own).sum(axis=1) + ROUNDING * np.abs(end[rows])
            pending = (gap > allowed).any(axis=1)
            rows, found = rows[pending], found[pending]
    return contributions, steps


def mean_slopes(mixtures: Mixtures, quantity: Quantity, rows: Array, points: Array) -> Array:
    """The mean derivative by the shares over points on the way, in [0, 1]: [n_rows, n_columns, n_quantities]."""
    total: Any = 0.0
    for some in np.array_split(points, -(-len(points) * len(rows) // mixtures.max_evaluations)):
        at, shares = np.tile(rows, len(some)), np.repeat(some, len(rows))[:, None]
        shares = np.broadcast_to(shares, (len(at), mixtures.n_columns))
        cotangents = quantity.cotangents(mixtures.outputs(at, shares), at)
        slopes = np.stack([mixtures.slopes(at, shares, one) for one in cotangents], axis=2)
        total = total + slopes.reshape(len(some), len(rows), *slopes.shape[1:]).sum(axis=0)
    return np.asarray(total / len(points))
