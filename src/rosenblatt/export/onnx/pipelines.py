"""Pipelines of scikit-learn's steps as ONNX models, by way of skl2onnx.

Takes a fitted pipeline that ends with one of the estimators of arrays. Returns an `onnx.ModelProto` with the outputs of
that estimator. Never registers anything with skl2onnx.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline

from rosenblatt._suggestions import model_hint
from rosenblatt.export.onnx.extra import require_onnx
from rosenblatt.export.onnx.graph import OPSET, VERSIONS
from rosenblatt.export.onnx.properties import properties_of
from rosenblatt.export.onnx.registration import append_model, builder_of, float_type, require_skl2onnx

__all__ = ["pipeline_model"]

Convert = Callable[[Any, Any, Any], None]


def pipeline_model(pipeline: Any) -> Any:
    """A pipeline of scikit-learn's steps that ends with one of the estimators, by way of skl2onnx.

    Returns
    -------
    onnx.ModelProto
        With the input "X" [rows, n], and the outputs and facts of the estimator's own model.

    Raises
    ------
    TypeError
        If it ends with another estimator.
    ValueError
        If skl2onnx cannot convert a step, or takes the columns by their names.
    """
    from sklearn.utils.validation import check_is_fitted

    *steps, last = [*steps_of(pipeline)] or [None]
    builder = builder_of(last)
    if builder is None:
        raise TypeError(
            "to_onnx takes a Pipeline that ends with one of rosenblatt's estimators of arrays, not with "
            f"{type(last)}{model_hint(last)}."
        )
    check_is_fitted(pipeline)
    own = builder(last)
    facts = properties_of(pipeline, **({"columns": names} if (names := names_of(pipeline)) else {}))
    facts = {one.key: one.value for one in own.metadata_props} | facts
    n_inputs = (steps[0] if steps else last).n_features_in_
    try:
        model = converted(make_pipeline(*steps, last), own, n_inputs)
        require_onnx().helper.set_model_props(model, facts)
        require_onnx().checker.check_model(model, full_check=True)
    except Exception as error:  # of any kind, as each step has a converter of its own
        raise ValueError(
            f"skl2onnx cannot convert this pipeline with one input of {n_inputs} numbers: {error} For "
            "other inputs call rosenblatt.export.register_skl2onnx, and then skl2onnx.to_onnx with your initial_types."
        ) from error
    return model


def steps_of(pipeline: Pipeline) -> Iterator[Any]:
    """The steps that do something, those of pipelines within the pipeline among them."""
    for _, step in pipeline.steps:
        if isinstance(step, Pipeline):
            yield from steps_of(step)
        elif step is not None and step != "passthrough":
            yield step


def names_of(pipeline: Pipeline) -> list[str] | None:
    """The names of the columns, if training knew them."""
    names = getattr(next(steps_of(pipeline)), "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def converted(pipeline: Pipeline, own: Any, n_inputs: int) -> Any:
    """What skl2onnx makes of a pipeline, of which `own` is the last step's model."""
    skl2onnx = require_skl2onnx()
    last = pipeline.steps[-1][1]
    of_kind = types_by_number(skl2onnx.common.data_types)
    kind = own.graph.input[0].type.tensor_type.elem_type
    conversions, shapes = {type(last): appended(own)}, {type(last): lambda operator: None}
    if float_type(last) == np.float64:
        conversions[SimpleImputer], shapes[SimpleImputer] = impute, imputed_shape
    return skl2onnx.convert_sklearn(
        pipeline,
        initial_types=[("X", of_kind[kind]([None, n_inputs]))],
        target_opset=dict(VERSIONS[OPSET]),
        custom_conversion_functions=conversions,
        custom_shape_calculators=shapes,
        custom_parsers={type(last): declared(own, of_kind)},
    )


def types_by_number(types: Any) -> dict[int, Any]:
    """skl2onnx's types of tensors, by their numbers in ONNX's format."""
    found = (types.FloatTensorType, types.Int64TensorType, types.StringTensorType, types.BooleanTensorType)
    return {one().to_onnx_type().tensor_type.elem_type: one for one in (*found, types.DoubleTensorType)}


def declared(own: Any, of_kind: dict[int, Any]) -> Callable[..., Any]:
    """A function that declares the outputs of the last step for skl2onnx: those of its own model."""

    def parse(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
        operator = scope.declare_local_operator("RosenblattEstimator", model)
        operator.inputs = inputs
        for output in own.graph.output:
            kind = output.type.tensor_type
            shape = [dim.dim_value or None for dim in kind.shape.dim]
            operator.outputs.append(scope.declare_local_variable(output.name, of_kind[kind.elem_type](shape)))
        return operator.outputs

    return parse


def appended(own: Any) -> Convert:
    """A function that appends the last step's own model."""

    def convert(scope: Any, operator: Any, container: Any) -> None:
        tensors = append_model(scope, operator, container, own)
        for output, tensor in zip(operator.outputs, tensors, strict=True):
            container.add_node("Identity", [tensor], [output.full_name], name=scope.get_unique_operator_name("out"))

    return convert


def imputed_shape(operator: Any) -> None:
    """Say that an imputer keeps the type of its input, and which columns it keeps."""
    kept = ~np.isnan(operator.raw_operator.statistics_)
    operator.outputs[0].type = type(operator.inputs[0].type)([None, int(kept.sum())])


def impute(scope: Any, operator: Any, container: Any) -> None:
    """Append an imputer of numbers, which runtimes do not have in double precision; NaN is what is missing."""
    imputer = operator.raw_operator
    if imputer.add_indicator or not np.isnan(imputer.missing_values):
        raise ValueError("its SimpleImputer has indicators, or other missing cells than NaN.")
    numbers, kept = (scope.get_unique_variable_name(name) for name in ("numbers", "kept"))
    places = np.flatnonzero(~np.isnan(imputer.statistics_))
    kind = operator.inputs[0].type.to_onnx_type().tensor_type.elem_type
    container.add_initializer(kept, 7, [len(places)], places.tolist())
    container.add_initializer(numbers, kind, [len(places)], imputer.statistics_[places].tolist())
    columns, missing = (scope.get_unique_variable_name(name) for name in ("columns", "missing"))
    add = container.add_node
    add("Gather", [operator.inputs[0].full_name, kept], columns, axis=1, name=scope.get_unique_operator_name("Kept"))
    add("IsNaN", [columns], missing, name=scope.get_unique_operator_name("Missing"))
    result = operator.outputs[0].full_name
    add("Where", [missing, numbers, columns], result, name=scope.get_unique_operator_name("Imputed"))
