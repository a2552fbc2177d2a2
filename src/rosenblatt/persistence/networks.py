"""Networks as plain data, and back.

Takes a `rosenblatt.nn.Network`, from a `NetworkSpec` or from any layers of the library. Returns a JSON-able state and
the arrays by their names; and from those a network with the same layers, names and parameters. The state is checked
before anything is allocated: layers against the registry, nodes against their layers, shapes against the arrays. Of a
layer of the user's own, class name and fields are stored. Never stores code: of a user's functions it stores the ops
(`rosenblatt.persistence.programs`). Nor does it store the networks that parts were taken from (`Node.origin`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import check_count, check_number
from rosenblatt.ir.recording import Recording
from rosenblatt.nn.graph import Graph
from rosenblatt.nn.layers import LAYERS
from rosenblatt.nn.layers.base import Layer, Node
from rosenblatt.nn.network import Network
from rosenblatt.nn.spec import NetworkSpec
from rosenblatt.persistence.custom import class_of_layer, require_storable
from rosenblatt.persistence.limits import require_finite_outputs, require_parts, require_width
from rosenblatt.persistence.objects import OBJECT_KINDS, decode, encode, is_own
from rosenblatt.persistence.programs import record_functions, require_steps
from rosenblatt.storage.container import Arrays, ModelFileError, errors_of, require_keys
from rosenblatt.storage.values import shown

__all__ = ["network_from_state", "network_to_state"]

OBJECTS = {
    **dict.fromkeys(("activation", "output"), ("activation",)),
    **dict.fromkeys(("weights", "biases", "learned"), ("initializer",)),
    "function": ("function",),
}
"""Which objects the fields of layers and of `NetworkSpec` may be."""
KINDS = ("dense", "sparse", "codes")
CustomLayers = Mapping[str, type[Layer]]


# To state --------------------------------------------------------------------------------------------------------


def network_to_state(network: Network) -> tuple[dict[str, Any], Arrays]:
    """JSON-able state of a network, and views of its parameters and buffers by name, such as "hidden1.weights".

    Raises
    ------
    ModelFileError
        If it has an initializer of the user's own, or a function that cannot be recorded as ops, which a file without
        code cannot hold, or a layer of which it cannot hold the configuration. If `rosenblatt.persistence.limits` would
        not let it be loaded.
    """
    spec, arrays = network.spec, dict(network.named_parameters())
    recordings = record_functions(network, None, is_own)
    state: dict[str, Any] = {"dtype": network.dtype.name}
    if isinstance(spec, NetworkSpec):
        values = {f.name: getattr(spec, f.name) for f in fields(NetworkSpec)}
        values |= {name: bool(values[name]) for name in ("sparse_input", "alpha_dropout")}
        state["spec"] = {name: encode(value, f"{name} of the network", recordings) for name, value in values.items()}
    else:
        state["graph"] = graph_state(spec, recordings)
    require_sound(network.graph, arrays)
    require_parts([state], arrays)
    require_finite_outputs(network)
    state["frozen"] = sorted(network.frozen & {p.name for p in network.graph.parameters})
    return state, arrays


def graph_state(graph: Graph, recordings: Mapping[int, Recording]) -> dict[str, Any]:
    """Layers once each, nodes that name them by position, heads."""
    for head in graph.heads:
        if not isinstance(head, str):
            raise ModelFileError(f"a head is called {head!r}, a {type(head).__name__}; give heads texts as names.")
    layers = {node.layer: i for i, node in enumerate({node.layer: node for node in graph.nodes}.values())}
    numbers = {node: i for i, node in enumerate(graph.nodes)}
    return {
        "layers": [layer_state(layer, name, recordings) for name, layer in graph.layers.items()],
        "nodes": [
            {
                "layer": layers[node.layer],
                "inputs": [numbers[n] for n in node.inputs],
                "kind": node.kind,
                "width": int(node.width),
            }
            for node in graph.nodes
        ],
        "heads": [
            {
                "name": head,
                "node": numbers[node],
                "output": encode(graph.output[head], f"the output activation of head {head!r}", recordings),
            }
            for head, node in graph.heads.items()
        ],
    }


def layer_state(layer: Layer, name: str, recordings: Mapping[int, Recording]) -> dict[str, Any]:
    """Class and fields of a layer."""
    kind = type(layer).__name__
    if LAYERS.get(kind) is not type(layer):
        require_storable(layer, name)
    values = {f.name: getattr(layer, f.name) for f in fields(layer)}
    return {
        "class": kind,
        "fields": {field: encode(value, f"{field} of layer {name!r}", recordings) for field, value in values.items()},
    }


# From state ------------------------------------------------------------------------------------------------------


@errors_of("a network")
def network_from_state(
    state: Any, arrays: Mapping[str, NDArray[Any]], custom: CustomLayers = MappingProxyType({})
) -> Network:
    """The network that `network_to_state` was given, with copies of the arrays, built only after everything fits.

    `custom` are classes of the user's own layers by name, as `rosenblatt.persistence.custom` checks them.

    Raises
    ------
    ModelFileError
        If state and arrays do not describe one.
    """
    require_keys(state, {"dtype", "frozen"}, {"spec", "graph"}, "the network")
    if ("spec" in state) == ("graph" in state):
        raise ModelFileError("the network is not either a spec or a graph.")
    require_parts([state], arrays)
    dtype = state["dtype"]
    if dtype not in ("float32", "float64"):
        raise ModelFileError("the network's type is neither float32 nor float64.")
    spec = spec_from(state["spec"], len(arrays)) if "spec" in state else graph_from(state["graph"], custom)
    require_tensors(spec.graph, arrays)
    if any(array.dtype != dtype for array in arrays.values()):
        raise ModelFileError(f"the tensors are not of the network's type {shown(dtype)}.")
    require_sound(spec.graph, arrays)
    frozen, names = state["frozen"], {p.name for p in spec.graph.parameters}
    if not isinstance(frozen, list) or len({*frozen}) != len(frozen) or not names.issuperset(frozen):
        raise ModelFileError("frozen is not a list of different parameters of the network.")
    network = Network(spec, dtype, seed=None)
    for name, array in arrays.items():
        network[name] = array
    network.frozen = frozenset(frozen)
    require_finite_outputs(network)
    return network


def spec_from(entry: Any, n_arrays: int) -> NetworkSpec:
    """A dense chain."""
    require_keys(entry, {f.name for f in fields(NetworkSpec)}, what="the network's spec")
    values = {name: decode(value, *OBJECTS.get(name, ())) for name, value in entry.items()}
    check_spec_fields(values)
    if 2 * len(values["hidden"]) + 2 > n_arrays:  # before any work that grows with the number of layers
        raise ModelFileError(f"{n_arrays} tensors do not fit the layers, of which there are more.")
    return NetworkSpec(**values)


def check_spec_fields(values: Mapping[str, Any]) -> None:
    """Refuse fields that `NetworkSpec` itself does not look at, or not always."""
    for name in ("input_dropout", "input_noise", "norm_momentum"):
        check_number(name, values[name], where="the network")
    for name in ("sparse_input", "alpha_dropout"):
        if type(values[name]) is not bool:
            raise ModelFileError(f"{name} of the network is not true or false.")
    if not isinstance(values["hidden"], (list, tuple, np.ndarray)):
        raise ModelFileError("hidden of the network is not a list of positive integers.")
    for name in ("n_inputs", "n_outputs"):
        check_count(name, values[name], where="the network")
    for size in values["hidden"]:
        check_count("a size in hidden", size, where="the network")


def graph_from(entry: Any, custom: CustomLayers) -> Graph:
    """Any layers; the same graph has only one form as a state."""
    require_keys(entry, {"layers", "nodes", "heads"}, what="the network's graph")
    if not all(isinstance(part, list) for part in entry.values()):
        raise ModelFileError("layers, nodes and heads of the network are not lists.")
    layers = [layer_from(item, i, custom) for i, item in enumerate(entry["layers"])]
    nodes: list[Node] = []
    for item in entry["nodes"]:
        nodes.append(node_from(item, layers, nodes))
    for item in entry["heads"]:
        require_keys(item, {"name", "node", "output"}, what="a head of the network")
        if not isinstance(item["name"], str):
            raise ModelFileError("a head's name is not text.")
    heads = {item["name"]: chosen(item["node"], nodes, "a head's node") for item in entry["heads"]}
    output = {item["name"]: decode(item["output"], "activation") for item in entry["heads"]}
    graph = Graph(heads, output)
    used = list(dict.fromkeys(node.layer for node in nodes))
    if len(heads) != len(entry["heads"]) or list(graph.nodes) != nodes or used != layers:
        raise ModelFileError(
            "the network has two heads of one name, or nodes or layers that are unused or out of order."
        )
    return graph


def layer_from(entry: Any, i: int, custom: CustomLayers) -> Layer:
    """The layer of position `i`."""
    require_keys(entry, {"class", "fields"}, what=f"layer {i}")
    kind = class_of_layer(entry["class"], i, custom)
    require_keys(entry["fields"], {f.name for f in fields(kind)}, what=f"layer {i}, a {kind.__name__},")
    allowed = OBJECTS if kind.__name__ in LAYERS else dict.fromkeys(entry["fields"], OBJECT_KINDS)
    values = {name: decode(value, *allowed.get(name, ())) for name, value in entry["fields"].items()}
    if not isinstance(values["name"], (str, type(None))):
        raise ModelFileError(f"the name of layer {i} is not text.")
    return kind(**values)


def node_from(entry: Any, layers: Sequence[Layer], before: Sequence[Node]) -> Node:
    """The node that follows those `before`; its inputs are among them."""
    what = f"node {len(before)}"
    require_keys(entry, {"layer", "inputs", "kind", "width"}, what=what)
    layer = chosen(entry["layer"], layers, f"the layer of {what}")
    if not isinstance(entry["inputs"], list):
        raise ModelFileError(f"the inputs of {what} are not a list.")
    inputs = [chosen(place, before, f"an input of {what}") for place in entry["inputs"]]
    if layer.is_input != (not inputs):
        raise ModelFileError(f"{what} has {len(inputs)} inputs, which {type(layer).__name__} cannot have.")
    if not isinstance(entry["kind"], str) or entry["kind"] not in KINDS:
        raise ModelFileError(f"the kind of {what} is unknown; known are {', '.join(KINDS)}.")
    width = check_count(f"the width of {what}", entry["width"])
    node = layer(*inputs) if inputs else Node(layer, (), width, entry["kind"])
    if (node.kind, node.width) != (entry["kind"], width):
        raise ModelFileError(f"{what} is not of the kind and width that its layer gives, {node.kind} and {node.width}.")
    return node


def chosen(place: Any, among: Sequence[Any], what: str) -> Any:
    """The item at a position that was read from a file."""
    if type(place) is not int or not 0 <= place < len(among):
        raise ModelFileError(f"{what} is not one of the {len(among)} that it can be, counted from 0.")
    return among[place]


# Both ways -------------------------------------------------------------------------------------------------------


def require_tensors(graph: Graph, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Refuse arrays that are not just those of the graph's parameters and buffers."""
    expected = {p.name: p.spec.shape for p in (*graph.parameters, *graph.buffers)}
    for name in sorted({*expected, *arrays}):
        shape = arrays[name].shape if name in arrays else None
        if shape != expected.get(name):
            there, wanted = ("absent" if s is None else f"of shape {s}" for s in (shape, expected.get(name)))
            raise ModelFileError(f"the tensors do not fit the layers: {shown(name)} is {there} and should be {wanted}.")


def require_sound(graph: Graph, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Refuse a network that could not predict."""
    require_steps(graph)
    require_width(graph, sum(array.size for array in arrays.values()))
    shapes: dict[str, list[tuple[int, ...]]] = {}
    for node, name in graph.names.items():
        needed = [spec.shape for spec in node.layer.parameters(*(n.width for n in node.inputs))]
        if shapes.setdefault(name, needed) != needed:
            raise ModelFileError(f"layer {name!r} is applied to nodes of different widths, which cannot share weights.")
    if len({*graph.input_names}) != len(graph.inputs):
        raise ModelFileError("two inputs of the network have one name.")
    for p in graph.buffers:
        if p.spec.name == "variance" and (arrays[p.name] < 0).any():
            raise ModelFileError(f"{p.name} has a negative element, and a variance cannot be negative.")
