"""Activations, initializers, losses, optimizers and schedules as JSON: a tag, a name and parameters.

Goes in: an object of the library, such as ``SGD(momentum=0.5)``. Comes out:
``{"optimizer": {"name": "sgd", "parameters": {"momentum": 0.5, ...}}}``, and from that an equal object. It never makes
what is not in the library's tables, and never stores what would not come back equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from rosenblatt.nn import _registry
from rosenblatt.nn.activations import activation_from_state, activation_to_state
from rosenblatt.nn.initializers import Initializer, initializer_from_state, initializer_to_state
from rosenblatt.nn.losses import Loss, NamedLoss, loss_from_state, loss_to_state
from rosenblatt.nn.optimizers import OPTIMIZERS
from rosenblatt.nn.schedules import SCHEDULES
from rosenblatt.storage.container import ModelFileError, decode_value, encode_value, require_keys

__all__ = ["decode_object", "encode_object"]

TABLES: dict[str, Mapping[str, type[Any]]] = {"optimizer": OPTIMIZERS, "schedule": SCHEDULES}
"""Objects whose states are made here; those of the others are made next to their tables."""


def encode_object(value: Any) -> dict[str, Any] | None:
    """The tagged state of an object of the library; None for everything else, a user's own classes included."""
    try:
        tag, state = tagged(value)
        return {tag: state} if decode_object(tag, state) == value else None
    except (ValueError, TypeError, RecursionError):
        return None


def tagged(value: Any) -> tuple[str, dict[str, Any]]:
    """Tag and state; a ValueError for what is none of the library's."""
    for tag, table in TABLES.items():
        for name, kind in table.items():
            if type(value) is kind:
                settings = {f.name: encode_value(getattr(value, f.name), f.name) for f in fields(kind)}
                return tag, {"name": name, "parameters": settings}
    if isinstance(value, Initializer):
        return "initializer", initializer_to_state(value)
    if isinstance(value, NamedLoss):
        return "loss", loss_to_state(value)
    if isinstance(value, Loss):
        return "loss record", loss_to_state(value)
    return "activation", activation_to_state(value)


def decode_object(tag: str, state: Any) -> Any:
    """The object of a tagged state.

    Raises
    ------
    ModelFileError
        If there is no such object in the library, or its parameters are not valid.
    """
    try:
        if tag in TABLES:
            return from_table(tag, state)
        if tag == "initializer":
            return initializer_from_state(state)
        if tag == "activation":
            return activation_from_state(state)
        loss = loss_from_state(state)
        return loss.record if tag == "loss record" else loss
    except ModelFileError:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ModelFileError(f"the file holds no valid {tag}: {error}") from None


def from_table(tag: str, state: Any) -> Any:
    """An optimizer or a schedule, which may hold another schedule."""
    require_keys(state, {"name", "parameters"}, what=f"the {tag}")
    name, parameters = state["name"], state["parameters"]
    if not isinstance(name, str) or name not in TABLES[tag] or not isinstance(parameters, dict):
        raise ModelFileError(f"the file holds an unknown {tag}; known are {', '.join(TABLES[tag])}.")
    nested = ("schedule",) if tag == "schedule" else ()
    settings = {key: decode_value(value, nested) for key, value in parameters.items()}
    return _registry.create(tag, name, TABLES[tag][name], settings)
