"""Initializers of whole matrices.

Takes and returns what `rosenblatt.nn.initializers.base` says; `DataDriven` also takes what its weights make of data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import check_fields
from rosenblatt.nn.initializers.base import Array, Initializer, Shape, matrix_shape
from rosenblatt.nn.initializers.functions import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LeCunNormal,
    LeCunUniform,
)

__all__ = ["DataDriven", "Orthogonal"]


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """A random matrix with orthonormal columns, or rows where these are fewer (Saxe et al., 2014).

    Every such matrix is equally likely: the signs that a QR decomposition leaves open are fixed (Mezzadri, 2007).

    Parameters
    ----------
    gain : float
        Factor, above 0.
    """

    name: ClassVar[str] = "orthogonal"
    gain: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self, "gain", low=0, above=True)

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Draw an array of shape (fan_in, fan_out)."""
        small, large = sorted(matrix_shape(self.name, shape))
        q, r = np.linalg.qr(rng.standard_normal((large, small)))
        q *= np.where(np.diag(r) < 0, -1.0, 1.0)
        return np.ascontiguousarray(self.gain * (q if shape[0] == large else q.T))


_BASE = LeCunNormal()


BASES: dict[str, type[Initializer]] = {
    kind.name: kind
    for kind in (GlorotNormal, GlorotUniform, HeNormal, HeUniform, LeCunNormal, LeCunUniform, Orthogonal)
}
"""What `DataDriven` takes by name."""


@dataclass(frozen=True)
class DataDriven(Initializer):
    """Weights scaled so that each neuron's pre-activation has unit standard deviation on the data.

    Layer-sequential unit variance (Mishkin and Matas, 2016), but neuron by neuron.

    Parameters
    ----------
    base : Initializer or str, default LeCunNormal()
        Or the name of one that needs no argument. Draws the weights that are then scaled.
    """

    name: ClassVar[str] = "data_driven"
    needs_data: ClassVar[bool] = True
    base: Initializer = _BASE

    def __post_init__(self) -> None:
        if isinstance(self.base, str) and self.base in BASES:
            object.__setattr__(self, "base", BASES[self.base]())
        if not isinstance(self.base, Initializer) or self.base.needs_data:
            raise ValueError(
                f"base of data_driven is {self.base!r}; it must be {', '.join(BASES)}, or an initializer "
                "that needs no data"
            )

    @property
    def is_constant(self) -> bool:
        """Whether the base is."""
        return self.base.is_constant

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Draw from the base."""
        return self.base(rng, shape)

    def rescale(self, weight: NDArray[Any], pre_activation: NDArray[Any]) -> Array:
        """Divide each column by the standard deviation of its pre-activation.

        Parameters
        ----------
        weight : ndarray of shape (fan_in, fan_out)
        pre_activation : ndarray of shape (n_rows, fan_out)
            What the weights give on some hundred rows.

        Returns
        -------
        ndarray of shape (fan_in, fan_out)
            New weights; columns whose pre-activation does not vary are as they were.

        Raises
        ------
        ValueError
            If the shapes do not fit or a pre-activation is not finite.
        """
        weight, z = np.asarray(weight, np.float64), np.asarray(pre_activation, np.float64)
        if weight.ndim != 2 or z.ndim != 2 or z.shape[1] != weight.shape[1]:
            raise ValueError(
                f"the weights have shape {weight.shape} and the pre-activations {z.shape}; "
                "they must be (fan_in, fan_out) and (n_rows, fan_out)"
            )
        if not np.isfinite(z).all():
            column = int(np.argmin(np.isfinite(z).all(axis=0)))
            raise ValueError(f"the pre-activation of neuron {column} is not finite on the data; look for NaN in them")
        if len(z) == 0:
            return weight.copy()
        std = z.std(axis=0)
        # Equal float32 numbers have a mean that is off by rounding, and so a tiny deviation.
        varies = std > 1e-6 * np.abs(z).max(axis=0)
        return weight / np.where(varies, std, 1.0)
