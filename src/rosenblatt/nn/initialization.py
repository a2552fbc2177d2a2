"""Initial parameters of a network.

Takes a network's parameters and a seed. Draws them in place. Each array depends only on the seed and on its position in
the network. Never draws hidden weights that are all equal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from rosenblatt.nn.graph import Graph
from rosenblatt.nn.inputs import input_arrays
from rosenblatt.nn.layers.base import Layer
from rosenblatt.threads import matrix_product

if TYPE_CHECKING:
    from rosenblatt.nn.network import Network
    from rosenblatt.nn.parameters import ParameterStore

__all__ = ["copy_layers", "draw_parameters", "refuse_symmetry", "rescale_by_data", "set_constants"]

SAMPLE_ROWS = 10_000
"""Rows that a data-driven initializer looks at."""


def draw_parameters(store: ParameterStore, seed: int) -> None:
    """Draw every parameter; see `rosenblatt.nn.Network.initialize`."""
    graph = store.graph
    refuse_symmetry(graph)
    for stream, p in enumerate((*graph.parameters, *graph.buffers)):
        rng = np.random.Generator(
            np.random.Philox(key=[int(seed) & (2**64 - 1), stream])
        )  # counter-based, one per array
        store[p.name] = p.spec.initializer(rng, p.spec.shape)
    for origin in {node.origin: None for node in graph.nodes if node.origin is not None}:
        copy_layers(origin, store, [node.layer for node in graph.nodes if node.origin is origin])


def refuse_symmetry(graph: Graph) -> None:
    """Raise ValueError if the weights of a layer with several neurons, other than a head, would all be equal."""
    heads = {graph.names[node] for node in graph.heads.values()}
    for p in graph.parameters:
        initializer = p.spec.initializer
        is_hidden = p.spec.name == "weights" and p.layer not in heads and math.prod(p.spec.shape[1:]) > 1
        if is_hidden and initializer.is_constant and not getattr(initializer, "force", False):
            raise ValueError(
                f"layer {p.layer!r}: all weights of its {p.spec.shape[1]} neurons would start equal ({initializer!r}). "
                "Unless the weights behind them differ, such neurons get equal gradients and stay equal: the layer "
                "works like a single neuron. Draw the weights at random, for example with weights='glorot_uniform'; "
                "Constant(value, force=True) does it all the same."
            )


def set_constants(store: ParameterStore) -> None:
    """Set every parameter that starts at a constant, such as the gain of a normalization."""
    for p in (*store.graph.parameters, *store.graph.buffers):
        if p.spec.initializer.is_constant:
            store[p.name] = p.spec.initializer(np.random.default_rng(0), p.spec.shape)


def copy_layers(origin: ParameterStore, target: ParameterStore, layers: Iterable[Layer] | None = None) -> None:
    """Copy parameters and buffers of these layers (None: all that both have), whatever their names in each."""
    theirs = {node.layer: name for node, name in origin.graph.names.items()}
    mine = {name: node.layer for node, name in target.graph.names.items()}
    wanted = theirs.keys() if layers is None else theirs.keys() & set(layers)
    for p in (*target.graph.parameters, *target.graph.buffers):
        if mine[p.layer] in wanted:
            target[p.name] = origin[f"{theirs[mine[p.layer]]}.{p.spec.name}"]


def rescale_by_data(network: Network, X: Any) -> None:
    """Let data-driven initializers look at the values of each layer, in order, on the data."""
    data = {name: array[:SAMPLE_ROWS] for name, array in input_arrays(network.graph, X).items()}
    for p in network.graph.parameters:
        if p.spec.initializer.needs_data:
            w = network[p.name]
            drawn = np.asarray(w, np.float64)
            outputs = matrix_product(network.values_before(p.layer, data), drawn)
            w[...] = p.spec.initializer.rescale(drawn, outputs)
