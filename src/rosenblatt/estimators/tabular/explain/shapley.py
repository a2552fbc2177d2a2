"""Shapley values of raw columns (Shapley 1953; Štrumbelj and Kononenko 2014 for predictions).

Takes rows as mixtures with the mean training row, and a quantity. Returns contributions, and standard errors where they
are estimated. Never draws for one row what it does not draw for all: a row's values do not depend on the others.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.estimators.tabular.explain.mixtures import Mixtures
from rosenblatt.estimators.tabular.explain.quantities import Quantity

__all__ = ["EXACT_COLUMNS", "exact_values", "sampled_values"]

Array = NDArray[Any]
EXACT_COLUMNS = 8
"""Up to so many columns, all of their 256 combinations are predicted."""


def exact_values(mixtures: Mixtures, quantity: Quantity) -> Array:
    """Contributions [n_rows, n_columns, n_quantities]: means over all orders in which columns leave the mean row."""
    n = mixtures.n_columns
    numbers = np.arange(2**n)
    present = (numbers[:, None] >> np.arange(n)) & 1 > 0
    values = mixtures.values(quantity, np.arange(mixtures.n_rows), present)
    weights = np.array([1 / (n * math.comb(n - 1, size)) for size in range(n)])
    found = []
    for j in range(n):
        without = numbers[~present[:, j]]
        gains = values[without | (1 << j)] - values[without]
        found.append(np.tensordot(weights[present[without].sum(axis=1)], gains, axes=1))
    return np.stack(found, axis=1)


def sampled_values(mixtures: Mixtures, quantity: Quantity, n_orders: int, seed: int) -> tuple[Array, Array]:
    """Contributions [n_rows, n_columns, n_quantities] from random orders, and their standard errors.

    Each order is used forwards and backwards, which reduces the error (Mitchell et al. 2022, arXiv:2104.12199). The
    standard error is that of the mean over these pairs, and NaN if there is one pair only.
    """
    n, rng = mixtures.n_columns, np.random.default_rng(seed)
    forwards = np.array([rng.permutation(n) for _ in range(n_orders)])
    orders = np.stack([forwards, forwards[:, ::-1]], axis=1)  # [n_orders, 2, n]
    place = np.argsort(orders, axis=2)
    present = place[:, :, None, :] < np.arange(n + 1)[:, None]  # [n_orders, 2, n + 1, n]
    distinct, number = np.unique(present.reshape(-1, n), axis=0, return_inverse=True)
    values = mixtures.values(quantity, np.arange(mixtures.n_rows), distinct)
    number = number.reshape(n_orders, 2, n + 1)
    pairs = np.zeros((n_orders, n, *values.shape[1:]))
    for pair, own, numbered in zip(pairs, orders, number, strict=True):
        for order, at in zip(own, numbered, strict=True):
            pair[order] += np.diff(values[at], axis=0) / 2
    errors = pairs.std(axis=0, ddof=1) / math.sqrt(n_orders) if n_orders > 1 else np.full(pairs.shape[1:], np.nan)
    return pairs.mean(axis=0).swapaxes(0, 1), errors.swapaxes(0, 1)
