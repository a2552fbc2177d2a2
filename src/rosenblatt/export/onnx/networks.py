"""Networks in ONNX graphs.

Takes a graph, a `rosenblatt.nn.Network` and tensors for its inputs. Appends what the network predicts, and returns the
tensors of its heads. Never changes the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.export.onnx.graph import OnnxGraph
from rosenblatt.export.onnx.programs import add_program
from rosenblatt.ir.types import Program
from rosenblatt.nn.network import Network
from rosenblatt.nn.programs import prediction_program

__all__ = ["add_network", "declare_inputs", "require_finite"]


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
        not finite.
    """
    require_finite(network)
    program = prediction_program(network.graph, network.dtype.name)
    return add_program(graph, program, inputs, leaves_of(network, program))


def leaves_of(network: Network, program: Program) -> dict[str, NDArray[Any]]:
    """The arrays of a program's parameters, whose blocks lie in the network's one after the other, and its buffers."""
    leaves, start = {}, 0
    for value in program.region("params"):
        stop = start + value.type.size(0)
        leaves[value.name] = network.parameters[start:stop]
        start = stop
    return leaves | {value.name: network[value.name] for value in program.region("buffers")}


def declare_inputs(graph: OnnxGraph, network: Network) -> dict[str, str]:
    """Declare an input for each of the network's, under its name; tensors as `add_network` takes them."""
    return {
        name: graph.input(name, "int64", None)
        if node.kind == "codes"
        else graph.input(name, network.dtype.name, node.width)
        for name, node in zip(network.graph.input_names, network.graph.inputs, strict=True)
    }


def require_finite(network: Network) -> None:
    """Refuse parameters that are NaN or infinite, as files of models do."""
    for name, array in network.named_parameters():
        if not np.isfinite(array).all():
            raise ValueError(f"{name!r} of the network holds NaN or infinity; train it again before you export it.")
