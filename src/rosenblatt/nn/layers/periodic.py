"""Numeric embeddings: each number as a few learned waves of it.

Goes in: numbers [m, n]. Comes out: `units` numbers and the number itself for each, [m, n * (units + 1)].
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass

from rosenblatt.ir.types import M, Value
from rosenblatt.nn.initializers import Normal, Uniform
from rosenblatt.nn.layers.base import Layer, Node, ParameterSpec, Scope, require_count, require_range

__all__ = ["Periodic"]


@dataclass(frozen=True, eq=False)
class Periodic(Layer):
    """Each number x as (V cos(w x + phase) + shift, x), with parameters of its own: PBLD.

    Source: Holzmüller et al. 2024, arXiv:2407.04491 (there w is 2 pi times a frequency). The columns of a unit are side
    by side, those of x come last.

    Parameters
    ----------
    units : int
        Columns for each number, beside itself.
    waves : int
        Cosines for each number.
    frequency : float
        Standard deviation of the initial frequencies, in waves per unit of x.
    """

    units: int = 3
    _: KW_ONLY
    waves: int = 8
    frequency: float = 0.1

    def __post_init__(self) -> None:
        require_count("units", self.units, self.name)
        require_count("waves", self.waves, self.name)
        require_range("frequency", self.frequency, 0, math.inf, self.name)

    def width(self, *nodes: Node) -> int:
        (node,) = self._dense(nodes, 1)
        return node.width * (self.units + 1)

    def parameters(self, *widths: int) -> tuple[ParameterSpec, ...]:
        n, limit = widths[0], 1 / math.sqrt(self.waves)
        small = Uniform(limit)
        return (
            ParameterSpec("frequencies", (self.waves, n), Normal(2 * math.pi * self.frequency), "biases"),
            ParameterSpec("phases", (self.waves, n), Uniform(math.pi), "biases"),
            ParameterSpec("mixture", (self.units, self.waves, n), small, "biases"),
            ParameterSpec("shifts", (self.units, n), small, "biases"),
        )

    def append(self, scope: Scope, *inputs: Value) -> Value:
        (x,), b, n = inputs, scope.b, inputs[0].shape[1]
        mixture, shifts = scope.parameter("mixture"), scope.parameter("shifts")
        angles = b.add(b.mul(b.reshape(x, shape=(M, 1, n)), scope.parameter("frequencies")), scope.parameter("phases"))
        waves = b.cos(angles)
        columns = []
        for i in range(self.units):
            weights = b.reshape(b.slice(mixture, axis=0, start=i, stop=i + 1), shape=(self.waves, n))
            shift = b.reshape(b.slice(shifts, axis=0, start=i, stop=i + 1), shape=(n,))
            columns.append(b.add(b.sum(b.mul(waves, weights), axis=1), shift))
        return b.concat(*columns, x, axis=1)
