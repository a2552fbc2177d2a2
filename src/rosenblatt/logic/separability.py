"""Linear separability: a hyperplane between two classes, or the proof that there is none.

Takes rows of numbers and two labels. Returns weights, or a certificate: a point that is a weighted mean of the rows of
each class. By Farkas' lemma exactly one of the two exists. Never trusts the solver: both are checked on all rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import check_finite

__all__ = ["Certificate", "Separability", "linear_separability"]

Array = NDArray[np.float64]
TOLERANCE = 1e-11
SOLVER_TOLERANCE = 1e-10  # the smallest value that HiGHS accepts
MAX_LISTED = 4
SHOWN = 1e-9
"""Smaller differences between weights are not shown in a sentence."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """The proof that no hyperplane separates two classes: a point in the convex hull of both.

    A weighted mean of the true rows equals a weighted mean of the false rows. A hyperplane with all true rows on one
    side and all false rows on the other would have that point on both.

    Attributes
    ----------
    true_rows, false_rows : ndarray of int, shapes (k,) and (l,)
        Indices of the rows in the data, from 0.
    true_points, false_points : ndarray, shapes (k, n_features) and (l, n_features)
        These rows.
    true_weights, false_weights : ndarray, shapes (k,) and (l,)
        Positive numbers; each array sums to 1.
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
        """The largest difference between the two means in a column, relative to the largest number in that column."""
        difference = np.abs(self.point - self.false_weights @ self.false_points)
        largest = np.abs(np.vstack([self.true_points, self.false_points])).max(axis=0)
        return float((difference / np.where(largest > 0, largest, 1)).max(initial=0.0))

    def verify(self, tolerance: float = TOLERANCE) -> None:
        """Check that both are weighted means, and that they are the same point.

        Raises
        ------
        ValueError
            If weights are negative or do not sum to 1, or if `gap` is larger than `tolerance`.
        """
        for kind, weights in (("true", self.true_weights), ("false", self.false_weights)):
            if (weights < 0).any() or abs(weights.sum() - 1) > tolerance:
                raise ValueError(
                    f"the certificate is invalid: its weights of the {kind} points are {weights.tolist()}; they "
                    "must not be negative and must sum to 1"
                )
        if not self.gap <= tolerance:
            raise ValueError(
                f"the certificate is invalid: the two means differ by {self.gap:.3g} of the largest number in a "
                f"column; {tolerance:g} is allowed"
            )

    def explain(self, true: str = "true points", false: str = "false points") -> str:
        """The certificate as a sentence without a full stop."""
        left = mean_in_words(true, self.true_points, self.true_weights)
        right = mean_in_words(false, self.false_points, self.false_weights)
        return f"{left} is also {right}: both are {coordinates(self.point)}"

    def __str__(self) -> str:
        return self.explain()


@dataclass(frozen=True, eq=False)
class Separability:
    """Whether a hyperplane separates two classes. It is true as a condition if one does.

    Attributes
    ----------
    separable : bool
    classes : tuple of two labels
        The second one is on the positive side.
    weights : ndarray of shape (n_features,), or None
        ``X @ weights + intercept`` is positive in all rows of the second class and negative in all others.
    intercept : float or None
    margin : float
        Euclidean distance from the hyperplane to the nearest row; 0 if there is no such hyperplane.
    certificate : Certificate or None
        The proof that there is no such hyperplane. Its true points belong to the second class.
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
    """Decide by a linear program whether a hyperplane separates two classes.

    Parameters
    ----------
    X : array of shape (n_rows, n_features)
        Finite numbers.
    y : array of shape (n_rows,)
        Two different labels.

    Returns
    -------
    Separability
        With the weights, or with the certificate that there are none (up to rounding). Both are checked on the rows.

    Raises
    ------
    ValueError
        If X is not a table of finite numbers, or y does not hold one label per row and two different labels.
    ArithmeticError
        If rounding does not allow a verdict: the gap is less than about 1e-10 of the ranges of the columns.

    Notes
    -----
    The columns are shifted and scaled to [-1, 1]. The program then maximizes t subject to s_i (w x_i + b) >= t for all
    rows (s_i = 1 for the second class, else -1) and sum(abs(w)) <= 1. If the largest t is 0, the multipliers of the
    rows are the certificate: Bennett and Mangasarian (1992), "Robust linear programming discrimination of two linearly
    inseparable sets", and Farkas' lemma.
    """
    X, positive, classes = checked(X, y)
    center, scale = (X.max(axis=0) / 2 + X.min(axis=0) / 2), (X.max(axis=0) / 2 - X.min(axis=0) / 2)
    scale = np.where(scale > 0, scale, 1.0)
    weights, multipliers = widest_gap((X - center) / scale, positive)
    weights = weights / scale
    found = intercept_and_margin(X, positive, weights)
    if found is not None:
        return Separability(True, classes, weights, *found)
    certificate = certificate_from(X, (X - center) / scale, positive, multipliers)
    try:
        certificate.verify()
    except ValueError as error:
        raise ArithmeticError(
            f"rounding does not allow a verdict: the margin between {classes[0]!r} and {classes[1]!r} cannot be "
            f"distinguished from zero in double precision, and {error}. Scale the columns of X, or round them"
        ) from None
    return Separability(False, classes, certificate=certificate)


def checked(X: Any, y: Any) -> tuple[Array, NDArray[np.bool_], tuple[Any, Any]]:
    """The rows as float64, a mask of the second class, and the two classes."""
    X, y = np.asarray(X, dtype=np.float64), np.asarray(y)
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"X has shape {X.shape}; it must be a table of shape (n_rows, n_features), not empty")
    check_finite("X", X)
    if y.shape != X.shape[:1]:
        raise ValueError(f"y has shape {y.shape}; with {X.shape[0]} rows in X it must have shape ({X.shape[0]},)")
    classes, labels = np.unique(y, return_inverse=True)
    if len(classes) != 2:
        shown = ", ".join(repr(label) for label in classes[:MAX_LISTED].tolist())
        raise ValueError(
            f"y has {len(classes)} different labels: {shown}{', ...' if len(classes) > MAX_LISTED else ''}; "
            "there must be two. To compare one class with the rest, pass a condition such as y == y[0]"
        )
    low, high = classes.tolist()
    return X, labels == 1, (low, high)


def widest_gap(X: Array, positive: NDArray[np.bool_]) -> tuple[Array, Array]:
    """The weights with the widest gap between the classes, and the multipliers of the rows."""
    from scipy.optimize import linprog

    n_rows, n = X.shape
    sign = np.where(positive, 1.0, -1.0)[:, None]
    rows = np.hstack([-sign * X, sign * X, -sign, np.ones((n_rows, 1))])  # w = u - v with u, v >= 0; then b; then t
    total = np.concatenate([np.ones(2 * n), [0.0, 0.0]])
    bounds = [(0.0, None)] * (2 * n) + [(None, None)] * 2
    limits = np.append(np.zeros(n_rows), 1.0)
    cost = np.append(np.zeros(2 * n + 1), -1.0)
    options = dict.fromkeys(("primal_feasibility_tolerance", "dual_feasibility_tolerance"), SOLVER_TOLERANCE)
    result = linprog(
        cost, A_ub=np.vstack([rows, total]), b_ub=limits, bounds=bounds, method="highs-ds", options=options
    )
    if result.status != 0:
        raise ArithmeticError(f"the linear program could not be solved: {result.message}")
    return result.x[:n] - result.x[n : 2 * n], np.maximum(-result.ineqlin.marginals[:-1], 0.0)


def intercept_and_margin(X: Array, positive: NDArray[np.bool_], weights: Array) -> tuple[float, float] | None:
    """The intercept in the middle of the gap, and the Euclidean margin; None if there is no gap between the rows."""
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
    """The certificate from the multipliers, with exact weights for the rows that have a multiplier."""
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


def mean_in_words(of: str, points: Array, weights: Array) -> str:
    """The kind of mean in words, and its points, with their weights unless these are equal."""
    n, equal = len(points), np.ptp(weights) <= SHOWN
    kind = f"the mean of {n} {of}," if equal else f"a weighted mean of {n} {of},"
    kind = f"one of the {of}," if n == 1 else f"the midpoint of the {of}" if n == 2 and equal else kind
    shown = [
        coordinates(point) if equal else f"{number(weight)} x {coordinates(point)}"
        for point, weight in zip(points[:MAX_LISTED], weights, strict=False)
    ]
    if n > MAX_LISTED:
        return f"{kind} {', '.join(shown)}, ..."
    return f"{kind} {' and '.join([', '.join(shown[:-1]), shown[-1]] if n > 1 else shown)}"


def coordinates(point: Iterable[float]) -> str:
    """A point as text, truncated if it has many columns."""
    numbers = [f"{value:.4g}" for value in point]
    return f"({', '.join(numbers if len(numbers) <= 12 else [*numbers[:8], '...'])})"


def number(weight: float) -> str:
    """A weight as text, as a simple fraction if it is one."""
    near = Fraction(weight).limit_denominator(100)
    return str(near) if abs(float(near) - weight) < SHOWN else f"{weight:.4g}"
