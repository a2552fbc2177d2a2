"""Checks of what one process sends to another: plain data and arrays of known types.

Takes parts of a state. Returns them, or raises a `ValueError` that says which part is wrong. Never loads code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["arrays_of", "require_array", "require_counts", "require_state"]


def require_state(valid: bool, what: str) -> None:
    """Refuse a state of which `what` is wrong."""
    if not valid:
        raise ValueError(f"the state of a summary is not of the known form: {what}")


def require_array(arrays: Mapping[str, Any], name: str, dtype: Any) -> NDArray[Any]:
    """The one-dimensional array with this name and type."""
    array = arrays.get(name)
    valid = isinstance(array, np.ndarray) and array.ndim == 1 and array.dtype == dtype
    require_state(valid, f"the array {name!r}")
    return np.array(array)


def require_counts(plain: Mapping[str, Any], *names: str) -> list[int]:
    """The numbers with these names, which are integers from 0 on."""
    for name in names:
        require_state(type(plain.get(name)) is int and plain[name] >= 0, f"the number {name!r}")
    return [plain[name] for name in names]


def arrays_of(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays whose names begin with a prefix, by the rest of their names."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
