"""Fitted `TabularClassifier` and `TabularRegressor` as plain data, and back.

Takes a fitted estimator. Returns a JSON-able state and arrays; or, from those, an estimator that predicts the same
bits, after the parts were checked against each other. Never keeps which rows each member held out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.estimators import TabularClassifier, TabularRegressor
from rosenblatt.estimators.tabular.architecture import Settings
from rosenblatt.estimators.tabular.ensemble import Ensemble
from rosenblatt.estimators.tabular.member import Member
from rosenblatt.estimators.tabular.ordinal import from_cumulative
from rosenblatt.estimators.tabular.target_scaling import TargetScaler
from rosenblatt.nn.network import Network
from rosenblatt.persistence.networks import network_from_state, network_to_state
from rosenblatt.storage.container import Arrays, ModelFileError, decode_value, encode_value, errors_of, require_keys
from rosenblatt.tables.preparation import Preparation

__all__ = ["tabular_from_state", "tabular_state"]

KINDS: dict[str, Any] = {"TabularClassifier": TabularClassifier, "TabularRegressor": TabularRegressor}
SHARED = (
    *("n_features_in_", "feature_names_in_", "target_name_", "fitted_parameters_"),
    *("score_", "scores_", "trivial_guess_", "beats_guess_", "made_by_"),
)
FITTED = {
    "TabularClassifier": (*SHARED, "classes_", "temperature_"),
    "TabularRegressor": (*SHARED, "one_target_"),
}
OPTIONAL = {"feature_names_in_", "made_by_"}
"""Attributes that not every model has: the command line says which of its commands made a model."""
ARRAYS = {"TabularClassifier": ("decision_weights_",), "TabularRegressor": ("residuals_",)}


def tabular_state(model: Any) -> tuple[dict[str, Any], Arrays]:
    """State and arrays of a fitted estimator.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    """
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(model, "ensemble_")
    kind, ensemble = type(model).__name__, model.ensemble_
    arrays: Arrays = {}
    networks, members = [], []
    for i, member in enumerate(ensemble.members):
        state, own = network_to_state(member.network)
        arrays |= {f"{i}/{name}": array for name, array in own.items()}
        networks.append(state)
        members.append({"curve": [list(row) for row in member.curve], "best_epoch": member.best_epoch})
    known = np.isfinite(model.out_of_fold_)
    arrays |= {"out_of_fold": np.where(known, model.out_of_fold_, 0.0), "out_of_fold_known": known.astype(np.float32)}
    arrays |= {name.strip("_"): getattr(model, name) for name in ARRAYS[kind]}
    parameters = model.get_params(deep=False)
    seed = parameters["random_state"]
    parameters["on_epoch"] = None  # a file holds no code
    parameters["random_state"] = seed if isinstance(seed, (int, np.integer)) else None
    fitted = {name: getattr(model, name) for name in FITTED[kind] if hasattr(model, name)}
    return {
        "class": kind,
        "parameters": {name: encode_value(value, f"parameter {name!r}") for name, value in parameters.items()},
        "fitted": {name: encode_value(value, f"attribute {name!r}") for name, value in fitted.items()},
        "preparation": model.preparation_.to_dict(),
        "settings": encode_value(asdict(ensemble.settings), "settings"),
        "members": encode_value(members, "members"),
        "networks": networks,
        "target_scaler": asdict(model.target_scaler_) if kind == "TabularRegressor" else None,
    }, arrays


@errors_of("an estimator of tables")
def tabular_from_state(state: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The estimator that `tabular_state` took apart; a `ModelFileError` if state and arrays do not describe one."""
    needed = {"class", "parameters", "fitted", "preparation", "settings", "members", "networks", "target_scaler"}
    require_keys(state, needed)
    kind = state["class"]
    if kind not in KINDS or not isinstance(state["networks"], list) or not state["networks"]:
        raise ModelFileError("the file does not name a known estimator with its networks.")
    model = KINDS[kind](**{name: decode_value(value) for name, value in state["parameters"].items()})
    model.check_parameters()
    fitted = {name: decode_value(value) for name, value in state["fitted"].items()}
    require_keys(fitted, set(FITTED[kind]) - OPTIONAL, OPTIONAL, "the fitted part")
    if not isinstance(fitted.get("made_by_", ""), str):
        raise ModelFileError("the file does not say what made the model.")
    for name, value in fitted.items():
        setattr(model, name, value)
    check_fitted(model)
    model.preparation_ = Preparation.from_dict(state["preparation"])
    networks = [
        network_from_state(entry, {n.split("/", 1)[1]: a for n, a in arrays.items() if n.startswith(f"{i}/")})
        for i, entry in enumerate(state["networks"])
    ]
    members = restore_members(decode_value(state["members"]), networks)
    settings = restore_settings(decode_value(state["settings"]))
    decode = from_cumulative if model.fitted_parameters_.get("ordered", False) is not False else np.asarray
    model.ensemble_ = Ensemble(members, settings, getattr(model, "temperature_", 1.0), decode=decode)
    found, known = arrays["out_of_fold"].astype(np.float64), arrays["out_of_fold_known"]
    if found.shape != known.shape:
        raise ModelFileError("the out-of-fold predictions do not fit together.")
    model.out_of_fold_ = np.where(known > 0, found, np.nan)
    for name in ARRAYS[kind]:
        setattr(model, name, arrays[name.strip("_")].astype(np.float64))
    restore_target(model, state["target_scaler"], networks[0].graph.n_outputs)
    require_inputs(model.preparation_, networks)
    return model


def check_fitted(model: Any) -> None:
    """Refuse parameters of the fit, and scores, that no fit leaves."""
    kind, given, scores = type(model), model.fitted_parameters_, model.scores_
    if not isinstance(given, dict) or set(given) != set(kind.prediction_parameters):
        raise ModelFileError("the parameters of the fit are not those of the estimator.")
    kind(**given).check_parameters()
    pairs = list(scores.values()) if isinstance(scores, dict) else []
    if not pairs or not all(isinstance(p, tuple) and len(p) == 2 and all(type(x) is float for x in p) for p in pairs):
        raise ModelFileError("the scores are not pairs of numbers.")
    if not isinstance(model.trivial_guess_, str) or not isinstance(model.beats_guess_, bool):
        raise ModelFileError("the file does not say what the scores are compared with.")


def restore_members(entries: Any, networks: list[Network]) -> tuple[Member, ...]:
    """Networks with the curves of their training."""
    if not isinstance(entries, list) or len(entries) != len(networks):
        raise ModelFileError("the file does not describe the training of each network.")
    members = []
    for entry, network in zip(entries, networks, strict=True):
        require_keys(entry, {"curve", "best_epoch"}, what="the entry on a member")
        curve = [(float(loss), float(metric)) for loss, metric in entry["curve"]]
        nothing = np.empty((0, network.graph.n_outputs), network.dtype)
        members.append(Member(network, np.empty(0, np.int64), nothing, curve, int(entry["best_epoch"])))
    return tuple(members)


def restore_settings(entry: Any) -> Settings:
    """Settings, each of the type of its default."""
    defaults = Settings()
    require_keys(entry, {field.name for field in fields(Settings)}, what="the entry on settings")
    for name, value in entry.items():
        kind = type(getattr(defaults, name))
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise ModelFileError(f"the setting {name} is {value!r}.")
    return Settings(**entry)


def restore_target(model: Any, scaler: Any, n_outputs: int) -> None:
    """Classes or scaler: they must fit the networks' outputs."""
    if isinstance(model, TabularClassifier):
        n_classes, temperature = len(model.classes_), model.temperature_
        if n_classes != n_outputs + (model.fitted_parameters_["ordered"] is not False) or not (
            isinstance(temperature, float) and 0 < temperature < math.inf
        ):
            raise ModelFileError(f"there are {n_classes} classes, but the networks have {n_outputs} outputs.")
        if model.decision_weights_.shape != (n_classes,) or not (model.decision_weights_ > 0).all():
            raise ModelFileError("there is no positive decision weight for each class.")
        return
    model.target_scaler_ = TargetScaler.from_dict(scaler)
    n_targets = len(model.target_scaler_.center)
    quantiles = model.fitted_parameters_["quantiles"]
    quantiles = () if quantiles is None else tuple(quantiles)
    if (len(quantiles) or n_targets) != n_outputs or len(model.target_scaler_.shifts) != len(quantiles):
        raise ModelFileError(f"there is a scaler of {n_targets} targets, but the networks have {n_outputs} outputs.")
    if model.residuals_.ndim != 2 or len(model.residuals_) < 2 or model.residuals_.shape[1] != n_outputs:
        raise ModelFileError("there are no out-of-fold errors for each output.")


def require_inputs(preparation: Preparation, networks: list[Network]) -> None:
    """Refuse networks that do not fit the prepared table."""
    widths = {"numbers": len(preparation.numbers), "indicators": len(preparation.indicators)}
    widths = {name: width for name, width in widths.items() if width}
    widths |= {f"codes{i}": n for i, n in enumerate(preparation.n_codes)}
    widths |= {f"words{i}": n for i, n in enumerate(preparation.n_words)}
    if any(network.graph.input_widths != widths for network in networks):
        raise ModelFileError("a network does not take what the table is prepared as.")
