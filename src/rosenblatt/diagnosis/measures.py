"""Figures over splits: standard errors, gains in pairs, mean curves, a reference, and labels that it contradicts.

Takes runs. Returns numbers. Never trains or decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .report import Comparison, Curve
from .runs import MAX_ERROR, Run, has_single_labels, wrong_labels

__all__ = [
    *("CERTAIN", "compare", "corrected_se", "is_certain", "label_noise_score", "mean_curve", "out_of_fold"),
    "reference",
]

Array = npt.NDArray[Any]
CERTAIN = 2.0
"""Standard errors that a difference must have: one-sided 5 % of Student's t with 4 degrees of freedom (5 splits)."""
MIN_SIGNS = 5
"""Splits that must all gain: by chance one in 32 times."""
CONFIDENT_SHARE = 0.25
"""Share of the rows whose predictions are the most confident."""
NORMAL_MAD = 1.4826
"""Standard deviation of a normal variable in units of its median absolute deviation."""


def corrected_se(differences: Array, held_out_share: float) -> float:
    """The standard error of a mean over splits whose training rows overlap (Nadeau and Bengio 2003).

    Its square is the variance of the differences times (1 / splits + held-out rows / training rows). It is infinite for
    one split.
    """
    if len(differences) < 2 or not np.isfinite(differences).all():
        return float("inf")
    return float(np.sqrt(differences.var(ddof=1) * (1 / len(differences) + held_out_share)))


def compare(given: Sequence[Run], other: Sequence[Run], held_out_share: float) -> Comparison:
    """What the other trial gains, split by split; the standard errors are infinite if it was made on one split."""
    gains = np.array([given[r.split].error - r.error for r in other])
    train = np.array([given[r.split].train_error - r.train_error for r in other])
    errors = corrected_se(gains, held_out_share), corrected_se(train, held_out_share)
    certain = all(is_certain(g, se) for g, se in zip((gains, train), errors, strict=True))
    return Comparison(float(gains.mean()), errors[0], float(train.mean()), errors[1], certain)


def is_certain(gains: Array, se: float) -> bool:
    """Whether a gain is more than chance, by its standard error or (where one split is far off) by its signs."""
    return bool(gains.mean() > CERTAIN * se or (len(gains) >= MIN_SIGNS and gains.min() > 0))


def mean_curve(runs: Sequence[Run]) -> Curve:
    """The mean by epoch, where a run that has ended keeps its last value."""
    runs = [r for r in runs if r.curves] or [Run()]
    epochs = max((r.epochs for r in runs), key=len)

    def mean(name: str) -> Array:
        return np.array([float(np.mean([r.curves[name][r.at(i)] for r in runs])) for i in range(len(epochs))])

    return Curve(np.array(epochs), mean("loss"), mean("val_loss"), mean("score"), mean("val_score"))


def reference(runs: Mapping[str, Sequence[Run]], names: Sequence[str], n_splits: int) -> tuple[Array, list[Array]]:
    """The validation error and outputs of the best trial in its best epoch, by split.

    The choice for each half of the splits is made by the other half: the smallest of many measured errors would be
    too small. Trials that diverged or were not made are left out. If none is left, the errors are `MAX_ERROR`.
    """
    trials = {name: runs[name] for name in names if name in runs and not any(r.diverged for r in runs[name])}
    errors, outputs = np.full(n_splits, MAX_ERROR), [np.empty(0)] * n_splits
    for judged in (range(0, n_splits, 2), range(1, n_splits, 2)):
        others = [i for i in range(n_splits) if i not in judged]
        choices = (
            (float(np.mean([runs[i].val_errors[runs[i].at(look)] for i in others])), name, look)
            for name, runs in trials.items()
            for look in range(max(len(r.val_errors) for r in runs))
        )
        _, name, look = min(choices, default=(MAX_ERROR, "", 0))
        for i in judged if name else ():
            run = trials[name][i]
            errors[i], outputs[i] = run.val_errors[run.at(look)], run.outputs[run.at(look)]
    return errors, outputs if trials else []


def out_of_fold(outputs: Sequence[Array], splits: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Held-out rows and the mean of their outputs over the splits that hold them out."""
    rows, place, counts = np.unique(np.concatenate([b for _, b in splits]), return_inverse=True, return_counts=True)
    total = np.zeros((len(rows), outputs[0].shape[1]))
    np.add.at(total, place, np.concatenate(outputs))
    return rows, total / counts[:, None]


def label_noise_score(rows: Array, outputs: Array, target: Array, classes: bool) -> tuple[float, float, Array]:
    """How often confident out-of-fold predictions are wrong, its standard error, and the rows that they contradict.

    Where classes only overlap, confident predictions are right. Where labels are flipped at random, they are wrong as
    often as labels are flipped. For values, residuals beyond those of normal noise take the place of wrong labels.
    """
    wrong, strength = (contradictions if classes else outliers)(outputs, target[rows])
    order = np.argsort(-strength, kind="stable")
    chosen = wrong[order[: max(1, round(CONFIDENT_SHARE * len(rows)))]] if classes else wrong
    rate = float(chosen.mean())
    suspects = rows[order[wrong[order]][: max(1, round(rate * len(rows)))]]
    return rate, float(np.sqrt(rate * (1 - rate) / len(chosen))), suspects


def contradictions(outputs: Array, target: Array) -> tuple[Array, Array]:
    """Whether the most probable label is another one, and how much more probable it is than the next."""
    if has_single_labels(target):
        second, first = np.sort(outputs, axis=1)[:, -2:].T
        return wrong_labels(outputs, target), first - second
    return wrong_labels(outputs, target), np.abs(outputs - 0.5).min(axis=1)


def outliers(outputs: Array, target: Array) -> tuple[Array, Array]:
    """Whether a residual is beyond three robust standard deviations, and how many of them it has."""
    residuals = np.abs(outputs - target)
    scale = NORMAL_MAD * np.median(residuals, axis=0)
    size = np.max(residuals / np.maximum(scale, 1e-300), axis=1)
    return np.asarray(size > 3), size
