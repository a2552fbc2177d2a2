"""Networks in ONNX graphs.

Takes a graph, a `rosenblatt.nn.Network` and tensors for its inputs. Appends what the network predicts, and returns the
tensors of its heads. Never changes the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rosenblatt._version import __version__
from rosenblatt.export.onnx.graph import OnnxGraph
from rosenblatt.export.onnx.programs import add_program
from rosenblatt.export.parameters import leaves_of, require_finite
from rosenblatt.nn.effects import mixes_rows
from rosenblatt.nn.network import Network
from rosenblatt.nn.programs import prediction_program

__all__ = ["add_network", "network_model"]


def add_network(graph: OnnxGraph, network: Network, inputs: Mapping[str, str]) -> dict[str, str]:
    """Append a network.

    Parameters
    ----------
    graph : OnnxGraph
    network : Network
    inputs : mapping of str to str
        A tensor for each input, by its name ("x" if there is one without another): floats of the network's dtype,
        [rows, n], also where the network takes CSR matrices; int64, [rows], for codes.

    Returns
    -------
    dict of str to str
        A tensor of the network's dtype, [rows, n], for each head.

    Raises
    ------
    ValueError
        If a layer, an activation or a function of the user's own has an op that ONNX cannot hold; if parameters are
        not finite, or if a row's prediction depends on other rows.
    """
    require_finite(network)
    program = prediction_program(network.graph, network.dtype.name)
    if mixes_rows(program.instructions):
        raise ValueError(
            "the network computes a row's prediction from other rows, too, so that predictions depend on the rows that "
            "are given together; a file for other programs would give others. Remove what combines rows"
        )
    return add_program(graph, program, inputs, leaves_of(network, program))


def declare_inputs(graph: OnnxGraph, network: Network) -> dict[str, str]:
    """Declare an input for each of the network's, under its name; tensors as `add_network` takes them."""
    return {
        name: graph.input(name, "int64", None)
        if node.kind == "codes"
        else graph.input(name, network.dtype.name, node.width)
        for name, node in zip(network.graph.input_names, network.graph.inputs, strict=True)
    }


def network_model(network: Network) -> Any:
    """A network as an `onnx.ModelProto`: an input for each of its own, an output for each head, under their names.

    A head that is called as an input is gets an underscore after its name.
    """
    graph = OnnxGraph("network")
    heads = add_network(graph, network, declare_inputs(graph, network))
    for head, tensor in heads.items():
        name = f"{head}_" if head in graph.names else head
        graph.output(name, tensor, network.dtype.name, (None, network.graph.heads[head].width))
    return graph.build({"model": "Network", "rosenblatt": __version__})
