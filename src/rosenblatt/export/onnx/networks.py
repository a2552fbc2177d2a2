"""Networks in ONNX graphs.

Takes a graph, a `rosenblatt.nn.Network` and tensors for its inputs. Appends what the network predicts, and returns the
tensors of its heads. Never changes the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rosenblatt.export.onnx.graph import OnnxGraph
from rosenblatt.export.onnx.programs import add_program
from rosenblatt.export.onnx.properties import properties_of
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
        name: checked_codes(graph, graph.input(name, "int64", None), node.width)
        if node.kind == "codes"
        else graph.input(name, network.dtype.name, node.width)
        for name, node in zip(network.graph.input_names, network.graph.inputs, strict=True)
    }


def checked_codes(graph: OnnxGraph, codes: str, n_levels: int) -> str:
    """Codes, for which programs raise an error if one is not from 0 to `n_levels` - 1.

    They count negative indices from the end: such a code becomes one that is too large.
    """
    first, too_large = graph.constant(np.int64(0)), graph.constant(np.int64(n_levels))
    places = graph.add("Where", graph.add("Less", codes, first), too_large, codes)
    return graph.add("Gather", graph.constant(np.arange(n_levels)), places)


def network_model(network: Network) -> Any:
    """A network as an `onnx.ModelProto`: an input for each of its own, an output for each head, under their names.

    A head that is called as an input is gets underscores after its name, until nothing else has it.
    """
    graph = OnnxGraph("network")
    heads = add_network(graph, network, declare_inputs(graph, network))
    for head, tensor in heads.items():
        name = graph.free_name(head, set(heads) - {head})
        graph.output(name, tensor, network.dtype.name, (None, network.graph.heads[head].width))
    return graph.build(properties_of(network))
