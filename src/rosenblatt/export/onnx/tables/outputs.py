"""The mean of an ensemble as ONNX operators, calibrated, and what a model predicts from it.

Takes the tensors that networks read, and a fitted model. Declares the outputs. Never rounds to float32 after a network:
as in Python, means are of float64.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from rosenblatt.estimators.tabular.ensemble import Ensemble
from rosenblatt.estimators.tabular.ordinal import from_cumulative
from rosenblatt.estimators.tabular.target_scaling import TargetScaler
from rosenblatt.export.onnx.graph import OnnxGraph
from rosenblatt.export.onnx.labels import label_type, labels_of
from rosenblatt.export.onnx.networks import add_network

__all__ = ["add_classes", "add_ensemble", "add_numbers"]

SMALLEST = 1e-12
"""Probabilities whose logarithm is taken are at least this."""


def add_ensemble(graph: OnnxGraph, ensemble: Ensemble, inputs: Mapping[str, str]) -> str:
    """The mean of the networks' predictions, float64 [rows, n]."""
    predictions = []
    for network in ensemble.networks:
        (head,) = add_network(graph, network, inputs).values()
        decoded = graph.cast(head, "float64")
        if ensemble.decode is from_cumulative:
            decoded = of_ordered(graph, decoded, network.graph.n_outputs)
        predictions.append(at_temperature(graph, decoded, ensemble.temperature))
    if len(predictions) == 1:
        return predictions[0]
    return graph.add("Div", graph.add("Sum", *predictions), graph.constant(np.float64(len(predictions))))


def at_temperature(graph: OnnxGraph, probabilities: str, temperature: float) -> str:
    """p**(1 / temperature), normalized, as `with_temperature`."""
    if temperature == 1.0:
        return probabilities
    known = graph.add("Max", probabilities, graph.constant(np.float64(SMALLEST)))
    logits = graph.add("Div", graph.add("Log", known), graph.constant(np.float64(temperature)))
    return graph.add("Softmax", logits, axis=1)


def of_ordered(graph: OnnxGraph, above: str, n: int) -> str:
    """Class probabilities from those of lying above each class but the last, as `from_cumulative`."""
    rows = graph.add("Unsqueeze", above, graph.constant(np.array([1], np.int64)))
    later = np.triu(np.ones((n, n))).T == 0  # no probability is limited by those after it
    hidden = graph.add("Add", rows, graph.constant(np.where(later, 2.0, 0.0)))
    falling = graph.add("ReduceMin", hidden, graph.constant(np.array([2])), keepdims=0)
    steps = np.hstack([np.zeros((n, 1)), np.eye(n)]) - np.hstack([np.eye(n), np.zeros((n, 1))])
    return graph.add("Add", graph.add("MatMul", falling, graph.constant(steps)), graph.constant(np.eye(1, n + 1)))


def add_classes(graph: OnnxGraph, model: Any, mean: str, names: tuple[str, str]) -> None:
    """Declare the outputs of a classifier: the chosen class, and the probabilities."""
    labels = labels_of(model.classes_)
    probabilities = graph.add("Div", mean, graph.add("ReduceSum", mean, graph.constant(np.array([1])), keepdims=1))
    weighted = probabilities
    if (model.decision_weights_ != 1).any():
        weighted = graph.add("Mul", probabilities, graph.constant(np.asarray(model.decision_weights_, np.float64)))
    place = graph.add("ArgMax", weighted, axis=1, keepdims=0)
    graph.output(names[0], graph.add("Gather", graph.constant(labels), place), label_type(labels), (None,))
    graph.output(names[1], probabilities, "float64", (None, len(labels)))


def add_numbers(graph: OnnxGraph, scaler: TargetScaler, mean: str, name: str, n: int) -> None:
    """Declare the output of a regressor: numbers in the units of the targets, as `TargetScaler.decode` gives them."""
    values = graph.add("Add", mean, graph.constant(np.array(scaler.shifts))) if scaler.shifts else mean
    values = graph.add("Mul", values, graph.constant(np.array(scaler.scale)))
    values = graph.add("Add", values, graph.constant(np.array(scaler.center)))
    if scaler.kind == "log":
        most = graph.constant(np.float64(math.log(scaler.highest[0] + scaler.offset) + 1.0))
        values = graph.add("Exp", graph.add("Min", values, most))
        values = graph.add("Mul", values, graph.constant(np.float64(scaler.factor)))
        values = graph.add("Sub", values, graph.constant(np.float64(scaler.offset)))
    values = graph.add("Max", values, graph.constant(np.array(scaler.lowest)))
    values = graph.add("Min", values, graph.constant(np.array(scaler.highest)))
    graph.output(name, values, "float64", (None, n))
