"""What a model computes, as programs that a C file can hold.

Takes a fitted model. Returns `Parts`: a program from rows of numbers to predictions, the numbers in it, the classes and
how one of them is chosen. Never writes C.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from rosenblatt._suggestions import model_hint, own_name
from rosenblatt.export.parameters import leaves_of, require_finite
from rosenblatt.ir.program import Builder
from rosenblatt.ir.rewrite import eliminate_dead
from rosenblatt.ir.types import Program, Value
from rosenblatt.nn.effects import mixes_rows
from rosenblatt.nn.losses import GaussianNLL, loss_record
from rosenblatt.nn.network import Network
from rosenblatt.nn.programs import prediction_program
from rosenblatt.nn.spec import NetworkSpec
from rosenblatt.tables.table import level_text

__all__ = ["Choice", "Parts", "in_dtype", "labels_of", "network_program", "parts_of"]

Array = NDArray[Any]
Outputs = Callable[[Builder, Value], Value]


@dataclass(frozen=True)
class Choice:
    """How a class is chosen from the predictions, and what the classes are called.

    Attributes
    ----------
    classes : tuple of str
    threshold : float or None
        Of a single prediction, above which it is the second class; None: the class of the largest prediction.
    factors : tuple of float
        What predictions are multiplied by before they are compared; empty: nothing.
    several : bool
        Whether each class is a label that a row may have beside others; none is chosen then.
    """

    classes: tuple[str, ...]
    threshold: float | None = None
    factors: tuple[float, ...] = ()
    several: bool = False


@dataclass(frozen=True)
class Parts:
    """A model that is one program of float inputs and codes.

    Attributes
    ----------
    program : Program
    leaves : mapping of str to ndarray
        The numbers of its parameters.
    inputs : mapping of str to int
        Columns of each input, in their order; for codes the number of levels.
    columns : tuple of str
        Names of all columns, if they have some.
    choice : Choice or None
    """

    program: Program
    leaves: Mapping[str, Array]
    inputs: Mapping[str, int]
    columns: tuple[str, ...] = ()
    choice: Choice | None = None


def parts_of(model: Any, dtype: str | None) -> Parts:
    """The parts of a network, or of a fitted estimator that holds one.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If it is an estimator that is not fitted.
    TypeError
        If it is no model that a C file can hold.
    ValueError
        If a row's prediction depends on other rows.
    """
    known = own_name(model)
    if known == "Network":
        return _parts(model, dtype)
    if known not in _ESTIMATORS:
        raise TypeError(
            f"to_c takes an nn.Network or a fitted {', '.join(_ESTIMATORS)}, TabularClassifier or TabularRegressor; "
            f"given {type(model)}{model_hint(model)}"
        )
    check_is_fitted(model)
    return _ESTIMATORS[known](model, dtype)


def in_dtype(network: Network, dtype: str | None) -> Network:
    """The network in a float type, in which all of its parameters are finite; None: its own."""
    require_finite(network)
    if dtype is None:
        return network
    with np.errstate(over="ignore"):
        converted = network.copy(dtype)
    for name, array in converted.named_parameters():
        if not np.isfinite(array).all():
            raise ValueError(f"{name!r} of the network holds numbers that are too large for {dtype}; use float64.")
    return converted


def network_program(network: Network) -> Program:
    """The prediction program of a network whose rows do not depend on each other."""
    program = prediction_program(network.graph, network.dtype.name)
    if mixes_rows(program.instructions):
        raise ValueError(
            "the network computes a row's prediction from other rows, too; a file in C predicts one row at a time"
        )
    return program


def _parts(network: Network, dtype: str | None, outputs: Outputs | None = None, **more: Any) -> Parts:
    """The parts of a network, whose only head is followed by what `outputs` appends."""
    network = in_dtype(network, dtype)
    program = network_program(network)
    if outputs is not None:
        ((head, value),) = program.outputs.items()
        b = Builder.extend(program)
        program = eliminate_dead(b.build(**{head: outputs(b, value)}))
    return Parts(program, leaves_of(network, program), network.graph.input_widths, **more)


def _columns(model: Any) -> tuple[str, ...]:
    return tuple(map(str, getattr(model, "feature_names_in_", ())))


def labels_of(classes: Any) -> tuple[str, ...]:
    """The classes as texts; dates as in 2020-12-31, whatever their unit."""
    array = np.asarray(classes)
    return tuple(map(level_text, array) if array.dtype.kind == "M" else map(str, array.tolist()))


def both_probabilities(b: Builder, p: Value) -> Value:
    """The probability of the first of two classes before that of the second."""
    return b.concat(b.sub(1.0, p), p, axis=1)


def _classifier(model: Any, dtype: str | None) -> Parts:
    """A multilayer perceptron or a logistic regression: probabilities where it has them, else its outputs."""
    network, classes, columns = model.network, labels_of(model.classes_), _columns(model)
    activation, single = network.chain.output, network.graph.n_outputs == 1
    if activation == "softmax" or not single:
        several = getattr(getattr(model, "label_binarizer_", None), "y_type_", "").startswith("multilabel")
        return _parts(network, dtype, columns=columns, choice=Choice(classes, several=several))
    if activation == "logistic" and len(classes) == 2:
        return _parts(network, dtype, both_probabilities, columns=columns, choice=Choice(classes))
    threshold = 0.5 if activation in ("logistic", "step") else 0.0
    threshold = threshold if len(classes) == 2 else np.inf  # a single class is always predicted
    return _parts(network, dtype, columns=columns, choice=Choice(classes, threshold))


def _regressor(model: Any, dtype: str | None) -> Parts:
    """A multilayer perceptron for numbers: what it predicts, without standard deviations."""
    n_outputs = model.network.graph.n_outputs
    learns_variance = isinstance(loss_record(model.fitted_parameter("loss")).function, GaussianNLL)

    def predicted(b: Builder, out: Value) -> Value:
        if learns_variance:
            out = b.slice(out, axis=1, start=0, stop=n_outputs // 2)
        if model.fitted_parameter("target_transform") == "log":
            factors = np.ravel(model.smearing_factor_)
            columns = [b.slice(out, axis=1, start=i, stop=i + 1) for i in range(n_outputs)]
            scaled = [b.mul(b.exp(column), float(factors[i % len(factors)])) for i, column in enumerate(columns)]
            out = scaled[0] if len(scaled) == 1 else b.concat(*scaled, axis=1)
        return out

    return _parts(model.network, dtype, predicted, columns=_columns(model))


def _perceptron(model: Any, dtype: str | None) -> Parts:
    """One threshold neuron for each class, or for two classes together: the distances from their boundaries."""
    weights = model.coef_.toarray() if hasattr(model.coef_, "toarray") else model.coef_
    n_outputs, n_inputs = weights.shape
    network = Network(NetworkSpec(n_inputs, (), n_outputs), dtype=weights.dtype, seed=None)
    network.weights[0][...], network.biases[0][...] = weights.T, model.intercept_
    choice = Choice(labels_of(model.classes_), 0.0 if n_outputs == 1 else None)
    return _parts(network, dtype, columns=_columns(model), choice=choice)


_ESTIMATORS: Mapping[str, Callable[[Any, str | None], Parts]] = {
    "MLPClassifier": _classifier,
    "MLPRegressor": _regressor,
    "LogisticRegression": _classifier,
    "Perceptron": _perceptron,
}
