"""Fitted `Perceptron` as plain data, and back.

Takes a fitted perceptron. Returns a JSON-able state, its weights and thresholds; or, from those, a perceptron that
predicts the same. Never keeps the training data: the numbers of mistakes are stored if they were read before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import is_count
from rosenblatt.estimators import Perceptron
from rosenblatt.persistence.limits import require_predictions
from rosenblatt.storage.container import Arrays, ModelFileError, decode_value, encode_value, errors_of, require_keys

__all__ = ["perceptron_from_state", "perceptron_state"]

FLOATS = (np.float32, np.float64)
OPTIONAL = {"feature_names_in_", "mistakes"}


def perceptron_state(model: Any) -> tuple[dict[str, Any], Arrays]:
    """State and arrays of a fitted perceptron.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    """
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(model, "coef_")
    parameters = model.get_params(deep=False)
    if not isinstance(parameters["random_state"], (int, np.integer)):
        parameters["random_state"] = None
    fitted = {name: getattr(model, name) for name in ("classes_", "n_features_in_", "n_iter_", "t_")}
    if hasattr(model, "feature_names_in_"):
        fitted["feature_names_in_"] = model.feature_names_in_
    if model.counted_mistakes is not None:
        fitted["mistakes"] = model.counted_mistakes
    weights = model.coef_.toarray() if hasattr(model.coef_, "toarray") else model.coef_
    state = {
        "parameters": {name: encode_value(value, f"parameter {name!r}") for name, value in parameters.items()},
        "fitted": {name: encode_value(value, f"attribute {name!r}") for name, value in fitted.items()},
    }
    return state, {"coef": weights, "intercept": model.intercept_}


@errors_of("a perceptron")
def perceptron_from_state(state: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The perceptron that `perceptron_state` took apart; a `ModelFileError` if state and arrays do not describe one."""
    require_keys(state, {"parameters", "fitted"}, what="the perceptron")
    require_keys(dict(arrays), {"coef", "intercept"}, what="the list of the perceptron's tensors")
    model = Perceptron(**{name: decode_value(value) for name, value in state["parameters"].items()})
    model.check_parameters()
    fitted = {name: decode_value(value) for name, value in state["fitted"].items()}
    require_keys(fitted, {"classes_", "n_features_in_", "n_iter_", "t_"}, OPTIONAL, "the fitted part")
    require_fitted(fitted, arrays["coef"], arrays["intercept"])
    if (mistakes := fitted.pop("mistakes", None)) is not None:
        model.counted_mistakes = mistakes
    for name, value in fitted.items():
        setattr(model, name, value)
    model.coef_, model.intercept_ = (np.array(arrays[name]) for name in ("coef", "intercept"))
    require_predictions(model, np.zeros((1, model.n_features_in_), model.coef_.dtype))
    return model


def require_fitted(fitted: Mapping[str, Any], weights: NDArray[Any], thresholds: NDArray[Any]) -> None:
    """Refuse attributes that do not fit the weights."""
    classes, names = fitted["classes_"], fitted.get("feature_names_in_")
    if not isinstance(classes, np.ndarray) or classes.ndim != 1 or len({*classes.tolist()}) != len(classes):
        raise ModelFileError("classes_ is not a list of different labels.")
    n_neurons = 1 if len(classes) == 2 else len(classes)
    if len(classes) < 2 or not all(is_count(fitted[name]) for name in ("n_features_in_", "n_iter_")):
        raise ModelFileError("a perceptron has two classes, inputs and passes at least.")
    if weights.shape != (n_neurons, fitted["n_features_in_"]) or thresholds.shape != (n_neurons,):
        raise ModelFileError(f"the weights do not fit {len(classes)} classes and {fitted['n_features_in_']} inputs.")
    if not {weights.dtype, thresholds.dtype} <= {*map(np.dtype, FLOATS)}:  # of float32 rows, both may occur
        raise ModelFileError("the weights or the thresholds are no floats.")
    if type(fitted["t_"]) not in (int, float) or not math.isfinite(fitted["t_"]):
        raise ModelFileError("t_ is not a number of rows.")
    named = isinstance(names, np.ndarray) and len(names) == fitted["n_features_in_"]
    if names is not None and not (named and all(type(name) is str for name in names)):
        raise ModelFileError("feature_names_in_ must have one name per input.")
    require_mistakes(fitted.get("mistakes"), 0 if len(classes) == 2 else len(classes))


def require_mistakes(mistakes: Any, n_lists: int) -> None:
    """Refuse mistakes that are not a list of counts, or so many lists."""
    lists = [mistakes] if n_lists == 0 else mistakes
    if mistakes is None:
        return
    if not isinstance(lists, list) or len(lists) != max(n_lists, 1):
        raise ModelFileError("mistakes are not counted for each neuron.")
    if not all(isinstance(one, list) and one and all(is_count(count, 0) for count in one) for one in lists):
        raise ModelFileError("mistakes are not counts of at least 0.")
