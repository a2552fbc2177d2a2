"""Figures over splits: standard errors, gains in pairs, mean curves, and what out-of-fold predictions contradict.

Goes in: runs. Comes out: numbers. Nothing is trained or decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .report import Comparison, Curve
from .runs import Run

__all__ = ["compare", "corrected_se", "mean_curve", "suspicion"]

Array = npt.NDArray[Any]
SUREST = 0.25
"""Share of the rows in which the reference is surest."""
NORMAL_MAD = 1.4826
"""Standard deviation of a normal variable in units of its median absolute deviation."""


def corrected_se(differences: Array, held_out_share: float) -> float:
    """The standard error of a mean over splits whose training rows overlap (Nadeau and Bengio 2003).

    The variance of the differences times (1 / splits + held-out rows / training rows).
    """
    if not np.isfinite(differences).all():
        return float("inf")
    return float(np.sqrt(differences.var(ddof=1) * (1 / len(differences) + held_out_share)))


def compare(given: Sequence[Run], other: Sequence[Run], held_out_share: float) -> Comparison:
    """What the other trial gains, split by split."""
    gains = np.array([a.error - b.error for a, b in zip(given, other, strict=True)])
    train = np.array([a.train_error - b.train_error for a, b in zip(given, other, strict=True)])
    return Comparison(
        float(gains.mean()),
        corrected_se(gains, held_out_share),
        float(train.mean()),
        corrected_se(train, held_out_share),
    )


def mean_curve(runs: Sequence[Run]) -> Curve:
    """The mean by epoch of the runs that still trained."""
    length = max(len(r.curves["loss"]) for r in runs)

    def mean(name: str) -> Array:
        columns = [np.array([r.curves[name][i] for r in runs if i < len(r.curves[name])]) for i in range(length)]
        with np.errstate(all="ignore"):
            return np.array([float(c.mean()) for c in columns])

    return Curve(mean("loss"), mean("val_loss"), mean("score"), mean("val_score"))


def suspicion(
    runs: Sequence[Run], splits: Sequence[tuple[Array, Array]], target: Array, classes: bool
) -> tuple[float, float, Array]:
    """How often the surest out-of-fold predictions are wrong, its standard error, and the rows that they contradict.

    Where classes only overlap, the predictions that are surest are right; where labels are flipped at random, they are
    wrong as often as labels are flipped. Of values, residuals that no normal noise has take the place of wrong labels.
    """
    usable = [(r.best_outputs, b) for r, (_, b) in zip(runs, splits, strict=True) if r.best_outputs is not None]
    if not usable:
        return 0.0, 0.0, np.arange(0)
    outputs, rows = np.concatenate([o for o, _ in usable]), np.concatenate([b for _, b in usable])
    wrong, strength = (contradictions if classes else outliers)(outputs, target[rows])
    if classes:
        sure = np.argsort(-strength, kind="stable")[: max(1, round(SUREST * len(rows)))]
        chosen = wrong[sure]
    else:
        chosen = wrong
    rate = float(chosen.mean())
    order = np.flatnonzero(wrong)
    order = order[np.argsort(-strength[order], kind="stable")]
    suspects = rows[order[: max(1, round(rate * len(rows)))]] if len(order) else rows[:0]
    return rate, float(np.sqrt(rate * (1 - rate) / len(chosen))), suspects


def contradictions(outputs: Array, target: Array) -> tuple[Array, Array]:
    """Whether the most probable label is another one, and how probable it is beyond the next."""
    if outputs.shape[1] == 1 or not np.allclose(target.sum(axis=1), 1):
        wrong = ((outputs > 0.5) != (target > 0.5)).any(axis=1)
        return wrong, np.abs(outputs - 0.5).min(axis=1)
    two = np.sort(outputs, axis=1)[:, -2:]
    return outputs.argmax(axis=1) != target.argmax(axis=1), two[:, 1] - two[:, 0]


def outliers(outputs: Array, target: Array) -> tuple[Array, Array]:
    """Whether a residual is beyond three robust standard deviations, and its size in these."""
    residuals = np.abs(outputs - target)
    scale = NORMAL_MAD * np.median(residuals, axis=0)
    size = np.max(residuals / np.maximum(scale, 1e-300), axis=1)
    return size > 3, size
