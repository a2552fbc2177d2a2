"""Truth tables: all assignments of some variables, and the values of formulas on them.

Takes formulas, names of variables, and rows of 0 and 1. Returns tables and truth values. Never samples: a table has a
row for every assignment.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .formulas import Formula

__all__ = ["MAX_VARIABLES", "assignments", "binary_rows", "in_words", "values_of"]

Array = NDArray[Any]
MAX_VARIABLES = 20
"""The most variables of a truth table, which then has a million rows."""


def assignments(names: tuple[str, ...]) -> NDArray[np.uint8]:
    """All assignments, shape (2 ** n, n): from 0...00 to 1...11, where the first variable changes slowest."""
    n = len(names)
    if n > MAX_VARIABLES:
        raise ValueError(
            f"a truth table of {n} variables has 2 ** {n} rows; at most {MAX_VARIABLES} variables are allowed"
        )
    return (np.arange(2**n)[:, None] >> np.arange(n)[::-1] & 1).astype(np.uint8)


def values_of(formula: Formula, names: tuple[str, ...], rows: Array) -> NDArray[np.bool_]:
    """The truth value of the formula for each row of 0 and 1; the columns are the variables `names`."""
    columns = {name: rows[:, i].astype(bool) for i, name in enumerate(names)}
    return np.asarray(formula.evaluate(columns))


def in_words(names: Iterable[str], row: Array) -> str:
    """An assignment as text: a=0, b=1."""
    return ", ".join(f"{name}={int(bit)}" for name, bit in zip(names, row, strict=True))


def binary_rows(X: Any, names: tuple[str, ...]) -> NDArray[np.int64]:
    """X as integers, after checking that it is a table of 0 and 1 with one column per name."""
    X = np.asarray(X)
    if X.ndim != 2 or X.shape[1] != len(names):
        raise ValueError(
            f"X has shape {X.shape}; it must have shape (n_rows, {len(names)}), with the columns {', '.join(names)}"
        )
    wrong = ~np.isin(X, (0, 1))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ValueError(
            f"X is {X[row, column]!s} in row {row} (from 0), column {names[column]!r}; allowed: 0 and 1, or False "
            "and True"
        )
    integers: NDArray[np.int64] = X.astype(np.int64)
    return integers
