"""The parts of a tabular estimator's file that predictions are made from: preparation, networks, target.

Takes state and arrays. Returns the parts, or sets them as attributes of a model, after they were checked against each
other. Never imports scikit-learn: what predicts alone needs none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import is_count
from rosenblatt.estimators.tabular.architecture import Settings
from rosenblatt.estimators.tabular.ensemble import Ensemble
from rosenblatt.estimators.tabular.member import Member
from rosenblatt.estimators.tabular.ordinal import from_cumulative
from rosenblatt.estimators.tabular.target_scaling import TargetScaler
from rosenblatt.nn.network import Network
from rosenblatt.persistence.limits import require_parts
from rosenblatt.persistence.networks import network_from_state
from rosenblatt.storage.container import Arrays, ModelFileError, decode_value, require_keys
from rosenblatt.storage.values import shown
from rosenblatt.tables.preparation import Preparation
from rosenblatt.tables.table import Column, Table

__all__ = ["ARRAYS", "FITTED", "require_tabular", "restore_fitted", "restore_predictions", "row_of_missing"]

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


def require_tabular(state: Any) -> str:
    """The name of the estimator, if the state is that of a known one."""
    require_keys(
        state, {"class", "parameters", "fitted", "preparation", "settings", "members", "networks", "target_scaler"}
    )
    if state["class"] not in FITTED or not isinstance(state["networks"], list) or not state["networks"]:
        raise ModelFileError("the file does not name a known estimator with its networks.")
    return str(state["class"])


def restore_fitted(model: Any, kind: str, state: Any) -> None:
    """Set the fitted attributes of a `kind` of estimator, each of which must be what it can be."""
    fitted = {name: decode_value(value) for name, value in state["fitted"].items()}
    require_keys(fitted, set(FITTED[kind]) - OPTIONAL, OPTIONAL, "the fitted part")
    for name, value in fitted.items():
        if not VALID[name](value):
            raise ModelFileError(f"attribute {name!r} is {str(value)[:80]}, which it cannot be.")
        setattr(model, name, value)
    if len(fitted.get("feature_names_in_", range(model.n_features_in_))) != model.n_features_in_:
        raise ModelFileError("feature_names_in_ must have one name per column.")


def restore_predictions(
    model: Any, kind: str, state: Any, arrays: Mapping[str, NDArray[Any]], settings: Settings
) -> None:
    """Set what a model with fitted attributes predicts with, after the parts were checked against each other."""
    require_parts(state["networks"], arrays)
    model.preparation_ = Preparation.from_dict(state["preparation"])
    require_names(model.preparation_, getattr(model, "feature_names_in_", None))
    parts = tensors_by_network(arrays, len(state["networks"]))
    networks = [network_from_state(entry, part) for entry, part in zip(state["networks"], parts, strict=True)]
    members = restore_members(decode_value(state["members"]), networks)
    decode = from_cumulative if model.fitted_parameters_.get("ordered", False) is not False else np.asarray
    model.ensemble_ = Ensemble(members, settings, getattr(model, "temperature_", 1.0), decode=decode)
    for name in ARRAYS[kind]:
        setattr(model, name, arrays[name.strip("_")].astype(np.float64))
    restore_target(model, kind, state["target_scaler"], networks[0].graph.n_outputs)
    require_inputs(model.preparation_, networks)


def require_names(preparation: Preparation, names: Any) -> None:
    """Refuse encoders that are not those of the used columns, and columns of other names than the model's."""
    used = [kind.name for kind in preparation.kinds if kind.used]
    if [encoder.name for encoder in preparation.encoders] != used:
        raise ModelFileError("the columns that are prepared are not those of a kind that is used.")
    if names is not None and [kind.name for kind in preparation.kinds] != list(map(str, names)):
        raise ModelFileError("the columns that are prepared are not those of feature_names_in_.")


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


def restore_target(model: Any, kind: str, scaler: Any, n_outputs: int) -> None:
    """Classes or scaler: they must fit the networks' outputs."""
    if kind == "TabularClassifier":
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
