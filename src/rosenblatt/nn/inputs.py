"""What a network is fed with.

Takes data as users give them. Returns one array for each input, by name, with checked shapes. Never copies what fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rosenblatt.nn.graph import Graph
from rosenblatt.nn.layers.base import Node

__all__ = ["input_arrays"]


def input_arrays(graph: Graph, X: Any, what: str = "X") -> dict[str, Any]:
    """The data of each input by name, with checked shapes."""
    names = graph.input_names
    if len(names) == 1 and not isinstance(X, Mapping):
        return {names[0]: _checked(graph.inputs[0], names[0], X, what)}
    if isinstance(X, Sequence) and len(X) == len(names):
        X = dict(zip(names, X, strict=True))
    if not isinstance(X, Mapping) or set(X) != set(names):
        given = ", ".join(X) if isinstance(X, Mapping) else type(X).__name__
        raise ValueError(
            f"the network has the inputs {', '.join(names)}; give {what} as a mapping with one array for "
            f"each, not {given}"
        )
    data = {name: _checked(node, name, X[name], what) for name, node in zip(names, graph.inputs, strict=True)}
    lengths = {name: array.shape[0] for name, array in data.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the inputs have different numbers of rows: {lengths}")
    return data


def _checked(node: Node, name: str, given: Any, what: str) -> Any:
    array = given if node.kind == "sparse" else np.asarray(given)
    if node.kind == "codes":
        if array.ndim != 1:
            raise ValueError(f"{what}[{name!r}] has shape {array.shape}; codes have the shape (n_rows,)")
    elif len(array.shape) != 2 or array.shape[1] != node.width:
        where = what if name == "x" else f"{what}[{name!r}]"
        raise ValueError(f"{where} has shape {array.shape}; this network takes (n_rows, {node.width})")
    return array
