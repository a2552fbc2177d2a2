"""Checks of what users pass: numbers, durations, seeds, and arrays that belong together.

Takes a name, a value and what is allowed. Returns the value in the type that the caller needs, or raises a `ValueError`
that says what was given, what is allowed, and where. Never imports more than NumPy.
"""

from __future__ import annotations

import math
import numbers
import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from rosenblatt._suggestions import article

__all__ = [
    *("all_finite", "as_numbers", "check_count", "check_counts", "check_fields", "check_finite", "check_flag"),
    *("check_number", "check_range", "check_same_rows", "check_seed", "check_weights", "is_count", "is_number"),
    *("MAX_COUNT", "check_path", "narrow_weights", "parse_duration", "refusal", "row_blocks"),
]

DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smh]?)")
LARGEST = sys.float_info.max
MAX_COUNT = 2**53
"""No count of steps, epochs or rows is larger: up to here float64 holds every integer."""
BLOCK_BYTES = 1 << 22
"""Bytes of a large array that are looked at together."""
SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def is_number(value: Any) -> bool:
    """Whether it is a finite real number; True and False are not."""
    # Most values are of these types, which are quicker to test than abstract classes with their registries.
    is_real = type(value) in (int, float) or (isinstance(value, numbers.Real) and not isinstance(value, bool))
    if isinstance(value, np.floating):  # comparing it with a larger float64 would overflow
        return bool(np.isfinite(value))
    return is_real and bool(-LARGEST <= value <= LARGEST)  # no integer that float() refuses


def is_count(value: Any, low: int = 1) -> bool:
    """Whether it is an integer of at least `low`; True and False are not."""
    is_whole = type(value) is int or (isinstance(value, numbers.Integral) and not isinstance(value, bool))
    return is_whole and int(value) >= low


def check_number(
    name: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: bool = False,
    below: bool = False,
    whole: bool = False,
    where: str = "",
) -> float:
    """`value`, if it is a finite number in [low, high].

    `above` excludes `low`, `below` excludes `high`; with `whole` only whole numbers are allowed, such as 2 or 2.0. An
    error says "Dropout: rate is 1.5; it must be a number in [0, 1)", where "Dropout" is `where`.
    """
    plain = type(value) is float or type(value) is int  # nearly always; abstract classes take far longer
    if (plain and -LARGEST <= value <= LARGEST) or is_number(value):
        inside = (low < value or (value == low and not above)) and (value < high or (value == high and not below))
        if inside and (not whole or value == math.floor(value)):
            return float(value)
    kind = "a whole number" if whole else "a number"
    closed = high < math.inf and not below
    allowed = f"{kind} in {'(' if above else '['}{low:g}, {high:g}{']' if closed else ')'}"
    raise refusal(name, value, "a finite number" if low == -math.inf else allowed, where)


def check_flag(name: str, value: Any, where: str = "") -> bool:
    """`value`, if it is True or False, or the 1 or 0 that stand for them."""
    if isinstance(value, (bool, np.bool_)) or (is_count(value, 0) and value <= 1):
        return bool(value)
    raise refusal(name, value, "True or False", where)


def check_path(name: str, value: Any) -> str:
    """The text of a path, if it can be the name of a file; a `TypeError` for what is no text or path."""
    is_path = isinstance(value, (str, os.PathLike))
    text = os.fspath(value) if is_path else None
    if not isinstance(text, str):
        shown = repr(value) if value is None or isinstance(value, (bytes, int)) else article(type(value).__name__)
        raise TypeError(f"{name} is {shown}; it must be the name of a file, as a text or a pathlib.Path")
    if not text or "\0" in text:
        raise refusal(name, text, "the name of a file")
    return text


def check_fields(instance: object, *names: str, **limits: Any) -> None:
    """Check attributes as `check_number` does; the message names the class, and the instance if it has a name."""
    try:
        for name in names:
            check_number(name, getattr(instance, name), **limits)
    except ValueError as error:
        raise ValueError(f"{owner(instance)}: {error}") from None


def check_count(name: str, value: Any, low: int = 1, high: float = math.inf, *, where: str = "") -> int:
    """`value`, if it is an integer in [low, high]; by default a positive one."""
    if is_count(value, low) and value <= high:
        return int(value)
    limits = f"[{low}, {high:g}{']' if high < math.inf else ')'}"
    raise refusal(name, value, "a positive integer" if limits == "[1, inf)" else f"an integer in {limits}", where)


def check_counts(instance: object, *names: str) -> None:
    """Refuse attributes that are not positive integers, in the words of `check_fields`."""
    try:
        for name in names:
            check_count(name, getattr(instance, name))
    except ValueError as error:
        raise ValueError(f"{owner(instance)}: {error}") from None


def owner(instance: object) -> str:
    """The start of a message about an instance: its class and, where it was given one, its name."""
    name = getattr(instance, "__dict__", {}).get("name")
    return type(instance).__name__ + (f" {name!r}" if name else "")


def refusal(name: str, value: Any, allowed: str, where: str = "") -> ValueError:
    """The error of every check in this module."""
    return ValueError(f"{where}{': ' if where else ''}{name} is {value!r}; it must be {allowed}")


def parse_duration(name: str, value: Any, *, unitless: str = "seconds") -> float:
    """A time in seconds: a number of seconds, or a text such as "90", "90s", "1.5m" or "1h".

    `unitless` is what a number without a unit counts. If these are not seconds, it is refused: the caller reads it.
    """
    found = DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is not None:
        seconds, has_unit = float(found[1]) * SECONDS[found[2]], bool(found[2])
    else:
        seconds, has_unit = (float(value) if is_number(value) else 0.0), False
    if seconds > 0 and (has_unit or unitless == "seconds"):
        return seconds
    raise refusal(name, value, f"a positive number of {unitless}, or a time such as '90s', '5m' or '1h'")


def check_seed(name: str, value: Any) -> int | None:
    """`value`, if it is None or an integer that a 64-bit generator takes."""
    if value is None or (is_count(value, 0) and int(value) < 2**64):
        return None if value is None else int(value)
    raise refusal(name, value, "an integer in [0, 2**64), or None")


def check_same_rows(**arrays: Any) -> int:
    """The number of rows that all arrays have; those that are None are left out."""
    rows = {name: np.shape(array)[:1] for name, array in arrays.items() if array is not None}
    for name, shape in rows.items():
        if not shape:
            raise ValueError(f"{name} is a single value; it must be an array with a row per example")
    (first, (n_rows,)), *others = rows.items()
    for name, (found,) in others:
        if found != n_rows:
            raise ValueError(f"{first} has {n_rows} rows, but {name} has {found}; give one row of each per example")
    return int(n_rows)


def as_numbers(name: str, given: Any) -> npt.NDArray[Any]:
    """`given` as an array of real numbers (or truth values); one that is such an array already is not copied.

    Objects and texts are converted where each is a number. All else raises a `ValueError`: None, texts, dates, complex
    numbers, rows of different lengths.
    """
    if type(given) is np.ndarray and given.dtype.kind in "fiub":
        return given
    if given is None:
        raise ValueError(f"{name} is None; it must be an array of numbers")
    try:
        array = np.asarray(given)
    except ValueError:
        raise ValueError(f"{name} has rows of different lengths; it must be an array of numbers") from None
    if array.dtype.kind in "OUS":
        try:
            return array.astype(np.float64)
        except OverflowError:
            raise ValueError(f"{name} contains an integer that is too large for a float; scale it") from None
        except (TypeError, ValueError):
            wrong = next((item for item in array.ravel().tolist() if not is_numeral(item)), None)
            raise ValueError(f"{name} contains {wrong!r}; it must be an array of numbers") from None
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} has the type {array.dtype}; it must be an array of real numbers")
    return array


def is_numeral(item: Any) -> bool:
    """Whether `float` can read it."""
    try:
        float(item)
    except (TypeError, ValueError):
        return False
    return True


def row_blocks(array: npt.NDArray[Any]) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """The rows of an array in order, some MB at a time, each block with the number of its first row.

    What is computed from a block is small: an array in a memory-mapped file may be larger than memory.
    """
    n_rows = array.shape[0] if array.ndim and array.size else 1
    step = max(1, BLOCK_BYTES * n_rows // max(1, array.nbytes))
    if step >= n_rows:
        yield 0, array
        return
    for first in range(0, n_rows, step):
        yield first, array[first : first + step]


def all_finite(array: npt.NDArray[Any]) -> bool:
    """Whether an array of floats holds neither NaN nor infinity."""
    if array.nbytes <= BLOCK_BYTES:
        return bool(np.isfinite(array).all())
    return all(bool(np.isfinite(block).all()) for _, block in row_blocks(array))


def check_finite(name: str, array: Any) -> None:
    """Refuse NaN and infinity in an array or sparse matrix; the message names the place."""
    values = array.data if hasattr(array, "tocoo") else np.asarray(array)
    with np.errstate(all="ignore"):  # a finite sum, which is quick, has finite terms
        if values.dtype.kind != "f" or np.isfinite(values.sum()) or all_finite(values):
            return
    value, where = first_place(array, lambda values: ~np.isfinite(values))
    found = "NaN" if np.isnan(value) else value
    raise ValueError(f"{name} contains {found} in {where} (from 0); replace it or leave that row out")


def check_range(name: str, array: Any, dtype: npt.DTypeLike) -> None:
    """Refuse finite numbers of an array or sparse matrix that a float type cannot hold; the message names the place."""
    values, narrow = array.data if hasattr(array, "tocoo") else array, np.dtype(dtype)
    if values.dtype.kind != "f" or values.dtype.itemsize <= narrow.itemsize or values.size == 0:
        return
    limit = float(np.finfo(narrow).max)
    if not (values.max() > limit or values.min() < -limit):
        return
    if all((np.isinf(block) | (np.abs(block) <= limit)).all() for _, block in row_blocks(values)):
        return
    value, where = first_place(array, lambda values: np.isfinite(values) & (np.abs(values) > limit))
    raise ValueError(
        f"{name} contains {value:g} in {where} (from 0), which is too large for {narrow} (at most {limit:.2g}): scale "
        "it, or use dtype='float64'"
    )


def first_place(array: Any, find: Callable[[npt.NDArray[Any]], npt.NDArray[np.bool_]]) -> tuple[Any, str]:
    """The first number that `find` marks in an array or sparse matrix, and its place, such as "row 2, column 1"."""
    entries = array.tocoo() if hasattr(array, "tocoo") else None
    values = np.asarray(array) if entries is None else entries.data
    at = next(place for start, block in row_blocks(values) for place in first_marked(find(block), start))
    place = at if entries is None else (entries.row[at], entries.col[at])
    return values[at], ", ".join(
        f"{what} {i}" for what, i in zip(("row", "column", "axis 2", "axis 3"), place, strict=False)
    )


def first_marked(marks: npt.NDArray[np.bool_], start: int) -> list[tuple[int, ...]]:
    """The place of the first true value of a block that starts at this row, in a list; empty if there is none."""
    return [(int(at[0]) + start, *map(int, at[1:])) if len(at) else () for at in np.argwhere(marks)[:1]]


def check_weights(sample_weight: Any, n_rows: int, dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
    """Weights of rows, or one number for all of them, as an array of shape (n_rows,) and of the given dtype.

    There must be one finite weight of at least 0 for each row, and not all may be 0.
    """
    weights = as_numbers("sample_weight", sample_weight)
    check_range("sample_weight", weights, dtype)
    weights = weights.astype(dtype, copy=False)
    weights = np.full(n_rows, weights) if weights.ndim == 0 else weights
    if weights.shape != (n_rows,):
        raise ValueError(f"sample_weight has shape {weights.shape}; it must have one weight per row, shape ({n_rows},)")
    check_finite("sample_weight", weights)
    if (weights < 0).any():
        row = int(np.argmax(weights < 0))
        raise ValueError(f"sample_weight is {weights[row]:g} in row {row} (from 0); weights must be at least 0")
    if not weights.any():
        raise ValueError("sample_weight is zero in all rows; at least one weight must be positive")
    return weights


def narrow_weights(weights: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Checked weights as float32, relative to the largest one if they are too large or too small for it."""
    with np.errstate(over="ignore", under="ignore"):
        found = weights.astype(np.float32)
        fits = np.isfinite(found).all() and found.any()
        return found if fits else (weights / weights.max()).astype(np.float32)
