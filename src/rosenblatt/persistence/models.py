"""Which module takes which kind of model apart, and puts it together again.

Takes a model of any kind that a file can hold. Returns the kind's name, a JSON-able state and arrays; or, from those,
the model. Never reads or writes files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from rosenblatt._suggestions import model_hint, own_name
from rosenblatt.nn.network import Network
from rosenblatt.persistence.custom import custom_layers
from rosenblatt.persistence.estimators import STORABLE, estimator_from_state, estimator_state
from rosenblatt.persistence.networks import network_from_state, network_to_state
from rosenblatt.storage.container import Arrays, ModelFileError

__all__ = ["KINDS", "PIPELINE", "ModelParts", "model_from_parts", "model_parts", "predictor_from_parts"]

ESTIMATOR, NETWORK, TABULAR, PERCEPTRON, PIPELINE = (
    "estimator",
    "network",
    "tabular estimator",
    "perceptron",
    "pipeline",
)
KINDS = (ESTIMATOR, NETWORK, TABULAR, PERCEPTRON, PIPELINE)
TABULARS = ("TabularClassifier", "TabularRegressor")
ModelParts = tuple[str, dict[str, Any], Arrays]
"""Kind, state and arrays."""


def model_parts(model: Any, training_predictions: bool = False) -> ModelParts:
    """Kind, state and arrays of a model.

    Raises
    ------
    ModelFileError
        If a file cannot hold it.
    TypeError
        If it is no model of the library, and none of scikit-learn's that can be around one.
    """
    name = own_name(model)
    if name in STORABLE:
        return ESTIMATOR, *estimator_state(model)
    if name in TABULARS:
        from rosenblatt.persistence.tabular import tabular_state

        return TABULAR, *tabular_state(model, training_predictions)
    if name == "Perceptron":
        from rosenblatt.persistence.perceptrons import perceptron_state

        return PERCEPTRON, *perceptron_state(model)
    if type(model) is Network:
        return NETWORK, *network_to_state(model)
    from rosenblatt.persistence.pipelines import STORABLE_TRANSFORMERS, is_storable, pipeline_state

    if is_storable(model):
        return PIPELINE, *pipeline_state(model, lambda part: model_parts(part, training_predictions))
    known = ", ".join((*STORABLE, "Perceptron", *TABULARS))
    raise TypeError(
        f"save takes a fitted {known} or nn.Network of rosenblatt, or one of scikit-learn's "
        f"{', '.join(STORABLE_TRANSFORMERS)}, not {type(model)}{model_hint(model)}."
    )


def model_from_parts(kind: str, state: Any, arrays: Mapping[str, NDArray[Any]], custom: Sequence[Any] = ()) -> Any:
    """The model that `model_parts` took apart; `custom` are classes of the user's own layers."""
    classes = custom_layers(custom)
    if kind == ESTIMATOR:
        return estimator_from_state(state, arrays)
    if kind == TABULAR:
        from rosenblatt.persistence.tabular import tabular_from_state

        return tabular_from_state(state, arrays)
    if kind == PERCEPTRON:
        from rosenblatt.persistence.perceptrons import perceptron_from_state

        return perceptron_from_state(state, arrays)
    if kind == PIPELINE:
        from rosenblatt.persistence.pipelines import pipeline_from_state

        return pipeline_from_state(state, arrays, model_from_parts)
    if kind != NETWORK:
        raise ModelFileError(f"the file holds a {str(kind)[:40]!r}; known are {', '.join(KINDS)}.")
    return network_from_state(state, arrays, classes)


def predictor_from_parts(kind: str, state: Any, arrays: Mapping[str, NDArray[Any]], custom: Sequence[Any] = ()) -> Any:
    """What predicts as the model that `model_parts` took apart, without scikit-learn."""
    classes = custom_layers(custom)
    if kind == NETWORK:
        return network_from_state(state, arrays, classes)
    if kind not in (ESTIMATOR, TABULAR):
        raise ModelFileError(f"the file holds a {kind}, which predicts by scikit-learn: use rosenblatt.load.")
    from rosenblatt.persistence.predictors import estimator_predictor, tabular_predictor

    return estimator_predictor(state, arrays) if kind == ESTIMATOR else tabular_predictor(state, arrays)
