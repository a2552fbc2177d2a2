"""Which rows are for training and which are held out.

Goes in: a share, a seed, and labels where classes are to be spread evenly. Comes out: two arrays of row numbers that
together are all rows. It never looks at the inputs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rows", "split_rows"]

Rows = NDArray[np.int64]


def split_rows(n_rows: int, share: float, seed: int, labels: NDArray[np.int64] | None = None) -> tuple[Rows, Rows]:
    """Training rows and held-out rows, both in increasing order.

    With labels, each class gives its share, rounded so that the shares add up; a class of one row stays in training.

    Parameters
    ----------
    n_rows : int
        At least 2.
    share : float in (0, 1)
        Of the held-out rows; at least one row is held out and at least one is left.
    seed : int
        Of the choice.
    labels : ndarray of shape (n_rows,), optional
        Class numbers 0, 1, 2, ...
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(n_rows)
    n_held = min(max(round(share * n_rows), 1), n_rows - 1)
    if labels is None:
        return np.sort(order[n_held:]), np.sort(order[:n_held])
    counts = np.bincount(labels)
    sorted_rows = order[np.argsort(labels[order], kind="stable")]
    starts = np.cumsum(counts) - counts
    rank = np.arange(n_rows) - starts[labels[sorted_rows]]  # position of a row among the shuffled rows of its class
    # every class is walked at the same pace: a row's time is its position over the class's size
    time = (rank + 0.5) / counts[labels[sorted_rows]]
    last = rank == counts[labels[sorted_rows]] - 1
    first_served = np.lexsort((rank, np.where(last, np.inf, time)))
    held = np.zeros(n_rows, dtype=bool)
    held[sorted_rows[first_served[:n_held]]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
