"""A truth table as a short disjunction of conjunctions.

Takes a truth table. Returns prime implicants that cover it, found greedily. Never promises the smallest cover.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["cubes_of"]


def cubes_of(truth: NDArray[np.bool_]) -> list[dict[int, bool]]:
    """Conjunctions whose disjunction has the given truth table, with the rows of `rosenblatt.logic.truth.assignments`.

    Each maps the index of an input to its required value.
    """
    n = truth.size.bit_length() - 1
    table = truth.reshape((2,) * n)
    open_rows = table.copy()
    cubes = []
    while open_rows.any():
        row = np.unravel_index(int(open_rows.argmax()), table.shape)
        wider = [{i: bool(bit) for i, bit in enumerate(row)}]
        while wider:  # drop needless conditions, first those whose removal covers the most open rows
            cube = max(wider, key=lambda candidate: int(open_rows[face(candidate, n)].sum()))
            wider = [{j: bit for j, bit in cube.items() if j != i} for i in cube]
            wider = [candidate for candidate in wider if table[face(candidate, n)].all()]
        open_rows[face(cube, n)] = False
        cubes.append(cube)
    return cubes


def face(cube: dict[int, bool], n: int) -> tuple[int | slice, ...]:
    """The index of those rows of the table on which a cube is true."""
    return tuple(int(cube[i]) if i in cube else slice(None) for i in range(n))
