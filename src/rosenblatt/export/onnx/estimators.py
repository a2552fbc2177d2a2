"""Estimators of arrays as ONNX models: rows of numbers in, labels and probabilities or numbers out.

Takes a fitted `MLPClassifier`, `MLPRegressor`, `LogisticRegression` or `Perceptron`. Returns an `onnx.ModelProto` with
the names that skl2onnx gives: the input "X", the outputs "label" and "probabilities", or "variable". Never changes the
estimator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from rosenblatt.estimators.outputs import without_output_activation
from rosenblatt.export.onnx.graph import OnnxGraph
from rosenblatt.export.onnx.labels import label_type, labels_of
from rosenblatt.export.onnx.networks import add_network
from rosenblatt.export.onnx.properties import properties_of
from rosenblatt.nn.losses import GaussianNLL, loss_record
from rosenblatt.nn.network import Network
from rosenblatt.nn.spec import NetworkSpec

__all__ = ["classifier_model", "perceptron_model", "regressor_model"]

LABEL, PROBABILITIES, SCORES, NUMBERS, DEVIATIONS = "label", "probabilities", "scores", "variable", "std"


def classifier_model(model: Any, raw_scores: bool = False) -> Any:
    """An `MLPClassifier` or a `LogisticRegression`.

    Parameters
    ----------
    model : estimator
    raw_scores : bool, default=False
        Whether the second output is what the network computes before its output activation, as `decision_function`.

    Returns
    -------
    onnx.ModelProto
        With the outputs "label", [rows], or for several labels of a row zeros and ones, [rows, n_labels]; and
        "probabilities", [rows, n_classes], or "scores" if the loss gives no probabilities: the network's outputs.
    """
    check_is_fitted(model)
    network: Network = without_output_activation(model.network) if raw_scores else model.network
    graph, outputs = started(model, network)
    n_outputs, dtype = network.graph.n_outputs, network.dtype.name
    kind = getattr(getattr(model, "label_binarizer_", None), "y_type_", "")
    if model.network.chain.output == "softmax" or kind == "multiclass":
        add_largest(graph, outputs, model.classes_)
    else:
        threshold = 0.5 if network.chain.output in ("logistic", "softmax", "step") else 0.0
        above = graph.add("Greater", outputs, graph.constant(np.asarray(threshold, dtype)))
        if kind.startswith("multilabel"):
            flags = graph.add("Cast", above, to=INT64)
            graph.output(LABEL, flags, "int64", (None, n_outputs))
        else:
            add_above(graph, above, model.classes_)
    if raw_scores or not hasattr(model, "predict_proba"):
        graph.output(SCORES, outputs, dtype, (None, n_outputs))
    elif n_outputs > 1:
        graph.output(PROBABILITIES, outputs, dtype, (None, n_outputs))
    else:
        rest = graph.add("Sub", graph.constant(np.asarray(1, dtype)), outputs)
        graph.output(PROBABILITIES, graph.add("Concat", rest, outputs, axis=1), dtype, (None, 2))
    return finished(graph, model, classes=labels_of(model.classes_).tolist())


def perceptron_model(model: Any) -> Any:
    """A `Perceptron`: the outputs "label", [rows], and "scores", [rows, 1] for two classes, else [rows, n_classes]."""
    check_is_fitted(model)
    weights = model.coef_.toarray() if hasattr(model.coef_, "toarray") else model.coef_
    n_outputs, n_inputs = weights.shape
    network = Network(NetworkSpec(n_inputs, (), n_outputs), dtype=weights.dtype, seed=None)
    network.weights[0][...], network.biases[0][...] = weights.T, model.intercept_
    graph, scores = started(model, network)
    dtype = network.dtype.name
    if n_outputs > 1:
        add_largest(graph, scores, model.classes_)
    else:
        add_above(graph, graph.add("Greater", scores, graph.constant(np.asarray(0, dtype))), model.classes_)
    graph.output(SCORES, scores, dtype, (None, n_outputs))
    return finished(graph, model, classes=labels_of(model.classes_).tolist())


def regressor_model(model: Any) -> Any:
    """An `MLPRegressor`: the output "variable", [rows, n]; and "std" of that shape if it learns deviations."""
    check_is_fitted(model)
    network: Network = model.network
    graph, outputs = started(model, network)
    n_outputs, dtype = network.graph.n_outputs, network.dtype.name
    if isinstance(loss_record(model.fitted_parameter("loss")).function, GaussianNLL):
        n_targets = n_outputs // 2
        means, log_variances = (
            graph.add("Slice", outputs, *(graph.constant(np.array([k])) for k in (start, start + n_targets, 1)))
            for start in (0, n_targets)
        )
        graph.output(NUMBERS, means, dtype, (None, n_targets))
        half = graph.add("Mul", log_variances, graph.constant(np.asarray(0.5, dtype)))
        graph.output(DEVIATIONS, graph.add("Exp", half), dtype, (None, n_targets))
        return finished(graph, model)
    if model.fitted_parameter("target_transform") == "log":
        factors = graph.constant(np.asarray(model.smearing_factor_, np.float64))
        scaled = graph.add("Mul", graph.add("Cast", graph.add("Exp", outputs), to=DOUBLE), factors)
        outputs = graph.add("Cast", scaled, to=FLOATS[dtype])
    graph.output(NUMBERS, outputs, dtype, (None, n_outputs))
    return finished(graph, model)


FLOATS: Mapping[str, int] = {"float32": 1, "float64": 11}
DOUBLE, INT64 = FLOATS["float64"], 7
"""Element types by their numbers in ONNX's format."""


def started(model: Any, network: Network) -> tuple[OnnxGraph, str]:
    """A graph with the input and the network; the tensor of its outputs."""
    graph = OnnxGraph(type(model).__name__)
    (name,) = network.graph.input_names
    x = graph.input("X", network.dtype.name, network.graph.n_inputs)
    (outputs,) = add_network(graph, network, {name: x}).values()
    return graph, outputs


def add_largest(graph: OnnxGraph, outputs: str, classes: Any) -> None:
    """The label of the largest output; the first of them where several are."""
    add_label(graph, graph.add("ArgMax", outputs, axis=1, keepdims=0), classes)


def add_above(graph: OnnxGraph, above: str, classes: Any) -> None:
    """The second of two labels where `above` is true; a single one is always predicted."""
    number = graph.add("Cast", graph.add("Squeeze", above, graph.constant(np.array([1]))), to=INT64)
    last = graph.constant(np.asarray(len(classes) - 1))
    add_label(graph, graph.add("Min", number, last), classes)


def add_label(graph: OnnxGraph, number: str, classes: Any) -> None:
    """The label of a class number."""
    labels = labels_of(classes)
    graph.output(LABEL, graph.add("Gather", graph.constant(labels), number), label_type(labels), (None,))


def finished(graph: OnnxGraph, model: Any, **facts: Any) -> Any:
    """The model, with what a reader may want to know as properties; names and classes are JSON."""
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        facts["columns"] = [str(name) for name in names]
    return graph.build(properties_of(model, **facts))
