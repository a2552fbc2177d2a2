"""Layers: what a network is built from.

Goes in: nodes, by calling a layer. Comes out: nodes; and, when a program is built, instructions. A layer is an immutable
description: it holds no parameters, and applying it twice shares them. `Scope` is what a layer sees of the program.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, Protocol

from rosenblatt.ir.program import Builder, M, Value
from rosenblatt.nn.activations import ACTIVATIONS, Activation, activation_function, name_of
from rosenblatt.nn.graph import Node
from rosenblatt.nn.initializers import Constant, Initializer, Normal, Zeros, initializer_named

__all__ = [
    "Activate",
    "Add",
    "AlphaDropout",
    "Apply",
    "BatchNorm",
    "Concat",
    "Dense",
    "Dropout",
    "Embedding",
    "GaussianNoise",
    "Layer",
    "LayerNorm",
    "Multiply",
    "ParameterSpec",
    "Scope",
    "codes",
    "input",
]

RELU_FAMILY = ("relu", "relu6", "leaky_relu", "prelu", "elu", "celu", "gelu", "silu", "mish", "hard_swish", "softplus")


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


@dataclass(frozen=True, eq=False)
class Source(Layer):
    """Where data come in; made by `input` and `codes`."""

    def append(self, scope: Scope, *inputs: Value) -> Value:
        raise AssertionError("inputs are declared by the program")


def input(width: int, name: str = "x", *, sparse: bool = False) -> Node:
    """A table of numbers with `width` columns; `sparse`: it is a CSR matrix."""
    return Node(Source(name=name), (), require_count("width", width), "sparse" if sparse else "dense")


def codes(n_levels: int, name: str) -> Node:
    """A column of category numbers, 0 to ``n_levels - 1``, for an `Embedding`."""
    return Node(Source(name=name), (), require_count("n_levels", n_levels), "codes")


@dataclass(frozen=True, eq=False)
class Dense(Layer):
    """activation(x W + b).

    Parameters
    ----------
    units : int
        Neurons.
    activation : str or callable
        A name in `rosenblatt.nn.activations.ACTIVATIONS`, an instance such as ``LeakyReLU(alpha=0.1)``, or
        ``activation(b, x) -> value`` built from ops.
    weights, biases : str or Initializer
        Initial values. "auto": He for ReLU and its relatives, LeCun for SELU, else Glorot; biases zero. None as
        `biases`: the layer has none.
    l1, l2 : float
        Penalties of the weights: l1 * sum(abs(w)) + l2 / 2 * sum(w**2) is added to the loss.
    max_norm : float
        After each step the weights of a neuron are scaled down to this Euclidean norm where they exceed it; 0: never.
    """

    units: int
    activation: str | Activation = "identity"
    _: KW_ONLY
    weights: str | Initializer = "auto"
    biases: str | Initializer | None = "zeros"
    l1: float = 0.0
    l2: float = 0.0
    max_norm: float = 0.0

    def __post_init__(self) -> None:
        require_count("units", self.units, self.name)
        activation_function(self.activation)
        for field in ("l1", "l2", "max_norm"):
            require_range(field, getattr(self, field), 0, math.inf, self.name)

    def width(self, *nodes: Node) -> int:
        if len(nodes) != 1 or nodes[0].kind == "codes":
            self._dense(nodes, 1)
        return self.units

    def parameters(self, *widths: int) -> tuple[ParameterSpec, ...]:
        weights = default_weights(self.activation) if self.weights == "auto" else initializer_named(self.weights)
        shape = (widths[0], self.units)
        specs = [ParameterSpec("weights", shape, weights, "weights", self.l1, self.l2, self.max_norm)]
        if self.biases is not None:
            specs.append(ParameterSpec("biases", (self.units,), initializer_named(self.biases), "biases"))
        return (*specs, *activation_parameters(self.activation, self.units))

    def append(self, scope: Scope, *inputs: Value) -> Value:
        (x,), b, w = inputs, scope.b, scope.parameter("weights")
        z = b.csr_matmul(x, w) if x.type.sparse else b.matmul(x, w)
        if self.biases is not None:
            z = b.add(z, scope.parameter("biases"))
        return activate(scope, self.activation, z)


@dataclass(frozen=True, eq=False)
class Activate(Layer):
    """An activation by itself, as after a normalization."""

    activation: str | Activation

    def __post_init__(self) -> None:
        activation_function(self.activation)

    def parameters(self, *widths: int) -> tuple[ParameterSpec, ...]:
        return activation_parameters(self.activation, widths[0])

    def append(self, scope: Scope, *inputs: Value) -> Value:
        return activate(scope, self.activation, inputs[0])


@dataclass(frozen=True, eq=False)
class Dropout(Layer):
    """Zeroes each value with probability `rate` in training, and scales the others by 1 / (1 - rate)."""

    rate: float

    def __post_init__(self) -> None:
        require_range("rate", self.rate, 0, 1, self.name)

    def append(self, scope: Scope, *inputs: Value) -> Value:
        (x,) = inputs
        return scope.b.mul(x, scope.mask(self.rate, x.shape[1])) if scope.training and self.rate else x


@dataclass(frozen=True, eq=False)
class AlphaDropout(Layer):
    """Dropout that keeps mean 0 and variance 1, for SELU (Klambauer et al. 2017, section 3).

    Values become the SELU's limit -1.7580993408473766 instead of 0; then everything is scaled and shifted back.
    """

    rate: float

    def __post_init__(self) -> None:
        require_range("rate", self.rate, 0, 1, self.name)

    def append(self, scope: Scope, *inputs: Value) -> Value:
        (x,), b, limit, keep = inputs, scope.b, -1.7580993408473766, 1 - self.rate
        if not scope.training or not self.rate:
            return x
        a = 1 / math.sqrt(keep * (1 + self.rate * limit**2))
        kept = b.mul(scope.mask(self.rate, x.shape[1]), a * keep)  # 0 or a
        # a (x kept + limit dropped) - a limit rate = (x - limit) kept + a limit - a limit rate
        return b.add(b.mul(b.sub(x, limit), kept), a * limit * keep)


@dataclass(frozen=True, eq=False)
class GaussianNoise(Layer):
    """Adds normal numbers of standard deviation `std` in training."""

    std: float

    def __post_init__(self) -> None:
        require_range("std", self.std, 0, math.inf, self.name)

    def append(self, scope: Scope, *inputs: Value) -> Value:
        (x,) = inputs
        return scope.b.add(x, scope.b.mul(scope.noise(x.shape[1]), self.std)) if scope.training and self.std else x


@dataclass(frozen=True, eq=False)
class BatchNorm(Layer):
    """Each column standardized by the batch, then scaled and shifted (Ioffe and Szegedy 2015); PyTorch's definition.

    (x - mean) / sqrt(variance + epsilon) * gain + shift. In prediction, and where the layer is frozen, mean and variance
    are the running ones: running ← momentum * running + (1 - momentum) * the batch's, with the unbiased variance.

    Parameters
    ----------
    momentum : float in [0, 1)
        Of the running statistics (PyTorch's ``momentum`` is one minus this).
    epsilon : float > 0
    """

    momentum: float = 0.9
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        require_range("momentum", self.momentum, 0, 1, self.name)
        require_range("epsilon", self.epsilon, 0, math.inf, self.name)

    def parameters(self, *widths: int) -> tuple[ParameterSpec, ...]:
        shape = (widths[0],)
        return (
            ParameterSpec("gain", shape, Constant(1.0), "biases"),
            ParameterSpec("shift", shape, Zeros(), "biases"),
            ParameterSpec("mean", shape, Zeros(), "buffers"),
            ParameterSpec("variance", shape, Constant(1.0), "buffers"),
        )

    def append(self, scope: Scope, *inputs: Value) -> Value:
        (x,), b = inputs, scope.b
        if not scope.training:
            scale = b.div(scope.parameter("gain"), b.sqrt(b.add(scope.parameter("variance"), self.epsilon)))
            return b.add(b.mul(b.sub(x, scope.parameter("mean")), scale), scope.parameter("shift"))
        mean = b.mean(x, axis=0)
        centred = b.sub(x, mean)
        variance = b.mean(b.square(centred), axis=0)
        rows = b.sum(b.fill(value=1.0, shape=(M,)))
        unbiased = b.mul(variance, b.div(rows, b.maximum(b.sub(rows, 1.0), 1.0)))
        scope.update_buffer("mean", mean, self.momentum)
        scope.update_buffer("variance", unbiased, self.momentum)
        scale = b.div(scope.parameter("gain"), b.sqrt(b.add(variance, self.epsilon)))
        return b.add(b.mul(centred, scale), scope.parameter("shift"))


@dataclass(frozen=True, eq=False)
class LayerNorm(Layer):
    """Each row standardized over its columns, then scaled and shifted (Ba, Kiros and Hinton 2016)."""

    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        require_range("epsilon", self.epsilon, 0, math.inf, self.name)

    def parameters(self, *widths: int) -> tuple[ParameterSpec, ...]:
        shape = (widths[0],)
        return (
            ParameterSpec("gain", shape, Constant(1.0), "biases"),
            ParameterSpec("shift", shape, Zeros(), "biases"),
        )

    def append(self, scope: Scope, *inputs: Value) -> Value:
        (x,), b = inputs, scope.b
        centred = b.sub(x, b.mean(x, axis=1, keepdims=1))
        variance = b.mean(b.square(centred), axis=1, keepdims=1)
        standard = b.div(centred, b.sqrt(b.add(variance, self.epsilon)))
        return b.add(b.mul(standard, scope.parameter("gain")), scope.parameter("shift"))


@dataclass(frozen=True, eq=False)
class Embedding(Layer):
    """A learned row of numbers for each level of a column of codes (`nn.codes`)."""

    units: int
    _: KW_ONLY
    weights: str | Initializer = Normal(1.0)

    def __post_init__(self) -> None:
        require_count("units", self.units, self.name)

    def width(self, *nodes: Node) -> int:
        if len(nodes) != 1 or nodes[0].kind != "codes":
            raise ValueError(f"Embedding takes one column of codes, as nn.codes makes them; given {nodes}")
        return self.units

    def parameters(self, *widths: int) -> tuple[ParameterSpec, ...]:
        return (ParameterSpec("table", (widths[0], self.units), initializer_named(self.weights)),)

    def append(self, scope: Scope, *inputs: Value) -> Value:
        return scope.b.gather_rows(scope.parameter("table"), inputs[0])


@dataclass(frozen=True, eq=False)
class Concat(Layer):
    """The columns of all inputs, side by side."""

    def width(self, *nodes: Node) -> int:
        return sum(node.width for node in self._dense(nodes, None))

    def append(self, scope: Scope, *inputs: Value) -> Value:
        return scope.b.concat(*inputs, axis=1)


@dataclass(frozen=True, eq=False)
class Add(Layer):
    """The sum of its inputs, as in a residual connection; ``a + b`` on nodes."""

    def width(self, *nodes: Node) -> int:
        return same_width(self, self._dense(nodes, None))

    def append(self, scope: Scope, *inputs: Value) -> Value:
        total = inputs[0]
        for value in inputs[1:]:
            total = scope.b.add(total, value)
        return total


@dataclass(frozen=True, eq=False)
class Multiply(Layer):
    """The product of its inputs, element by element, as in a gate; ``a * b`` on nodes."""

    def width(self, *nodes: Node) -> int:
        return same_width(self, self._dense(nodes, None))

    def append(self, scope: Scope, *inputs: Value) -> Value:
        product = inputs[0]
        for value in inputs[1:]:
            product = scope.b.mul(product, value)
        return product


@dataclass(frozen=True, eq=False)
class Apply(Layer):
    """Any function of ops: ``function(b, *values) -> value`` of shape [m, units]; its derivative follows.

    Parameters
    ----------
    function : callable
    units : int, optional
        Columns of the result; default: those of the first input.
    """

    function: Callable[..., Value]
    units: int | None = None

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TypeError(f"Apply takes a function (b, *values) -> value; given {self.function!r}")

    def width(self, *nodes: Node) -> int:
        if not nodes:
            raise ValueError("Apply takes one node or more; 0 given")
        return self.units or nodes[0].width

    def append(self, scope: Scope, *inputs: Value) -> Value:
        return self.function(scope.b, *inputs)


def activate(scope: Scope, given: str | Activation, z: Value) -> Value:
    """Append an activation, with its own parameters if it has any.

    Raises
    ------
    ValueError
        If the activation cannot be learned through and something before it is to learn; or if it gives another shape.
    """
    function = activation_function(given)
    if scope.training and not getattr(function, "trainable", True) and scope.learns_below():
        raise ValueError(
            f"layer {scope.name!r}: the activation {name_of(given)!r} cannot learn by gradient descent: {function.why}; "  # type: ignore[attr-defined]
            "or freeze the layers up to this one."
        )
    own = [scope.parameter(name) for name in getattr(function, "parameters", ())]
    x: Any = function(scope.b, z, *own)
    if not isinstance(x, Value) or x.shape != z.shape:
        got = x.type if isinstance(x, Value) else f"{x!r}, no value of the builder"
        raise ValueError(f"layer {scope.name!r}: the activation gave {got}; it must keep the shape [m, {z.shape[1]}]")
    return x


def activation_parameters(given: str | Activation, width: int) -> tuple[ParameterSpec, ...]:
    """The learned parameters of an activation (PReLU's alpha): a vector of `width` each."""
    own = getattr(activation_function(given), "parameters", {})
    return tuple(ParameterSpec(name, (width,), Constant(value), "biases") for name, value in own.items())


def default_weights(activation: str | Activation) -> Initializer:
    """The initializer that keeps signals at their size through layers with this activation."""
    name = next((n for n, known in ACTIVATIONS.items() if known is activation or n == activation), None)
    name = name or name_of(activation).split("(")[0]
    if name == "selu":
        return initializer_named("lecun_normal")
    return initializer_named("he_normal" if name in RELU_FAMILY else "glorot_uniform")


def same_width(layer: Layer, nodes: Iterable[Node]) -> int:
    """The width that all nodes have."""
    widths = [node.width for node in nodes]
    if len(set(widths)) != 1:
        raise ValueError(f"{type(layer).__name__} takes nodes of one width; given widths {widths}")
    return widths[0]


def require_count(what: str, value: Any, layer: str | None = None) -> int:
    """`value`, if it is a positive integer."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{where(layer)}{what} is {value!r}; it must be a positive integer")
    return int(value)


def require_range(what: str, value: Any, low: float, high: float, layer: str | None = None) -> None:
    """Refuse what is no number in [low, high)."""
    if not isinstance(value, Real) or isinstance(value, bool) or not low <= value < high:
        limit = f"in [{low}, {high})" if math.isfinite(high) else f"a number of at least {low}"
        raise ValueError(f"{where(layer)}{what} is {value!r}; it must be {limit}")


def where(layer: str | None) -> str:
    """The start of a message about a layer."""
    return f"layer {layer!r}: " if layer else ""
