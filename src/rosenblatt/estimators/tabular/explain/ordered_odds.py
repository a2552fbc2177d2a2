"""The log odds of ordered classes, as the calibrated probabilities of an ensemble have them.

Takes raw outputs of networks that say how likely a row lies above each class. Returns the mean log odds of lying above
a class, and their derivatives. Never runs a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, logsumexp

__all__ = ["MeanLogOdds"]

Array = NDArray[Any]
FLOOR = np.log(1e-12)
"""Log probabilities are cut off here before the temperature is applied, as the ensemble does it."""


@dataclass(frozen=True)
class MeanLogOdds:
    """For ordered classes: the mean log odds of lying above a class, by the ensemble's calibrated probabilities."""

    temperature: float
    what: str = "the mean log odds of lying above a class"
    outputs: tuple[str, ...] = (what,)

    @property
    def scales(self) -> Array:
        """Log odds have a scale of their own."""
        return np.ones(1)

    @property
    def classes(self) -> Array:
        """None: values are not of a class."""
        return np.empty(0, np.int64)

    def values(self, raw: Array, rows: Array) -> Array:
        """See `Quantity`."""
        above, below = tails(mean_of(self._log_probabilities(falling(raw))[1]))
        return np.asarray((above - below).mean(axis=1)[:, None])

    def cotangents(self, raw: Array, rows: Array) -> list[Array]:
        """See `Quantity`: the chain rule, backwards from the odds of the ensemble to the outputs of its networks."""
        edges = falling(raw)
        own, single = self._log_probabilities(edges)
        mean = mean_of(single)
        above, below = tails(mean)
        slopes = np.zeros(mean.shape)
        for k in range(above.shape[1]):
            slopes[:, k + 1 :] += np.exp(mean[:, k + 1 :] - above[:, k : k + 1])
            slopes[:, : k + 1] -= np.exp(mean[:, : k + 1] - below[:, k : k + 1])
        by_network = slopes / above.shape[1] * np.exp(single - logsumexp(single, axis=0))
        by_class = (by_network - np.exp(single) * by_network.sum(axis=2, keepdims=True)) / self.temperature
        by_edge = edge_slopes(edges, np.where(own > FLOOR, by_class, 0.0))
        found = np.zeros(raw.shape)
        source = np.maximum.accumulate(np.where(raw == edges, np.arange(raw.shape[2]), 0), axis=2)
        for k in range(raw.shape[2]):
            at = source[..., k : k + 1]
            np.put_along_axis(found, at, np.take_along_axis(found, at, 2) + by_edge[..., k : k + 1], 2)
        return [found]

    def _log_probabilities(self, edges: Array) -> tuple[Array, Array]:
        """Log probabilities of the classes [n_networks, m, n_classes] by each network, and after calibration."""
        ends = np.ones((*edges.shape[:2], 1)) * np.inf
        high, low = np.concatenate([ends, edges], axis=2), np.concatenate([edges, -ends], axis=2)
        with np.errstate(divide="ignore"):
            own = log_expit(high) + log_expit(-low) + np.log(-np.expm1(low - high))
        return own, log_softmax(np.maximum(own, FLOOR) / self.temperature, axis=2)


def falling(raw: Array) -> Array:
    """The log odds of lying above each class, limited by those of the class before."""
    return np.minimum.accumulate(raw.astype(np.float64), axis=2)


def mean_of(single: Array) -> Array:
    """The log of the mean over the networks."""
    return np.asarray(logsumexp(single, axis=0) - np.log(len(single)))


def tails(mean: Array) -> tuple[Array, Array]:
    """Log probabilities [m, n_classes - 1] of lying above a class, and of not doing so."""
    above = np.logaddexp.accumulate(mean[:, ::-1], axis=1)[:, -2::-1]
    return above, np.logaddexp.accumulate(mean, axis=1)[:, :-1]


def edge_slopes(edges: Array, by_class: Array) -> Array:
    """Derivatives by the log odds of lying above, from those by the log probabilities of the classes."""
    with np.errstate(divide="ignore", over="ignore"):
        steep = 1 / np.expm1(edges[..., :-1] - edges[..., 1:])  # two edges share each class between the ends
    between = by_class[..., 1:-1] * np.where(np.isfinite(steep), steep, 0.0)
    found = by_class[..., 1:] * expit(-edges) - by_class[..., :-1] * expit(edges)
    found[..., :-1] += between
    found[..., 1:] -= between
    return np.asarray(found)
