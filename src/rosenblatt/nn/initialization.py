"""Initial parameters of a network.

Goes in: a network and a seed. Comes out: the network's parameters, drawn in place. Each array depends on the seed and
on its position in the network only. It refuses hidden weights that are all equal, whatever is behind them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from rosenblatt.nn.initializers import DataDriven

if TYPE_CHECKING:
    from rosenblatt.nn.layers.base import Layer, Parameter
    from rosenblatt.nn.network import Network

__all__ = ["copy_layers", "draw_parameters", "generator", "refuse_symmetry", "set_constants"]

SAMPLE_ROWS = 10_000
"""Rows that a data-driven initializer looks at."""


def draw_parameters(network: Network, seed: int, X: Any = None) -> None:
    """Draw every parameter; see `rosenblatt.nn.Network.initialize`."""
    graph = network.graph
    refuse_symmetry(network)
    for stream, p in enumerate((*graph.parameters, *graph.buffers)):
        network[p.name] = p.spec.initializer(generator(seed, stream), p.spec.shape)
    for origin in {node.origin: None for node in graph.nodes if node.origin is not None}:
        copy_layers(origin, network, [node.layer for node in graph.nodes if node.origin is origin])
    if any(p.spec.initializer.needs_data for p in graph.parameters) and X is not None:
        _rescale(network, X)


def generator(seed: int, stream: int) -> np.random.Generator:
    """Counter-based random numbers of one array."""
    return np.random.Generator(np.random.Philox(key=[seed & (2**64 - 1), stream]))


def refuse_symmetry(network: Network) -> None:
    """Raise ValueError if the weights of a layer with several neurons, other than a head, would all be equal."""
    graph = network.graph
    heads = {graph.names[node] for node in graph.heads.values()}
    for p in graph.parameters:
        initializer = p.spec.initializer
        is_hidden = p.spec.name == "weights" and p.layer not in heads and p.spec.shape[1] > 1
        if is_hidden and initializer.is_constant and not getattr(initializer, "force", False):
            raise ValueError(
                f"layer {p.layer!r}: all weights of its {p.spec.shape[1]} neurons would start equal ({initializer!r}). "
                "Unless the weights behind them differ, such neurons get equal gradients and stay equal: the layer "
                "works like a single neuron. Draw the weights at random, for example with weights='glorot_uniform'; "
                "Constant(value, force=True) does it all the same."
            )


def set_constants(network: Network) -> None:
    """Give everything that starts at a constant its value, such as the gain of a normalization."""
    for p in (*network.graph.parameters, *network.graph.buffers):
        if p.spec.initializer.is_constant:
            network[p.name] = p.spec.initializer(np.random.default_rng(0), p.spec.shape)


def copy_layers(origin: Network, target: Network, layers: Iterable[Layer] | None = None) -> None:
    """Copy parameters and buffers of these layers (None: all that both have), whatever they are called in each."""
    theirs = {node.layer: name for node, name in origin.graph.names.items()}
    mine = {name: node.layer for node, name in target.graph.names.items()}
    wanted = theirs.keys() if layers is None else theirs.keys() & set(layers)
    for p in (*target.graph.parameters, *target.graph.buffers):
        if mine[p.layer] in wanted:
            target[p.name] = origin[f"{theirs[mine[p.layer]]}.{p.spec.name}"]


def _rescale(network: Network, X: Any) -> None:
    """Let data-driven initializers look at what each layer, in order, makes of the data."""
    from rosenblatt.nn.network import input_arrays

    data = {name: array[:SAMPLE_ROWS] for name, array in input_arrays(network.graph, X).items()}
    for p in network.graph.parameters:
        if isinstance(p.spec.initializer, DataDriven):
            incoming = _incoming(network, p, data)
            w = network[p.name]
            w[...] = p.spec.initializer.rescale(np.asarray(w, np.float64), incoming @ np.asarray(w, np.float64))


def _incoming(network: Network, p: Parameter, data: dict[str, Any]) -> Any:
    """The values that the layer of parameter `p` is applied to."""
    node = network.graph.node(p.layer).inputs[0]
    if not node.inputs:
        return data[network.graph.names[node]]
    part = network.truncate_at(network.graph.names[node])
    return part.predict({name: data[name] for name in part.graph.input_names})
