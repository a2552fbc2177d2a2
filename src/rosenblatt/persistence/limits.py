"""What a model in a file may ask for, and that it predicts: the same rules when it is saved and when it is loaded.

Takes states of networks before they are built, then networks and estimators. Returns nothing, or raises a
`ModelFileError`. A file is read by anybody, so what it costs must follow from its bytes: the limits hold for the sum
over all its networks, nodes and heads.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.nn.graph import Graph
from rosenblatt.nn.layers.base import Node
from rosenblatt.nn.network import Network
from rosenblatt.storage.container import ModelFileError, errors_of

__all__ = ["require_finite_outputs", "require_parts", "require_predictions", "require_width"]

MAX_PARTS, BYTES_OF_PART = 4000, 1024
"""Limit of nodes, their inputs and heads in all networks of a file: so many, and one more per so many bytes."""
MAX_PARTS_OF_ONE = 12000
"""The same limit for one network."""
MAX_COLUMNS = 1 << 21
"""Limit of columns of all nodes and heads: so many, and two more for each number in the tensors."""
MAX_PRODUCTS = 1 << 24
"""Limit of weights that one row is multiplied by: so many, and four times those in the tensors, which can be shared."""
MAX_WORKSPACE = 24 << 20
"""Limit of bytes of memory for predicting: so many, and the size of the tensors."""
MAX_TABLE_COLUMNS = 10_000
"""Columns of a table whose model surely fits a file: each takes about 4 kB of memory besides its weights."""
MAX_LISTED_COLUMNS = 1 << 17
"""Limit of columns of a ColumnTransformer, which lists them one by one."""
LARGE_INPUT = 1000
"""Columns of a sparse trial row that are not zero."""


def size_of(arrays: Mapping[str, NDArray[Any]]) -> int:
    """Bytes of all tensors."""
    return sum(array.nbytes for array in arrays.values())


def require_parts(networks: Sequence[Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Refuse states of networks with more nodes, inputs of nodes and heads than the tensors may have."""
    counts = [parts_of(state) for state in networks]
    most = MAX_PARTS + size_of(arrays) // BYTES_OF_PART
    if sum(counts) > most or max(counts, default=0) > MAX_PARTS_OF_ONE:
        raise ModelFileError(
            f"the networks have {sum(counts)} layers, connections and heads; a file of this size may hold {most}, and "
            f"{MAX_PARTS_OF_ONE} in one network."
        )


def parts_of(state: Any) -> int:
    """Nodes, their inputs and heads in the state of a network, whatever else is wrong with it."""
    graph = state.get("graph") if isinstance(state, dict) else None
    spec = state.get("spec") if isinstance(state, dict) else None
    count = 0
    if isinstance(graph, dict):
        lists = [part for part in (graph.get(name) for name in ("layers", "nodes", "heads")) if isinstance(part, list)]
        nodes = [node for part in lists for node in part if isinstance(node, dict)]
        count += sum(map(len, lists))
        count += sum(len(node["inputs"]) for node in nodes if isinstance(node.get("inputs"), list))
    if isinstance(spec, dict):
        hidden = spec.get("hidden")
        hidden = hidden.get("tuple") if isinstance(hidden, dict) else hidden
        count += 8 * len(hidden) if isinstance(hidden, list) else 0
    return count


def require_width(graph: Graph, n_elements: int) -> None:
    """Refuse more columns, or more products for each row, than so many numbers in tensors may have."""
    columns = sum(node.width for node in graph.nodes if node.kind != "codes") + graph.n_outputs
    most = MAX_COLUMNS + 2 * n_elements
    if columns > most:
        raise ModelFileError(f"the layers and heads have {columns} columns together; the most for this file is {most}.")
    products = sum(parameter.size for node in graph.nodes for parameter in graph.parameters_of(node))
    if products > MAX_PRODUCTS + 4 * n_elements:
        raise ModelFileError(
            f"layers are shared so often that a row takes {products} products, too many for this file."
        )


@errors_of("a network that predicts")
def require_finite_outputs(network: Network) -> None:
    """Refuse a network whose outputs are not finite for a row of ordinary numbers, or that takes too much memory.

    The row holds numbers from -1 to 1. The exponential function may overflow there, since a regression of counts learns
    from numbers of any size; its row is of zeros.
    """
    if not np.isfinite(network.block).all():
        return  # the file's writer and reader name the tensor
    needed, most = network.executable.plan.workspace_bytes, MAX_WORKSPACE + network.block.nbytes
    if needed > most:
        raise ModelFileError(f"predicting takes {needed} bytes of memory; the most for a file of this size is {most}.")
    graph = network.graph
    for of_zeros in (False, True):
        rows = {graph.names[node]: trial_row(node, network.dtype, of_zeros) for node in graph.inputs}
        outputs = network.predict(rows)
        named = outputs if isinstance(outputs, dict) else dict(zip(graph.heads, [outputs], strict=True))
        wrong = [head for head, values in named.items() if not np.isfinite(values).all()]
        if not wrong:
            return
        if of_zeros or any(graph.output[head] != "exp" for head in wrong):
            raise ModelFileError(f"the output {wrong[0]!r} is not finite for a row of ordinary numbers.")


def trial_row(node: Node, dtype: Any, of_zeros: bool) -> Any:
    """One row for an input."""
    if node.kind == "codes":
        return np.zeros(1, np.int32)
    shown = min(node.width, LARGE_INPUT) if node.kind == "sparse" else node.width
    row = np.zeros((1, shown), dtype) if of_zeros else np.sin(np.arange(1, shown + 1, dtype=dtype))[None, :]
    if node.kind != "sparse":
        return row
    from scipy.sparse import csr_matrix  # takes longer to import than all of the engine

    return csr_matrix((row[0], np.arange(shown, dtype=np.int32), np.array([0, shown])), shape=(1, node.width))


@errors_of("a model that predicts")
def require_predictions(model: Any, row: Any) -> None:
    """Refuse an estimator that cannot predict a row, or predicts numbers that are not finite, and cannot say why."""
    calls: list[tuple[str, dict[str, Any]]]
    calls = [(name, {}) for name in ("predict", "predict_proba", "predict_interval", "report") if hasattr(model, name)]
    fitted = getattr(model, "fitted_parameters_", {})  # others may have been set since
    if fitted.get("quantiles") is not None:  # any two of them may be an interval, or none
        calls.remove(("predict_interval", {}))
    if fitted.get("loss") == "gaussian_nll":
        calls.append(("predict", {"return_std": True}))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name, how in calls:
            found = getattr(model, name)(*([] if name == "report" else [row]), **how)
            for values in found if isinstance(found, tuple) else [found]:
                numbers = values.data if hasattr(values, "tocsr") else np.asarray(values)
                if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
                    raise ModelFileError(f"{name} gives infinite numbers or NaN for a row of zeros.")
