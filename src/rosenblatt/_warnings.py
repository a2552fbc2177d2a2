"""Warnings that point to the user's code.

Takes a message. Issues a Python warning. Never points to a line of this package.
"""

from __future__ import annotations

import sys
import warnings

__all__ = ["warn_user"]


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the user's code, however deep inside scikit-learn or this package the caller is."""
    frame, depth = sys._getframe(1), 2
    between = ("rosenblatt", "sklearn", "functools")  # the last one computes cached properties
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in between:
        frame, depth = frame.f_back, depth + 1
    warnings.warn(message, category, stacklevel=depth)
