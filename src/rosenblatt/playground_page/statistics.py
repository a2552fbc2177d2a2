"""Statistics of a network in training: gradients by layer, dead units, histograms of weights.

Takes a network, its loss and the rows that it trains on. Returns arrays for a frame. Never changes the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.nn import Network, NetworkSpec
from rosenblatt.playground_page.frames import hidden_values, sound
from rosenblatt.playground_page.networks import without_dropout
from rosenblatt.training.evaluation import GradientProbe

__all__ = ["Statistics", "dead_units", "histogram", "slopes"]

Array = NDArray[Any]
BINS = 20
FLAT = 1e-3
"""A unit is dead if its activation rises by no more than this for a sum that is larger by one."""
REACH, TABULATED = 50.0, 20_001
"""Activations are as steep beyond the sums from -50 to 50 as at their ends."""


def dead_units(sums: Array, activation: str) -> Array:
    """1 for each unit whose activation is flat for all rows, else 0; `sums` has the shape (n_rows, units).

    No gradient reaches the weights of such a unit. A ReLU is dead if it is zero everywhere, an S-shaped unit if it is
    saturated everywhere; a step is always flat. Constant output alone is not death: the inputs may be constant.
    """
    return np.asarray(slopes(sound(sums), activation).max(axis=0, initial=0.0) <= FLAT, np.uint8)


def slopes(sums: Array, activation: str) -> Array:
    """Sizes of the activation's derivative at these weighted sums, of the same shape."""
    return np.interp(sums, *_tabulated(activation))


@lru_cache
def _tabulated(activation: str) -> tuple[Array, Array]:
    """Sums, and the size of the derivative at each, by the derivatives of a network of one unit."""
    unit = Network(NetworkSpec(1, (1,), 1, activation=activation, output="identity"), seed=None)
    for k in range(2):
        unit.weights[k][...], unit.biases[k][...] = 1.0, 0.0
    at = np.linspace(-REACH, REACH, TABULATED, dtype=np.float32)
    return at, np.abs(unit.input_gradients(at[:, None])["x"][:, 0])


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
    activations : sequence of str
        Of the hidden layers.
    loss, X, y
        As for training.
    """

    def __init__(
        self, network: Network, twin: Network, activations: Sequence[str], loss: Any, X: Array, y: Array
    ) -> None:
        self.network, self.twin, self.activations, self.X = network, twin, activations, X
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
        hidden = hidden_values(self.network, self.twin, self.X)
        layers = zip(self.network.weights, self.network.biases, self.activations, strict=False)  # all but the output
        inputs = self.X
        for k, (w, b, name) in enumerate(layers, 1):
            found[f"dead{k}"] = dead_units(inputs @ w + b, name)
            inputs = hidden[k - 1]
        for k, weights in enumerate(self.network.weights, 1):
            found[f"histogram{k}"], found[f"histogram_range{k}"] = histogram(weights)
        return found
