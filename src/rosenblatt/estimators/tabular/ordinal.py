"""Ordered classes as networks learn them: for each class but the last, whether a row lies above it.

Takes labels, or probabilities of lying above. Returns the other of the two. Never reorders classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["cumulative", "from_cumulative"]

Array = NDArray[Any]


def cumulative(labels: Array, n_classes: int) -> Array:
    """Whether each label is above 0, above 1, ...: float32, shape (n, n_classes - 1)."""
    return np.asarray(labels[:, None] > np.arange(n_classes - 1), dtype=np.float32)


def from_cumulative(above: Array) -> Array:
    """Class probabilities (n, k) from the probabilities (n, k - 1) of lying above the first, the second, ... class.

    These must not rise, so each is limited by the one before (Frank and Hall 2001, with one network for all).
    """
    falling = np.minimum.accumulate(np.asarray(above, np.float64), axis=1)
    edges = np.ones((len(falling), 1))
    return np.asarray(-np.diff(np.hstack([edges, falling, 0 * edges]), axis=1))
