"""`NetworkSpec`: the dense chain, input to output, as plain data.

Takes sizes, activations and what stands between layers. Returns its `Graph`. Never holds numbers.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rosenblatt._checks import check_number, is_count
from rosenblatt._suggestions import suggest_keywords
from rosenblatt.nn.activations import ACTIVATIONS, OUTPUTS, Activation
from rosenblatt.nn.graph import Graph, check_depth
from rosenblatt.nn.initializers import Initializer
from rosenblatt.nn.layers import Activate, Dense, input
from rosenblatt.nn.layers.base import Node
from rosenblatt.nn.layers.dropout import AlphaDropout, Dropout, GaussianNoise
from rosenblatt.nn.layers.normalization import BatchNorm, LayerNorm

__all__ = ["NetworkSpec", "each_layer"]

NORMALIZATIONS = ("batch", "layer")
INITIAL = ("weights", "biases", "l1", "l2")
"""Fields that `Dense` has too, for each layer and the output layer; None stands for its defaults."""


@suggest_keywords
@dataclass(frozen=True)
class NetworkSpec:
    """The architecture of a dense network.

    A parameter "for each layer" is one value for all hidden layers, or a tuple with one for each.

    Parameters
    ----------
    n_inputs : int
        Columns of the data.
    hidden : tuple of int
        Neurons of each hidden layer; may be empty.
    n_outputs : int
        Columns of the predictions.
    activation : str or callable, for each layer
        A name in `rosenblatt.nn.activations.ACTIVATIONS` or ``activation(b, x) -> value``.
    output : str
        Activation of the last layer: a name in `rosenblatt.nn.activations.OUTPUTS`.
    sparse_input : bool
        Whether the data are CSR matrices.
    dropout : float in [0, 1), for each layer
        Dropout rate of the layer's outputs, in training.
    input_dropout : float in [0, 1)
        Dropout rate of the data.
    alpha_dropout : bool
        Whether both are `rosenblatt.nn.AlphaDropout`, as SELU needs it.
    input_noise : float
        Standard deviation of the normal noise that is added to the data in training.
    normalization : {None, "batch", "layer"}, for each layer
        Normalization between the product and its activation.
    norm_momentum : float in [0, 1)
        Momentum of batch normalization's running statistics.
    weights, biases : str, Initializer or None, for each layer and the output layer
        Initial values; None: the defaults of `rosenblatt.nn.Dense`.
    max_norm : float, for each layer
        Longest vector of a neuron's weights; 0: any.
    l1, l2 : float, for each layer and the output layer
        Penalties of the weights, as `rosenblatt.nn.Dense` defines them.
    """

    n_inputs: int
    hidden: tuple[int, ...]
    n_outputs: int
    activation: str | Activation | tuple[str | Activation, ...] = "relu"
    output: str = "identity"
    sparse_input: bool = False
    dropout: float | tuple[float, ...] = 0.0
    input_dropout: float = 0.0
    alpha_dropout: bool = False
    input_noise: float = 0.0
    normalization: str | tuple[str | None, ...] | None = None
    norm_momentum: float = 0.9
    weights: str | Initializer | tuple[str | Initializer | None, ...] | None = None
    biases: str | Initializer | tuple[str | Initializer | None, ...] | None = None
    max_norm: float | tuple[float, ...] = 0.0
    l1: float | tuple[float, ...] = 0.0
    l2: float | tuple[float, ...] = 0.0

    def __post_init__(self) -> None:
        if not np.iterable(self.hidden):
            raise TypeError(f"hidden is {self.hidden!r}; it must list the neurons of each hidden layer, such as (50,)")
        check_depth(len(self.layer_sizes))
        for name, sizes in (("n_inputs", [self.n_inputs]), ("hidden", self.hidden), ("n_outputs", [self.n_outputs])):
            if not all(map(is_count, sizes)):
                given = getattr(self, name)
                raise ValueError(f"{name} is {given!r}; every layer needs at least one neuron, and whole ones")
        for activation in each_layer("activation", self.activation, len(self.hidden)):
            ACTIVATIONS.resolve(activation)
        OUTPUTS.resolve(self.output)
        for rate in (*each_layer("dropout", self.dropout, len(self.hidden)), self.input_dropout):
            check_number("a dropout rate", rate, 0, 1, below=True)
        for kind in each_layer("normalization", self.normalization, len(self.hidden)):
            if kind is not None and kind not in NORMALIZATIONS:
                raise ValueError(f"normalization is {kind!r}; allowed: None, {', '.join(map(repr, NORMALIZATIONS))}")
        if self.sparse_input and (self.input_dropout or self.input_noise):
            raise ValueError("input_dropout and input_noise need dense data; these are sparse")

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """Sizes of all layers, inputs first."""
        return (self.n_inputs, *self.hidden, self.n_outputs)

    @property
    def weight_shapes(self) -> tuple[tuple[int, int], ...]:
        """Shape (n_in, n_out) of each layer's weights."""
        sizes = self.layer_sizes
        return tuple(zip(sizes[:-1], sizes[1:], strict=True))

    @property
    def n_weights(self) -> int:
        """Number of weights of all layers."""
        return sum(math.prod(shape) for shape in self.weight_shapes)

    @property
    def n_biases(self) -> int:
        """Number of biases, and of what normalizations and activations learn."""
        return self.graph.n_biases

    @functools.cached_property
    def graph(self) -> Graph:
        """The layers: "x", "hidden1" to "hiddenN", "output", and what stands between them."""
        node = input(int(self.n_inputs), sparse=self.sparse_input)
        drop = AlphaDropout if self.alpha_dropout else Dropout
        if self.input_noise:
            node = GaussianNoise(self.input_noise, name="noise")(node)
        if self.input_dropout:
            node = drop(self.input_dropout, name="input_dropout")(node)
        n = len(self.hidden)
        initial = [each_layer(name, getattr(self, name), n + 1) for name in INITIAL]
        names = ("activation", "normalization", "dropout", "max_norm")
        hidden = [each_layer(name, getattr(self, name), n) for name in names]
        settings = [
            {name: value for name, value in zip(INITIAL, values, strict=True) if value is not None}
            for values in zip(*initial, strict=True)
        ]
        for i, values in enumerate(zip(*hidden, strict=True)):
            node = self._hidden(i, node, drop, settings[i], *values)
        output = Dense(int(self.n_outputs), name="output", **settings[n])(node)
        return Graph({"prediction": output}, {"prediction": self.output})

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "graph"}

    def _hidden(
        self,
        i: int,
        node: Node,
        drop: type[Dropout] | type[AlphaDropout],
        settings: dict[str, Any],
        activation: Any,
        kind: str | None,
        rate: float,
        max_norm: float,
    ) -> Node:
        """Hidden layer i, counted from 0, with its normalization and dropout."""
        name, units = f"hidden{i + 1}", int(self.hidden[i])
        node = Dense(units, "identity" if kind else activation, name=name, max_norm=max_norm, **settings)(node)
        if kind:
            batch = kind == "batch"
            norm = BatchNorm(self.norm_momentum, name=f"{name}_norm") if batch else LayerNorm(name=f"{name}_norm")
            node = Activate(activation, name=f"{name}_activation")(norm(node))
        return drop(rate, name=f"{name}_dropout")(node) if rate else node


def each_layer(name: str, given: Any, n_layers: int) -> Sequence[Any]:
    """One value for each layer: `given` itself if it is a tuple or list, which must be that long, else repeated."""
    if not isinstance(given, (tuple, list)):
        return (given,) * n_layers
    if len(given) != n_layers:
        raise ValueError(
            f"{name} has {len(given)} entries, {tuple(given)}; the network has {n_layers} layers to give them to"
        )
    return tuple(given)
