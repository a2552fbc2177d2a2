"""What a layer is, and what it sees of the program that it is built into.

Goes in: nodes, by calling a layer. Comes out: nodes. The layers themselves are in `rosenblatt.nn.layers`,
`rosenblatt.nn.noise` and `rosenblatt.nn.normalization`.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, Protocol

from rosenblatt.ir.program import Builder, Value
from rosenblatt.nn.graph import Node
from rosenblatt.nn.initializers import Initializer

__all__ = ["Layer", "ParameterSpec", "Scope", "require_count", "require_range"]


@dataclass(frozen=True)
class ParameterSpec:
    """A learned array of a layer, or a buffer.

    Attributes
    ----------
    section : {"weights", "biases", "buffers"}
        Penalties and decay are for weights; buffers are not learned.
    l1, l2 : float
        Penalties of this array: l1 * sum(abs(w)) + l2 / 2 * sum(w**2) is added to the loss.
    max_norm : float
        Longest Euclidean norm of a column, the weights of one neuron; 0: any.
    """

    name: str
    shape: tuple[int, ...]
    initializer: Initializer
    section: str = "weights"
    l1: float = 0.0
    l2: float = 0.0
    max_norm: float = 0.0


class Scope(Protocol):
    """What a layer sees when a program is built."""

    @property
    def b(self) -> Builder:
        """The builder to append to."""

    @property
    def training(self) -> bool:
        """Whether masks, noise and batch statistics are in force."""

    @property
    def name(self) -> str:
        """The layer's name."""

    def parameter(self, name: str) -> Value:
        """The layer's parameter (or buffer) called `name`."""

    def mask(self, rate: float, width: int) -> Value:
        """A dropout mask [m, width]: 0 with probability `rate`, else 1 / (1 - rate)."""

    def noise(self, width: int) -> Value:
        """Standard normal numbers [m, width]."""

    def learns_below(self) -> bool:
        """Whether a gradient must pass through the layer to parameters before it."""

    def update_buffer(self, name: str, value: Value, keep: float) -> None:
        """After the step, buffer ← keep * buffer + (1 - keep) * value."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Base of all layers."""

    _: KW_ONLY
    name: str | None = None

    def __call__(self, *nodes: Node) -> Node:
        """The node that this layer makes of others."""
        for node in nodes:
            if not isinstance(node, Node):
                raise TypeError(f"{self!r} is applied to {node!r}; it takes nodes, such as those that nn.input makes")
        return Node(self, nodes, self.width(*nodes))

    def width(self, *nodes: Node) -> int:
        """Columns of the result; raises ValueError for nodes that do not fit."""
        (node,) = self._dense(nodes, 1)
        return node.width

    def parameters(self, *widths: int) -> tuple[ParameterSpec, ...]:
        """Parameters and buffers, for inputs of these widths."""
        return ()

    def append(self, scope: Scope, *inputs: Value) -> Value:
        """Append what the layer computes; [m, width]."""
        raise NotImplementedError

    def _dense(self, nodes: tuple[Node, ...], count: int | None) -> tuple[Node, ...]:
        """The nodes, if there are `count` of them (None: two or more) and they hold dense floats."""
        label = f"{type(self).__name__}{f' {self.name!r}' if self.name else ''}"
        if count is None and len(nodes) < 2:
            raise ValueError(f"{label} takes two nodes or more; {len(nodes)} given")
        if count is not None and len(nodes) != count:
            raise ValueError(f"{label} takes {count} node{'s' if count > 1 else ''}; {len(nodes)} given")
        for node in nodes:
            if node.kind != "dense":
                hint = "Embedding takes codes, Dense takes a sparse matrix"
                raise ValueError(f"{label} takes dense values, but is given {node.kind} ones; {hint}")
        return nodes


def require_count(what: str, value: Any, layer: str | None = None) -> int:
    """`value`, if it is a positive integer."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{where(layer)}{what} is {value!r}; it must be a positive integer")
    return int(value)


def require_range(what: str, value: Any, low: float, high: float, layer: str | None = None) -> None:
    """Refuse what is no number in [low, high)."""
    if not isinstance(value, Real) or isinstance(value, bool) or not low <= float(value) < high:
        limit = f"in [{low}, {high})" if math.isfinite(high) else f"a number of at least {low}"
        raise ValueError(f"{where(layer)}{what} is {value!r}; it must be {limit}")


def where(layer: str | None) -> str:
    """The start of a message about a layer."""
    return f"layer {layer!r}: " if layer else ""
