"""Fitted `TabularClassifier` and `TabularRegressor` as plain data, and back.

Takes a fitted estimator. Returns a JSON-able state and arrays; or, from those, an estimator that predicts the same
bits, after the parts were checked against each other. Never keeps which rows each member held
out, except together with the training predictions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import is_count
from rosenblatt.estimators import TabularClassifier, TabularRegressor
from rosenblatt.estimators.tabular.architecture import Settings
from rosenblatt.estimators.tabular.ensemble import Ensemble
from rosenblatt.estimators.tabular.explain.background import Background
from rosenblatt.estimators.tabular.member import Member
from rosenblatt.estimators.tabular.metrics import regression_of
from rosenblatt.estimators.tabular.ordinal import from_cumulative
from rosenblatt.estimators.tabular.parameters import OVERRIDES
from rosenblatt.estimators.tabular.target_scaling import TargetScaler
from rosenblatt.nn.network import Network
from rosenblatt.persistence.limits import require_parts, require_predictions
from rosenblatt.persistence.networks import network_from_state, network_to_state
from rosenblatt.storage.container import Arrays, ModelFileError, decode_value, encode_value, errors_of, require_keys
from rosenblatt.storage.values import shown
from rosenblatt.tables.preparation import Preparation
from rosenblatt.tables.table import Column, Table

__all__ = ["tabular_from_state", "tabular_state"]

KINDS: dict[str, Any] = {"TabularClassifier": TabularClassifier, "TabularRegressor": TabularRegressor}
SHARED = (
    *("n_features_in_", "feature_names_in_", "target_name_", "target_check_", "fitted_parameters_", "n_distinct_"),
    *("n_rows_", "divides_copies_", "score_", "scores_", "trivial_guess_", "beats_guess_", "made_by_"),
    *("score_on_", "id_columns_", "n_groups_", "n_dropped_", "group_column_", "training_digest_"),
    *("n_scored_", "weight_column_", "weighted_", "guesses_"),
)
FITTED = {
    "TabularClassifier": (*SHARED, "classes_", "temperature_"),
    "TabularRegressor": (*SHARED, "one_target_"),
}
OPTIONAL = {
    *("feature_names_in_", "made_by_", "group_column_", "training_digest_"),
    *("n_scored_", "weight_column_", "weighted_", "guesses_"),
}
"""Attributes that not every model has: the command line says which of its commands made a model."""


def is_pair(value: Any) -> bool:
    """Whether it is a pair of numbers: a score and that of the trivial guess."""
    return isinstance(value, tuple) and len(value) == 2 and all(type(x) is float for x in value)


def is_guess(value: Any) -> bool:
    """Whether it is a name with numbers: what the best constant is, and its value for each output."""
    known = isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], tuple)
    return known and bool(value[1]) and all(type(x) is float for x in value[1])


VALID: dict[str, Callable[[Any], bool]] = {
    "n_features_in_": is_count,
    "feature_names_in_": lambda value: (
        isinstance(value, np.ndarray) and value.dtype == object and all(type(name) is str for name in value)
    ),
    "target_name_": lambda value: value is None or isinstance(value, (str, int, tuple)),
    "target_check_": lambda value: isinstance(value, str),
    "fitted_parameters_": lambda value: isinstance(value, dict),
    "n_distinct_": is_count,
    "n_rows_": is_count,
    "divides_copies_": lambda value: type(value) is bool,
    "score_": lambda value: type(value) is float,
    "scores_": lambda value: isinstance(value, dict) and bool(value) and all(map(is_pair, value.values())),
    "trivial_guess_": lambda value: isinstance(value, str),
    "beats_guess_": lambda value: type(value) is bool,
    "made_by_": lambda value: isinstance(value, str),
    "score_on_": lambda value: isinstance(value, str),
    "id_columns_": lambda value: isinstance(value, list) and all(isinstance(name, str) for name in value),
    "n_groups_": lambda value: value is None or is_count(value),
    "n_dropped_": lambda value: is_count(value, 0),
    "group_column_": lambda value: value is None or isinstance(value, str),
    "n_scored_": is_count,
    "weight_column_": lambda value: value is None or isinstance(value, str),
    "guesses_": lambda value: isinstance(value, dict) and all(map(is_guess, value.values())),
    "weighted_": lambda value: type(value) is bool,
    "training_digest_": lambda value: isinstance(value, str) and re.fullmatch(r"[0-9a-f]{40}", value) is not None,
    "classes_": lambda value: isinstance(value, np.ndarray) and len({*value.tolist()}) == len(value) > 1,
    "temperature_": lambda value: type(value) is float and 0.01 < value < 100,
    "one_target_": lambda value: type(value) is bool,
}
"""What the fitted attributes must be."""
ARRAYS = {"TabularClassifier": ("decision_weights_",), "TabularRegressor": ("residuals_",)}


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
    needed = {"class", "parameters", "fitted", "preparation", "settings", "members", "networks", "target_scaler"}
    require_keys(state, needed)
    kind = state["class"]
    if kind not in KINDS or not isinstance(state["networks"], list) or not state["networks"]:
        raise ModelFileError("the file does not name a known estimator with its networks.")
    model = KINDS[kind](**{name: decode_value(value) for name, value in state["parameters"].items()})
    require_valid_parameters(model)
    require_parts(state["networks"], arrays)
    fitted = {name: decode_value(value) for name, value in state["fitted"].items()}
    require_keys(fitted, set(FITTED[kind]) - OPTIONAL, OPTIONAL, "the fitted part")
    for name, value in fitted.items():
        if not VALID[name](value):
            raise ModelFileError(f"attribute {name!r} is {str(value)[:80]}, which it cannot be.")
        setattr(model, name, value)
    if len(fitted.get("feature_names_in_", range(model.n_features_in_))) != model.n_features_in_:
        raise ModelFileError("feature_names_in_ must have one name per column.")
    require_fitted_parameters(model)
    model.preparation_ = Preparation.from_dict(state["preparation"])
    require_names(model.preparation_, fitted.get("feature_names_in_"))
    background = {n.split("/", 1)[1]: a for n, a in arrays.items() if n.startswith("background/")}
    model.background_ = Background.from_arrays(background, model.preparation_)
    parts = tensors_by_network(arrays, len(state["networks"]))
    networks = [network_from_state(entry, part) for entry, part in zip(state["networks"], parts, strict=True)]
    members = restore_members(decode_value(state["members"]), networks)
    settings = restore_settings(decode_value(state["settings"]))
    decode = from_cumulative if model.fitted_parameters_.get("ordered", False) is not False else np.asarray
    model.ensemble_ = Ensemble(members, settings, getattr(model, "temperature_", 1.0), decode=decode)
    restore_training_predictions(model, arrays)
    for name in ARRAYS[kind]:
        setattr(model, name, arrays[name.strip("_")].astype(np.float64))
    restore_target(model, state["target_scaler"], networks[0].graph.n_outputs)
    require_inputs(model.preparation_, networks)
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


def require_names(preparation: Preparation, names: Any) -> None:
    """Refuse encoders that are not those of the used columns, and columns of other names than the model's."""
    used = [kind.name for kind in preparation.kinds if kind.used]
    if [encoder.name for encoder in preparation.encoders] != used:
        raise ModelFileError("the columns that are prepared are not those of a kind that is used.")
    if names is not None and [kind.name for kind in preparation.kinds] != list(map(str, names)):
        raise ModelFileError("the columns that are prepared are not those of feature_names_in_.")


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


def tensors_by_network(arrays: Mapping[str, NDArray[Any]], n_networks: int) -> list[Arrays]:
    """The tensors of each network, under their own names."""
    parts: list[Arrays] = [{} for _ in range(n_networks)]
    for name, array in arrays.items():
        number, slash, own = name.partition("/")
        if slash and re.fullmatch(r"0|[1-9]\d{0,8}", number) and int(number) < n_networks:
            parts[int(number)][own] = array
    return parts


def row_of_missing(preparation: Preparation) -> Table:
    """A row without any cell: numbers are prepared as their centers, so it is an ordinary one."""
    names = [encoder.name for encoder in preparation.encoders]
    return Table({name: Column(name, "text", np.array([-1], np.int32)) for name in names}, 1)


def restore_members(entries: Any, networks: list[Network]) -> tuple[Member, ...]:
    """Networks with the curves of their training."""
    if not isinstance(entries, list) or len(entries) != len(networks):
        raise ModelFileError("the file does not describe the training of each network.")
    members = []
    for entry, network in zip(entries, networks, strict=True):
        require_keys(entry, {"curve", "best_epoch"}, what="the entry on a member")
        curve, best = [(float(loss), float(metric)) for loss, metric in entry["curve"]], entry["best_epoch"]
        if not is_count(best) or best > len(curve):
            raise ModelFileError(f"the best epoch of a member is {shown(best)}, but it was trained for {len(curve)}.")
        nothing = np.empty((0, network.graph.n_outputs), network.dtype)
        members.append(Member(network, np.empty(0, np.int64), nothing, curve, best))
    return tuple(members)


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


def restore_target(model: Any, scaler: Any, n_outputs: int) -> None:
    """Classes or scaler: they must fit the networks' outputs."""
    if isinstance(model, TabularClassifier):
        n_classes = len(model.classes_)
        if n_classes != n_outputs + (model.fitted_parameters_["ordered"] is not False):
            raise ModelFileError(f"there are {n_classes} classes, but the networks have {n_outputs} outputs.")
        if (
            model.decision_weights_.shape != (n_classes,)
            or not ((model.decision_weights_ > 1e-6) & (model.decision_weights_ < 1e6)).all()
        ):
            raise ModelFileError("there is no positive decision weight for each class.")
        return
    model.target_scaler_ = TargetScaler.from_dict(scaler)
    require_range(model.target_scaler_)
    n_targets = len(model.target_scaler_.center)
    quantiles = model.fitted_parameters_["quantiles"]
    quantiles = () if quantiles is None else tuple(quantiles)
    if (len(quantiles) or n_targets) != n_outputs or len(model.target_scaler_.shifts) != len(quantiles):
        raise ModelFileError(f"there is a scaler of {n_targets} targets, but the networks have {n_outputs} outputs.")
    if model.residuals_.ndim != 2 or len(model.residuals_) < 2 or model.residuals_.shape[1] != n_outputs:
        raise ModelFileError("there are no out-of-fold errors for each output.")


def require_range(scaler: TargetScaler) -> None:
    """Refuse limits in the wrong order, and numbers of which `decode` takes the logarithm or which flip its sign."""
    ordered = all(low <= high for low, high in zip(scaler.lowest, scaler.highest, strict=True))
    positive = scaler.factor > 0 and (scaler.kind != "log" or scaler.highest[0] + scaler.offset > 0)
    if not ordered or not positive:
        raise ModelFileError("the units of the targets are out of range.")


def require_inputs(preparation: Preparation, networks: list[Network]) -> None:
    """Refuse networks that do not fit the prepared table."""
    widths = {"numbers": len(preparation.numbers), "indicators": len(preparation.indicators)}
    widths = {name: width for name, width in widths.items() if width}
    widths |= {f"codes{i}": n for i, n in enumerate(preparation.n_codes)}
    widths |= {f"words{i}": n for i, n in enumerate(preparation.n_words)}
    if any(network.graph.input_widths != widths for network in networks):
        raise ModelFileError("a network does not take what the table is prepared as.")
