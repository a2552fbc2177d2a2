"""The estimators as steps that skl2onnx converts, in pipelines.

Takes nothing, or a fitted pipeline. Returns after registering converters with skl2onnx, or the pipeline's
`onnx.ModelProto`. Never registers anything by being imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rosenblatt._extras import needed
from rosenblatt._version import __version__
from rosenblatt.estimators import LogisticRegression, MLPClassifier, MLPRegressor, Perceptron
from rosenblatt.export.onnx.estimators import SCORES, classifier_model, perceptron_model, regressor_model
from rosenblatt.export.onnx.extra import require_onnx
from rosenblatt.export.onnx.graph import OPSET, VERSIONS

__all__ = ["pipeline_model", "register_skl2onnx"]

CLASSIFIERS: dict[type, Callable[[Any], Any]] = {
    MLPClassifier: classifier_model,
    LogisticRegression: classifier_model,
    Perceptron: perceptron_model,
}
OPTIONS: dict[str, list[Any]] = {
    "zipmap": [True, False, "columns"],
    "output_class_labels": [False, True],
    "nocl": [False, True],
}
"""skl2onnx's own options of classifiers."""


def register_skl2onnx() -> None:
    """Let skl2onnx convert `MLPClassifier`, `MLPRegressor`, `LogisticRegression` and `Perceptron`, also in pipelines.

    Then `skl2onnx.to_onnx` takes a Pipeline that ends with one of them, with skl2onnx's own options, inputs and
    outputs; `target_opset` must be at least 18. Classifiers without probabilities give their scores instead. To
    register twice does no harm.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.
    """
    skl2onnx = require_skl2onnx()
    for estimator, builder in CLASSIFIERS.items():
        register(skl2onnx, estimator, classifier_shapes, converter(builder), OPTIONS)
    register(skl2onnx, MLPRegressor, regressor_shapes, converter(regressor_model), None)


def require_skl2onnx() -> Any:
    """The package; ImportError if it is not installed."""
    with needed("pipelines in ONNX need the package", "skl2onnx"):
        import skl2onnx
        import skl2onnx.common.data_types
    return skl2onnx


def register(skl2onnx: Any, estimator: type, shapes: Any, convert: Any, options: Any) -> None:
    """One class of estimators."""
    alias = f"Rosenblatt{estimator.__name__}"
    skl2onnx.update_registered_converter(estimator, alias, shapes, convert, options=options)


def classifier_shapes(operator: Any) -> None:
    """Say of which types and shapes labels and probabilities are."""
    types, model = require_skl2onnx().common.data_types, operator.raw_operator
    label, scores = operator.outputs
    kind = model.classes_.dtype.kind
    of_labels = types.Int64TensorType if kind in "iub" else types.DoubleTensorType if kind == "f" else None
    several = getattr(getattr(model, "label_binarizer_", None), "y_type_", "").startswith("multilabel")
    n_classes = len(model.classes_)
    label.type = (of_labels or types.StringTensorType)([None, n_classes] if several else [None])
    scores.type = types.guess_tensor_type(operator.inputs[0].type)
    scores.type.shape = [None, max(2, n_classes)]


def regressor_shapes(operator: Any) -> None:
    """Say of which type and shape the predictions are."""
    types, output = require_skl2onnx().common.data_types, operator.outputs[0]
    output.type = types.guess_tensor_type(operator.inputs[0].type)
    output.type.shape = [None, None]


def floats_of(model: Any) -> Any:
    """skl2onnx's type for the floats of an estimator."""
    types = require_skl2onnx().common.data_types
    return types.DoubleTensorType if float_type(model) == np.float64 else types.FloatTensorType


def float_type(model: Any) -> Any:
    """The float type in which an estimator computes."""
    network = getattr(model, "network", None)
    return np.dtype(model.coef_.dtype if network is None else network.dtype)


def converter(builder: Callable[[Any], Any]) -> Callable[[Any, Any, Any], None]:
    """A function that adds an estimator's graph to the one that skl2onnx makes."""

    def convert(scope: Any, operator: Any, container: Any) -> None:
        model = builder(operator.raw_operator)
        if container.target_opset_any_domain("") < OPSET:
            raise ValueError(f"rosenblatt's estimators need target_opset={OPSET} or later in skl2onnx.")
        names = {"X": cast(scope, container, operator.inputs[0].full_name, model.graph.input[0])}
        for tensor in model.graph.initializer:
            names[tensor.name] = scope.get_unique_variable_name("rosenblatt")
            copy = type(tensor)()
            copy.CopyFrom(tensor)
            copy.name = names[tensor.name]
            container.initializers.append(copy)
        for node in model.graph.node:
            add_node(scope, container, node, names)
        found = [names[output.name] for output in model.graph.output]
        if len(operator.outputs) == 2:
            found[1] = both_scores(scope, container, model.graph.output[1], found[1])
        for output, tensor in zip(operator.outputs, found, strict=False):
            kind = output.type.to_onnx_type().tensor_type.elem_type
            container.add_node(
                "Cast", [tensor], [output.full_name], to=kind, name=scope.get_unique_operator_name("out")
            )

    return convert


def add_node(scope: Any, container: Any, node: Any, names: dict[str, str]) -> None:
    """Add one operator, whose results get names that nobody else has."""
    from onnx.helper import get_attribute_value

    for name in node.output:
        names[name] = scope.get_unique_variable_name("rosenblatt")
    container.add_node(
        node.op_type,
        [names[name] for name in node.input],
        [names[name] for name in node.output],
        op_domain=node.domain,
        name=scope.get_unique_operator_name(node.op_type),
        **{attribute.name: get_attribute_value(attribute) for attribute in node.attribute},
    )


def cast(scope: Any, container: Any, tensor: str, wanted: Any) -> str:
    """A tensor in the type of the estimator's input."""
    name: str = scope.get_unique_variable_name("rosenblatt")
    kind = wanted.type.tensor_type.elem_type
    container.add_node("Cast", [tensor], [name], to=kind, name=scope.get_unique_operator_name("in"))
    return name


def both_scores(scope: Any, container: Any, output: Any, tensor: str) -> str:
    """Scores of two classes as two columns, of which the second decides, as skl2onnx has them."""
    if output.name != SCORES or output.type.tensor_type.shape.dim[1].dim_value != 1:
        return tensor
    other, both = (scope.get_unique_variable_name("rosenblatt") for _ in range(2))
    container.add_node("Neg", [tensor], [other], name=scope.get_unique_operator_name("Neg"))
    container.add_node("Concat", [other, tensor], [both], axis=1, name=scope.get_unique_operator_name("Concat"))
    return str(both)


def pipeline_model(pipeline: Any) -> Any:
    """A pipeline of scikit-learn's steps that ends with one of the estimators, by way of skl2onnx.

    Returns
    -------
    onnx.ModelProto
        With the input "X" [rows, n], and the outputs of the estimator: "label" and "probabilities", or "variable".

    Raises
    ------
    TypeError
        If it ends with another estimator.
    ValueError
        If skl2onnx cannot convert a step, or takes the columns by their names.
    """
    from sklearn.utils.validation import check_is_fitted

    last = pipeline.steps[-1][1] if pipeline.steps else None
    if not isinstance(last, (*CLASSIFIERS, MLPRegressor)):
        raise TypeError(
            f"to_onnx takes a Pipeline that ends with one of rosenblatt's estimators of arrays, not with {type(last)}."
        )
    check_is_fitted(pipeline)
    skl2onnx = require_skl2onnx()
    register_skl2onnx()
    inputs = [("X", floats_of(last)([None, pipeline.n_features_in_]))]
    options = {id(last): {"zipmap": False}} if hasattr(last, "classes_") else None
    try:
        model = skl2onnx.to_onnx(pipeline, initial_types=inputs, options=options, target_opset=dict(VERSIONS[OPSET]))
        require_onnx().helper.set_model_props(model, {"model": "Pipeline", "rosenblatt": __version__})
        require_onnx().checker.check_model(model, full_check=True)
    except Exception as error:  # of any kind, as each step has a converter of its own
        raise ValueError(
            f"skl2onnx cannot convert this pipeline with one input of {pipeline.n_features_in_} numbers: {error} For "
            "other inputs call rosenblatt.export.register_skl2onnx, and then skl2onnx.to_onnx with your initial_types."
        ) from error
    return model
