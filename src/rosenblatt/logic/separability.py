"""Linear separability: a hyperplane with two classes on its two sides, or the proof that there is none.

Goes in: rows of numbers and two labels. Comes out: weights, or a certificate: weighted means of the rows of either
class that are the same point. By Farkas' lemma exactly one of the two exists. Neither is believed before it was checked
on the rows; it never looks at a sample of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Certificate", "Separability", "linear_separability"]

Array = NDArray[np.float64]
TOLERANCE = 1e-11
SOLVER_TOLERANCE = 1e-10  # the smallest that HiGHS takes
MAX_LISTED = 4
SHOWN = 1e-9
"""Differences of weights that a sentence does not show."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """Why no hyperplane separates two classes: a point that lies among both.

    A weighted mean of the true rows equals a weighted mean of the false rows. A hyperplane with all true rows on one
    side and all false rows on the other would have that point on both.

    Attributes
    ----------
    true_rows, false_rows : ndarray of int, shapes (k,) and (l,)
        Numbers of the rows in the data, from 0.
    true_points, false_points : ndarray, shapes (k, n_features) and (l, n_features)
        Those rows.
    true_weights, false_weights : ndarray, shapes (k,) and (l,)
        Positive, each with the sum 1.
    """

    true_rows: NDArray[np.int64]
    false_rows: NDArray[np.int64]
    true_points: Array
    false_points: Array
    true_weights: Array
    false_weights: Array

    @property
    def point(self) -> Array:
        """The common point, shape (n_features,): the weighted mean of the true rows."""
        return self.true_weights @ self.true_points

    @property
    def gap(self) -> float:
        """Largest distance in a column between the two means, over the largest number in that column."""
        difference = np.abs(self.point - self.false_weights @ self.false_points)
        largest = np.abs(np.vstack([self.true_points, self.false_points])).max(axis=0)
        return float((difference / np.where(largest > 0, largest, 1)).max(initial=0.0))

    def verify(self, tolerance: float = TOLERANCE) -> None:
        """Check that both means are means, and the same point.

        Raises
        ------
        ValueError
            If weights are negative or do not have the sum 1, or if `gap` is larger than `tolerance`.
        """
        for kind, weights in (("true", self.true_weights), ("false", self.false_weights)):
            if (weights < 0).any() or abs(weights.sum() - 1) > tolerance:
                raise ValueError(
                    f"the certificate does not hold: its weights of the {kind} points are {weights.tolist()}; they "
                    "must not be negative and have the sum 1"
                )
        if not self.gap <= tolerance:
            raise ValueError(
                f"the certificate does not hold: the two means differ by {self.gap:.3g} of the largest number in a "
                f"column; {tolerance:g} is allowed"
            )

    def explain(self, true: str = "true points", false: str = "false points") -> str:
        """The certificate as a sentence without a full stop."""
        left, right = mean_in_words(true, self.true_weights), mean_in_words(false, self.false_weights)
        return (
            f"{left} {listed(self.true_points, self.true_weights)} is also {right} "
            f"{listed(self.false_points, self.false_weights)}: both are {coordinates(self.point)}"
        )

    def __str__(self) -> str:
        return self.explain()


@dataclass(frozen=True, eq=False)
class Separability:
    """Whether a hyperplane separates two classes. Counts as True where one does.

    Attributes
    ----------
    separable : bool
    classes : tuple of two labels
        The second one is on the positive side.
    weights : ndarray of shape (n_features,), or None
        ``X @ weights + intercept`` is positive in all rows of the second class and negative in all others.
    intercept : float or None
    margin : float
        Euclidean distance of the nearest row from the hyperplane; 0 where there is none.
    certificate : Certificate or None
        The proof where there is no such hyperplane; its true points are those of the second class.
    """

    separable: bool
    classes: tuple[Any, Any]
    weights: Array | None = None
    intercept: float | None = None
    margin: float = 0.0
    certificate: Certificate | None = None

    def __bool__(self) -> bool:
        return self.separable

    def __str__(self) -> str:
        low, high = self.classes
        if self.certificate is None:
            return f"{low!r} and {high!r} are linearly separable, with a margin of {self.margin:.4g}"
        reason = self.certificate.explain(f"rows of {high!r}", f"rows of {low!r}")
        return f"{low!r} and {high!r} are not linearly separable: {reason}"


def linear_separability(X: Any, y: Any) -> Separability:
    """Find out by a linear program whether a hyperplane separates two classes.

    Parameters
    ----------
    X : array of shape (n_rows, n_features)
        Finite numbers.
    y : array of shape (n_rows,)
        Two different labels.

    Returns
    -------
    Separability
        With the weights, or with the certificate that there are none (up to rounding); either was checked on the rows.

    Raises
    ------
    ValueError
        If X is no finite table or y has not one label for each row, of two kinds.
    ArithmeticError
        If rounding does not allow a verdict: there is a gap, but of less than about 1e-10 of the columns' ranges.

    Notes
    -----
    With the columns shifted and scaled to [-1, 1] the program is: maximize t, where s_i (w x_i + b) >= t for all rows
    (s_i = 1 for the second class, else -1) and the sum of abs(w) is at most 1. Where the largest t is 0, the
    multipliers of the rows are the certificate: Bennett and Mangasarian (1992), "Robust linear programming
    discrimination of two linearly inseparable sets", and Farkas' lemma.
    """
    X, positive, classes = checked(X, y)
    center, scale = (X.max(axis=0) / 2 + X.min(axis=0) / 2), (X.max(axis=0) / 2 - X.min(axis=0) / 2)
    scale = np.where(scale > 0, scale, 1.0)
    weights, multipliers = widest_gap((X - center) / scale, positive)
    weights = weights / scale
    found = placed(X, positive, weights)
    if found is not None:
        return Separability(True, classes, weights, *found)
    certificate = certificate_from(X, (X - center) / scale, positive, multipliers)
    try:
        certificate.verify()
    except ValueError as error:
        raise ArithmeticError(
            f"rounding does not allow a verdict: a hyperplane between {classes[0]!r} and {classes[1]!r} has no margin "
            f"that double precision can tell from zero, and {error}. Scale the columns of X, or round them"
        ) from None
    return Separability(False, classes, certificate=certificate)


def checked(X: Any, y: Any) -> tuple[Array, NDArray[np.bool_], tuple[Any, Any]]:
    """The rows as float64, which of them are of the second class, and the classes."""
    X, y = np.asarray(X, dtype=np.float64), np.asarray(y)
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"X has shape {X.shape}; it must be a table (n_rows, n_features) with rows and columns")
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise ValueError(f"X is {X[row, column]} in row {row}, column {column} (from 0); all numbers must be finite")
    if y.shape != X.shape[:1]:
        raise ValueError(f"y has shape {y.shape}; with {X.shape[0]} rows in X it must have shape ({X.shape[0]},)")
    classes, labels = np.unique(y, return_inverse=True)
    if len(classes) != 2:
        shown = ", ".join(repr(label) for label in classes[:MAX_LISTED].tolist())
        raise ValueError(
            f"y has {len(classes)} different labels: {shown}{', ...' if len(classes) > MAX_LISTED else ''}; "
            "separability is about two. Of several classes ask about one against the rest, such as y == y[0]"
        )
    low, high = classes.tolist()
    return X, labels == 1, (low, high)


def widest_gap(X: Array, positive: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Weights with the row_size gap between the classes, and the multipliers of the rows."""
    from scipy.optimize import linprog

    n_rows, n = X.shape
    sign = np.where(positive, 1.0, -1.0)[:, None]
    rows = np.hstack([-sign * X, sign * X, -sign, np.ones((n_rows, 1))])  # of w = u - v with u, v >= 0; then b; then t
    total = np.concatenate([np.ones(2 * n), [0.0, 0.0]])
    bounds = [(0.0, None)] * (2 * n) + [(None, None)] * 2
    limits = np.append(np.zeros(n_rows), 1.0)
    cost = np.append(np.zeros(2 * n + 1), -1.0)
    options = dict.fromkeys(("primal_feasibility_tolerance", "dual_feasibility_tolerance"), SOLVER_TOLERANCE)
    result = linprog(
        cost, A_ub=np.vstack([rows, total]), b_ub=limits, bounds=bounds, method="highs-ds", options=options
    )
    if result.status != 0:
        raise ArithmeticError(f"the linear program was not solved: {result.message}")
    return result.x[:n] - result.x[n : 2 * n], np.maximum(-result.ineqlin.marginals[:-1], 0.0)


def placed(X: Array, positive: NDArray[np.bool_], weights: Array) -> tuple[float, float] | None:
    """Intercept in the middle of the gap and the Euclidean margin; None where the rows do not leave a gap."""
    norm = float(np.sqrt(weights @ weights))
    if norm == 0:
        return None
    values = X @ weights
    low, high = float(values[~positive].max()), float(values[positive].min())
    rounding = 4 * np.finfo(np.float64).eps * (len(weights) + 2) * float((np.abs(X) @ np.abs(weights)).max())
    if not high - low > rounding:
        return None
    return -(low + high) / 2, (high - low) / 2 / norm


def certificate_from(X: Array, scaled: Array, positive: NDArray[np.bool_], multipliers: Array) -> Certificate:
    """The certificate in the multipliers of the rows, its weights made exact on the rows that have one."""
    from scipy.optimize import nnls

    found = multipliers > SOLVER_TOLERANCE
    true, false = (np.flatnonzero(side & (found | ~found[side].any())) for side in (positive, ~positive))
    corners = np.hstack([scaled[true].T, -scaled[false].T])
    ones = np.repeat(np.eye(2), [len(true), len(false)], axis=1)
    target = np.append(np.zeros(scaled.shape[1]), [1.0, 1.0])
    weights, _ = nnls(np.vstack([corners, ones]), target)
    kept = weights > 0
    parts = []
    for rows, part in ((true, slice(0, len(true))), (false, slice(len(true), None))):
        own = weights[part][kept[part]]
        parts.append((rows[kept[part]], X[rows[kept[part]]], own / own.sum()))
    (true, true_points, true_weights), (false, false_points, false_weights) = parts
    return Certificate(true, false, true_points, false_points, true_weights, false_weights)


def mean_in_words(of: str, weights: Array) -> str:
    """What kind of mean it is."""
    if len(weights) == 1:
        return f"one of the {of},"
    if np.ptp(weights) > SHOWN:
        return f"a weighted mean of {len(weights)} {of},"
    return f"the midpoint of the {of}" if len(weights) == 2 else f"the mean of {len(weights)} {of},"


def listed(points: Array, weights: Array) -> str:
    """Points as text, with their weights where those are different."""
    equal = np.ptp(weights) <= SHOWN
    shown = [
        coordinates(point) if equal else f"{number(weight)} x {coordinates(point)}"
        for point, weight in zip(points[:MAX_LISTED], weights, strict=False)
    ]
    if len(points) > MAX_LISTED:
        return ", ".join(shown) + ", ..."
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def coordinates(point: Iterable[float]) -> str:
    """A point as text; of many columns the first ones."""
    numbers = [f"{value:.4g}" for value in point]
    return f"({', '.join(numbers if len(numbers) <= 12 else [*numbers[:8], '...'])})"


def number(weight: float) -> str:
    """A weight as a fraction of small numbers where it is one."""
    near = Fraction(weight).limit_denominator(100)
    return str(near) if abs(float(near) - weight) < SHOWN else f"{weight:.4g}"
