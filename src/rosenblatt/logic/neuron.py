"""A single threshold neuron that computes a formula, or the proof that there is none.

Takes a formula or a truth table. Returns integer weights that were checked on every assignment, or raises
`NotSeparableError` with a certificate. Never builds layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .formulas import Formula, require_kind
from .makers import MAX_INPUTS
from .separability import Certificate, linear_separability
from .truth import assignments, binary_rows, values_of

__all__ = ["Neuron", "NotSeparableError", "integer_neuron", "single_neuron", "sum_text"]

Integers = NDArray[np.int64]
MAX_WEIGHT = 2000
"""The largest integer weight that is tried in place of the weights of the linear program."""


class NotSeparableError(ValueError):
    """No single neuron computes the formula.

    Attributes
    ----------
    formula : Formula
    certificate : Certificate
        A weighted mean of the true points that equals a weighted mean of the false points. `Certificate.verify`
        checks it.
    """

    def __init__(self, formula: Formula, certificate: Certificate) -> None:
        self.formula, self.certificate = formula, certificate
        super().__init__(
            f"no single neuron computes {formula}: {certificate.explain()} in the columns {', '.join(formula.names)}. "
            "A neuron would need this point on both sides of its threshold; threshold_network wires several neurons"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.formula, self.certificate)


@dataclass(frozen=True, eq=False)
class Neuron:
    """A threshold neuron: 1 where ``x @ weights + bias >= 0``, else 0.

    Attributes
    ----------
    formula : Formula
        The formula that it computes.
    names : tuple of str
        The names of its inputs.
    weights : ndarray of shape (n_inputs,)
        Integers, except for functions of many inputs if no integers up to 2,000 were found.
    bias : int or float
    """

    formula: Formula
    names: tuple[str, ...]
    weights: NDArray[Any]
    bias: float

    @property
    def threshold(self) -> float:
        """The least value of ``x @ weights`` at which the neuron fires: -bias."""
        return -self.bias

    def predict(self, X: Any) -> NDArray[np.int64]:
        """0 or 1 for each row of 0 and 1, shape (n_rows,)."""
        fires: NDArray[np.bool_] = binary_rows(X, self.names) @ self.weights + self.bias >= 0
        return fires.astype(np.int64)

    def __str__(self) -> str:
        return f"{self.formula} = [{sum_text(self.weights, self.names)} >= {self.threshold:g}]"


def single_neuron(formula: Formula) -> Neuron:
    """The threshold neuron that computes a formula of at most 12 variables.

    The weights come from the linear program of `linear_separability`, which finds the widest gap. They are rounded to
    the smallest integers that keep the proportions well enough to compute the formula.

    Parameters
    ----------
    formula : Formula
        With at most 12 variables.

    Returns
    -------
    Neuron
        With integers as weights and threshold.

    Raises
    ------
    NotSeparableError
        If there is no such neuron. The error holds the proof.
    ValueError
        If the formula has more than 12 variables.
    TypeError
        If `formula` is not a formula.
    """
    require_kind("formula", formula, Formula, "single_neuron takes a formula")
    if len(formula.names) > MAX_INPUTS:
        raise ValueError(
            f"{formula} has {len(formula.names)} variables; single_neuron takes at most {MAX_INPUTS}. "
            "Use threshold_network for more"
        )
    rows = assignments(formula.names)
    truth = values_of(formula, formula.names, rows)
    found = weights_for(rows, truth)
    if isinstance(found, Certificate):
        raise NotSeparableError(formula, found)
    return Neuron(formula, formula.names, *found)


def integer_neuron(rows: NDArray[np.uint8], truth: NDArray[np.bool_]) -> tuple[Integers, int] | None:
    """Integer weights and bias of a neuron with this truth table; None if there are none, or none were found."""
    cube = truth.reshape((2,) * rows.shape[1]).astype(np.int8)
    changes = [np.diff(cube, axis=axis) for axis in range(cube.ndim)]
    if any((change > 0).any() and (change < 0).any() for change in changes):  # a weight has one sign
        return None
    found = weights_for(rows, truth)
    if isinstance(found, Certificate) or not np.issubdtype(found[0].dtype, np.integer):
        return None
    return found[0], int(found[1])


def weights_for(rows: NDArray[np.uint8], truth: NDArray[np.bool_]) -> tuple[NDArray[Any], float] | Certificate:
    """Weights and bias of a neuron with this truth table, or the certificate that there is none."""
    if truth.all() or not truth.any():
        return np.zeros(rows.shape[1], np.int64), 0 if truth.all() else -1
    verdict = linear_separability(rows, truth)
    if verdict.certificate is not None:
        return verdict.certificate
    weights, intercept = verdict.weights, verdict.intercept
    assert weights is not None
    assert intercept is not None
    proportions = weights / np.abs(weights).max()
    for largest in range(1, MAX_WEIGHT + 1):
        integers = np.rint(proportions * largest).astype(np.int64)
        values = rows @ integers
        lowest_true = int(values[truth].min())
        if lowest_true > values[~truth].max():
            return integers, -lowest_true
    return weights, intercept


def sum_text(weights: NDArray[Any], names: tuple[str, ...]) -> str:
    """A weighted sum as text: 2 a - b."""
    terms = [(weight, name) for weight, name in zip(weights.tolist(), names, strict=True) if weight]
    if not terms:
        return "0"
    text = ""
    for weight, name in terms:
        sign = ("- " if weight < 0 else "+ ") if text else ("-" if weight < 0 else "")
        factor = "" if abs(weight) == 1 else f"{abs(weight):g} "
        text += f"{' ' if text else ''}{sign}{factor}{name}"
    return text
