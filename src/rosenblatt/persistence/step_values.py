"""Values of scikit-learn's transformers as JSON and tensors, and back.

Takes numbers, texts, arrays of any kind, lists of them, types. Returns a JSON-able entry, whose arrays of floats are
tensors of the file; and from that the value. NaN and infinity, which tensors of model files never hold, are marked in a
second tensor. Never makes objects: those are the caller's, by the function that it gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import is_count
from rosenblatt.storage.container import Arrays, ModelFileError, decode_value, encode_value

__all__ = ["StepReader", "StepWriter"]

TYPES: dict[str, Any] = {
    name: getattr(np, name)
    for name in (
        "bool_",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float32",
        "float64",
    )
}
"""Types that a parameter may be."""
BUILTINS = {bool: "bool_", int: "int64", float: "float64"}
"""What NumPy takes Python's types for."""
DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")
"""Names of array types; besides them, "object" and "str"."""
MARKS = (math.nan, math.inf, -math.inf)
"""What 1, 2 and 3 stand for in a tensor of marks."""
MAX_DEPTH = 8
MAX_GAPS = 1 << 20
"""Limit of numbers in the memory of a matrix, gaps included: so many, and 16 times its own."""
Encode = Callable[[Any, str], dict[str, Any] | None]
Decode = Callable[[str, Any], Any]


class StepWriter:
    """Makes entries, and collects the arrays that they name; `other` makes those of objects, or gives None."""

    def __init__(self, other: Encode = lambda value, where: None) -> None:
        self.arrays: Arrays = {}
        self.other = other

    def entry(self, value: Any, where: str) -> Any:
        """The entry of a value; a `ModelFileError` that begins with `where` if a file cannot hold it."""
        if isinstance(value, np.ndarray):
            return self._array(value, where)
        if hasattr(value, "to_numpy") and getattr(value, "ndim", 1) == 1:  # an index or a column of a data frame
            return self.entry(value.to_numpy().tolist(), where)
        if isinstance(value, np.dtype):
            return {"dtype": "str" if value.kind == "U" else value.name}
        if isinstance(value, type) and value in TYPES.values():
            return {"type": next(name for name, kind in TYPES.items() if kind is value)}
        if isinstance(value, type) and value in BUILTINS:
            return {"type": BUILTINS[value]}
        if isinstance(value, slice):
            return {"slice": [self.entry(part, where) for part in (value.start, value.stop, value.step)]}
        if isinstance(value, (list, tuple)):
            kind = "list" if isinstance(value, list) else "tuple"
            return {kind: [self.entry(item, where) for item in value]}
        if isinstance(value, dict):
            return {"dict": [[self.entry(k, where), self.entry(v, where)] for k, v in value.items()]}
        if (entry := self.other(value, where)) is not None:
            return entry
        return encode_value(value, where)

    def _array(self, value: NDArray[Any], where: str) -> Any:
        if value.dtype in (np.float32, np.float64) and value.ndim <= 2:
            return self._tensor(value)
        dtype = "str" if value.dtype.kind == "U" else value.dtype.name
        if dtype not in (*DTYPES, "object", "str") or value.ndim > 2:
            raise ModelFileError(f"{where} is an array of {value.dtype}, which a model file cannot hold.")
        cells = [self.entry(cell, where) for cell in value.reshape(-1).tolist()]
        return {"cells": cells, "dtype": dtype, "shape": list(value.shape)}

    def _tensor(self, value: NDArray[Any]) -> dict[str, Any]:
        name, finite = f"values/{len(self.arrays)}", np.isfinite(value)
        self.arrays[name] = np.where(finite, value, 0).astype(value.dtype)
        entry: dict[str, Any] = {"tensor": name}
        steps = [stride // value.itemsize for stride in value.strides]
        if value.ndim == 2 and steps != [value.shape[1], 1] and is_layout(steps, value.shape):
            entry["strides"] = steps  # by which products of matrices are rounded
        if finite.all():
            return entry
        marks = np.select([np.isnan(value), value > 0, value < 0], [1, 2, 3]) * ~finite
        self.arrays[f"{name}/marks"] = marks.astype(np.float32)
        return {**entry, "marks": f"{name}/marks"}


class StepReader:
    """Gives the values of entries; `other` those of objects, by the entry's tag. Each tensor is used once."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]], other: Decode | None = None) -> None:
        self.arrays, self.left, self.other = arrays, {*arrays}, other

    def value(self, entry: Any, depth: int = 0) -> Any:
        """The value; a `ModelFileError` for an entry that no writer makes."""
        if depth > MAX_DEPTH:
            raise ModelFileError("a value of a step is nested too deeply.")
        match entry:
            case {"tensor": str(name), **rest} if set(rest) <= {"marks", "strides"}:
                value = self._tensor(name, rest.get("marks"))
                return laid_out(value, rest["strides"]) if "strides" in rest else value
            case {"cells": list(cells), "dtype": str(dtype), "shape": list(shape), **rest} if not rest:
                return array_of([self.value(cell, depth + 1) for cell in cells], dtype, shape)
            case {"dtype": str(name), **rest} if not rest and name in (*DTYPES, "object", "str"):
                return np.dtype(name)
            case {"type": str(name), **rest} if not rest and name in TYPES:
                return TYPES[name]
            case {"slice": [start, stop, step], **rest} if not rest:
                return slice(*(self.value(part, depth + 1) for part in (start, stop, step)))
            case {"list": list(items), **rest} if not rest:
                return [self.value(item, depth + 1) for item in items]
            case {"tuple": list(items), **rest} if not rest:
                return tuple(self.value(item, depth + 1) for item in items)
            case {"dict": list(pairs), **rest} if not rest and all(isinstance(p, list) and len(p) == 2 for p in pairs):
                return {self.value(key, depth + 1): self.value(item, depth + 1) for key, item in pairs}
            case {**one} if len(one) == 1 and self.other is not None and "float" not in one:
                ((tag, content),) = one.items()
                return self.other(str(tag), content)
        return decode_value(entry)

    def take(self, name: str) -> NDArray[Any]:
        """A copy of a tensor that was not taken before."""
        if name not in self.left:
            raise ModelFileError(f"tensor {name[:80]!r} of a step is absent, or used twice.")
        self.left.remove(name)
        return np.array(self.arrays[name])

    def require_all_used(self) -> None:
        """Refuse tensors that nothing has taken."""
        if self.left:
            raise ModelFileError(f"tensor {min(self.left)[:80]!r} belongs to no step.")

    def _tensor(self, name: str, marks: Any) -> NDArray[Any]:
        value = self.take(name)
        if value.ndim > 2:
            raise ModelFileError(f"tensor {name[:80]!r} of a step has more than two axes.")
        if marks is None:
            return value
        marked = self.take(str(marks))
        if marked.shape != value.shape or not np.isin(marked, (0, 1, 2, 3)).all():
            raise ModelFileError(f"tensor {str(marks)[:80]!r} does not mark the numbers of another.")
        for mark, number in enumerate(MARKS, start=1):
            value[marked == mark] = number
        return value


def is_layout(steps: list[Any], shape: tuple[int, ...]) -> bool:
    """Whether rows or columns of a matrix can be so many numbers apart in memory, which may have gaps."""
    if len(steps) != 2 or len(shape) != 2 or 0 in shape or not all(type(step) is int for step in steps):
        return False
    apart = [*map(abs, steps)]
    near = apart.index(min(apart))
    rows, gap = shape[1 - near], apart[1 - near]
    return bool(apart[near] == 1 and gap >= shape[near] and gap * rows <= MAX_GAPS + 16 * math.prod(shape))


def laid_out(value: NDArray[Any], steps: Any) -> NDArray[Any]:
    """The same numbers, so many numbers apart in memory."""
    if not isinstance(steps, list) or not is_layout(steps, value.shape):
        raise ModelFileError("a tensor of a step has strides that it cannot have.")
    sizes = [*zip(steps, value.shape, strict=True)]
    memory = np.zeros(1 + sum(abs(step) * (size - 1) for step, size in sizes), value.dtype)
    first = memory[sum(-step * (size - 1) for step, size in sizes if step < 0) :]
    view = np.lib.stride_tricks.as_strided(first, value.shape, [step * value.itemsize for step in steps])
    view[...] = value
    return view


def array_of(cells: list[Any], dtype: str, shape: list[Any]) -> NDArray[Any]:
    """An array that is no tensor: of objects, texts, whole numbers or booleans."""
    if not all(is_count(size, 0) for size in shape) or len(shape) > 2 or math.prod(shape) != len(cells):
        raise ModelFileError("an array of a step does not have the size of its shape.")
    if dtype == "object":
        array = np.empty(len(cells), object)
        for i, cell in enumerate(cells):  # NumPy would make arrays of one length a matrix
            array[i] = cell
        return array.reshape(shape)
    return np.asarray(decode_value({"array": cells, "dtype": dtype})).reshape(shape)
