"""Fitted `TabularClassifier` and `TabularRegressor` as plain data, and back.

Takes a fitted estimator. Returns a JSON-able state and arrays; or, from those, an estimator that predicts the same
bits, after the parts were checked against each other. Never keeps which rows each member held
out, except together with the training predictions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import is_count
from rosenblatt.estimators import TabularClassifier, TabularRegressor
from rosenblatt.estimators.tabular.architecture import Settings
from rosenblatt.estimators.tabular.explain.background import Background
from rosenblatt.estimators.tabular.member import Member
from rosenblatt.estimators.tabular.metrics import regression_of
from rosenblatt.estimators.tabular.parameters import OVERRIDES
from rosenblatt.persistence.limits import require_parts, require_predictions
from rosenblatt.persistence.networks import network_to_state
from rosenblatt.persistence.tabular_parts import (
    ARRAYS,
    FITTED,
    require_tabular,
    restore_fitted,
    restore_predictions,
    row_of_missing,
)
from rosenblatt.storage.container import Arrays, ModelFileError, decode_value, encode_value, errors_of, require_keys
from rosenblatt.storage.values import shown

__all__ = ["tabular_from_state", "tabular_state"]

KINDS: dict[str, Any] = {"TabularClassifier": TabularClassifier, "TabularRegressor": TabularRegressor}


def tabular_state(model: Any, training_predictions: bool = False) -> tuple[dict[str, Any], Arrays]:
    """State and arrays of a fitted estimator, with `out_of_fold_` or without.

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
    if training_predictions:
        arrays |= prediction_arrays(model)
    arrays |= {name.strip("_"): getattr(model, name) for name in ARRAYS[kind]}
    arrays |= {f"background/{name}": array for name, array in model.background_.to_arrays().items()}
    parameters = model.get_params(deep=False)
    seed = parameters["random_state"]
    del parameters["client"]  # it belongs to this process
    for name in ("on_epoch", "checkpoint", "memory_limit"):
        parameters[name] = None  # a file holds no code, and no path of its own machine
    parameters["cv"] = parameters["cv"] if is_count(parameters["cv"]) else None  # nor row numbers
    parameters["random_state"] = seed if isinstance(seed, (int, np.integer)) else None
    fitted = {name: getattr(model, name) for name in FITTED[kind] if hasattr(model, name)}
    state = {
        "class": kind,
        "parameters": {name: encode_value(value, f"parameter {name!r}") for name, value in parameters.items()},
        "fitted": {name: encode_value(value, f"attribute {name!r}") for name, value in fitted.items()},
        "preparation": model.preparation_.to_dict(),
        "settings": encode_value(asdict(ensemble.settings), "settings"),
        "members": encode_value(members, "members"),
        "networks": networks,
        "target_scaler": asdict(model.target_scaler_) if kind == "TabularRegressor" else None,
    }
    require_parts(networks, arrays)
    require_predictions(model, row_of_missing(model.preparation_))
    return state, arrays


@errors_of("an estimator of tables")
def tabular_from_state(state: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The estimator that `tabular_state` took apart; a `ModelFileError` if state and arrays do not describe one."""
    kind = require_tabular(state)
    model = KINDS[kind](**{name: decode_value(value) for name, value in state["parameters"].items()})
    require_valid_parameters(model)
    require_parts(state["networks"], arrays)
    restore_fitted(model, kind, state)
    require_fitted_parameters(model)
    restore_predictions(model, kind, state, arrays, restore_settings(decode_value(state["settings"])))
    background = {n.split("/", 1)[1]: a for n, a in arrays.items() if n.startswith("background/")}
    model.background_ = Background.from_arrays(background, model.preparation_)
    restore_training_predictions(model, arrays)
    require_predictions(model, row_of_missing(model.preparation_))
    return model


def restore_training_predictions(model: Any, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Set `out_of_fold_`, if the file holds it."""
    found, known = arrays.get("out_of_fold"), arrays.get("out_of_fold_known")
    if found is None and known is None:
        return
    if found is None or known is None or found.shape != known.shape:
        raise ModelFileError("the out-of-fold predictions do not fit together.")
    model.out_of_fold_ = np.where(known > 0, found.astype(np.float64), np.nan)
    model.ensemble_ = replace(model.ensemble_, members=with_held_out(model, arrays))


def prediction_arrays(model: Any) -> Arrays:
    """The out-of-fold predictions, and what each network held out."""
    if not hasattr(model, "out_of_fold_"):
        raise ModelFileError(
            f"this {type(model).__name__} holds no training predictions, because it was loaded from a file without "
            "them; save it without training_predictions=True."
        )
    found, known = model.out_of_fold_, np.isfinite(model.out_of_fold_)
    arrays: Arrays = {"out_of_fold": np.where(known, found, 0.0), "out_of_fold_known": known.astype(np.float32)}
    return arrays | held_out_arrays(model.ensemble_.members)


def held_out_arrays(members: Sequence[Member]) -> Arrays:
    """Which rows each network held out, and what it predicted for them; nothing where this is not known any more."""
    if not all(len(member.held_out) for member in members):
        return {}
    arrays: Arrays = {f"held_out/{i}": member.held_out.astype(np.float64) for i, member in enumerate(members)}
    return arrays | {f"held_out_predictions/{i}": member.predictions for i, member in enumerate(members)}


def with_held_out(model: Any, arrays: Mapping[str, NDArray[Any]]) -> tuple[Member, ...]:
    """The networks with the rows that each held out, if the file holds them."""
    members, n_rows = model.ensemble_.members, len(model.out_of_fold_)
    if not any(name.startswith("held_out") for name in arrays):
        return tuple(members)
    n_outputs = len(model.classes_) if hasattr(model, "classes_") else members[0].network.graph.n_outputs
    found = []
    for i, member in enumerate(members):
        rows, predictions = (arrays.get(f"{name}/{i}", np.empty(0)) for name in ("held_out", "held_out_predictions"))
        fits = rows.ndim == 1 and len(rows) > 0 and predictions.shape == (len(rows), n_outputs)
        if not fits or (rows < 0).any() or (rows >= n_rows).any() or len(np.unique(rows.astype(np.int64))) < len(rows):
            raise ModelFileError("the rows that the networks held out do not fit the out-of-fold predictions.")
        found.append(replace(member, held_out=rows.astype(np.int64), predictions=predictions))
    return tuple(found)


def require_valid_parameters(model: Any) -> None:
    """Refuse parameters that the constructor, or `fit` before it reads data, would refuse."""
    model.check_parameters()
    _ = model.settings
    if getattr(model, "quantiles", None) is not None:
        _ = regression_of(model.loss, model.quantiles)


def require_fitted_parameters(model: Any) -> None:
    """Refuse parameters of the fit that no fit leaves."""
    kind, given = type(model), model.fitted_parameters_
    if set(given) != set(kind.prediction_parameters):
        raise ModelFileError("the parameters of the fit are not those of the estimator.")
    require_valid_parameters(kind(**given))


def restore_settings(entry: Any) -> Settings:
    """Settings, each of the type of its default."""
    defaults = Settings()
    require_keys(entry, {field.name for field in fields(Settings)}, what="the entry on settings")
    for name, value in entry.items():
        kind = type(getattr(defaults, name))
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise ModelFileError(f"the setting {name} is {shown(value)}.")
    settings = Settings(**entry)
    given = {name: getattr(settings, setting) for name, setting in OVERRIDES.items()}
    require_valid_parameters(TabularRegressor(**given))
    return settings
