"""`TabularClassifier` and `TabularRegressor` as ONNX models: raw columns in, predictions out.

Takes a fitted model. Returns an `onnx.ModelProto` with an input for each used column, the preparation, all networks,
and what combines them. Never holds the columns that were dropped.
"""

from __future__ import annotations

from typing import Any

from rosenblatt.export.onnx.graph import TEXT_OPSET, OnnxGraph
from rosenblatt.export.onnx.labels import labels_of
from rosenblatt.export.onnx.properties import properties_of
from rosenblatt.export.onnx.tables.columns import ColumnInput, add_preparation, column_inputs
from rosenblatt.export.onnx.tables.outputs import add_classes, add_ensemble, add_numbers

__all__ = ["tabular_model"]

DATES = ("text", "integer")


def tabular_model(model: Any, *, dates: str = "text") -> Any:
    """A fitted tabular estimator as an `onnx.ModelProto`, checked.

    Parameters
    ----------
    model : TabularClassifier or TabularRegressor
    dates : {"text", "integer"}
        What inputs of dates take: texts such as 2020-12-31 or 2020-12-31T23:59:00Z, or microseconds since 1970-01-01 in
        UTC.

    Returns
    -------
    onnx.ModelProto
        Each input is called like its column and has the shape [rows, 1]: float64 for numbers (NaN is missing) and
        booleans (0 and 1), strings for categories (empty is missing). A classifier has the outputs "label" [rows] and
        "probabilities" [rows, n_classes], a regressor "variable" [rows, n]. An underscore follows where a column has
        such a name.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ValueError
        If a column cannot be held: it is named. If `dates` is none of the two.
    """
    from sklearn.utils.validation import check_is_fitted

    if not isinstance(dates, str) or dates not in DATES:
        raise ValueError(f"dates is {dates!r}; allowed are {' and '.join(map(repr, DATES))}.")
    check_is_fitted(model, "ensemble_")
    columns = column_inputs(model.preparation_, dates)
    graph = OnnxGraph("table", TEXT_OPSET)
    mean = add_ensemble(graph, model.ensemble_, add_preparation(graph, model.preparation_, dates))
    if hasattr(model, "classes_"):
        names = graph.free_name("label"), graph.free_name("probabilities")
        add_classes(graph, model, mean, names)
    else:
        n_outputs = model.ensemble_.networks[0].graph.n_outputs
        add_numbers(graph, model.target_scaler_, mean, graph.free_name("variable"), n_outputs)
    return graph.build(metadata_of(model, columns))


def metadata_of(model: Any, columns: list[ColumnInput]) -> dict[str, str]:
    """What a reader of the file may want to know, as properties."""
    found: dict[str, Any] = {}
    if hasattr(model, "classes_"):
        found["classes"] = labels_of(model.classes_).tolist()
    elif (quantiles := model.fitted_parameter("quantiles")) is not None:
        found["quantiles"] = [float(q) for q in quantiles]
    held = {column.name: {"type": column.dtype, "holds": column.holds} for column in columns}
    return properties_of(model, target=model.target_name_, columns=held, **found)
