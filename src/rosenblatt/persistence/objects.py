"""Parameters and attributes of models as JSON: plain values, and what the library's registries hold.

Takes a value, such as ``SGD(momentum=0.5)``. Returns
``{"optimizer": {"name": "sgd", "parameters": {"momentum": 0.5, ...}}}``, and from that an equal value. Never makes what
is not in a registry, and never stores a value that would not be read back equal.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from rosenblatt.nn.activations import FUNCTIONS
from rosenblatt.nn.initializers import INITIALIZERS
from rosenblatt.nn.losses import LOSSES
from rosenblatt.nn.optimizers import OPTIMIZERS
from rosenblatt.nn.registry import Registry
from rosenblatt.nn.schedules import SCHEDULES
from rosenblatt.storage.container import ModelFileError, decode_value, encode_value

__all__ = ["OBJECT_KINDS", "decode", "encode"]

REGISTRIES: dict[str, Registry[Any]] = {
    registry.kind: registry for registry in (OPTIMIZERS, SCHEDULES, INITIALIZERS, LOSSES, FUNCTIONS)
}
OBJECT_KINDS = (*REGISTRIES,)


def encode(value: Any, where: str) -> Any:
    """A value as JSON; see `rosenblatt.storage.values.encode_value`."""
    return encode_value(value, where, encode_object)


def decode(value: Any, *kinds: str) -> Any:
    """What `encode` was given; of the library's objects only those of these kinds, such as "optimizer", may be here."""
    return decode_value(value, {kind: partial(decode_object, REGISTRIES[kind]) for kind in kinds})


def encode_object(value: Any) -> dict[str, Any] | None:
    """The tagged state of an object of the library; None for everything else, a user's own classes included."""
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
