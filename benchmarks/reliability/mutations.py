"""Mutations of states, arrays, bytes and files.

Takes something whole and a generator of random numbers. Returns a changed copy, and what was changed.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.reliability.attempts import Rng
from rosenblatt.persistence.save_load import ModelFileError
from rosenblatt.storage.container import FORMAT_VERSION, digest, pack, unpack

__all__ = ["mutated", "mutated_bytes", "mutated_file"]

State = Any
JUNK: list[Any] = [None, True, False, 0, 1, -1, 3, 625, 2**31, 2**53, 2**63, 2**64, 2**70, 0.5, -0.0, 1e308, 1e-320, ""]
JUNK += ["relu", "x\0\ud800", "9" * 400, [], [0], [[]], [None], {}, {"a": 1}, {"float": "nan"}, {"float": "-inf"}]
JUNK += [{"float": "x"}, {"tuple": [1]}, {"dict": [[1, 2]]}, {"dict": [1]}, {"texts": 0}, {"records": {"a": [1, 2]}}]
JUNK += [{"array": [1, 2], "dtype": "int64"}, {"array": ["a"], "dtype": "object"}]


def places(state: State) -> list[tuple[Any, Any]]:
    """Every place in a nested state, as (container, key)."""
    keys = list(state) if isinstance(state, dict) else range(len(state)) if isinstance(state, list) else []
    return [place for key in keys for place in [(state, key), *places(state[key])]]


def mutated(state: State, rng: Rng) -> tuple[State, str]:
    """A copy with a change in one place: another value, type or range, an entry less or twice, a level more."""
    state = copy.deepcopy(state)
    container, key = (found := places(state))[rng.integers(len(found))]
    value, how = container[key], int(rng.integers(6))
    if how == 0 and isinstance(container, dict):
        del container[key]
        return state, f"without {key!r}"
    if how == 1 and isinstance(container, list):
        container.insert(key, copy.deepcopy(value))
        return state, f"item {key} twice"
    if how == 2 and type(value) in (int, float):
        container[key] = value * float(rng.choice([-1, 0, 1e-300, 1.5, 1e9, 1e300])) + int(rng.integers(-2, 3))
        container[key] = int(container[key]) if type(value) is int and abs(container[key]) < 1e30 else container[key]
    elif how == 3:
        container[key] = [value] if rng.random() < 0.5 else {"a": value}
    elif how == 4:
        other, elsewhere = found[rng.integers(len(found))]
        container[key] = copy.deepcopy(other[elsewhere]) if elsewhere in other or isinstance(other, list) else None
    else:
        container[key] = copy.deepcopy(JUNK[rng.integers(len(JUNK))])
    return state, f"{key!r} is {str(container[key])[:60]} instead of {str(value)[:60]}"


def mutated_arrays(arrays: dict[str, Any], rng: Rng) -> tuple[dict[str, Any], str]:
    """A copy in which one array is absent, of another shape, type or name, or holds extreme numbers."""
    arrays = {name: np.array(array) for name, array in arrays.items()}
    name = sorted(arrays)[rng.integers(len(arrays))]
    array, how = arrays[name], int(rng.integers(6))
    changes: list[Callable[[], Any]] = [
        lambda: arrays.pop(name),
        lambda: arrays.update({name: array.reshape(-1)[:-1].copy()}),
        lambda: arrays.update({name: array[None]}),
        lambda: arrays.update({name: array.astype([np.float32, np.float64, np.uint8][rng.integers(3)])}),
        lambda: arrays.update({name + "x": arrays.pop(name)}),
        lambda: array.reshape(-1).__setitem__(slice(0, 1 + int(rng.integers(3))), extreme(array, rng)),
    ]
    with np.errstate(all="ignore"):
        changes[how]()
    return arrays, f"array {name!r} changed in the way {how}"


def extreme(array: Any, rng: Rng) -> Any:
    """A number at the edge of what the array's type holds."""
    info: Any = np.finfo(array.dtype) if array.dtype.kind == "f" else np.iinfo(array.dtype)
    return rng.choice(np.array([info.max, info.min, 0, 1], array.dtype))


def mutated_bytes(data: bytes, rng: Rng) -> tuple[bytes, str]:
    """A copy that is cut off, or with a few other bytes."""
    if rng.random() < 0.3:
        length = int(rng.integers(len(data)))
        return data[:length], f"{length} of {len(data)} bytes"
    changed, place = bytearray(data), int(rng.integers(len(data)))
    changed[place : place + int(rng.integers(1, 9))] = rng.bytes(int(rng.integers(0, 9)))
    return bytes(changed), f"other bytes at {place}"


def forged(kind: str, state: State, arrays: dict[str, Any]) -> bytes:
    """What `pack` gives for a state, without its checks and with a right checksum: only validation can refuse it."""
    from safetensors.numpy import save

    config = json.dumps({"format": "rosenblatt model", "version": FORMAT_VERSION, "kind": kind, "state": state})
    return bytes(save(arrays, metadata={"rosenblatt": f"{digest(config, arrays)} {config}"}))


def mutated_file(data: bytes, rng: Rng, *, finite: bool) -> tuple[bytes, str]:
    """A file with a mutation of its state, its arrays or its bytes."""
    kind, state, arrays = unpack(data, finite=finite)
    choice = rng.random()
    if choice < 0.15:
        return mutated_bytes(data, rng)
    if choice < 0.3:
        arrays, what = mutated_arrays(arrays, rng)
    else:
        state, what = mutated(state, rng)
    if rng.random() < 0.5:
        return forged(kind, state, arrays), what
    try:
        return pack(kind, state, arrays, finite=finite), what
    except ModelFileError:
        return forged(kind, state, arrays), what
