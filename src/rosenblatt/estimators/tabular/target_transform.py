"""Whether networks learn the logarithm of a regression's target better than the target.

Takes data and several scalers. Returns the scaler whose trial on one fold has the smallest error in the targets' own
units. Never sees rows outside the fold.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.estimators.tabular.architecture import Settings
from rosenblatt.estimators.tabular.ensemble import Fold, fit_ensemble
from rosenblatt.estimators.tabular.member import FitBudget
from rosenblatt.estimators.tabular.problem import Data, Problem
from rosenblatt.estimators.tabular.target_scaling import TargetScaler
from rosenblatt.metrics import ROOT_MEAN_SQUARE, best_index

__all__ = ["choose_target_transform", "has_heavy_tail"]

HEAVY_SKEWNESS = 2.0
TRIAL_SHARE = 0.15
"""The share of the remaining time that each trial may take."""


def has_heavy_tail(targets: NDArray[Any]) -> bool:
    """Whether the logarithm is worth a trial: one target, never negative, with some values far above the others."""
    if targets.shape[1] > 1 or targets.min() < 0 or targets.max() == targets.min():
        return False
    standard = (targets - targets.mean()) / targets.std()
    return bool(np.mean(standard**3) > HEAVY_SKEWNESS)


def choose_target_transform(
    candidates: Sequence[TargetScaler],
    data: Data,
    problem: Problem,
    settings: Settings,
    fold: Fold,
    seed: int,
    budget: FitBudget,
) -> TargetScaler:
    """The candidate with the smallest root mean squared error, on held-out rows, of a member with half of the epochs.

    `data` holds the targets in their own units.
    """
    settings, seconds = replace(settings, epochs=max(1, settings.epochs // 2)), TRIAL_SHARE * budget.left()
    errors = []
    for number, scaler in enumerate(candidates, start=1):
        trial = FitBudget(
            time.monotonic() + seconds, stopped=budget.stopped, cancelled=budget.cancelled, jobs=budget.jobs
        )
        if budget.checkpoints is not None:
            budget.checkpoints.note(budget.left())
            trial.resume(budget.checkpoints.part(f"trial-{number}"))
        member = fit_ensemble(data.with_targets(scaler.encode), problem, settings, [fold], seed, trial).members[0]
        truth, weights = data.held_out.y[member.held_out], data.held_out.weights
        weights = None if weights is None else weights[member.held_out]
        predictions = scaler.with_smearing(truth, member.predictions, weights).decode(member.predictions)
        errors.append(ROOT_MEAN_SQUARE.measure(truth, predictions, weights))
    return candidates[best_index(errors, greater=False)]
