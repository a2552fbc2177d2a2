"""How a network's outputs change with its inputs, or with the values of a layer.

Takes a network, rows, and the weight of each output. Returns a gradient for each row, computed in blocks of rows as in
prediction (no dropout, running statistics). Never changes the network.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt import _core
from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.compile import NO_SLOTS, compile_program, source
from rosenblatt.ir.program import Builder
from rosenblatt.ir.rewrite import eliminate_dead
from rosenblatt.ir.types import M, Program
from rosenblatt.nn.graph import Graph
from rosenblatt.nn.inputs import input_arrays
from rosenblatt.nn.program_builder import ProgramBuilder
from rosenblatt.nn.programs import block_rows

if TYPE_CHECKING:
    from rosenblatt.nn.parameters import ParameterStore

__all__ = ["gradient_program", "input_gradients"]

COTANGENT = "cotangent of "


def gradient_program(graph: Graph, dtype: str, at: Sequence[str], raw: bool = False) -> Program:
    """The derivative of each row's outputs, weighted by cotangents.

    Inputs: the network's, and for each head ``cotangent of HEAD`` [m, n]. Outputs: for each layer (or input) in `at`
    the derivative of sum(cotangent * output) by its values, [m, width].
    """
    work = ProgramBuilder(Builder(dtype), graph)
    b, terms = work.b, []
    for head, z in work.heads(training=False).items():
        output = z if raw else graph.activate_head(b, head, z)
        terms.append(b.sum(b.mul(output, b.input(COTANGENT + head, (M, z.shape[1])))))
    gradients = gradient(b, functools.reduce(b.add, terms), [work.values[graph.node(name)] for name in at])
    # An addition gives each output its own place if two gradients are one value, or one is an input.
    return eliminate_dead(b.build(**{name: b.add(g, 0.0) for name, g in zip(at, gradients, strict=True)}))


def input_gradients(
    network: ParameterStore, X: Any, cotangent: Any = None, *, at: Sequence[str] | None = None, raw: bool = False
) -> dict[str, NDArray[Any]]:
    """The derivative of each row's outputs by its inputs, exact (reverse-mode differentiation).

    Parameters
    ----------
    network : Network
    X : as in `Network.predict`
    cotangent : array of shape (n_outputs,) or (n_rows, n_outputs), optional; or a mapping with one for each head
        Weight of each output: the result is the derivative of sum(cotangent * outputs). Default: ones. One-hot rows
        select another output for each row.
    at : sequence of str, optional
        Names of inputs, or of layers whose values are differentiated by. Default: all inputs of dense numbers. Codes
        and sparse inputs have no such derivative; name the layer that is applied to them.
    raw : bool
        Whether to differentiate the heads before their output activation: logits instead of probabilities.

    Returns
    -------
    dict of str to ndarray of shape (n_rows, width)
        Gradients by the names in `at`, of the network's dtype.

    Raises
    ------
    ValueError
        If a name is unknown or of codes or a sparse input, no input is dense, or a shape does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from rosenblatt import nn
    >>> network = nn.Network(nn.NetworkSpec(2, (), 1))
    >>> network.weights[0][:] = [[3.0], [-1.0]]
    >>> network.input_gradients(np.zeros((1, 2)))["x"]
    array([[ 3., -1.]], dtype=float32)
    """
    graph = network.graph
    names = _differentiable(graph, at)
    data = input_arrays(graph, X, dtype=network.dtype)
    n_rows = next(iter(data.values())).shape[0]
    data |= _cotangents(graph, cotangent, n_rows)
    executable = compile_program(gradient_program(graph, network.dtype.name, names, raw), block_rows(graph))
    widths = graph.input_widths | {COTANGENT + head: node.width for head, node in graph.heads.items()}
    sources = [source(executable.program.leaf(name), data[name], widths[name]) for name in executable.inputs]
    out = [np.empty((n_rows, graph.node(name).width), network.dtype) for name in names]
    _core.Session(executable.core).forward(network.memory, sources, n_rows, NO_SLOTS, out)
    return dict(zip(names, out, strict=True))


def _differentiable(graph: Graph, at: Sequence[str] | None) -> list[str]:
    """The names to differentiate by; refuses those that have no derivative."""
    if at is None:
        names = [graph.names[node] for node in graph.inputs if node.kind == "dense"]
        if not names:
            raise ValueError("the network has no input of dense numbers; name in `at` the layers to differentiate by")
        return names
    names = list(dict.fromkeys([at] if isinstance(at, str) else at))
    if not names:
        raise ValueError("at is empty; name the inputs or layers to differentiate by")
    for name in names:
        node = graph.node(name)
        if node.kind != "dense":
            what = "codes" if node.kind == "codes" else "a sparse matrix"
            raise ValueError(f"input {name!r} takes {what}, which has no derivative; name the layer it is applied to")
    return names


def _cotangents(graph: Graph, cotangent: Any, n_rows: int) -> dict[str, NDArray[Any]]:
    """What each head's outputs count, [n_rows, n], by the names of the program's inputs."""
    if not isinstance(cotangent, Mapping):
        if cotangent is not None and len(graph.heads) > 1:
            raise ValueError(f"the network has the heads {', '.join(graph.heads)}; give a mapping with one array each")
        cotangent = dict.fromkeys(graph.heads, 1.0 if cotangent is None else cotangent)
    if unknown := set(cotangent) - set(graph.heads):
        raise ValueError(f"cotangents are given for {', '.join(unknown)}; the heads are {', '.join(graph.heads)}")
    found = {}
    for head, node in graph.heads.items():
        given, shape = np.asarray(cotangent.get(head, 0.0), np.float64), (n_rows, node.width)
        if given.shape not in ((), shape[1:], shape):
            raise ValueError(f"the cotangent of {head!r} has shape {given.shape}; it must be {shape[1:]} or {shape}")
        found[COTANGENT + head] = np.ascontiguousarray(np.broadcast_to(given, shape))
    return found
