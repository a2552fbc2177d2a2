"""Training behind frozen layers whose outputs are computed once.

Takes a network some of whose first layers are frozen, and data. Returns the history of the same training on what those
layers make of the data, at the cost of the layers behind them only. Never caches masks and noise, which change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rosenblatt._checks import check_finite
from rosenblatt.nn.effects import effects_of
from rosenblatt.nn.graph import Graph
from rosenblatt.nn.initialization import copy_layers
from rosenblatt.nn.inputs import input_arrays
from rosenblatt.nn.layers import Input
from rosenblatt.nn.layers.base import Node
from rosenblatt.nn.objective import factors_by_parameter
from rosenblatt.training.history import History

if TYPE_CHECKING:
    from rosenblatt.nn.network import Network

__all__ = ["fit_on_frozen_features", "part_behind"]


def fit_on_frozen_features(
    fit: Callable[..., History], network: Network, X: Any, y: Any, options: Mapping[str, Any]
) -> History:
    """`fit`, which is `rosenblatt.training.fit`, with the outputs of frozen layers cached."""
    border = frozen_boundary(network)
    heads = {f"f{i}": node for i, node in enumerate(border) if node.inputs}
    if not heads:
        return fit(network, X, y, **options)
    features = type(network)(Graph(heads, dict.fromkeys(heads, "identity")), network.dtype, seed=None)
    copy_layers(network, features)
    rest, _ = part_behind(network, border)
    options = {**options, **{name: factors_of(network, rest, name, options[name]) for name in FACTORS}}
    if options["validation"] is not None:
        X_val, y_val = options["validation"]
        options["validation"] = cached(network, features, border, X_val, "X_val"), y_val
    history = fit(rest, cached(network, features, border, X), y, **options)
    copy_layers(rest, network)
    return history


FACTORS = ("learning_rate_factors", "weight_decay_factors")
"""Options that name layers and parameters, of which the frozen ones are not in the trainable part."""


def factors_of(network: Network, rest: Network, what: str, factors: Mapping[str, float] | None) -> dict[str, float]:
    """The factors of the network's parameters, by the names that these have in its trainable part."""
    names = names_in(network, rest)
    return {
        names[name]: factor
        for name, factor in factors_by_parameter(network.graph, what, factors).items()
        if name in names
    }


def names_in(network: Network, rest: Network) -> dict[str, str]:
    """The names that the network's parameters have in another one, for those of layers that both have."""
    theirs = {node.layer: name for node, name in rest.graph.names.items()}
    mine = {name: node.layer for node, name in network.graph.names.items()}
    parameters = [p for p in network.graph.parameters if mine[p.layer] in theirs]
    return {p.name: f"{theirs[mine[p.layer]]}.{p.spec.name}" for p in parameters}


def frozen_boundary(network: Network) -> list[Node]:
    """The nodes that depend on frozen layers only and are read by others, inputs that are read directly included."""
    graph = network.graph
    effects = effects_of(graph, network.frozen)
    fixed: set[Node] = set()
    for node in graph.nodes:
        own = [p.name for p in graph.parameters_of(node)]
        if network.frozen.issuperset(own) and effects[node].is_fixed and all(n in fixed for n in node.inputs):
            fixed.add(node)
    border = {n: None for node in graph.nodes if node not in fixed for n in node.inputs if n in fixed}
    border |= {node: None for node in graph.heads.values() if node in fixed}
    return list(border)


def part_behind(network: Network, border: list[Node]) -> tuple[Network, list[str]]:
    """The part of a network behind `border`, with copies of its parameters, and the names of its inputs.

    The nodes of the border become inputs, in their order: those that are inputs keep their names.
    """
    names = names_behind(network, border)
    made: dict[Node, Node] = {}
    for name, node in zip(names, border, strict=True):
        made[node] = node if not node.inputs else Node(Input(name=name), (), node.width)
    graph = network.graph
    for node in graph.nodes:
        if node not in made and all(n in made for n in node.inputs) and node.inputs:
            made[node] = Node(node.layer, tuple(made[n] for n in node.inputs), node.width, node.kind)
    heads = {head: made[node] for head, node in graph.heads.items()}
    rest = type(network)(Graph(heads, graph.output), network.dtype, seed=None)
    copy_layers(network, rest)
    rest.frozen = frozenset(theirs for mine, theirs in names_in(network, rest).items() if mine in network.frozen)
    return rest, names


def names_behind(network: Network, border: list[Node]) -> list[str]:
    """The names of the inputs that `part_behind` makes of the nodes of a border."""
    return [f"cached{i}" if node.inputs else network.graph.names[node] for i, node in enumerate(border)]


def cached(network: Network, features: Network, border: list[Node], X: Any, what: str = "X") -> dict[str, Any]:
    """The data of `part_behind`'s inputs."""
    data = input_arrays(network.graph, X, what, network.dtype)
    made = features.predict({name: data[name] for name in features.graph.input_names})
    outputs = iter(made.values() if isinstance(made, dict) else [made])
    found = {}
    for name, node in zip(names_behind(network, border), border, strict=True):
        if not node.inputs:
            found[name] = data[name]
            continue
        found[name] = next(outputs)
        check_finite(f"the output of the frozen layer {network.graph.names[node]!r} for {what}", found[name])
    return found
