"""What a fitted attribute of a transformer can be.

Takes a value that was read from a file, and the sizes that are known of the transformer: `n` is the number of its input
columns, and each check may add sizes of its own. Returns whether the value can be. Never changes values.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

import numpy as np

from rosenblatt._checks import is_count

__all__ = [
    "Check",
    "Sizes",
    "cells",
    "columns",
    "count",
    "dtype",
    "each",
    "either",
    "flag",
    "floats",
    "integers",
    "levels",
    "mask",
    "masks",
    "maybe",
    "missing_places",
    "number",
    "text",
    "vocabulary",
    "whole",
]

Sizes = dict[str, int]
Check = Callable[[Any, Sizes], bool]


def floats(*dims: str, gaps: bool = False) -> Check:
    """An array of floats whose axes have sizes of these names: equal names, equal sizes. `gaps`: NaN and infinity."""

    def check(value: Any, sizes: Sizes) -> bool:
        return (
            isinstance(value, np.ndarray)
            and value.dtype in (np.float32, np.float64)
            and value.ndim == len(dims)
            and all(sizes.setdefault(dim, size) == size for dim, size in zip(dims, value.shape, strict=True))
            and (gaps or bool(np.isfinite(value).all()))
        )

    return check


def integers(dim: str) -> Check:
    """A vector of whole numbers of at least 0."""

    def check(value: Any, sizes: Sizes) -> bool:
        kind = isinstance(value, np.ndarray) and value.dtype.kind in "iu" and value.ndim == 1
        return kind and sizes.setdefault(dim, len(value)) == len(value) and not (value < 0).any()

    return check


def columns(value: Any, sizes: Sizes) -> bool:
    """Different numbers of input columns, rising."""
    return integers("chosen")(value, sizes) and bool((np.diff(value) > 0).all() and (value < sizes["n"]).all())


def cells(value: Any, sizes: Sizes) -> bool:
    """A vector of values of any type, one for each column."""
    return isinstance(value, np.ndarray) and value.shape == (sizes["n"],) and value.dtype.kind in "OUfiub"


def masks(value: Any, sizes: Sizes) -> bool:
    """Booleans for each row and column of the training data."""
    shape = (sizes.setdefault("rows", len(value)), sizes["n"]) if isinstance(value, np.ndarray) else None
    return shape is not None and value.shape == shape and value.dtype == bool


def mask(value: Any, sizes: Sizes) -> bool:
    """A boolean for each column."""
    return isinstance(value, np.ndarray) and value.shape == (sizes["n"],) and value.dtype == bool


def each(check: Check) -> Check:
    """A list, or an array of objects, with such a value for each column."""
    return lambda value, sizes: (
        (isinstance(value, list) or (isinstance(value, np.ndarray) and value.dtype == object and value.ndim == 1))
        and len(value) == sizes["n"]
        and all(check(item, {}) for item in value)
    )


def maybe(check: Check) -> Check:
    """None, or such a value."""
    return lambda value, sizes: value is None or check(value, sizes)


def either(*checks: Check) -> Check:
    """What one of the checks allows."""
    return lambda value, sizes: any(check(value, sizes) for check in checks)


def levels(value: Any, sizes: Sizes) -> bool:
    """Categories of a column: numbers that rise, where NaN is the last, or texts, numbers and None in any order."""
    if not (isinstance(value, np.ndarray) and value.ndim == 1 and len(value) > 0 and value.dtype.kind in "OUfiub"):
        return False
    if value.dtype == object:
        return all(cell is None or isinstance(cell, (str, int, float)) for cell in value)
    numbers = value[:-1] if value.dtype.kind == "f" and np.isnan(value[-1]) else value
    return value.dtype.kind == "U" or bool((numbers[:-1] < numbers[1:]).all())


def count(value: Any, sizes: Sizes) -> bool:
    """A number of at least 0 that is whole in principle."""
    return type(value) in (int, float) and isfinite(value) and value >= 0


def whole(value: Any, sizes: Sizes) -> bool:
    """A whole number of at least 0."""
    return is_count(value, 0)


def number(value: Any, sizes: Sizes) -> bool:
    """A finite number."""
    return type(value) in (int, float) and isfinite(value)


def flag(value: Any, sizes: Sizes) -> bool:
    """True or False."""
    return type(value) is bool


def text(value: Any, sizes: Sizes) -> bool:
    """A text."""
    return isinstance(value, str)


def dtype(value: Any, sizes: Sizes) -> bool:
    """A type of arrays."""
    return isinstance(value, np.dtype)


def vocabulary(value: Any, sizes: Sizes) -> bool:
    """Terms with the numbers of their columns, from 0 without gaps."""
    if not isinstance(value, dict) or not all(isinstance(term, str) for term in value):
        return False
    return all(is_count(place, 0) for place in value.values()) and sorted(value.values()) == [*range(len(value))]


def missing_places(value: Any, sizes: Sizes) -> bool:
    """Columns with a category for missing cells, and its number."""
    return isinstance(value, dict) and all(is_count(k, 0) and k < sizes["n"] and is_count(value[k], 0) for k in value)
