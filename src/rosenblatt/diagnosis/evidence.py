"""What runs say together: `Evidence` from the trainings so far.

Takes trials and their runs. Returns numbers. Never trains or decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from .measures import compare, corrected_se, label_noise_score, mean_curve, out_of_fold, reference
from .report import Comparison, Evidence
from .runs import Run
from .trials import FRACTIONS, GIVEN, RESTRAINTS, Trials, on

__all__ = ["evidence_of"]

Runs = Mapping[str, Sequence[Run]]
POWER_LAW_RATIO = (1 - 0.5**0.5) / (4**0.5 - 1)
"""(e(n) - e(2n)) / (e(n/4) - e(n)) of errors c + a n^(-1/2), as they fall where noise limits learning."""


def evidence_of(trials: Trials, runs: Runs) -> Evidence:
    """Everything that the runs say."""
    given = runs[GIVEN]
    fewer = {on(f, name) for name in RESTRAINTS for f in FRACTIONS if f < 1}
    share = float(np.mean([len(b) / len(a) for a, b in trials.splits]))  # held-out rows by training row
    n_rows = round(float(np.mean([len(a) for a, _ in trials.splits])))
    return Evidence(
        **of_the_model(given, n_rows, share),
        **of_the_reference(trials, runs, share),
        learning_curve={
            round(f * n_rows): (float(np.mean(errors)), corrected_se(errors, share))
            for f in FRACTIONS
            for errors in [np.array([r.error for r in runs[on(f, GIVEN)]])]
        },
        n_rows=n_rows,
        n_features=int(trials.X.shape[1]),
        trials={name: compare(given, runs[name], share) for name in runs if name not in {GIVEN, *fewer}},
    )


def of_the_model(given: Sequence[Run], n_rows: int, share: float) -> dict[str, Any]:
    """Errors, curves, gradients and neurons of the unchanged model."""
    curve = mean_curve(given)
    errors, train_errors = (np.array([getattr(r, n) for r in given]) for n in ("error", "train_error"))
    error, train_error = float(errors.mean()), float(train_errors.mean())
    return {
        "curve": curve,
        "score": float(curve.score[-1]) if len(curve.score) else float("nan"),
        "val_score": float(curve.val_score[-1]) if len(curve.score) else float("nan"),
        "train_error": train_error,
        "error": error,
        "gap": error - train_error,
        "gap_se": corrected_se(errors - train_errors, share),
        "n_parameters": max(r.n_parameters for r in given),
        "effective_parameters": n_rows * max(0.0, error - train_error) / max(error + train_error, 1e-12),
        "first_gradients": tuple(given[0].first_gradients),
        "gradients": tuple(given[0].gradients),
        "dead": {layer: float(np.mean([r.dead.get(layer, 0.0) for r in given])) for layer in given[0].dead},
        "diverged": float(np.mean([r.diverged for r in given])),
        "reached_end": float(np.mean([r.reached_end for r in given])),
    }


def of_the_reference(trials: Trials, runs: Runs, share: float) -> dict[str, Any]:
    """How good a restrained network is, what it gains from more rows, and which labels it contradicts."""
    found = {f: reference(runs, [on(f, name) for name in RESTRAINTS], len(trials.splits)) for f in FRACTIONS}
    errors, outputs = found[1.0]
    gains = np.array([r.error for r in runs[GIVEN]]) - errors
    classes, sure = is_classifier(trials.model), (0.0, 0.0, np.arange(0))
    if outputs:
        sure = label_noise_score(*out_of_fold(outputs, trials.splits), trials.target, classes)
    last, following = found[0.5][0] - errors, POWER_LAW_RATIO * (found[0.25][0] - errors)
    return {
        "reference_error": float(errors.mean()),
        "last_gain": float(last.mean()),
        "last_gain_se": corrected_se(last, share),
        "next_gain": float(following.mean()),
        "next_gain_se": corrected_se(following, share),
        "classes": classes,
        "restrained": Comparison(float(gains.mean()), corrected_se(gains, share), 0.0, 0.0),
    } | dict(zip(("confident_error", "confident_error_se", "suspects"), sure, strict=True))
