"""The base class of layers, and the part of a program that a layer sees.

Takes nodes, by calling a layer. Returns nodes. Never holds parameters. Most layers are in the modules beside this one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import Value
from rosenblatt.nn.initializers import Initializer

if TYPE_CHECKING:
    from rosenblatt.nn.parameters import ParameterStore

__all__ = ["Add", "Layer", "Multiply", "Node", "ParameterSpec", "Scope"]


def shown(given: Any) -> str:
    """What was given where a node belongs, in few words."""
    kind, text = type(given).__name__, repr(given)
    if hasattr(given, "shape"):
        return f"{kind} of shape {given.shape}"
    return text if len(text) < 60 else f"{kind}(...)"


@dataclass(frozen=True)
class ParameterSpec:
    """A learned array of a layer, or a buffer.

    Attributes
    ----------
    name : str
        Its name within the layer.
    shape : tuple of int
        Its shape.
    initializer : Initializer
        What it starts from.
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
        """Whether masks, noise and batch statistics apply."""

    @property
    def name(self) -> str:
        """The layer's name."""

    def parameter(self, name: str) -> Value:
        """The layer's parameter (or buffer) called `name`."""

    def call(self, what: str, function: Callable[..., Any], *values: Value) -> Any:
        """Append a function of ops, which must do the same in all programs of a network; `what` it is to the layer."""

    def mask(self, rate: float, width: int) -> Value:
        """A dropout mask [m, width]: 0 with probability `rate`, else 1 / (1 - rate)."""

    def noise(self, width: int) -> Value:
        """Standard normal numbers [m, width]."""

    def learns_below(self) -> bool:
        """Whether a gradient must pass through the layer to parameters before it."""

    def update_buffer(self, name: str, value: Value, keep: float) -> None:
        """After the step, buffer ← keep * buffer + (1 - keep) * value."""


@dataclass(frozen=True, eq=False)
class Node:
    """A value for each row: the result of applying a layer to other nodes.

    Attributes
    ----------
    layer : Layer
    inputs : tuple of Node
    width : int
        Columns; for codes the number of levels.
    kind : {"dense", "sparse", "codes"}
        Floats [m, width], a CSR matrix of that shape, or class numbers [m].
    origin : Network or None
        The network whose parameters the layer starts from.
    """

    layer: Layer
    inputs: tuple[Node, ...]
    width: int
    kind: str = "dense"
    origin: ParameterStore | None = None

    def __add__(self, other: Node) -> Node:
        return Add()(self, other) if isinstance(other, Node) else self._refuse()

    def __mul__(self, other: Node) -> Node:
        return Multiply()(self, other) if isinstance(other, Node) else self._refuse()

    def _refuse(self, *_: Any) -> Any:
        raise TypeError(
            f"{self!r}: nodes take + and * with nodes; write all else as a layer: nn.Apply(lambda b, x, y: x - y)(h, x)"
        )

    __sub__ = __rsub__ = __neg__ = __radd__ = __rmul__ = __truediv__ = __rtruediv__ = __pow__ = __matmul__ = _refuse

    def __repr__(self) -> str:
        return f"<{type(self.layer).__name__} {self.layer.name or ''}[m, {self.width}]>"


@dataclass(frozen=True)
class Parameter:
    """A learned array (or a buffer) and where its elements lie in the flat block."""

    name: str
    layer: str
    spec: ParameterSpec
    offset: int

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.spec.shape)


@dataclass(frozen=True, eq=False)
class Layer:
    """Base of all layers.

    Attributes
    ----------
    is_input : bool
        Whether data enter the network here; such a layer takes no nodes.
    name : str or None
        Its name in the network, by which it is found, frozen and saved; None: the network names it by its kind.
    """

    is_input: ClassVar[bool] = False
    _: KW_ONLY
    name: str | None = None

    def __call__(self, *nodes: Node) -> Node:
        """The node that results from applying this layer to others."""
        for node in nodes:
            if not isinstance(node, Node):
                raise TypeError(
                    f"{self!r} is applied to {shown(node)}; it takes nodes, such as those that nn.input makes. Data "
                    "are for net.fit and net.predict"
                )
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

    def formula(self, *inputs: str) -> str:
        """What it computes from inputs with these names, for summaries: "concat(a, b)"."""
        return f"{type(self).__name__.lower()}({', '.join(inputs)})"

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


@dataclass(frozen=True, eq=False)
class Add(Layer):
    """The sum of its inputs, as in a residual connection; ``a + b`` on nodes."""

    def width(self, *nodes: Node) -> int:
        return same_width(self, self._dense(nodes, None))

    def append(self, scope: Scope, *inputs: Value) -> Value:
        return functools.reduce(scope.b.add, inputs)


@dataclass(frozen=True, eq=False)
class Multiply(Layer):
    """The product of its inputs, element by element, as in a gate; ``a * b`` on nodes."""

    def width(self, *nodes: Node) -> int:
        return same_width(self, self._dense(nodes, None))

    def append(self, scope: Scope, *inputs: Value) -> Value:
        return functools.reduce(scope.b.mul, inputs)


def same_width(layer: Layer, nodes: Iterable[Node]) -> int:
    """The width that all nodes have."""
    widths = [node.width for node in nodes]
    if len(set(widths)) != 1:
        raise ValueError(f"{type(layer).__name__} takes nodes of one width; given widths {widths}")
    return widths[0]
