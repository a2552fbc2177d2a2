"""The estimators as steps that skl2onnx converts.

Takes nothing. Returns after registering converters with skl2onnx. Never registers anything by being imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rosenblatt._extras import needed
from rosenblatt.estimators import LogisticRegression, MLPClassifier, MLPRegressor, Perceptron
from rosenblatt.export.onnx.estimators import SCORES, classifier_model, perceptron_model, regressor_model
from rosenblatt.export.onnx.graph import OPSET
from rosenblatt.export.onnx.labels import label_type, labels_of

__all__ = ["append_model", "builder_of", "float_type", "register_skl2onnx", "require_skl2onnx"]

CLASSIFIERS: dict[type, Callable[..., Any]] = {
    MLPClassifier: classifier_model,
    LogisticRegression: classifier_model,
    Perceptron: perceptron_model,
}
BUILDERS: dict[type, Callable[..., Any]] = CLASSIFIERS | {MLPRegressor: regressor_model}
OPTIONS: dict[str, list[Any]] = {
    "zipmap": [True, False, "columns"],
    "output_class_labels": [False, True],
    "nocl": [False, True],
    "raw_scores": [True, False],
}
"""skl2onnx's own options of classifiers. Raw scores are asked for by steps that use `decision_function`."""


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
    for estimator in CLASSIFIERS:
        register(skl2onnx, estimator, classifier_shapes, convert_classifier, OPTIONS)
    register(skl2onnx, MLPRegressor, regressor_shapes, convert_regressor, None)


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
    kind = label_type(labels_of(model.classes_))
    of_labels = {"string": types.StringTensorType, "float64": types.DoubleTensorType}.get(kind, types.Int64TensorType)
    several = getattr(getattr(model, "label_binarizer_", None), "y_type_", "").startswith("multilabel")
    n_classes = len(model.classes_)
    label.type = of_labels([None, n_classes] if several else [None])
    scores.type = types.guess_tensor_type(operator.inputs[0].type)
    scores.type.shape = [None, max(2, n_classes)]


def regressor_shapes(operator: Any) -> None:
    """Say of which type and shape the predictions are."""
    types, output = require_skl2onnx().common.data_types, operator.outputs[0]
    output.type = types.guess_tensor_type(operator.inputs[0].type)
    output.type.shape = [None, None]


def float_type(model: Any) -> Any:
    """The float type in which an estimator computes."""
    network = getattr(model, "network", None)
    return np.dtype(model.coef_.dtype if network is None else network.dtype)


def builder_of(estimator: Any) -> Callable[[Any], Any] | None:
    """What makes the model of an estimator; None if it is none of the library's, of which a subclass is none."""
    return BUILDERS.get(type(estimator))


def convert_classifier(scope: Any, operator: Any, container: Any) -> None:
    """Append a classifier to the graph that skl2onnx makes: labels, and probabilities or scores."""
    classifier = operator.raw_operator
    has_raw_scores = scope.get_options(classifier, {"raw_scores": False})["raw_scores"]
    raw = {"raw_scores": True} if has_raw_scores and not isinstance(classifier, Perceptron) else {}
    model = CLASSIFIERS[type(classifier)](classifier, **raw)
    label, scores = append_model(scope, operator, container, model)
    declare(scope, container, operator, [label, both_scores(scope, container, model.graph.output[1], scores)])


def convert_regressor(scope: Any, operator: Any, container: Any) -> None:
    """Append a regressor to the graph that skl2onnx makes: its numbers."""
    model = regressor_model(operator.raw_operator)
    declare(scope, container, operator, append_model(scope, operator, container, model)[:1])


def append_model(scope: Any, operator: Any, container: Any, model: Any) -> list[str]:
    """Append a model's graph behind the operator's input; the tensors of its outputs."""
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
    return [names[output.name] for output in model.graph.output]


def declare(scope: Any, container: Any, operator: Any, tensors: Sequence[str]) -> None:
    """Give the operator's outputs these tensors, in the types that skl2onnx has for them."""
    for output, tensor in zip(operator.outputs, tensors, strict=True):
        kind = output.type.to_onnx_type().tensor_type.elem_type
        container.add_node("Cast", [tensor], [output.full_name], to=kind, name=scope.get_unique_operator_name("out"))


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
