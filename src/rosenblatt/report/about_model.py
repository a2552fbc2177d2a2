"""What a report says of the model itself: what it is, its networks, their training, its cost, how to make it again.

Takes the evidence. Returns dictionaries and lists. Never needs rows.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from rosenblatt import __version__
from rosenblatt.estimators.tabular.explain.shortened import short_name
from rosenblatt.estimators.tabular.scoring import ON_VALIDATION_ROWS, is_on_later_rows
from rosenblatt.ir.cost import program_cost
from rosenblatt.persistence.models import model_parts
from rosenblatt.report.evidence import Evidence
from rosenblatt.storage.container import ModelFileError, pack

__all__ = ["cost", "curves", "file", "model", "network", "reproduce", "training"]

MAX_CLASSES = 50
MAX_POINTS, ALL_POINTS, MIN_POINTS = 100, 200, 10
"""Of one curve at most, of all curves together, and of one curve at least."""
MAX_NETWORKS = 20
HIDDEN = {"verbose", "on_epoch", "checkpoint", "checkpoint_every", "memory_limit"}
"""Parameters that the model does not depend on."""


def model(evidence: Evidence) -> dict[str, Any]:
    """What kind of model it is, and what it predicts."""
    fitted = evidence.model
    classes = getattr(fitted, "classes_", None)
    task = "regression" if classes is None else "binary" if len(classes) == 2 else "multiclass"
    found: dict[str, Any] = {"kind": type(fitted).__name__, "version": __version__, "task": task}
    if fitted.target_name_ is not None:
        found["target"] = str(fitted.target_name_)
    if classes is not None:
        found["n_classes"] = len(classes)
        found["classes"] = [short_name(str(name)) for name in classes[:MAX_CLASSES]]
    elif (quantiles := fitted.fitted_parameter("quantiles")) is not None:
        found["quantiles"] = list(quantiles)
    return found


def curves(evidence: Evidence) -> list[dict[str, Any]]:
    """Training loss and held-out metric of each network, at the epochs in "epochs"."""
    members = evidence.model.ensemble_.members[:MAX_NETWORKS]
    most = max(MIN_POINTS, min(MAX_POINTS, ALL_POINTS // len(members)))
    found = []
    for number, member in enumerate(members, start=1):
        kept = thinned(len(member.curve), most, member.best_epoch - 1)
        losses, metrics = ([float(f"{member.curve[i][part]:.4g}") for i in kept] for part in (0, 1))
        entry = {"network": number, "epochs": [i + 1 for i in kept], "training_loss": losses, "held_out": metrics}
        found.append({**entry, "best_epoch": member.best_epoch})
    return found


def thinned(n: int, most: int, always: int) -> list[int]:
    """At most so many of n places, evenly spread: the first, the last, and one that is `always` there."""
    if n <= most:
        return list(range(n))
    spread = np.linspace(0, n - 1, most - 1).round().astype(int).tolist()
    return sorted({*spread, always})


def network(evidence: Evidence) -> dict[str, Any]:
    """The networks, and the layers of the first one."""
    ensemble = evidence.model.ensemble_
    first = ensemble.networks[0]
    arrays: dict[str, list[dict[str, Any]]] = {}
    for parameter in first.graph.parameters:
        entry = {"name": parameter.spec.name, "shape": list(parameter.spec.shape)}
        arrays.setdefault(parameter.layer, []).append(entry)
    layers = [
        {"layer": first.graph.names[node], "inputs": [first.graph.names[n] for n in node.inputs], "width": node.width}
        | ({"parameters": arrays[first.graph.names[node]]} if first.graph.names[node] in arrays else {})
        for node in first.graph.nodes
    ]
    return {
        "architecture": ensemble.architectures,
        "members": len(ensemble.members),
        "parameters": sum(int(one.parameters.size) for one in ensemble.networks),
        "layers": layers,
    }


def training(evidence: Evidence) -> dict[str, Any]:
    """How the networks were trained, and on which rows."""
    fitted = evidence.model
    ensemble, settings = fitted.ensemble_, fitted.ensemble_.settings
    found = {
        "rows": fitted.n_rows_,
        "distinct_rows": fitted.n_distinct_,
        "rows_without_target": fitted.n_dropped_,
        "scored": fitted.score_on_,
        "epochs": [len(member.curve) for member in ensemble.members],
        "best_epochs": [member.best_epoch for member in ensemble.members],
        "most_epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "learning_rate": settings.learning_rate,
        "weight_decay": settings.weight_decay,
        "dropout": settings.dropout,
        "interrupted": ensemble.interrupted,
    }
    if fitted.n_groups_ is not None:
        found["groups"] = fitted.n_groups_
    if hasattr(fitted, "temperature_"):
        found["temperature"] = fitted.temperature_
    return found


def cost(evidence: Evidence) -> dict[str, Any]:
    """What a prediction costs: operations for a row, and numbers that must be kept in memory."""
    networks = evidence.model.ensemble_.networks
    per_row = [program_cost(one.executable.plan.program) for one in networks]
    size = sum(int(one.parameters.nbytes) for one in networks)
    return {
        "operations_per_row": sum(one.operations + one.operations_per_row for one in per_row),
        "parameters": sum(int(one.parameters.size) for one in networks),
        "parameter_bytes": size,
    }


def file(evidence: Evidence) -> dict[str, Any] | None:
    """The size of the model's file, without training predictions."""
    try:
        return {"bytes": len(pack(*model_parts(evidence.model)))}
    except (ModelFileError, TypeError):  # such as a model whose seed or metric no file can hold
        return None


def reproduce(evidence: Evidence) -> dict[str, Any]:
    """The call that trains the model again, and what it depends on."""
    fitted = evidence.model
    kind, given = type(fitted), fitted.get_params(deep=False)
    defaults = kind().get_params(deep=False)
    changed = {k: v for k, v in given.items() if k not in HIDDEN and not equal(v, defaults[k])}
    parameters = ", ".join(f"{name}={written(value)}" for name, value in changed.items())
    named = fitted.target_name_ is not None
    arguments = ", ".join([*(("table", repr(fitted.target_name_)) if named else ("X", "y")), *roles_of(fitted)])
    code = f"from rosenblatt import {kind.__name__}\n\nmodel = {kind.__name__}({parameters})\nmodel.fit({arguments})\n"
    packages = {"numpy": "numpy", "scipy": "scipy", "scikit-learn": "scikit-learn"}
    versions = {"rosenblatt": __version__, "python": platform.python_version()}
    found: dict[str, Any] = {"code": code, "versions": versions | {k: version(v) for k, v in packages.items()}}
    seed = given["random_state"]
    if isinstance(seed, (int, np.integer)):
        found["seed"] = int(seed)
    if digest := getattr(fitted, "training_digest_", None):
        found["data"] = {"rows": fitted.n_rows_, "hash": digest}
    return found


def roles_of(fitted: Any) -> list[str]:
    """The arguments of `fit` besides rows and target, as far as the model knows of them."""
    found = []
    if fitted.n_groups_ is not None:
        found.append(f"groups={getattr(fitted, 'group_column_', None)!r}".replace("=None", "=groups"))
    if is_on_later_rows(fitted.score_on_):
        found.append("time=time")
    if fitted.score_on_ == ON_VALIDATION_ROWS:
        found.append("X_val=X_val, y_val=y_val")
    found += [f"id={fitted.id_columns_!r}"] if fitted.id_columns_ else []
    return found + (["drop_missing_target=True"] if fitted.n_dropped_ else [])


def equal(value: Any, default: Any) -> bool:
    """Whether a parameter has its default value."""
    return type(value) is type(default) and not isinstance(value, np.ndarray) and bool(value == default)


def written(value: Any) -> str:
    """A parameter as Python; what has no short form is named by its type."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, Sequence | dict | int | float | str) or value is None:
        text = repr(value)
        return text if len(text) <= 200 else f"...  # {type(value).__name__} of {len(value)}"  # type: ignore[arg-type]
    return repr(value) if type(value).__module__.startswith("sklearn.") else "..."
