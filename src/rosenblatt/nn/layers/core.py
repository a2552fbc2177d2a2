"""Layers, the parts of a network.

Takes nodes, by calling a layer. Returns nodes; and, when a program is built, appends instructions. A layer is an
immutable description. Never holds parameters: applying a layer twice shares them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

from rosenblatt._checks import check_count, check_counts, check_fields
from rosenblatt.ir.autodiff import depends_smoothly
from rosenblatt.ir.types import MAX_RANK, Value
from rosenblatt.nn.activations import ACTIVATIONS, Activation
from rosenblatt.nn.initializers import INITIALIZERS, Constant, Initializer, Normal
from rosenblatt.nn.layers.base import Layer, Node, ParameterSpec, Scope
from rosenblatt.nn.own_functions import FLAT
from rosenblatt.nn.registry import name_of

__all__ = ["Activate", "Apply", "Concat", "Dense", "Embedding", "Input", "codes", "input"]

RELU_FAMILY = ("relu", "relu6", "leaky_relu", "prelu", "elu", "celu", "gelu", "silu", "mish", "hard_swish", "softplus")


@dataclass(frozen=True, eq=False)
class Input(Layer):
    """An input of the network; made by `input` and `codes`."""

    is_input: ClassVar[bool] = True

    def append(self, scope: Scope, *inputs: Value) -> Value:
        raise AssertionError("inputs are declared by the program")


def input(width: int, name: str = "x", *, sparse: bool = False) -> Node:
    """A table of numbers with `width` columns; `sparse`: it is a CSR matrix.

    Parameters
    ----------
    width : int
        Columns, at least 1.
    name : str
        The name by which `Network.fit` and `Network.predict` take the table, if there are several.
    sparse : bool
        Whether the table is a CSR matrix.
    """
    return Node(Input(name=name), (), check_count("width", width), "sparse" if sparse else "dense")


def codes(n_levels: int, name: str) -> Node:
    """A column of category numbers, 0 to ``n_levels - 1``, for an `Embedding`.

    Parameters
    ----------
    n_levels : int
        Number of categories, at least 1.
    name : str
        The name by which `Network.fit` and `Network.predict` take the column.
    """
    return Node(Input(name=name), (), check_count("n_levels", n_levels), "codes")


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
        check_counts(self, "units")
        ACTIVATIONS.resolve(self.activation)
        check_fields(self, "l1", "l2", "max_norm", low=0)

    def width(self, *nodes: Node) -> int:
        if len(nodes) != 1 or nodes[0].kind == "codes":
            self._dense(nodes, 1)
        return self.units

    def parameters(self, *widths: int) -> tuple[ParameterSpec, ...]:
        weights = default_weights(self.activation) if self.weights == "auto" else INITIALIZERS.resolve(self.weights)
        shape = (widths[0], self.units)
        specs = [ParameterSpec("weights", shape, weights, "weights", self.l1, self.l2, self.max_norm)]
        if self.biases is not None:
            specs.append(ParameterSpec("biases", (self.units,), INITIALIZERS.resolve(self.biases), "biases"))
        return (*specs, *activation_parameters(self.activation, self.units))

    def append(self, scope: Scope, *inputs: Value) -> Value:
        (x,), b, w = inputs, scope.b, scope.parameter("weights")
        z = b.csr_matmul(x, w) if x.type.sparse else b.matmul(x, w)
        if self.biases is not None:
            z = b.add(z, scope.parameter("biases"))
        return activate(scope, self.activation, z)

    def formula(self, *inputs: str) -> str:
        name = name_of(self.activation)
        return super().formula(*inputs) if name == "identity" else f"{name}({super().formula(*inputs)})"


@dataclass(frozen=True, eq=False)
class Activate(Layer):
    """An activation by itself, as after a normalization.

    Parameters
    ----------
    activation : str or callable
        As for `Dense`.
    """

    activation: str | Activation

    def __post_init__(self) -> None:
        ACTIVATIONS.resolve(self.activation)

    def parameters(self, *widths: int) -> tuple[ParameterSpec, ...]:
        return activation_parameters(self.activation, widths[0])

    def append(self, scope: Scope, *inputs: Value) -> Value:
        return activate(scope, self.activation, inputs[0])

    def formula(self, *inputs: str) -> str:
        return f"{name_of(self.activation)}({', '.join(inputs)})"


@dataclass(frozen=True, eq=False)
class Embedding(Layer):
    """A learned row of numbers for each level of a column of codes (`nn.codes`); by default from N(0, 1).

    Parameters
    ----------
    units : int
        Numbers in each row, at least 1.
    weights : str or Initializer
        What the rows start from.
    """

    units: int
    _: KW_ONLY
    weights: str | Initializer = "auto"

    def __post_init__(self) -> None:
        check_counts(self, "units")

    def width(self, *nodes: Node) -> int:
        if len(nodes) != 1 or nodes[0].kind != "codes":
            raise ValueError(f"Embedding takes one column of codes, as nn.codes makes them; given {nodes}")
        return self.units

    def parameters(self, *widths: int) -> tuple[ParameterSpec, ...]:
        initial = Normal(1.0) if self.weights == "auto" else INITIALIZERS.resolve(self.weights)
        return (ParameterSpec("table", (widths[0], self.units), initial),)

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
class Apply(Layer):
    """Any function of ops: ``function(b, *values, *learned) -> value`` of shape [m, units]; its derivative follows.

    Parameters
    ----------
    function : callable
        It is given the builder, a value [m, n] for each input, and a value for each learned array, in their order.
    units : int, optional
        Columns of the result; default: those of the first input.
    learned : mapping of str to (shape, initializer)
        The layer's own parameters: ``{"scale": ((8,), "zeros")}``. Arrays of two axes or more are weights, which
        penalties and decay are for; vectors are not.
    """

    function: Callable[..., Value]
    units: int | None = None
    _: KW_ONLY
    learned: Mapping[str, tuple[tuple[int, ...], str | Initializer]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TypeError(f"Apply takes a function (b, *values) -> value; given {self.function!r}")
        if self.units is not None:
            check_counts(self, "units")
        if not isinstance(self.learned, Mapping):
            raise TypeError(f'learned of Apply is {self.learned!r}; write {{"scale": ((8,), "zeros")}}')
        for name, entry in self.learned.items():
            check_learned(name, entry)

    def width(self, *nodes: Node) -> int:
        if not nodes:
            raise ValueError("Apply takes one node or more; 0 given")
        return self.units or nodes[0].width

    def parameters(self, *widths: int) -> tuple[ParameterSpec, ...]:
        return tuple(
            ParameterSpec(name, tuple(shape), INITIALIZERS.resolve(given), "weights" if len(shape) > 1 else "biases")
            for name, (shape, given) in self.learned.items()
        )

    def append(self, scope: Scope, *inputs: Value) -> Value:
        result: Value = scope.call("function", self.function, *inputs, *map(scope.parameter, self.learned))
        return result


def check_learned(name: Any, entry: Any) -> None:
    """Refuse a learned array of `Apply` that is not a name with a shape and an initializer."""
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"a name in learned of Apply is {name!r}; it must be an identifier, such as 'scale'")
    if not isinstance(entry, tuple) or len(entry) != 2 or not isinstance(entry[0], tuple):
        raise ValueError(f'learned[{name!r}] of Apply is {entry!r}; give a shape and an initializer: ((8,), "zeros")')
    shape, initializer = entry
    if not 1 <= len(shape) <= MAX_RANK:
        raise ValueError(f"learned[{name!r}] of Apply has the shape {shape}; 1 to {MAX_RANK} axes are allowed")
    for size in shape:
        check_count(f"a size in learned[{name!r}] of Apply", size)
    INITIALIZERS.resolve(initializer)


def activate(scope: Scope, given: str | Activation, z: Value) -> Value:
    """Append an activation, with its own parameters if it has any.

    Raises
    ------
    ValueError
        If no gradient passes through the activation and parameters before it are to learn; or if it changes the shape.
    """
    function = ACTIVATIONS.resolve(given)
    own, since = [scope.parameter(name) for name in getattr(function, "parameters", ())], len(scope.b.instructions)
    x = scope.call("activation", function, z, *own)
    if not isinstance(x, Value) or x.shape != z.shape:
        got = x.type if isinstance(x, Value) else f"{x!r}, no value of the builder"
        raise ValueError(f"layer {scope.name!r}: the activation gave {got}; it must keep the shape [m, {z.shape[1]}]")
    passes = getattr(function, "trainable", True) and (x is z or depends_smoothly(scope.b, x, z, since))
    if scope.training and not passes and scope.learns_below():
        why = str(getattr(function, "why", f"it has no slope; {FLAT}"))
        raise ValueError(
            f"layer {scope.name!r}: the activation {name_of(given)!r} cannot learn by gradient descent: {why}; or "
            "freeze the layers up to this one."
        )
    return x


def activation_parameters(given: str | Activation, width: int) -> tuple[ParameterSpec, ...]:
    """The learned parameters of an activation (PReLU's alpha): a vector of `width` each."""
    own = getattr(ACTIVATIONS.resolve(given), "parameters", {})
    return tuple(ParameterSpec(name, (width,), Constant(value), "biases") for name, value in own.items())


def default_weights(activation: str | Activation) -> Initializer:
    """The initializer that keeps signals at their size through layers with this activation."""
    name = name_of(activation).split("(")[0]
    if name == "selu":
        return INITIALIZERS.resolve("lecun_normal")
    return INITIALIZERS.resolve("he_normal" if name in RELU_FAMILY else "glorot_uniform")
