"""Numeric embeddings: each number as a few learned waves.

Takes numbers [m, n]. Returns `dim` numbers and the number itself for each, [m, n * (dim + 1)].
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass

from rosenblatt._checks import check_counts, check_fields
from rosenblatt.ir.types import M, Value
from rosenblatt.nn.initializers import Normal, Uniform
from rosenblatt.nn.layers.base import Layer, Node, ParameterSpec, Scope

__all__ = ["Periodic"]


@dataclass(frozen=True, eq=False)
class Periodic(Layer):
    """Each number x as (V cos(w x + phase) + shift, x), with separate parameters for each column: PBLD.

    Source: Holzmüller et al. 2024, arXiv:2407.04491 (there w is 2 pi times a frequency). The columns of one
    dimension are side by side, those of x come last.

    Parameters
    ----------
    dim : int
        Columns for each number, in addition to the number itself.
    n_frequencies : int
        Cosines for each number.
    frequency_std : float
        Standard deviation of the initial frequencies, in waves per unit of x.
    """

    dim: int = 3
    _: KW_ONLY
    n_frequencies: int = 8
    frequency_std: float = 0.1

    def __post_init__(self) -> None:
        check_counts(self, "dim", "n_frequencies")
        check_fields(self, "frequency_std", low=0)

    def width(self, *nodes: Node) -> int:
        (node,) = self._dense(nodes, 1)
        return node.width * (self.dim + 1)

    def parameters(self, *widths: int) -> tuple[ParameterSpec, ...]:
        n, limit = widths[0], 1 / math.sqrt(self.n_frequencies)
        small = Uniform(limit)
        return (
            ParameterSpec("frequencies", (self.n_frequencies, n), Normal(2 * math.pi * self.frequency_std), "biases"),
            ParameterSpec("phases", (self.n_frequencies, n), Uniform(math.pi), "biases"),
            ParameterSpec("mixture", (self.dim, self.n_frequencies, n), small, "biases"),
            ParameterSpec("shifts", (self.dim, n), small, "biases"),
        )

    def append(self, scope: Scope, *inputs: Value) -> Value:
        (x,), b, n = inputs, scope.b, inputs[0].shape[1]
        mixture, shifts = scope.parameter("mixture"), scope.parameter("shifts")
        angles = b.add(b.mul(b.reshape(x, shape=(M, 1, n)), scope.parameter("frequencies")), scope.parameter("phases"))
        waves = b.cos(angles)
        columns = []
        for i in range(self.dim):
            weights = b.reshape(b.slice(mixture, axis=0, start=i, stop=i + 1), shape=(self.n_frequencies, n))
            shift = b.reshape(b.slice(shifts, axis=0, start=i, stop=i + 1), shape=(n,))
            columns.append(b.add(b.sum(b.mul(waves, weights), axis=1), shift))
        return b.concat(*columns, x, axis=1)
