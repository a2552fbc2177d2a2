"""The file format: safetensors with one JSON text and a checksum in its metadata.

Goes in: a kind, a JSON-able state and named arrays. Comes out: bytes; and back, with everything checked that can be
checked without knowing the kind: format, version, checksum, dtypes, finiteness. It never executes what it reads, and
never allocates more than a small multiple of the file's size.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Container, Iterator, Mapping, Set
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._version import __version__

__all__ = [
    "FORMAT_VERSION",
    "ModelFileError",
    "decode_value",
    "encode_value",
    "errors_of",
    "pack",
    "require_keys",
    "unpack",
]

Arrays = dict[str, NDArray[Any]]
FORMAT = "rosenblatt model"
FORMAT_VERSION = 1
METADATA_KEY = "rosenblatt"
"""The only entry of the metadata (safetensors keeps no order of several): checksum, a blank, the JSON text."""
DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}
STATE_DTYPES = {**DTYPES, "U8": np.dtype("u1"), "U32": np.dtype("<u4"), "I64": np.dtype("<i8")}
"""What the arrays of a state may be, which need not be finite."""
ARRAY_ITEMS: dict[str, type] = {
    "bool": bool,
    **{f"{sign}int{bits}": int for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": float for bits in (16, 32, 64)},
    "str": str,
    "object": str,
}
"""The dtypes of arrays inside the JSON text, and what their items are there."""
DEPTH = 50
"""Levels of a value."""
STATE_DEPTH = 100
"""Levels of a whole state. The parser's own limit, the interpreter's stack, is too near for what comes after it."""


class ModelFileError(ValueError):
    """A file that is no model, is damaged, or contradicts itself; or a model that cannot be stored."""


@contextmanager
def errors_of(what: str) -> Iterator[None]:
    """Whatever goes wrong while `what` is built from a file is the file's fault."""
    try:
        with np.errstate(over="raise"):  # a number that its type cannot hold
            yield
    except ModelFileError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ModelFileError(f"the file does not describe {what}: {error}") from None


def pack(kind: str, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], *, finite: bool = True) -> bytes:
    """The file's bytes.

    Raises
    ------
    ModelFileError
        If an array holds NaN or infinity, and `finite` says that it must not: no such model is stored. If the state is
        nested too deeply.
    """
    from safetensors.numpy import save

    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    for name, array in tensors.items():
        if finite and not np.isfinite(array).all():
            raise ModelFileError(
                f"the model holds NaN or infinity in {name}; such a model is not saved. Train it again."
            )
    require_shallow(state)
    config = json.dumps(
        {"format": FORMAT, "version": FORMAT_VERSION, "written_by": __version__, "kind": kind, "state": state},
        allow_nan=False,
    )
    return bytes(save(tensors, metadata={METADATA_KEY: f"{digest(config, tensors)} {config}"}))


def unpack(data: bytes, *, finite: bool = True) -> tuple[str, Any, Arrays]:
    """Kind, state and arrays; where they need not be `finite`, they may also be integers.

    Raises
    ------
    ModelFileError
        If the bytes are not what `pack` wrote.
    """
    checksum, _, config_text = read_metadata(data).partition(" ")
    arrays = read_tensors(data, DTYPES if finite else STATE_DTYPES)
    if checksum != digest(config_text, arrays):
        raise ModelFileError("the checksum does not fit the content: the file is damaged or was changed.")
    config = parse_json(config_text)
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ModelFileError("this is a safetensors file, but no rosenblatt model.")
    if config.get("version") != FORMAT_VERSION:
        raise ModelFileError(
            f"the file has format version {config.get('version')!r}, written by rosenblatt "
            f"{config.get('written_by')!r}; this one reads version {FORMAT_VERSION}. Install a newer rosenblatt."
        )
    if not isinstance(config.get("kind"), str):
        raise ModelFileError("the file does not say what kind of model it holds.")
    require_shallow(config.get("state"))
    for name, array in arrays.items():
        if finite and not np.isfinite(array).all():
            raise ModelFileError(f"tensor {name!r} holds NaN or infinity.")
    return config["kind"], config.get("state"), arrays


def read_metadata(data: bytes) -> str:
    """The text in the header; the header is 8 bytes of length (little-endian) and that many bytes of JSON."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 10 or length > len(data) - 8 or data[8:9] != b"{":
        raise ModelFileError("this is no rosenblatt model, or it is cut off: there is no safetensors header.")
    header = parse_json(data[8 : 8 + length])
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    text = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise ModelFileError("this is a safetensors file, but no rosenblatt model.")
    return text


def read_tensors(data: bytes, dtypes: Mapping[str, np.dtype[Any]] = DTYPES) -> Arrays:
    """The tensors as arrays of the allowed types; safetensors checks offsets, overlaps and lengths."""
    from safetensors import SafetensorError, deserialize

    try:
        entries = deserialize(data)  # type: ignore[no-untyped-call]
    except (SafetensorError, ValueError, OverflowError) as error:
        raise ModelFileError(f"the file is damaged or cut off: {error}") from None
    arrays = {}
    for name, entry in entries:
        dtype = dtypes.get(entry["dtype"])
        if dtype is None:
            raise ModelFileError(f"tensor {name!r} is of type {entry['dtype']}; allowed are {', '.join(dtypes)}.")
        if math.prod(entry["shape"]) * dtype.itemsize != len(entry["data"]):
            raise ModelFileError(f"tensor {name!r} does not have the length of its shape {entry['shape']}.")
        arrays[name] = np.frombuffer(entry["data"], dtype).reshape(entry["shape"])
    return arrays


def digest(config: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of everything that means something, in an order that does not depend on the file's."""
    hashed = hashlib.sha256(config.encode("utf-8", "surrogatepass"))
    for name in sorted(arrays):
        array = arrays[name]
        hashed.update(f"\n{name!r} {array.dtype.str} {array.shape}\n".encode("utf-8", "surrogatepass"))
        hashed.update(np.ascontiguousarray(array).tobytes())
    return hashed.hexdigest()


def parse_json(text: str | bytes) -> Any:
    """JSON without NaN and infinity; everything a hostile text can do is a `ModelFileError`."""
    try:
        return json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError, MemoryError) as error:
        raise ModelFileError(f"the file's JSON is damaged: {type(error).__name__}.") from None


def refuse_constant(text: str) -> None:
    """NaN and Infinity are no JSON."""
    raise ValueError(text)


def require_shallow(state: Any) -> None:
    """Refuse a state of more than `STATE_DEPTH` levels, without recursion."""
    level = [state]
    for _ in range(STATE_DEPTH):
        nested = [list(item.values()) if isinstance(item, Mapping) else item for item in level]
        level = [item for items in nested if isinstance(items, (list, tuple)) for item in items]
        if not level:
            return
    raise ModelFileError("a value is nested too deeply.")


def require_keys(entry: Any, needed: set[str], optional: Set[str] = frozenset(), what: str = "the file") -> None:
    """Refuse anything but a dictionary with these keys."""
    if not isinstance(entry, dict) or not needed <= set(entry) <= needed | optional:
        raise ModelFileError(f"{what} lacks one of the entries {', '.join(sorted(needed))}, or has unknown ones.")


def encode_value(value: Any, where: str) -> Any:
    """A parameter or attribute as JSON: what JSON lacks becomes a dictionary of one tagged entry.

    Raises
    ------
    ModelFileError
        If a file cannot hold it, such as a function; the message begins with `where`.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, list):
        return [encode_value(item, where) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [encode_value(item, where) for item in value]}
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return {"array": [encode_value(item, where) for item in value], "dtype": array_dtype(value)}
    if isinstance(value, dict):
        return {"dict": [[encode_value(key, where), encode_value(item, where)] for key, item in value.items()]}
    if isinstance(value, np.dtype) or value in (np.float32, np.float64):
        return np.dtype(value).name
    if (tagged := encode_object(value)) is not None:
        return tagged
    if callable(value):
        raise ModelFileError(
            f"{where} is a function, {value!r}, and a model file holds no code. Use a named one, or pickle the model."
        )
    raise ModelFileError(
        f"{where} is a {type(value).__name__}, which a model file cannot hold. Use what the library has, or pickle the "
        "model."
    )


def encode_object(value: Any) -> dict[str, Any] | None:
    """See `rosenblatt.persistence.objects`, which needs all that networks are made of: imported where it is used."""
    from rosenblatt.persistence.objects import encode_object

    return encode_object(value)


def decode_value(value: Any, objects: Container[str] = (), depth: int = 0) -> Any:
    """What `encode_value` was given; a `ModelFileError` for anything that it does not write.

    Parameters
    ----------
    value : JSON
    objects : container of str
        Tags of the objects that may be here (see `rosenblatt.persistence.objects`), such as "optimizer".
    """
    if depth > DEPTH:
        raise ModelFileError("a value is nested too deeply.")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, list):
        return [decode_value(item, objects, depth + 1) for item in value]
    match value:
        case {"float": "nan" | "inf" | "-inf" as text, **rest} if not rest:
            return float(text)
        case {"tuple": list(items), **rest} if not rest:
            return tuple(decode_value(item, objects, depth + 1) for item in items)
        case {"dict": list(items), **rest} if not rest:
            return decode_pairs(items, objects, depth + 1)
        case {"array": list(items), "dtype": str(dtype), **rest} if not rest:
            return decode_array(items, dtype)
        case {**entry} if len(entry) == 1 and (tag := str(next(iter(entry)))) in objects:
            from rosenblatt.persistence.objects import decode_object

            return decode_object(tag, entry[tag])
    raise ModelFileError("a value has an unknown form.")


def decode_pairs(items: list[Any], objects: Container[str], depth: int) -> dict[Any, Any]:
    """A dictionary from its list of pairs."""
    pairs = [decode_value(item, objects, depth) for item in items]
    if not all(isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], (str, int, float)) for pair in pairs):
        raise ModelFileError("a dictionary has an unknown form.")
    return dict(pairs)


def array_dtype(array: NDArray[Any]) -> str:
    """The name of an array's dtype; that of texts without their length."""
    return "str" if array.dtype.kind == "U" else array.dtype.name


def decode_array(items: list[Any], dtype: str) -> NDArray[Any]:
    """A one-dimensional array of numbers, booleans or texts of one type."""
    item = ARRAY_ITEMS.get(dtype)
    if item is None or not all(type(value) is item for value in items):
        raise ModelFileError(f"an array of {dtype!r} holds other values.")
    try:
        return np.array(items, dtype=dtype)
    except OverflowError:
        raise ModelFileError(f"an array holds an integer that is no {dtype}.") from None
