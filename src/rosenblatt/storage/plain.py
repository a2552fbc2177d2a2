"""Values as JSON writes them for people and programs that know nothing of Python.

Takes any value. Returns dictionaries, lists, texts, numbers, booleans and None, from which the original cannot be made
again; `rosenblatt.storage.values` is for that. Never returns a number that is not finite.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["plain"]


def plain(value: Any) -> Any:
    """NumPy's values as Python's; what JSON does not know, such as a date, as text."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
