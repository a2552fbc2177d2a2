"""Values as JSON: what JSON lacks becomes a dictionary of one tagged entry.

Takes plain values, and a codec for other objects. Returns values that JSON can hold; and from those the original ones,
with every form checked. Never makes an object without a codec for it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ModelFileError", "decode_value", "encode_value", "errors_of", "is_text", "require_keys", "shown"]

ARRAY_ITEMS: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    **{f"{sign}int{bits}": (int,) for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": (float,) for bits in (16, 32, 64)},
    "str": (str,),
    "object": (str, int, bool),
}
"""The dtypes of arrays inside the JSON text, and what their items are there."""
MAX_DEPTH = 50
"""Levels of a value."""
WASTE, SMALL = 16, 1 << 20
"""An array of texts, each of which takes the space of the longest, may take so many times their bytes, or 1 MB."""


MAX_MESSAGE, MAX_QUOTED = 1000, 300
"""Signs of a message on a file, and of another's message in it, which may quote the file."""


class ModelFileError(ValueError):
    """A file that is not a model, is damaged, or contradicts itself; or a model that cannot be stored."""


def shown(value: Any, length: int = 80) -> str:
    """A value as an error shows it: in Python's form, without signs that a terminal obeys, and cut off."""
    text = repr(value[: length + 1]) if isinstance(value, str) else str(value)[: length + 1]
    text = "".join(sign if sign.isprintable() else " " for sign in text)
    return text if len(text) <= length else f"{text[: length - 3]}..."


def is_text(value: Any) -> bool:
    """Whether it is a text that can be written: of whole signs, no halves of surrogate pairs."""
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)


@contextmanager
def errors_of(what: str) -> Iterator[None]:
    """Whatever goes wrong while `what` is built from a file is the file's fault."""
    try:
        with np.errstate(over="raise"):  # a number that its type cannot hold
            yield
    except ModelFileError:
        raise
    except KeyError as error:
        raise ModelFileError(f"the file does not describe {what}: it lacks the entry {shown(error)}") from None
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ModelFileError(f"the file does not describe {what}: {shown(error, MAX_QUOTED)}") from None


def require_keys(entry: Any, needed: set[str], optional: Set[str] = frozenset(), what: str = "the file") -> None:
    """Refuse anything but a dictionary with these keys."""
    if not isinstance(entry, dict) or not needed <= set(entry) <= needed | optional:
        raise ModelFileError(f"{what} lacks one of the entries {', '.join(sorted(needed))}, or has unknown ones.")


def encode_value(
    value: Any, where: str, encode_object: Callable[[Any], dict[str, Any] | None] = lambda value: None
) -> Any:
    """A value as JSON; a `ModelFileError` that begins with `where` if a file cannot hold it, such as a function.

    `encode_object` returns the tagged state, ``{tag: state}``, of an object that is no plain value, or None.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, list):
        return [encode_value(item, where, encode_object) for item in value]
    if isinstance(value, tuple):
        return {"tuple": encode_value(list(value), where, encode_object)}
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind == "M":
        return {"dates": value.astype(str).tolist()}
    if isinstance(value, np.ndarray) and value.ndim == 1:
        dtype = "str" if value.dtype.kind == "U" else value.dtype.name  # of texts without their length
        items = [item.item() if isinstance(item, np.generic) else item for item in value.tolist()]
        wrong = [
            item for item in items if type(item) not in ARRAY_ITEMS.get(dtype, ()) or item in (math.inf, -math.inf)
        ]
        if wrong or any(item != item for item in items):
            raise ModelFileError(f"{where} is an array of {dtype}, with cells that a model file cannot hold.")
        return {"array": items, "dtype": dtype}
    if isinstance(value, dict):
        return {"dict": encode_value([list(pair) for pair in value.items()], where, encode_object)}
    if isinstance(value, np.dtype) or (isinstance(value, type) and value in (np.float32, np.float64)):
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


Decoders = Mapping[str, Callable[[Any], Any]]


def decode_value(value: Any, objects: Decoders = MappingProxyType({}), depth: int = 0) -> Any:
    """What `encode_value` was given; a `ModelFileError` for anything that it does not write.

    `objects` maps the tags of the objects that may be here, such as "optimizer", to functions of their states.
    """
    if depth > MAX_DEPTH:
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
            pairs = [decode_value(item, objects, depth + 1) for item in items]
            if all(isinstance(p, list) and len(p) == 2 and isinstance(p[0], (str, int, float)) for p in pairs):
                return dict(pairs)
            raise ModelFileError("a dictionary has an unknown form.")
        case {"dates": list(items), **rest} if not rest and all(isinstance(item, str) for item in items):
            dates = np.array(items, dtype="datetime64")  # whole days, or with times
            if not np.isnat(dates).any():
                return dates
        case {"array": list(items), "dtype": str(dtype), **rest} if not rest:
            return decode_array(items, dtype)
        case {**entry} if len(entry) == 1 and (tag := str(next(iter(entry)))) in objects:
            return objects[tag](entry[tag])
    raise ModelFileError("a value has an unknown form.")


def decode_array(items: list[Any], dtype: str) -> NDArray[Any]:
    """A one-dimensional array of numbers, booleans or texts of one type.

    Texts of very different lengths become an array of objects: the longest one would set the size of all.
    """
    kinds = ARRAY_ITEMS.get(dtype)
    if kinds is None or not all(type(value) in kinds for value in items):
        raise ModelFileError(f"an array of {shown(dtype)} holds other values.")
    if dtype == "str":
        longest, total = max(map(len, items), default=0), sum(map(len, items))
        if 4 * longest * len(items) > max(SMALL, WASTE * total):
            dtype = "object"
    try:
        return np.array(items, dtype=dtype)
    except OverflowError:
        raise ModelFileError(f"an array holds an integer that is no {dtype}.") from None
