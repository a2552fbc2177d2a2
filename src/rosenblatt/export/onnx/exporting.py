"""Models as ONNX files.

Takes a fitted model and a path. Returns the size of the file that runs what the model predicts in any ONNX runtime.
Never writes a file that fails ONNX's own check, nor before all of the model was translated.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from rosenblatt._suggestions import suggest_keywords
from rosenblatt._version import __version__
from rosenblatt.export.files import check_destination, write_export
from rosenblatt.export.onnx.extra import require_onnx
from rosenblatt.export.onnx.graph import OnnxGraph
from rosenblatt.export.onnx.networks import add_network, declare_inputs
from rosenblatt.export.onnx.tables.models import tabular_model
from rosenblatt.nn.network import Network

__all__ = ["network_model", "onnx_model", "to_onnx"]

SUFFIX = ".onnx"


@suggest_keywords
def to_onnx(model: Any, path: str | os.PathLike[str], *, overwrite: bool = False, **options: Any) -> int:
    """Write a fitted model as an ONNX file; see the page on export for how to run it.

    Parameters
    ----------
    model : estimator or nn.Network
        A fitted MLPClassifier, MLPRegressor, LogisticRegression, Perceptron, TabularClassifier or TabularRegressor, an
        nn.Network, or a scikit-learn Pipeline that ends with one of the first four (this needs skl2onnx).
    path : path
        Ending in .onnx.
    overwrite : bool, default=False
        Whether an existing file may be replaced.
    **options
        Of tabular models.

    Returns
    -------
    int
        The file's size in bytes.

    Raises
    ------
    ValueError
        If ONNX cannot hold the model: the message names what it cannot hold. Nothing is written then.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If it is no model.
    FileExistsError
        If the file exists, without `overwrite`.
    OSError
        If the file cannot be written; an existing one is left as it was.
    ImportError
        If onnx is not installed.
    """
    require_onnx()
    check_destination(path, SUFFIX, overwrite)
    data = onnx_model(model, **options).SerializeToString()
    return write_export(path, data, overwrite=overwrite)


def onnx_model(model: Any, **options: Any) -> Any:
    """The model as an `onnx.ModelProto`, checked; raises what `to_onnx` raises before it writes."""
    name = type(model).__name__
    builder = network_model if isinstance(model, Network) else BUILDERS.get(name)
    if builder is None:
        known = ", ".join((*BUILDERS, "nn.Network"))
        raise TypeError(f"to_onnx takes a fitted {known}, not {type(model)}.")
    return builder(model, **options)


def network_model(network: Network) -> Any:
    """A network: an input for each of its own, an output for each head, under their names."""
    graph = OnnxGraph("network")
    heads = add_network(graph, network, declare_inputs(graph, network))
    for head, tensor in heads.items():
        name = f"{head}_output" if head in graph.names else head
        graph.output(name, tensor, network.dtype.name, (None, network.graph.heads[head].width))
    return graph.build({"model": "Network", "rosenblatt": __version__})


BUILDERS: dict[str, Callable[..., Any]] = {"TabularClassifier": tabular_model, "TabularRegressor": tabular_model}
"""Makes the model of each class of estimators, by its name."""
