"""Parameters and attributes of models as JSON: plain values, and what the library's registries hold.

Takes a value, such as ``SGD(momentum=0.5)``. Returns
``{"optimizer": {"name": "sgd", "parameters": {"momentum": 0.5, ...}}}``, and from that an equal value. Never makes what
is not in a registry, and never stores a value that would not be read back equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from rosenblatt.ir.recording import Recording
from rosenblatt.nn.activations import FUNCTIONS
from rosenblatt.nn.initializers import INITIALIZERS
from rosenblatt.nn.losses import LOSSES
from rosenblatt.nn.optimizers import OPTIMIZERS
from rosenblatt.nn.registry import Registry
from rosenblatt.nn.schedules import SCHEDULES
from rosenblatt.persistence.programs import recording_from_state, recording_state
from rosenblatt.storage.container import ModelFileError, decode_value, encode_value

__all__ = ["decode", "encode", "is_own"]

REGISTRIES: dict[str, Registry[Any]] = {
    registry.kind: registry for registry in (OPTIMIZERS, SCHEDULES, INITIALIZERS, LOSSES, FUNCTIONS)
}


OF_OPS = ("activation", "loss", "function")
"""Kinds that may be a function of the user's own, recorded as ops; a "function" is nothing else."""


def encode(value: Any, where: str, recordings: Mapping[int, Recording] = MappingProxyType({})) -> Any:
    """A value as JSON; see `rosenblatt.storage.values.encode_value`.

    `recordings` stand for functions of the user's own, by their ids.
    """
    return encode_value(value, where, lambda given: encode_object(recordings.get(id(given), given)))


def decode(value: Any, *kinds: str) -> Any:
    """What `encode` was given; of the library's objects only those of these kinds, such as "optimizer", may be here."""
    objects: dict[str, Any] = {kind: partial(decode_object, REGISTRIES[kind]) for kind in kinds if kind in REGISTRIES}
    if of_ops := [kind for kind in kinds if kind in OF_OPS]:
        objects["program"] = partial(recording_from_state, of_ops[0] if len(of_ops) == 1 else "function")
    return decode_value(value, objects)


def is_own(value: Any) -> bool:
    """Whether a value is a function that the library does not have."""
    return callable(value) and not isinstance(value, type) and encode_object(value) is None


def encode_object(value: Any) -> dict[str, Any] | None:
    """The tagged state of a recording or of an object of the library; None for everything else."""
    if isinstance(value, Recording):
        return {"program": recording_state(value)}
    for kind, registry in REGISTRIES.items():
        try:
            state = registry.to_state(value)
            if registry.from_state(state) == value:
                return {kind: state}
        except (ValueError, TypeError, RecursionError):
            continue
    return None


def decode_object(registry: Registry[Any], state: Any) -> Any:
    """The object of a state; a `ModelFileError` if the registry has none such, or its parameters are not valid."""
    try:
        return registry.from_state(state)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ModelFileError(f"the file holds no valid {registry.kind}: {error}") from None
