"""Whether two formulas or networks of threshold neurons compute the same function.

Takes formulas and networks. Returns a verdict about every assignment, with a counterexample if they differ. Never
samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .formulas import Formula, require_kind
from .network import ThresholdNetwork
from .truth import assignments, in_words, values_of

__all__ = ["Equivalence", "equivalent"]


@dataclass(frozen=True)
class Equivalence:
    """Whether two formulas have the same truth table. It is true as a condition if they have.

    Attributes
    ----------
    left, right : str
        The two, as text.
    equal : bool
    n_rows : int
        The number of assignments, all of which were compared.
    n_different : int
        The number of assignments on which the two differ.
    counterexample : dict of str to int, or None
        The first assignment on which they differ: values by variable.
    values : tuple of two bools, or None
        The values of the two on the counterexample.
    """

    left: str
    right: str
    n_rows: int
    n_different: int
    counterexample: dict[str, int] | None = None
    values: tuple[bool, bool] | None = None

    @property
    def equal(self) -> bool:
        """Whether they agree on every assignment."""
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

    Parameters
    ----------
    f, g : Formula or ThresholdNetwork
        With at most 20 variables in total.

    Returns
    -------
    Equivalence
        Usable as a condition. Printing it shows the first difference.

    Raises
    ------
    ValueError
        If there are more than 20 variables in total.
    TypeError
        If one argument is neither a formula nor a network.
    """
    for name, side in (("f", f), ("g", g)):
        require_kind(name, side, (Formula, ThresholdNetwork), "equivalent takes a Formula or a ThresholdNetwork")
    names = tuple(dict.fromkeys((*f.names, *g.names)))
    rows = assignments(names)
    a, b = truth_of(f, names, rows), truth_of(g, names, rows)
    left, right = (str(side) if isinstance(side, Formula) else f"the network of {side.formula}" for side in (f, g))
    different = np.flatnonzero(a != b)
    if not different.size:
        return Equivalence(left, right, len(rows), 0)
    at = different[0]
    counterexample = {name: int(bit) for name, bit in zip(names, rows[at], strict=True)}
    return Equivalence(left, right, len(rows), different.size, counterexample, (bool(a[at]), bool(b[at])))


def truth_of(side: Formula | ThresholdNetwork, names: tuple[str, ...], rows: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Truth values for rows with the columns `names`."""
    if isinstance(side, Formula):
        return values_of(side, names, rows)
    return side.predict(rows[:, [names.index(name) for name in side.names]]).astype(bool)
