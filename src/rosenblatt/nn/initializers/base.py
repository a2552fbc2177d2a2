"""What an initializer is to networks.

Takes a `numpy.random.Generator` and the shape: (fan_in, fan_out) of a weight matrix or (n,) of a vector. Returns a new
float64 array, which depends on nothing else. The initializers themselves are in the modules beside it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Initializer"]

Shape = tuple[int, ...]
Array = NDArray[np.float64]


class Initializer(ABC):
    """What networks ask of an initializer.

    Attributes
    ----------
    name : str
    needs_data : bool
        Whether its method `rescale` finishes the weights once data have gone through the layer.
    is_constant : bool
        Whether every element is the same number. Neurons that start equal stay equal, so no hidden layer may use it.
    """

    name: ClassVar[str]
    needs_data: ClassVar[bool] = False

    @property
    def is_constant(self) -> bool:
        """Whether every element is the same number."""
        return False

    def rescale(self, weight: NDArray[Any], pre_activation: NDArray[Any]) -> Array:
        """The weights (fan_in, fan_out), adjusted to what they give on some hundred rows, (n_rows, fan_out)."""
        return weight

    @abstractmethod
    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Draw an array of `shape`."""


@dataclass(frozen=True)
class OwnInitializer(Initializer):
    """A user's own function (rng, shape) -> array."""

    function: Callable[[np.random.Generator, Shape], NDArray[Any]]

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Call it and check what it gives."""
        drawn = np.asarray(self.function(rng, shape), np.float64)
        if drawn.shape != tuple(shape) or not np.isfinite(drawn).all():
            given = "numbers that are not finite" if drawn.shape == tuple(shape) else f"the shape {drawn.shape}"
            raise ValueError(f"the initializer {self.function!r} gave {given}; asked for the shape {tuple(shape)}")
        return drawn


def matrix_shape(name: str, shape: Shape) -> tuple[int, int]:
    """(fan_in, fan_out), or the error for a vector."""
    if len(shape) != 2:
        raise ValueError(
            f"initializer {name} is for weights of shape (fan_in, fan_out), given the shape {tuple(shape)}; "
            "for a vector take Zeros(), Constant(value), Normal(std) or Uniform(bound)"
        )
    return shape[0], shape[1]
