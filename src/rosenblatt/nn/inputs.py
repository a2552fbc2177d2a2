"""The arrays that a network takes.

Takes data as users give them. Returns one array for each input, by name, with checked shapes. Never copies an array
that fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from rosenblatt import _core
from rosenblatt._checks import as_numbers, check_finite, check_range, check_same_rows, check_weights
from rosenblatt.ir.compile import Executable, source
from rosenblatt.nn.graph import Graph
from rosenblatt.nn.layers.base import Node
from rosenblatt.nn.losses import Loss
from rosenblatt.nn.objective import targets_of

__all__ = ["column_limits", "input_arrays", "sources_of", "training_arrays"]


def input_arrays(graph: Graph, X: Any, what: str = "X", dtype: DTypeLike = np.float64) -> dict[str, Any]:
    """The data of each input by name, with checked shapes, of numbers that the float type `dtype` can hold."""
    names = graph.input_names
    if len(names) == 1 and not isinstance(X, Mapping):
        return {names[0]: _checked(graph.inputs[0], names[0], X, what, dtype)}
    if isinstance(X, Sequence) and len(X) == len(names):
        X = dict(zip(names, X, strict=True))
    if not isinstance(X, Mapping) or set(X) != set(names):
        given = ", ".join(map(str, X)) if isinstance(X, Mapping) else type(X).__name__
        raise ValueError(
            f"the network has the inputs {', '.join(names)}; give {what} as a mapping with one array for "
            f"each, not {given}"
        )
    data = {name: _checked(node, name, X[name], what, dtype) for name, node in zip(names, graph.inputs, strict=True)}
    check_same_rows(**data)
    return data


def training_arrays(
    graph: Graph,
    losses: Mapping[str, Loss],
    X: Any,
    y: Any,
    sample_weight: Any = None,
    suffix: str = "",
    dtype: DTypeLike = np.float64,
) -> dict[str, Any]:
    """Inputs, targets and weights of equally many rows, by the names that programs have for them.

    `losses` holds the loss of each head. Class numbers have the shape (n_rows,), all other targets (n_rows, n_outputs).
    `suffix` follows "X" and "y" in messages, as in "X_val"; `dtype` is the float type that all numbers must fit. Raises
    ValueError if there are no rows, a number is not finite or too large, a head has no target, a class number is out of
    range, a shape does not fit, or numbers of rows differ.
    """
    names = targets_of(graph)
    given = y if isinstance(y, Mapping) else dict.fromkeys(names, y) if len(names) == 1 else {}
    if set(given) != set(names):
        raise ValueError(
            f"the network has the heads {', '.join(names)}; give y{suffix} as a mapping with one target for each"
        )
    arrays = input_arrays(graph, X, f"X{suffix}", dtype)
    shown = {shown_name(name, f"X{suffix}"): array for name, array in arrays.items()}
    for what, array in shown.items():
        if array.shape[0] == 0:
            raise ValueError(f"{what} has no rows; give at least one")
        check_finite(what, array)
    for head, name in names.items():
        what = f"y{suffix}[{head!r}]" if isinstance(y, Mapping) else f"y{suffix}"
        target = as_numbers(what, given[head])
        check_finite(what, without_axis(target))
        check = _class_numbers if losses[head].labels else _numeric_target
        width = graph.heads[head].width // losses[head].outputs_per_target
        arrays[name] = shown[what] = check(what, target, width, dtype) if target.ndim else target
    n_rows = check_same_rows(**shown)
    if sample_weight is not None:
        arrays["sample_weight"] = check_weights(
            sample_weight, n_rows, np.result_type(as_numbers("sample_weight", sample_weight), np.float32)
        )
        check_range("sample_weight", arrays["sample_weight"], dtype)
    return arrays


def shown_name(name: str, what: str = "X") -> str:
    """How messages call an input: "X", or "X['front']" where it has a name."""
    return what if name == "x" else f"{what}[{name!r}]"


def _class_numbers(what: str, target: NDArray[Any], n_classes: int, dtype: DTypeLike) -> NDArray[Any]:
    """Class numbers below `n_classes`; shape (n_rows,)."""
    if target.ndim != 1:
        raise ValueError(f"{what} has shape {target.shape}; this loss takes class numbers of shape (n_rows,)")
    wrong = (target < 0) | (target >= n_classes) | (target != np.floor(target))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"{what} contains {target[row]:g} in row {row} (from 0); the network has {n_classes} outputs, for the "
            f"class numbers 0 to {n_classes - 1}"
        )
    return target


def _numeric_target(what: str, target: NDArray[Any], width: int, dtype: DTypeLike) -> NDArray[Any]:
    """Numbers; shape (n_rows, width)."""
    column = target.reshape(-1, 1) if target.ndim == 1 else target
    if column.shape[1:] != (width,):
        allowed = "(n_rows,) or (n_rows, 1)" if width == 1 else f"(n_rows, {width})"
        raise ValueError(f"{what} has shape {target.shape}; this network and its loss take {allowed}")
    check_range(what, without_axis(target), dtype)
    return column


def without_axis(target: NDArray[Any]) -> NDArray[Any]:
    """A target of one column without its second axis, so that messages name rows only."""
    return target[:, 0] if target.ndim == 2 and target.shape[1] == 1 else target


def column_limits(graph: Graph) -> dict[str, int]:
    """How many levels, classes or columns each input and target of a program may have."""
    return graph.input_widths | {name: graph.heads[head].width for head, name in targets_of(graph).items()}


def sources_of(executable: Executable, graph: Graph, arrays: Mapping[str, Any]) -> list[_core.Source]:
    """What a program reads, row by row, in the order of its inputs."""
    limits, program = column_limits(graph), executable.program
    names = [name for name in executable.inputs if name in arrays]
    return [source(program.leaf(name), arrays[name], limits.get(name, 2**31 - 1)) for name in names]


def _checked(node: Node, name: str, given: Any, what: str, dtype: DTypeLike) -> Any:
    is_sparse, where = hasattr(given, "tocsr"), shown_name(name, what)
    if is_sparse != (node.kind == "sparse"):
        kind, takes = ("a sparse matrix", "dense arrays") if is_sparse else (type(given).__name__, "CSR matrices")
        remedy = "toarray() makes it dense" if is_sparse else "scipy.sparse.csr_matrix makes it one"
        raise ValueError(f"{where} is {kind}, but this input of the network takes {takes}; {remedy}")
    array = given if is_sparse else as_numbers(where, given)
    if node.kind == "codes":
        if array.ndim != 1:
            raise ValueError(f"{where} has shape {array.shape}; codes have the shape (n_rows,)")
    elif len(array.shape) != 2 or array.shape[1] != node.width:
        raise ValueError(f"{where} has shape {array.shape}; this network takes (n_rows, {node.width})")
    else:
        check_range(where, array, dtype)
    return array
