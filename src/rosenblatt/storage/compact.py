"""Long lists in a state, stored in fewer bytes, and never as a bare count that a file could inflate.

Takes a JSON-able state. Returns it with its long lists of texts as bytes and offsets, which are tensors, and its long
lists of like entries as columns; and from that the state again. Each step says how much memory its result takes, so
that a file can be refused before it is expanded. Never changes a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.storage.values import ModelFileError

__all__ = ["TENSOR", "TEXT_TENSOR", "Allowance", "compact", "expand", "json_cost"]

Arrays = dict[str, NDArray[Any]]
LONG = 32
"""Lists of at least so many items are stored in another form."""
TEXT_TENSOR = r"texts/\d+/(bytes|ends)"
"""Names of the tensors of texts."""
TENSOR = 1000
"""About how many bytes of memory the name, shape and place of a tensor take."""
VALUE, LIST, ENTRY = 64, 72, 240
"""About how many bytes of memory a short text or a number with its place in a list, a list, and a dictionary take."""


class Allowance:
    """The memory that the values of a file may take besides its tensors: 40 MB, and as much as the file's size."""

    def __init__(self, file_bytes: int) -> None:
        self.left = (40 << 20) + file_bytes

    def spend(self, n_bytes: int) -> None:
        """Take so many bytes; a `ModelFileError` if they are more than what is left."""
        self.left -= n_bytes
        if self.left < 0:
            raise ModelFileError(
                "there are too many values for the size of the file: besides tensors, they may take 40 MB of memory "
                "and as much as the file itself."
            )


def json_cost(text: str | bytes) -> int:
    """About the most memory that parsing a JSON text takes: its copies, and a value for each separator."""
    signs: Any = (",", ":", "[", "{") if isinstance(text, str) else (b",", b":", b"[", b"{")
    commas, colons, lists, entries = (text.count(sign) for sign in signs)
    copies = (3 if text.isascii() else 9) * len(text)  # one emoji makes each character of a Python text take 4 bytes
    return copies + VALUE * (commas + colons) + LIST * lists + ENTRY * entries


def compact(value: Any, tensors: Arrays) -> tuple[Any, int]:
    """The value with its long lists in other forms, of which texts are added to `tensors`; and what expanding takes."""
    if isinstance(value, Mapping):
        if set(value) in ({"texts"}, {"records"}):
            raise ModelFileError(f"an entry may not have the name {next(iter(value))!r} alone.")
        parts = {key: compact(item, tensors) for key, item in value.items()}
        return {key: part for key, (part, _) in parts.items()}, sum(cost for _, cost in parts.values())
    if not isinstance(value, (list, tuple)):
        return value, 0
    if len(value) >= LONG and all(isinstance(item, str) for item in value):
        place = sum(name.startswith("texts/") for name in tensors) // 2
        encoded = [item.encode("utf-8", "surrogatepass") for item in value]
        joined = b"".join(encoded)
        tensors[f"texts/{place}/bytes"] = np.frombuffer(joined, np.uint8)
        tensors[f"texts/{place}/ends"] = np.cumsum([len(item) for item in encoded], dtype=np.int64)
        return {"texts": place}, cost_of_texts(len(value), len(joined))
    keys = set(value[0]) if len(value) >= LONG and isinstance(value[0], Mapping) else set()
    if keys and all(isinstance(item, Mapping) and set(item) == keys for item in value):
        parts = {key: compact([item[key] for item in value], tensors) for key in value[0]}
        cost = cost_of_records(len(value), len(keys)) + sum(cost for _, cost in parts.values())
        return {"records": {key: part for key, (part, _) in parts.items()}}, cost
    items = [compact(item, tensors) for item in value]
    return [item for item, _ in items], sum(cost for _, cost in items)


def expand(value: Any, tensors: Mapping[str, NDArray[Any]], allowance: Allowance) -> Any:
    """The value that `compact` was given; a `ModelFileError` if it needs too much memory or has another form."""
    if isinstance(value, list):
        return [expand(item, tensors, allowance) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"texts": place, **rest} if not rest:
            return read_texts(place, tensors, allowance)
        case {"records": {**columns}, **rest} if not rest and columns:
            expanded = [expand(column, tensors, allowance) for column in columns.values()]
            lengths = {len(column) if isinstance(column, list) else -1 for column in expanded}
            if len(lengths) > 1 or -1 in lengths:
                raise ModelFileError("the columns of a list of entries differ in length.")
            allowance.spend(cost_of_records(lengths.pop(), len(columns)))
            return [dict(zip(columns, row, strict=True)) for row in zip(*expanded, strict=True)]
    return {key: expand(item, tensors, allowance) for key, item in value.items()}


def read_texts(place: Any, tensors: Mapping[str, NDArray[Any]], allowance: Allowance) -> list[str]:
    """The list of texts with this number."""
    joined, ends = tensors.get(f"texts/{place}/bytes"), tensors.get(f"texts/{place}/ends")
    if joined is None or ends is None or joined.dtype != np.uint8 or ends.dtype != np.int64:
        raise ModelFileError(f"there is no list of texts with the number {str(place)[:20]!r}.")
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]]) if ends.ndim == 1 else ends
    if joined.ndim != 1 or ends.ndim != 1 or len(ends) < 1 or ends[-1] != len(joined) or (ends < starts).any():
        raise ModelFileError("the offsets of a list of texts do not fit its bytes.")
    allowance.spend(cost_of_texts(len(ends), len(joined)))
    whole = joined.tobytes()
    try:
        return [whole[a:b].decode("utf-8", "surrogatepass") for a, b in pairwise([0, *ends.tolist()])]
    except UnicodeDecodeError:
        raise ModelFileError("the bytes of a text are not UTF-8.") from None


def cost_of_texts(n_texts: int, n_bytes: int) -> int:
    """Bytes of memory: a text, its place, and its offset while it is read."""
    return (VALUE + 40) * n_texts + 2 * n_bytes


def cost_of_records(n_entries: int, n_keys: int) -> int:
    """Bytes of memory: a dictionary grows with its keys."""
    return n_entries * (ENTRY + 48 * n_keys)
