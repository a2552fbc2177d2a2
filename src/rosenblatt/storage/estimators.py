"""Fitted estimators as plain data, and back.

Goes in: a fitted `MLPClassifier`, `MLPRegressor` or `LogisticRegression`. Comes out: a JSON-able state and the
network's arrays; or, from those, an estimator that predicts the same. Everything read is checked against everything
else. Optimizer state is not kept: `partial_fit` starts its moments anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.storage.container import Arrays, ModelFileError, decode_value, encode_value

__all__ = ["STORABLE", "estimator_from_state", "estimator_state"]

STORABLE = ("MLPClassifier", "MLPRegressor", "LogisticRegression")


def is_count(value: Any) -> bool:
    """A non-negative integer."""
    return type(value) is int and value >= 0


def is_float(value: Any) -> bool:
    """A number, infinite ones included."""
    return type(value) in (int, float)


def is_float_or_none(value: Any) -> bool:
    """A number or None."""
    return value is None or is_float(value)


def is_curve(value: Any) -> bool:
    """A list of numbers, or None."""
    return value is None or (isinstance(value, list) and all(map(is_float, value)))


def is_array(value: Any) -> bool:
    """A one-dimensional array."""
    return isinstance(value, np.ndarray)


ATTRIBUTES: dict[str, Callable[[Any], bool]] = {
    "classes_": is_array,
    "n_features_in_": is_count,
    "feature_names_in_": lambda value: is_array(value) and value.dtype == object,
    "n_layers_": is_count,
    "n_outputs_": is_count,
    "out_activation_": lambda value: isinstance(value, str),
    "n_iter_": is_count,
    "t_": is_count,
    "loss_": is_float,
    "best_loss_": is_float_or_none,
    "loss_curve_": is_curve,
    "validation_scores_": is_curve,
    "best_validation_score_": is_float_or_none,
    "smearing_factor_": lambda value: is_array(value) and value.dtype == np.float64,
}
"""Fitted attributes that are stored where an estimator has them, and what each must be."""


def estimator_state(estimator: Any) -> tuple[dict[str, Any], Arrays]:
    """State and arrays of a fitted estimator.

    Raises
    ------
    ModelFileError
        If a parameter is a function, which a file without code cannot hold.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    """
    network = estimator._fitted_network()
    spec = network.spec
    parameters = {
        name: encode_value(seedless(value), f"parameter {name!r}")
        for name, value in estimator.get_params(deep=False).items()
    }
    present = {name: getattr(estimator, name) for name in ATTRIBUTES if hasattr(estimator, name)}
    state = {
        "class": type(estimator).__name__,
        "parameters": parameters,
        "network": {
            "layers": list(spec.layer_sizes),
            "activation": encode_value(spec.activation, "activation"),
            "output": spec.output,
            "sparse_input": spec.sparse_input,
            "dtype": network.dtype.name,
        },
        "attributes": {name: encode_value(value, f"attribute {name!r}") for name, value in present.items()},
    }
    if hasattr(estimator, "_label_binarizer"):
        state["multilabel"] = estimator._label_binarizer.y_type_.startswith("multilabel")
    arrays = {f"weights.{i}": weight for i, weight in enumerate(network.weights)}
    return state, arrays | {f"biases.{i}": bias for i, bias in enumerate(network.biases)}


def seedless(value: Any) -> Any:
    """A generator in use is stored as None: its position means nothing to another training."""
    return None if isinstance(value, (np.random.RandomState, np.random.Generator)) else value


def estimator_from_state(state: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The estimator.

    Raises
    ------
    ModelFileError
        If state and arrays do not describe one.
    """
    try:
        return restore(state, arrays)
    except ModelFileError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ModelFileError(f"the file does not describe an estimator: {error}") from None


def restore(state: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """Build the estimator; every error is translated by the caller."""
    from rosenblatt import estimators

    require_keys(state, {"class", "parameters", "network", "attributes"}, {"multilabel"})
    if state["class"] not in STORABLE:
        raise ModelFileError(f"the file holds a {state['class']!r}; known are {', '.join(STORABLE)}.")
    parameters = {name: decode_value(value) for name, value in state["parameters"].items()}
    estimator = getattr(estimators, state["class"])(**parameters)
    estimator._validate_params()
    network = network_from(state["network"], arrays)
    attributes = {name: decode_value(value) for name, value in state["attributes"].items()}
    for name, value in attributes.items():
        if name not in ATTRIBUTES or not ATTRIBUTES[name](value):
            raise ModelFileError(f"attribute {name!r} is unknown or of the wrong type.")
    require_consistent(state["class"], network.spec, attributes, state.get("multilabel", False))
    for name, value in attributes.items():
        setattr(estimator, name, value)
    if "multilabel" in state:
        estimator._label_binarizer = label_binarizer(attributes["classes_"], state["multilabel"])
    estimator._network = network
    return estimator


def require_keys(entry: Any, needed: set[str], optional: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """Refuse anything but a dictionary with these keys."""
    if not isinstance(entry, dict) or not needed <= set(entry) <= needed | optional:
        raise ModelFileError(f"the file lacks one of the entries {', '.join(sorted(needed))}, or has unknown ones.")


def network_from(entry: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The network, built only after the arrays were seen to fit: sizes in a hostile file allocate nothing."""
    from rosenblatt.nn import Network, NetworkSpec

    require_keys(entry, {"layers", "activation", "output", "sparse_input", "dtype"})
    layers = entry["layers"]
    if not isinstance(layers, list) or len(layers) < 2 or not all(is_count(n) and n > 0 for n in layers):
        raise ModelFileError("the network's layer sizes are not positive integers.")
    pairs = list(zip(layers[:-1], layers[1:], strict=True))
    expected: dict[str, tuple[int, ...]] = {f"weights.{i}": pair for i, pair in enumerate(pairs)}
    expected |= {f"biases.{i}": (pair[1],) for i, pair in enumerate(pairs)}
    found = {name: array.shape for name, array in arrays.items()}
    if found != expected:
        raise ModelFileError(f"the tensors {found} do not fit the layers {layers}.")
    if entry["dtype"] not in ("float32", "float64") or any(a.dtype != entry["dtype"] for a in arrays.values()):
        raise ModelFileError(f"the tensors are not of the network's type {entry['dtype']!r}.")
    if not isinstance(entry["activation"], str) or not isinstance(entry["sparse_input"], bool):
        raise ModelFileError("the network's activation or sparse_input is not valid.")
    spec = NetworkSpec(
        n_inputs=layers[0],
        hidden=tuple(layers[1:-1]),
        n_outputs=layers[-1],
        activation=entry["activation"],
        output=entry["output"],
        sparse_input=entry["sparse_input"],
    )
    network = Network(spec, dtype=entry["dtype"], seed=None)
    for i in range(len(pairs)):
        network.weights[i][...] = arrays[f"weights.{i}"]
        network.biases[i][...] = arrays[f"biases.{i}"]
    return network


def require_consistent(kind: str, spec: Any, attributes: Mapping[str, Any], multilabel: bool) -> None:
    """Refuse attributes that contradict the network."""
    if attributes.get("n_features_in_") != spec.n_inputs:
        raise ModelFileError("n_features_in_ is not the network's number of inputs.")
    names = attributes.get("feature_names_in_")
    if names is not None and len(names) != spec.n_inputs:
        raise ModelFileError("feature_names_in_ has not one name for each input.")
    for name, value in (
        ("n_outputs_", spec.n_outputs),
        ("n_layers_", len(spec.layer_sizes)),
        ("out_activation_", spec.output),
    ):
        if attributes.get(name, value) != value or (kind != "LogisticRegression" and name not in attributes):
            raise ModelFileError(f"{name} is not that of the network.")
    if kind == "MLPRegressor":
        if spec.output not in ("identity", "exp") or "classes_" in attributes:
            raise ModelFileError("a regressor needs a linear or exponential output and has no classes.")
        factor = attributes.get("smearing_factor_")
        if factor is not None and (len(factor) != spec.n_outputs or not np.isfinite(factor).all()):
            raise ModelFileError("smearing_factor_ is not one finite number for each output.")
        return
    require_classes(spec, attributes.get("classes_"), multilabel)


def require_classes(spec: Any, classes: Any, multilabel: bool) -> None:
    """Refuse classes that are not sorted and distinct, or do not fit the output layer."""
    if classes is None or len(classes) < 1 or any(a >= b for a, b in zip(classes[:-1], classes[1:], strict=True)):
        raise ModelFileError("classes_ is not a sorted list of different labels.")
    if classes.dtype.kind == "f" and not all(map(math.isfinite, classes)):
        raise ModelFileError("classes_ holds NaN or infinity.")
    binary = spec.output == "logistic" and spec.n_outputs == 1 and len(classes) <= 2
    several = spec.output == ("logistic" if multilabel else "softmax") and spec.n_outputs == len(classes)
    if not (several if multilabel else binary or several):
        raise ModelFileError(f"{len(classes)} classes do not fit {spec.n_outputs} outputs of a {spec.output} layer.")


def label_binarizer(classes: NDArray[Any], multilabel: bool) -> Any:
    """scikit-learn's translation between labels and outputs, fitted on the classes."""
    from sklearn.preprocessing import LabelBinarizer

    fitted = LabelBinarizer().fit(np.eye(len(classes), dtype=int) if multilabel else classes)
    return fitted
