"""Statistics of a network in training: gradients by layer, dead units, histograms of weights.

Takes a network, its loss and the rows that it trains on. Returns arrays for a frame. Never changes the network.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.nn import Network
from rosenblatt.playground_page.frames import hidden_values, sound
from rosenblatt.playground_page.networks import without_dropout
from rosenblatt.training.evaluation import GradientProbe

__all__ = ["Statistics", "dead_units", "histogram"]

Array = NDArray[Any]
BINS = 20
CONSTANT = 1e-4
"""A unit is dead if its values differ by no more than this share of their size."""


def dead_units(values: Array) -> Array:
    """1 for each unit whose output is the same for all rows, else 0; `values` has the shape (n_rows, units).

    A ReLU is dead if it is zero everywhere, an S-shaped unit if it is saturated everywhere.
    """
    values = sound(values)
    size = np.abs(values).max(axis=0, initial=0.0)
    return np.asarray(np.ptp(values, axis=0) <= CONSTANT * size, np.uint8)


def histogram(weights: Array) -> tuple[Array, Array]:
    """Counts of a layer's weights in 20 bins of equal width, as uint32, and the limits of the bins."""
    values = sound(weights).astype(np.float64).ravel()
    low, high = float(values.min()), float(values.max())
    if not high - low > 1e-6 * max(abs(low), abs(high)):
        margin = 0.5 * max(abs(low), 1.0)
        low, high = low - margin, high + margin
    counts = np.histogram(values, BINS, (low, high))[0]
    return counts.astype(np.uint32), sound(np.array([low, high]))


class Statistics:
    """Statistics of a network, as often as they are asked for.

    Parameters
    ----------
    network, twin : Network
        The network in training, and its twin that shows all layers.
    loss, X, y
        As for training.
    """

    def __init__(self, network: Network, twin: Network, loss: Any, X: Array, y: Array) -> None:
        self.network, self.twin, self.X = network, twin, X
        self._plain = without_dropout(network)
        self._probe = GradientProbe(self._plain, loss, X, y, max_rows=len(X))

    def gradient_norms(self) -> Array:
        """Norm of the loss's gradient by the weights of each layer, as float32; 0 for layers that are frozen."""
        self._plain.block[...] = self.network.block
        norms = {found.layer: found.norm for found in self._probe.statistics()}
        layers = [p.layer for p in self.network.graph.parameters if p.spec.section == "weights"]
        return sound(np.array([norms.get(layer, 0.0) for layer in layers]))

    def arrays(self) -> dict[str, Array]:
        """`gradient_norms`, `dead{k}`, `histogram{k}` and `histogram_range{k}`, with k from 1."""
        found = {"gradient_norms": self.gradient_norms()}
        for k, values in enumerate(hidden_values(self.network, self.twin, self.X), 1):
            found[f"dead{k}"] = dead_units(values)
        for k, weights in enumerate(self.network.weights, 1):
            found[f"histogram{k}"], found[f"histogram_range{k}"] = histogram(weights)
        return found
