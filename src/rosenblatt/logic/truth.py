"""Truth tables: all assignments of some variables, and whether two formulas agree on them.

Goes in: formulas and networks of threshold neurons. Comes out: tables of 0 and 1, and verdicts. It never samples: a
verdict is about every assignment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .formulas import Formula

if TYPE_CHECKING:
    from .network import ThresholdNetwork

__all__ = ["MAX_VARIABLES", "Equivalence", "assignments", "equivalent", "in_words", "values_of"]

Array = NDArray[Any]
MAX_VARIABLES = 20
"""Variables of a whole truth table: a million rows."""


def assignments(names: tuple[str, ...]) -> NDArray[np.uint8]:
    """All assignments, shape (2 ** n, n): from 0...00 to 1...11, the first variable changing slowest.

    Raises
    ------
    ValueError
        If there are more than 20 variables.
    """
    n = len(names)
    if n > MAX_VARIABLES:
        raise ValueError(
            f"a truth table of {n} variables has 2 ** {n} rows; at most {MAX_VARIABLES} variables are gone through"
        )
    return (np.arange(2**n)[:, None] >> np.arange(n)[::-1] & 1).astype(np.uint8)


def values_of(formula: Formula, names: tuple[str, ...], rows: Array) -> NDArray[np.bool_]:
    """The formula's truth value for each row of 0 and 1, whose columns are the variables `names`."""
    columns = {name: rows[:, i].astype(bool) for i, name in enumerate(names)}
    return np.asarray(formula.evaluate(columns))


def in_words(names: Iterable[str], row: Array) -> str:
    """An assignment as text: a=0, b=1."""
    return ", ".join(f"{name}={int(bit)}" for name, bit in zip(names, row, strict=True))


@dataclass(frozen=True)
class Equivalence:
    """Whether two formulas have the same truth table. Counts as True where they have.

    Attributes
    ----------
    equal : bool
    n_rows : int
        Assignments that were compared: all of them.
    n_different : int
        Those on which the two differ.
    counterexample : dict of str to int, or None
        The first of them, by variable.
    values : tuple of two bools, or None
        What the two give there.
    """

    left: str
    right: str
    n_rows: int
    n_different: int
    counterexample: dict[str, int] | None = None
    values: tuple[bool, bool] | None = None

    @property
    def equal(self) -> bool:
        """Whether no assignment tells them apart."""
        return self.n_different == 0

    def __bool__(self) -> bool:
        return self.equal

    def __str__(self) -> str:
        if self.counterexample is None or self.values is None:
            return f"{self.left} and {self.right} agree on all {self.n_rows} assignments"
        where = in_words(self.counterexample, np.array(list(self.counterexample.values())))
        return (
            f"{self.left} and {self.right} differ on {self.n_different} of {self.n_rows} assignments, first for "
            f"{where}: {int(self.values[0])} and {int(self.values[1])}"
        )


def equivalent(f: Formula | ThresholdNetwork, g: Formula | ThresholdNetwork) -> Equivalence:
    """Compare two formulas or threshold networks on every assignment of all their variables.

    Returns
    -------
    Equivalence
        True or False as a condition; printed, it says why.

    Raises
    ------
    ValueError
        If there are more than 20 variables in all.
    TypeError
        If one of them is neither a formula nor a network.
    """
    left, right = side_of(f, "f"), side_of(g, "g")
    names = tuple(dict.fromkeys((*left.names, *right.names)))
    rows = assignments(names)
    a, b = truth_of(left, names, rows), truth_of(right, names, rows)
    different = np.flatnonzero(a != b)
    if not different.size:
        return Equivalence(title(left), title(right), len(rows), 0)
    at = different[0]
    counterexample = {name: int(bit) for name, bit in zip(names, rows[at], strict=True)}
    return Equivalence(title(left), title(right), len(rows), different.size, counterexample, (bool(a[at]), bool(b[at])))


def side_of(given: Any, name: str) -> Formula | ThresholdNetwork:
    """The argument, if it is something that has a truth table."""
    from .network import ThresholdNetwork

    if not isinstance(given, (Formula, ThresholdNetwork)):
        raise TypeError(
            f"{name} is {given!r}, a {type(given).__name__}; equivalent takes formulas and networks of them"
        )
    return given


def truth_of(side: Formula | ThresholdNetwork, names: tuple[str, ...], rows: Array) -> NDArray[np.bool_]:
    """Truth values for rows whose columns are `names`."""
    if isinstance(side, Formula):
        return values_of(side, names, rows)
    return side.predict(rows[:, [names.index(name) for name in side.names]]).astype(bool)


def title(side: Formula | ThresholdNetwork) -> str:
    """A short name of what is compared."""
    return str(side) if isinstance(side, Formula) else f"the network of {side.formula}"
