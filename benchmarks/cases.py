"""The work that `benchmarks.speed` times, and the data for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CASES", "Case"]


@dataclass(frozen=True)
class Case:
    """A network, its batch, and how many steps make an epoch.

    Attributes
    ----------
    sizes : tuple of int
        Layers, inputs first.
    loss : str
        "softmax" (cross-entropy with labels) or "squared" (error of all outputs).
    floors : mapping of str to float
        How many times as fast as each peer the engine must at least be.
    """

    sizes: tuple[int, ...]
    batch: int
    n_batches: int
    activation: str = "relu"
    loss: str = "softmax"
    floors: tuple[tuple[str, float], ...] = ()

    @property
    def name(self) -> str:
        """Such as "10-50-3, batch 32"."""
        return "-".join(map(str, self.sizes)) + (f" {self.activation}" if self.activation != "relu" else "")

    @property
    def products(self) -> float:
        """Operations of a step's matrix products: forward, gradient of the weights, gradient of the layer's inputs."""
        sizes = self.sizes
        layers = [n_in * n_out for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True)]
        return 2.0 * self.batch * (3 * sum(layers) - layers[0])

    def data(self) -> tuple[NDArray[np.float32], NDArray[np.generic]]:
        """Random rows and targets for an epoch."""
        rng = np.random.default_rng(0)
        n = self.batch * self.n_batches
        X = rng.normal(size=(n, self.sizes[0])).astype(np.float32)
        if self.loss == "softmax":
            return X, rng.integers(0, self.sizes[-1], n).astype(np.int32)
        return X, rng.normal(size=(n, self.sizes[-1])).astype(np.float32)


def _floors(torch: float, jax: float, sklearn: float) -> tuple[tuple[str, float], ...]:
    return (("torch", torch), ("jax", jax), ("sklearn", sklearn))


CASES = (
    Case((10, 50, 3), 32, 100, floors=_floors(70, 5, 45)),
    Case((57, 100, 50, 2), 64, 100, floors=_floors(11, 2.5, 9)),
    Case((50, 256, 256, 256, 2), 256, 40, floors=_floors(1.5, 1.25, 2.3)),
    Case((784, 300, 100, 10), 50, 100, floors=_floors(2.6, 1.25, 5)),
    Case((784, 300, 100, 10), 256, 40, floors=_floors(1.35, 1.15, 3)),
    Case((300, 1024, 1024, 20), 512, 8, floors=_floors(1, 1, 1.4)),
    Case((4, 32, 16, 4), 200, 1, "tanh", "squared", floors=(("torch", 20),)),
    Case((33, 129, 65, 7), 77, 100),
    Case((20, 100, 100, 100, 5), 128, 100),
    Case((500, 64, 1), 256, 40, "tanh", "squared"),
)
