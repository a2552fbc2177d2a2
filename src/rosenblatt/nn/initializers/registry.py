"""Initializers: where parameters start.

An initializer is ``initializer(rng, shape) -> float64 array``: a frozen dataclass that can be compared, printed and
stored. A user's own function of that form can stand wherever a name can. `DataDriven` also looks at data: who
initializes a network with it calls `DataDriven.rescale` layer by layer.

Goes in: a name, an initializer, a state. Comes out: the initializer, its state. Those that draw each element by itself
are in `rosenblatt.nn.initializers.functions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rosenblatt.nn import _registry
from rosenblatt.nn.initializers.functions import (
    Array,
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Initializer,
    LeCunNormal,
    LeCunUniform,
    Normal,
    Shape,
    TruncatedNormal,
    Uniform,
    Zeros,
    matrix_shape,
)

__all__ = [
    "INITIALIZERS",
    "Constant",
    "DataDriven",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LeCunNormal",
    "LeCunUniform",
    "Normal",
    "Orthogonal",
    "TruncatedNormal",
    "Uniform",
    "Zeros",
    "initializer_from_state",
    "initializer_named",
    "initializer_to_state",
]

# Of whole matrices -----------------------------------------------------------------------------------------------


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
        _registry.check_number("gain of orthogonal", self.gain, 0.0, above=True)

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Draw an array of shape (fan_in, fan_out)."""
        small, large = sorted(matrix_shape(self.name, shape))
        q, r = np.linalg.qr(rng.standard_normal((large, small)))
        q *= np.where(np.diag(r) < 0, -1.0, 1.0)
        return np.ascontiguousarray(self.gain * (q if shape[0] == large else q.T))


_BASE = LeCunNormal()


@dataclass(frozen=True)
class DataDriven(Initializer):
    """Weights scaled so that each neuron's pre-activation has unit standard deviation on the data.

    Layer-sequential unit variance (Mishkin and Matas, 2016), but neuron by neuron.

    Parameters
    ----------
    base : Initializer, default LeCunNormal()
        Draws the weights that are then scaled.
    """

    name: ClassVar[str] = "data_driven"
    needs_data: ClassVar[bool] = True
    base: Initializer = _BASE

    def __post_init__(self) -> None:
        if not isinstance(self.base, Initializer) or self.base.needs_data:
            raise ValueError(f"base of data_driven is {self.base!r}; it must be an initializer that needs no data")

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


@dataclass(frozen=True)
class _Own(Initializer):
    """A user's own function (rng, shape) -> array."""

    name: ClassVar[str] = "own"
    function: Callable[[np.random.Generator, Shape], NDArray[Any]]

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        """Call it and look at what it gives."""
        drawn = np.asarray(self.function(rng, shape), np.float64)
        if drawn.shape != tuple(shape) or not np.isfinite(drawn).all():
            given = "numbers that are not finite" if drawn.shape == tuple(shape) else f"the shape {drawn.shape}"
            raise ValueError(f"the initializer {self.function!r} gave {given}; asked for the shape {tuple(shape)}")
        return drawn


# By name ---------------------------------------------------------------------------------------------------------

INITIALIZERS: Mapping[str, type[Initializer]] = MappingProxyType(
    {
        cls.name: cls
        for cls in (
            *(Zeros, Constant, Normal, Uniform, TruncatedNormal, GlorotNormal, GlorotUniform, HeNormal, HeUniform),
            *(LeCunNormal, LeCunUniform, Orthogonal, DataDriven),
        )
    }
)
"""Initializers by name. Normal, Uniform and Constant need a number, so they cannot be given by name alone."""


def initializer_named(given: str | Initializer | Callable[[np.random.Generator, Shape], NDArray[Any]]) -> Initializer:
    """The initializer that `given` names or is; a user's own function (rng, shape) -> array becomes one.

    Raises
    ------
    ValueError
        If it is no name and no callable, or names one that needs a number.
    """
    if isinstance(given, Initializer):
        return given
    if instance := _registry.class_hint(given):
        raise ValueError(f"initializer is the class {instance[:-2]}; give an instance of it, such as {instance}")
    if callable(given):
        return _Own(given)
    if not isinstance(given, str) or given not in INITIALIZERS:
        raise _registry.unknown_name("initializer", given, INITIALIZERS, "a function (rng, shape) -> array")
    made: Initializer = _registry.create("initializer", given, INITIALIZERS[given], {})
    return made


def initializer_to_state(initializer: str | Initializer) -> dict[str, Any]:
    """Name and parameters of an initializer, ready for JSON.

    Raises
    ------
    ValueError
        If it is a function of the user's own: files hold no code.
    """
    made = initializer_named(initializer)
    if isinstance(made, _Own):
        raise _registry.not_storable(made.function)
    return _registry.to_state(made)


def initializer_from_state(state: Any) -> Initializer:
    """The initializer that `initializer_to_state` was given.

    Raises
    ------
    ValueError
        If the state has another form or names something unknown.
    """
    restored: Initializer = _registry.from_state("an initializer", state, INITIALIZERS)
    return restored
