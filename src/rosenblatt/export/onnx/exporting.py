"""Models as ONNX files.

Takes a fitted model and a path. Returns the size of the file that runs what the model predicts in any ONNX runtime.
Never writes a file that fails ONNX's own check, nor before all of the model was translated.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from inspect import signature
from typing import Any

from rosenblatt._suggestions import article, model_hint, own_name, unknown_parameter
from rosenblatt.export.files import check_destination, write_export
from rosenblatt.export.onnx.extra import require_onnx

__all__ = ["onnx_model", "to_onnx"]

SUFFIX = ".onnx"
OPTIONS = ("dates",)
"""What may be said of some models, each of which has a builder that takes it."""


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
        Of tabular models: ``dates="integer"`` for inputs of dates as integers instead of texts.

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
    known = "Pipeline" if type(model).__module__ == "sklearn.pipeline" else own_name(model)
    if known not in HOMES:
        raise TypeError(f"to_onnx takes a fitted {', '.join(HOMES)}, not {type(model)}{model_hint(model)}.")
    module, name = HOMES[known]
    builder = getattr(import_module(f"rosenblatt.export.onnx.{module}"), name)
    allowed = [option for option in OPTIONS if option in signature(builder).parameters]
    unknown = set(options) - set(allowed)
    if unknown & set(OPTIONS):
        raise TypeError(f"dates= is for tabular models; {article(known)} has no columns of dates. Leave it out.")
    if unknown:
        raise TypeError(unknown_parameter("to_onnx", min(unknown), ["overwrite", *allowed]))
    return builder(model, **options)


HOMES: Mapping[str, tuple[str, str]] = {
    "MLPClassifier": ("estimators", "classifier_model"),
    "MLPRegressor": ("estimators", "regressor_model"),
    "LogisticRegression": ("estimators", "classifier_model"),
    "Perceptron": ("estimators", "perceptron_model"),
    "TabularClassifier": ("tables.models", "tabular_model"),
    "TabularRegressor": ("tables.models", "tabular_model"),
    "Network": ("networks", "network_model"),
    "Pipeline": ("pipelines", "pipeline_model"),
}
"""The module and the function that make the model, for each class; none is imported before it is needed."""
