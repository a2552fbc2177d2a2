"""A truth table as a short disjunction of conjunctions.

Takes a truth table. Returns prime implicants that cover it, found greedily. Never promises the smallest cover.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["cubes_of"]


def cubes_of(truth: NDArray[np.bool_]) -> list[dict[int, bool]]:
    """Conjunctions whose disjunction has the given truth table.

    Parameters
    ----------
    truth : ndarray of bool, shape (2 ** n,)
        In the order of `rosenblatt.logic.truth.assignments`.

    Returns
    -------
    list of dict
        Each maps the index of an input to its required value.
    """
    n = truth.size.bit_length() - 1
    table = truth.reshape((2,) * n)
    open_rows = table.copy()
    cubes = []
    while open_rows.any():
        row = np.unravel_index(int(open_rows.argmax()), table.shape)
        cube = widened(table, open_rows, {i: bool(bit) for i, bit in enumerate(row)})
        open_rows[face(cube, n)] = False
        cubes.append(cube)
    return cubes


def widened(table: NDArray[np.bool_], open_rows: NDArray[np.bool_], cube: dict[int, bool]) -> dict[int, bool]:
    """The cube without its needless conditions, dropping first those whose removal covers the most open rows."""
    while True:
        smaller = [{j: bit for j, bit in cube.items() if j != i} for i in cube]
        smaller = [candidate for candidate in smaller if table[face(candidate, table.ndim)].all()]
        if not smaller:
            return cube
        cube = max(smaller, key=lambda candidate: int(open_rows[face(candidate, table.ndim)].sum()))


def face(cube: dict[int, bool], n: int) -> tuple[int | slice, ...]:
    """The index of those rows of the table on which a cube is true."""
    return tuple(int(cube[i]) if i in cube else slice(None) for i in range(n))
