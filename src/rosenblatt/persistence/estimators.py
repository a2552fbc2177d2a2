"""Fitted estimators as plain data, and back.

Takes a fitted `MLPClassifier`, `MLPRegressor` or `LogisticRegression`. Returns a JSON-able state and the network's
arrays; or, from those, an estimator that predicts the same. The parts are checked against each other, when they are
stored and when they are read. Never keeps the optimizer's state (`partial_fit` starts with new moments), random number
generators, or the path of checkpoints.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import is_count
from rosenblatt.nn.activations import OUTPUTS
from rosenblatt.nn.losses import loss_record
from rosenblatt.nn.network import Network
from rosenblatt.nn.spec import NetworkSpec
from rosenblatt.persistence.limits import require_predictions
from rosenblatt.persistence.networks import network_from_state, network_to_state
from rosenblatt.persistence.objects import decode, encode, is_own
from rosenblatt.persistence.programs import record_functions
from rosenblatt.storage.container import Arrays, ModelFileError, errors_of, require_keys
from rosenblatt.training.history import History

__all__ = [
    *("STORABLE", "estimator_from_state", "estimator_state", "parameters_from_state", "parts_from_state"),
    *("require_class", "row_of_zeros"),
]

STORABLE = ("MLPClassifier", "MLPRegressor", "LogisticRegression")
OBJECTS: dict[str, tuple[str, ...]] = {
    "activation": ("activation",),
    "solver": ("optimizer",),
    "learning_rate": ("schedule",),
    "loss": ("loss",),
    **dict.fromkeys(("weight_init", "bias_init"), ("initializer",)),
}
"""Which objects the parameters may be; see `rosenblatt.persistence.objects`."""


def is_natural(value: Any) -> bool:
    """A non-negative integer."""
    return is_count(value, 0)


def is_float(value: Any) -> bool:
    """A number, infinite ones included."""
    return type(value) in (int, float)


def is_curve(value: Any) -> bool:
    """A list of numbers."""
    return isinstance(value, list) and all(map(is_float, value))


def is_history(value: Any) -> bool:
    """Columns of numbers, equally long, by name."""
    return (
        isinstance(value, dict)
        and all(isinstance(name, str) and is_curve(column) for name, column in value.items())
        and len({*map(len, value.values())}) <= 1
    )


def is_array(value: Any, *dtypes: Any) -> bool:
    """An array, of one of these types if any are given."""
    return isinstance(value, np.ndarray) and (not dtypes or value.dtype in dtypes)


ATTRIBUTES: dict[str, Callable[[Any], bool]] = {
    "classes_": is_array,
    "n_features_in_": is_natural,
    "feature_names_in_": lambda value: is_array(value, object) and all(type(name) is str for name in value),
    "n_layers_": is_natural,
    "n_outputs_": is_natural,
    "out_activation_": lambda value: isinstance(value, str),
    "n_iter_": is_natural,
    "t_": is_natural,
    "loss_": is_float,
    "best_loss_": is_float,
    "loss_curve_": is_curve,
    "validation_scores_": is_curve,
    "best_validation_score_": is_float,
    "history_": is_history,
    "smearing_factor_": lambda value: is_array(value, np.float64),
}
"""Fitted attributes that are stored where an estimator has them, and what each must be."""
MAY_BE_NONE = ("best_loss_", "loss_curve_", "validation_scores_", "best_validation_score_")
Labels = tuple[bool, bool]
"""The targets of a classifier: whether a row may have several labels, and whether they come as sparse matrices."""


def estimator_state(estimator: Any) -> tuple[dict[str, Any], Arrays]:
    """State and arrays of a fitted estimator.

    Raises
    ------
    ModelFileError
        If a parameter is a function that is not made of ops, which a file without code cannot hold; or if attributes
        were set that contradict the network.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    """
    network, fitted = estimator.network, getattr(estimator, "fitted_parameters_", {})
    parameters = {**estimator.get_params(deep=False), **fitted}  # those of the fit, even if others were set since
    present = {name: getattr(estimator, name) for name in ATTRIBUTES if hasattr(estimator, name)}
    if parameters.get("target_transform") is None:  # one of an earlier fit
        present.pop("smearing_factor_", None)
    if "history_" in present:
        present["history_"] = dict(present["history_"])
    recordings = record_functions(network, parameters.get("loss"), is_own)
    for name, value in parameters.items():
        # The position of a generator means nothing to another training, nor does a path on another machine.
        dropped = name == "checkpoint" or isinstance(value, (np.random.RandomState, np.random.Generator))
        parameters[name] = None if dropped else encode(value, f"parameter {name!r}", recordings)
    binarizer = getattr(estimator, "label_binarizer_", None)
    labels = binarizer and (binarizer.y_type_.startswith("multilabel"), bool(binarizer.sparse_input_))
    require_consistent(type(estimator).__name__, {**vars(estimator), **fitted}, network, present, labels)
    if np.isfinite(network.block).all():  # otherwise the file's writer names the tensor
        require_predictions(estimator, row_of_zeros(network))
    network_state, arrays = network_to_state(network)
    state = {
        "class": type(estimator).__name__,
        "parameters": parameters,
        "network": network_state,
        "attributes": {name: encode(value, f"attribute {name!r}") for name, value in present.items()},
    }
    if labels is not None:
        state["labels"] = dict(zip(("multilabel", "sparse"), labels, strict=True))
    return state, arrays


@errors_of("an estimator")
def estimator_from_state(state: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The estimator; a `ModelFileError` if state and arrays do not describe one."""
    from rosenblatt import estimators

    require_class(state)
    parameters = parameters_from_state(state["parameters"])
    estimator = getattr(estimators, state["class"])(**parameters)
    estimator.check_parameters()
    network, attributes, labels = parts_from_state(state, parameters, arrays)
    for name, value in attributes.items():
        setattr(estimator, name, History(value) if name == "history_" else value)
    if labels is not None:
        estimator.label_binarizer_ = binarizer_of(attributes["classes_"], *labels)
    estimator.network = network
    if names := getattr(estimator, "prediction_parameters", ()):
        estimator.fitted_parameters_ = {name: parameters[name] for name in names}
    require_predictions(estimator, row_of_zeros(network))
    return estimator


def require_class(state: Any) -> None:
    """Refuse a state that is not that of a known estimator."""
    require_keys(state, {"class", "parameters", "network", "attributes"}, {"labels"})
    if state["class"] not in STORABLE:
        raise ModelFileError(f"the file holds a {state['class']!r}; known are {', '.join(STORABLE)}.")


def parameters_from_state(entries: Mapping[str, Any]) -> dict[str, Any]:
    """The constructor's parameters, whose ranges are not checked yet."""
    return {name: decode(value, *OBJECTS.get(name, ())) for name, value in entries.items()}


def parts_from_state(
    state: Any, parameters: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> tuple[Network, dict[str, Any], Labels | None]:
    """Network, fitted attributes and the form of labels, checked against each other and the parameters."""
    network = network_from_state(state["network"], arrays)
    attributes = {name: decode(value) for name, value in state["attributes"].items()}
    for name, value in attributes.items():
        if name not in ATTRIBUTES or not (ATTRIBUTES[name](value) or (value is None and name in MAY_BE_NONE)):
            raise ModelFileError(f"attribute {name!r} is unknown or of the wrong type.")
    labels = labels_from_state(state["labels"]) if "labels" in state else None
    require_consistent(state["class"], parameters, network, attributes, labels)
    return network, attributes, labels


def row_of_zeros(network: Network) -> Any:
    """A row as the estimator takes it."""
    row = np.zeros((1, network.graph.n_inputs), network.dtype)
    if not network.graph.sparse_input:
        return row
    from scipy.sparse import csr_matrix  # takes longer to import than all of the engine

    return csr_matrix(row.shape, dtype=row.dtype)


def labels_from_state(entry: Any) -> Labels:
    """The labels' form as it was stored."""
    require_keys(entry, {"multilabel", "sparse"}, what="the entry on labels")
    if not all(isinstance(value, bool) for value in entry.values()):
        raise ModelFileError("the entry on labels does not say true or false.")
    return entry["multilabel"], entry["sparse"]


def binarizer_of(classes: NDArray[Any], multilabel: bool, sparse: bool) -> Any:
    """scikit-learn's translation between labels and outputs, as if fitted.

    Fitting it would take a matrix of classes by classes where a row may have several labels.
    """
    from sklearn.preprocessing import LabelBinarizer

    binarizer = LabelBinarizer()
    kind = "multilabel-indicator" if multilabel else "binary" if len(classes) <= 2 else "multiclass"
    binarizer.y_type_, binarizer.sparse_input_, binarizer.classes_ = kind, sparse, classes
    return binarizer


def require_consistent(
    kind: str, parameters: Mapping[str, Any], network: Network, attributes: Mapping[str, Any], labels: Labels | None
) -> None:
    """Refuse attributes that contradict the network, or parameters that `predict` reads and that contradict it."""
    spec = network.spec
    if not isinstance(spec, NetworkSpec) or not isinstance(spec.output, str) or spec.output not in OUTPUTS:
        raise ModelFileError(f"the network of an {kind} is a dense chain with a named output activation; this is not.")
    if attributes.get("n_features_in_") != spec.n_inputs:
        raise ModelFileError(
            f"n_features_in_ is {attributes.get('n_features_in_')}, which is not the network's number of inputs, "
            f"{spec.n_inputs}. Fit again."
        )
    names = attributes.get("feature_names_in_")
    if names is not None and len(names) != spec.n_inputs:
        raise ModelFileError("feature_names_in_ must have one name per input.")
    for name, value in (
        ("n_outputs_", spec.n_outputs),
        ("n_layers_", len(spec.layer_sizes)),
        ("out_activation_", spec.output),
    ):
        if attributes.get(name, value) != value or (kind != "LogisticRegression" and name not in attributes):
            raise ModelFileError(f"{name} is not that of the network. Fit again.")
    if (labels is not None) != (kind == "MLPClassifier"):
        raise ModelFileError("an MLPClassifier, and nothing else, has an entry on labels.")
    if kind == "MLPRegressor":
        require_targets(parameters, spec, attributes)
    else:
        require_classes(kind, spec, attributes.get("classes_"), labels is not None and labels[0])


def require_targets(given: Mapping[str, Any], spec: NetworkSpec, attributes: Mapping[str, Any]) -> None:
    """Refuse what contradicts a regressor's outputs: the loss says how many there are for each target."""
    if "classes_" in attributes:
        raise ModelFileError("a regressor has no classes.")
    per_target = loss_record(given["loss"]).outputs_per_target
    if spec.n_outputs % per_target:
        raise ModelFileError(
            f"loss={given['loss']!r} has {per_target} outputs for each target, but the network has {spec.n_outputs}. "
            "Fit again."
        )
    factor = attributes.get("smearing_factor_")
    if given["target_transform"] is not None and (
        factor is None
        or per_target != 1
        or len(factor) != spec.n_outputs
        or not (np.isfinite(factor).all() and (factor > 0).all())
    ):
        raise ModelFileError(
            "target_transform needs a smearing_factor_ with one positive number for each output. Fit again."
        )


def require_classes(kind: str, spec: NetworkSpec, classes: Any, multilabel: bool) -> None:
    """Refuse classes that are not sorted and distinct, or do not fit the output layer."""
    if classes is None or len(classes) < 1 or any(a >= b for a, b in zip(classes[:-1], classes[1:], strict=True)):
        raise ModelFileError("classes_ is not a sorted list of different labels.")
    if classes.dtype.kind == "f" and not all(map(math.isfinite, classes)):
        raise ModelFileError("classes_ holds NaN or infinity.")
    one_output = len(classes) <= 2 and not multilabel
    fits = spec.n_outputs == (1 if one_output else len(classes)) and (len(classes) > 1 or kind == "MLPClassifier")
    if kind == "LogisticRegression":
        fits = fits and spec.output == ("logistic" if one_output else "softmax") and not spec.hidden
    if not fits:
        raise ModelFileError(f"{len(classes)} classes do not fit {spec.n_outputs} outputs of a {spec.output} layer.")
