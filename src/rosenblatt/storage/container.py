"""The file format: safetensors with one JSON text and a checksum in its metadata.

Takes a kind, a JSON-able state and named arrays. Returns bytes; and from bytes the parts, after checks that do not
depend on the kind: format, version, checksum, dtypes, finiteness. Never executes what it reads, and never allocates
more than a small multiple of the file's size.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._version import __version__
from rosenblatt.storage.values import ModelFileError, decode_value, encode_value, errors_of, require_keys

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
"""The types of the arrays of a state, which need not be finite."""
MAX_STATE_DEPTH = 100
"""Levels of a whole state. The parser's own limit, the interpreter's stack, would leave too little for later steps."""


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
    """SHA-256 of the JSON text and the arrays, in an order that does not depend on the file's."""
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
    """Refuse a state of more than `MAX_STATE_DEPTH` levels, without recursion."""
    level = [state]
    for _ in range(MAX_STATE_DEPTH):
        nested = [list(item.values()) if isinstance(item, Mapping) else item for item in level]
        level = [item for items in nested if isinstance(items, (list, tuple)) for item in items]
        if not level:
            return
    raise ModelFileError("a value is nested too deeply.")
