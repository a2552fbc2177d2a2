"""The cases that `benchmarks.speed` times, and their data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CASES", "PRODUCTS", "VARIANTS", "Case", "Variant"]


def product_operations(sizes: tuple[int, ...]) -> float:
    """Operations per row in the products of a step: forward, gradients of weights and of hidden outputs."""
    layers = [n_in * n_out for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True)]
    return 2.0 * (3 * sum(layers) - layers[0])


@dataclass(frozen=True)
class Case:
    """A network, its batch size, and the number of steps in an epoch.

    Attributes
    ----------
    sizes : tuple of int
        Sizes of the layers, inputs first.
    loss : str
        "softmax" (cross-entropy with labels) or "squared" (error of all outputs).
    floors : tuple of (str, float)
        The least speed of the engine relative to each peer.
    """

    sizes: tuple[int, ...]
    batch: int
    n_batches: int
    activation: str = "relu"
    loss: str = "softmax"
    floors: tuple[tuple[str, float], ...] = ()

    @property
    def name(self) -> str:
        """A name such as "10-50-3"."""
        return "-".join(map(str, self.sizes)) + (f" {self.activation}" if self.activation != "relu" else "")

    @property
    def epochs_a_call(self) -> int:
        """Epochs per native call: as many as `fit` runs in one call if epochs are short."""
        return 10 if self.n_batches * self.batch * product_operations(self.sizes) < 1e9 else 1

    @property
    def operations(self) -> float:
        """Operations in the matrix products of a step."""
        return self.batch * product_operations(self.sizes)

    def data(self) -> tuple[NDArray[np.float32], NDArray[np.generic]]:
        """Random rows and targets for one epoch."""
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

PRODUCTS = (
    (256, 256, 256, False, False),
    (256, 256, 256, True, False),
    (256, 256, 256, False, True),
    (128, 784, 300, False, False),
    (784, 128, 300, True, False),
    (128, 300, 784, False, True),
    (256, 512, 512, False, False),
    (512, 256, 512, True, False),
    (512, 1024, 1024, False, False),
    (1024, 512, 1024, True, False),
    (512, 1024, 1024, False, True),
)
"""Rows, inner size and columns of a product, and whether each operand is transposed."""


def _elu(b: Any, x: Any) -> Any:
    return b.where(b.greater(x, 0.0), x, b.expm1(b.minimum(x, 0.0)))


def _silu(b: Any, x: Any) -> Any:
    return b.mul(x, b.logistic(x))


@dataclass(frozen=True)
class Variant:
    """A departure from the regular case, and the largest allowed ratio of its cost per operation to the regular cost.

    `density` is the share of stored elements in a sparse input.
    """

    limit: float = 1.6
    sizes: tuple[int, ...] = (64, 128, 64, 8)
    batch: int = 64
    activation: str | Callable[[Any, Any], Any] = "relu"
    dtype: str = "float32"
    optimizer: str = "adam"
    density: float = 1.0
    options: Mapping[str, float] = field(default_factory=dict)

    @property
    def operations(self) -> float:
        """Operations of a step: those of its products (only stored elements of a sparse input), and ten per weight."""
        n_first, sizes = self.sizes[0] * self.sizes[1], self.sizes
        n_weights = sum(a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True))
        products = product_operations(self.sizes) - 4.0 * n_first * (1 - self.density)
        return self.batch * products + 10 * n_weights


VARIANTS = {
    "regular: 64-128-64-8, batch 64, ReLU, Adam, float32": Variant(),
    "33-129-65-7, batch 77": Variant(sizes=(33, 129, 65, 7), batch=77),
    "31-127-63-5, batch 61": Variant(sizes=(31, 127, 63, 5), batch=61),
    "batch 1,000": Variant(batch=1000),
    "float64": Variant(dtype="float64", limit=2.3),
    "tanh": Variant(activation="tanh"),
    "logistic": Variant(activation="logistic"),
    "ELU, written with ops": Variant(activation=_elu),
    "SiLU, written with ops": Variant(activation=_silu),
    "100 classes": Variant(sizes=(64, 128, 64, 100)),
    "SGD with momentum": Variant(optimizer="sgd"),
    "L2 penalty": Variant(options={"l2": 1e-3}),
    "L1 penalty": Variant(options={"l1": 1e-3}),
    "gradient clipped by norm": Variant(options={"clip_norm": 1.0}),
    "CSR input, 2,000 columns, 5 % full": Variant(sizes=(2000, 128, 64, 8), density=0.05, limit=4),
}
