"""The arrays that a network takes.

Takes data as users give them. Returns one array for each input, by name, with checked shapes. Never copies an array
that fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rosenblatt._checks import check_same_rows, check_weights
from rosenblatt.nn.graph import Graph
from rosenblatt.nn.layers.base import Node
from rosenblatt.nn.losses import Loss
from rosenblatt.nn.objective import targets_of

__all__ = ["column_limits", "input_arrays", "training_arrays"]


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
    check_same_rows(**data)
    return data


def training_arrays(
    graph: Graph, losses: Mapping[str, Loss], X: Any, y: Any, sample_weight: Any = None, suffix: str = ""
) -> dict[str, Any]:
    """Inputs, targets and weights of equally many rows, by the names that programs have for them.

    `losses` holds the loss of each head. Class numbers have the shape (n_rows,), all other targets (n_rows, n_outputs).
    `suffix` follows "X" and "y" in messages, as in "X_val". Raises ValueError if a head has no target, a shape does not
    fit, or numbers of rows differ.
    """
    names = targets_of(graph)
    given = y if isinstance(y, Mapping) else dict.fromkeys(names, y) if len(names) == 1 else {}
    if set(given) != set(names):
        raise ValueError(
            f"the network has the heads {', '.join(names)}; give y{suffix} as a mapping with one target for each"
        )
    arrays = input_arrays(graph, X, f"X{suffix}")
    for head, name in names.items():
        target = np.asarray(given[head])
        arrays[name] = target.reshape(-1, 1) if not losses[head].labels and target.ndim == 1 else target
    shown = {f"X{suffix}" if name == "x" else name + suffix * (name in names.values()): a for name, a in arrays.items()}
    n_rows = check_same_rows(**shown)
    if sample_weight is not None:
        arrays["sample_weight"] = check_weights(
            sample_weight, n_rows, np.result_type(np.asarray(sample_weight), np.float32)
        )
    return arrays


def column_limits(graph: Graph) -> dict[str, int]:
    """How many levels, classes or columns each input and target of a program may have."""
    return graph.input_widths | {name: graph.heads[head].width for head, name in targets_of(graph).items()}


def _checked(node: Node, name: str, given: Any, what: str) -> Any:
    array = given if node.kind == "sparse" else np.asarray(given)
    if node.kind == "codes":
        if array.ndim != 1:
            raise ValueError(f"{what}[{name!r}] has shape {array.shape}; codes have the shape (n_rows,)")
    elif len(array.shape) != 2 or array.shape[1] != node.width:
        where = what if name == "x" else f"{what}[{name!r}]"
        raise ValueError(f"{where} has shape {array.shape}; this network takes (n_rows, {node.width})")
    return array
