"""The features of the page: functions of the two coordinates.

Takes points of shape (n_rows, 2) and names of features. Returns the network's inputs as float32, a column for each.
Never scales anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEATURES", "Feature", "feature_columns"]


@dataclass(frozen=True)
class Feature:
    """A feature: its title on the page, a line of explanation, and its formula in NumPy, of x1 and x2."""

    title: str
    help: str
    formula: str


FEATURES: dict[str, Feature] = {
    "x1": Feature("x₁", "The first coordinate.", "x1"),
    "x2": Feature("x₂", "The second coordinate.", "x2"),
    "x1_squared": Feature("x₁²", "Large on the left and on the right.", "x1**2"),
    "x2_squared": Feature("x₂²", "Large at the top and at the bottom.", "x2**2"),
    "x1_x2": Feature("x₁x₂", "Positive in two opposite quarters: by itself it solves the exclusive or.", "x1 * x2"),
    "sin_x1": Feature("sin x₁", "Waves from left to right.", "np.sin(x1)"),
    "sin_x2": Feature("sin x₂", "Waves from bottom to top.", "np.sin(x2)"),
}
"""The features by name."""

FUNCTIONS = {
    "x1": lambda x1, x2: x1,
    "x2": lambda x1, x2: x2,
    "x1_squared": lambda x1, x2: x1**2,
    "x2_squared": lambda x1, x2: x2**2,
    "x1_x2": lambda x1, x2: x1 * x2,
    "sin_x1": lambda x1, x2: np.sin(x1),
    "sin_x2": lambda x1, x2: np.sin(x2),
}


def feature_columns(points: NDArray[np.float64], names: Sequence[str]) -> NDArray[np.float32]:
    """The features called `names`, side by side; shape (n_rows, len(names))."""
    x1, x2 = points.T
    columns = [FUNCTIONS[name](x1, x2) for name in names]
    return np.column_stack([*columns, np.empty((len(points), 0))]).astype(np.float32)
