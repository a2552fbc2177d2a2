"""A program on its way into an ONNX graph: what is known of its values so far.

Takes values of the program. Returns tensors: constants where the value is an array, and the shapes that depend on the
rows of the batch. Never decides which operators an op becomes.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.export.onnx.graph import OnnxGraph
from rosenblatt.ir.types import Value

__all__ = ["Work"]


class Work:
    """The graph, the program's float type, and a tensor or an array for each value."""

    def __init__(self, graph: OnnxGraph, dtype: str) -> None:
        self.graph, self.dtype = graph, dtype
        self.values: dict[int, str | NDArray[Any]] = {}
        self._first_input = ""

    def feed(self, value: Value, tensor: str) -> None:
        """Use a tensor for an input of the program."""
        self.values[value.id] = tensor
        self._first_input = self._first_input or tensor

    def tensor(self, value: Value) -> str:
        """The tensor of a value; an array becomes a constant."""
        found = self.values[value.id]
        return found if isinstance(found, str) else self.graph.constant(found)

    def add(self, op: str, *inputs: str, **attrs: Any) -> str:
        """Apply an operator with one result."""
        result: str = self.graph.add(op, *inputs, **attrs)
        return result

    def number(self, value: float) -> str:
        """A constant of the program's float type, without axes."""
        return self.graph.constant(np.asarray(value, self.dtype))

    def integers(self, *values: int) -> str:
        """A constant of 64-bit integers, for axes and shapes."""
        return self.graph.constant(np.asarray(values, np.int64))

    def truth(self, tensor: str) -> str:
        """Zeros and ones of the program's float type as truth values, NaN as true: "not zero"."""
        return self.add("Not", self.add("Equal", tensor, self.number(0)))

    def zeros_and_ones(self, truth: str) -> str:
        """Truth values as numbers of the program's float type."""
        return self.add("Where", truth, self.number(1), self.number(0))

    @functools.cached_property
    def rows(self) -> str:
        """The number of rows, a tensor of shape [1]."""
        return self.add("Shape", self._first_input, start=0, end=1)

    def shape(self, dims: Sequence[int]) -> str:
        """A shape of the program, in which -k is k times the rows, as a tensor."""
        if all(dim >= 0 for dim in dims):
            return self.integers(*dims)
        parts = [
            self.integers(dim)
            if dim >= 0
            else self.rows
            if dim == -1
            else self.add("Mul", self.rows, self.integers(-dim))
            for dim in dims
        ]
        return self.add("Concat", *parts, axis=0)

    def reshaped(self, tensor: str, dims: Sequence[int]) -> str:
        """A tensor in another shape."""
        if sum(dim < 0 for dim in dims) == 1 and 0 not in dims:
            return self.add("Reshape", tensor, self.integers(*(max(dim, -1) for dim in dims)))
        return self.add("Reshape", tensor, self.shape(dims), allowzero=1)
