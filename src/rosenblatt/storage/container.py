"""The file format: safetensors with one JSON text and a checksum in its metadata.

Takes a kind, a JSON-able state and named arrays. Returns bytes; and from bytes the parts, after checks that do not
depend on the kind: format, version, checksum, dtypes, finiteness. Never executes what it reads. Besides the file's own
bytes, of which the arrays are views, it never allocates more than 40 MB and once the file's size: every count is
checked against the bytes behind it before anything is made. Long lists of texts are tensors of bytes and offsets.
Whole numbers of any size, which JSON holds as digits, stay exact. The numbers of tensors are little-endian in a file,
whatever the processor or the array, and in the processor's own order once they are read.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._version import __version__
from rosenblatt.storage.compact import TENSOR, TEXT_TENSOR, Allowance, compact, expand, json_cost
from rosenblatt.storage.values import ModelFileError, decode_value, encode_value, errors_of, require_keys, shown

__all__ = [
    "FORMAT_VERSION",
    "ModelFileError",
    "decode_value",
    "encode_value",
    "errors_of",
    "pack",
    "parse_json",
    "require_keys",
    "unpack",
]

Arrays = dict[str, NDArray[Any]]
FORMAT = "rosenblatt model"
FORMAT_VERSION = 2
METADATA_KEY = "rosenblatt"
"""The only entry of the metadata (safetensors keeps no order of several): checksum, a blank, the JSON text."""
DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}
STATE_DTYPES = {**DTYPES, "U8": np.dtype("u1"), "U32": np.dtype("<u4"), "I64": np.dtype("<i8")}
"""The types of the arrays of a state, which need not be finite."""
MAX_RANK = 8
"""Axes of a tensor."""
MAX_STATE_DEPTH = 100
"""Levels of a whole state. The parser's own limit, the interpreter's stack, would leave too little for later steps."""


def pack(kind: str, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], *, finite: bool = True) -> bytes:
    """The file's bytes.

    Raises
    ------
    ModelFileError
        If an array holds NaN or infinity, and `finite` says that it must not: no such model is stored. If the state is
        nested too deeply, or holds more values than a file of its size may.
    """
    from safetensors.numpy import save

    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    for name, array in tensors.items():
        if finite and not np.isfinite(array).all():
            raise ModelFileError(
                f"the model holds NaN or infinity in {name}; such a model is not saved. Train it again."
            )
    require_shallow(state)
    state, cost = compact(state, tensors)
    tensors = {name: array.astype(array.dtype.newbyteorder("<"), copy=False) for name, array in tensors.items()}
    entry = {"format": FORMAT, "version": FORMAT_VERSION, "written_by": __version__, "kind": kind, "state": state}
    try:
        config = json.dumps(entry, allow_nan=False)
    except ValueError as error:  # such as a whole number of more than 4,300 digits
        raise ModelFileError(f"the model holds a value that a file cannot: {error}") from None
    data = bytes(save(tensors, metadata={METADATA_KEY: f"{digest(config, tensors)} {config}"}))
    allowance = Allowance(len(data))
    read_header(data, allowance, "rosenblatt model")  # as it will be read
    allowance.spend(json_cost(config) + cost)
    return data


def unpack(
    data: bytes, *, finite: bool = True, what: str = "rosenblatt model", kinds: Collection[str] = ()
) -> tuple[str, Any, Arrays]:
    """Kind, state and arrays; where they need not be `finite`, they may also be integers.

    The arrays are views of `data`, or copies in the processor's order of bytes where that is another. Errors call the
    file `what`; its kind must be one of `kinds`, if any are given.

    Raises
    ------
    ModelFileError
        If the bytes are not what `pack` wrote.
    """
    allowance = Allowance(len(data))
    header, start = read_header(data, allowance, what)
    checksum, _, config_text = metadata_of(header, what).partition(" ")
    arrays = read_tensors(header, memoryview(data)[start:])
    if checksum != digest(config_text, arrays):
        raise ModelFileError("the checksum does not fit the content: the file is damaged or was changed.")
    allowance.spend(json_cost(config_text))
    config = parse_json(config_text)
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ModelFileError(f"this is a safetensors file, but not a {what}.")
    if type(config.get("version")) is not int or config["version"] != FORMAT_VERSION:
        raise ModelFileError(
            f"the file has format version {shown(config.get('version'))}, written by rosenblatt "
            f"{shown(config.get('written_by'))}; this one reads version {FORMAT_VERSION}. Use the version that wrote "
            "it."
        )
    if not isinstance(config.get("kind"), str):
        raise ModelFileError(f"the file does not say what kind of {what} it holds.")
    if kinds and config["kind"] not in kinds:
        raise ModelFileError(f"this holds a {shown(config['kind'])}, not a {what}.")
    require_shallow(config.get("state"))
    state = expand(config.get("state"), arrays, allowance)
    require_shallow(state)
    arrays = {name: array for name, array in arrays.items() if not re.fullmatch(TEXT_TENSOR, name)}
    arrays = {name: array.astype(array.dtype.newbyteorder("="), copy=False) for name, array in arrays.items()}
    for name, array in arrays.items():
        if finite and array.dtype not in DTYPES.values():
            raise ModelFileError(f"tensor {shown(name)} is of type {array.dtype}; allowed are {', '.join(DTYPES)}.")
        if finite and not np.isfinite(array).all():
            raise ModelFileError(f"tensor {shown(name)} holds NaN or infinity.")
    return config["kind"], state, arrays


def read_header(data: bytes, allowance: Allowance, what: str) -> tuple[dict[str, Any], int]:
    """The header, and where the tensors start. It is 8 bytes of length (little-endian) and that many bytes of JSON."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 10 or length > len(data) - 8 or data[8:9] != b"{":
        raise ModelFileError(f"this is not a {what}, or it is cut off: there is no safetensors header.")
    text = data[8 : 8 + length]
    Allowance(len(data)).spend(json_cost(text))  # by itself: most of its signs are in one text, which is parsed later
    header = parse_json(text)
    if not isinstance(header, dict):
        raise ModelFileError(f"this is a safetensors file, but not a {what}.")
    allowance.spend(TENSOR * len(header))
    return header, 8 + length


def metadata_of(header: dict[str, Any], what: str) -> str:
    """Checksum and JSON text, which are taken out of the header."""
    metadata = header.pop("__metadata__", None)
    text = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise ModelFileError(f"this is a safetensors file, but not a {what}.")
    return text


def read_tensors(header: Mapping[str, Any], data: memoryview) -> Arrays:
    """The tensors as views of the data; they must be of known types and fill the data without gap or overlap.

    (The library's own reader copies each tensor, and so needs the memory of the file once more.)
    """
    places: list[tuple[int, int, str]] = []
    for name, entry in header.items():
        require_keys(entry, {"dtype", "shape", "data_offsets"}, what=f"tensor {shown(name)}")
        if not isinstance(entry["dtype"], str) or entry["dtype"] not in STATE_DTYPES:
            dtype = shown(str(entry["dtype"]))[1:-1]
            raise ModelFileError(f"tensor {shown(name)} is of type {dtype}; known are {', '.join(STATE_DTYPES)}.")
        shape, offsets = entry["shape"], entry["data_offsets"]
        if not is_sizes(shape) or len(shape) > MAX_RANK or not is_sizes(offsets) or len(offsets) != 2:
            raise ModelFileError(f"tensor {shown(name)} has no shape of up to {MAX_RANK} axes, or no place.")
        if math.prod(shape) * STATE_DTYPES[entry["dtype"]].itemsize != offsets[1] - offsets[0]:
            raise ModelFileError(f"tensor {shown(name)} does not have the length of its shape {shown(shape)}.")
        places.append((*offsets, name))
    position, arrays = 0, {}
    for begin, end, name in sorted(places):
        if begin != position or end > len(data):
            raise ModelFileError(f"the file is damaged or cut off: tensor {shown(name)} is not where it should be.")
        form = STATE_DTYPES[header[name]["dtype"]]
        arrays[name] = np.frombuffer(data[begin:end], form).reshape(header[name]["shape"])
        position = end
    if position != len(data):
        raise ModelFileError("the file is damaged or cut off: something follows the last tensor.")
    return arrays


def is_sizes(entry: Any) -> bool:
    """Whether it is a list of numbers that can be sizes."""
    return isinstance(entry, list) and all(type(size) is int and 0 <= size < 2**63 for size in entry)


def digest(config: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of the JSON text and the arrays, in an order that does not depend on the file's."""
    hashed = hashlib.sha256(config.encode("utf-8", "surrogatepass"))
    for name in sorted(arrays):
        array = arrays[name]
        hashed.update(f"\n{name!r} {array.dtype.str} {array.shape}\n".encode("utf-8", "surrogatepass"))
        hashed.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)  # its memory, without a copy
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
