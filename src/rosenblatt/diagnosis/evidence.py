"""What runs say together: `Evidence` from the trainings that were made so far.

Goes in: trials and their runs. Comes out: figures. Nothing is trained or decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from .measures import compare, corrected_se, mean_curve, out_of_fold, reference, suspicion
from .report import Comparison, Evidence
from .runs import WORST, Run
from .trials import GIVEN, REFERENCES, Trials

__all__ = ["evidence_of"]

Runs = Mapping[str, Sequence[Run]]
FRACTIONS = {"a quarter": 0.25, "half of the rows": 0.5, GIVEN: 1.0}


def evidence_of(trials: Trials, runs: Runs) -> Evidence:
    """Everything that the runs say."""
    given = runs[GIVEN]
    others = {n for n in runs if n not in FRACTIONS and n not in REFERENCES.values()}
    share = held_out_share(trials)
    n_rows = round(float(np.mean([len(a) for a, _ in trials.splits])))
    return Evidence(
        **of_the_model(given, n_rows, share),
        **of_the_reference(trials, runs, share),
        learning_curve={
            round(f * n_rows): (float(np.mean(errors)), corrected_se(errors, share))
            for name, f in FRACTIONS.items()
            for errors in [np.array([r.error for r in runs[name]])]
        },
        n_rows=n_rows,
        n_features=int(trials.X.shape[1]),
        trials={name: compare(given, runs[name], share) for name in runs if name in others},
    )


def held_out_share(trials: Trials) -> float:
    """Held-out rows by training row."""
    return float(np.mean([len(b) / len(a) for a, b in trials.splits]))


def of_the_model(given: Sequence[Run], n_rows: int, share: float) -> dict[str, Any]:
    """Errors, curves, gradients and neurons of the model as it is."""
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
    """How good a restrained network is, on half of the rows and on all, and which labels it contradicts."""
    sound = {name: rs for name, rs in runs.items() if not any(r.diverged for r in rs)}
    present = {name: sound[name] for name in REFERENCES if name in sound}
    halves = {half: sound[half] for name, half in REFERENCES.items() if name in present and half in sound}
    worst = np.full(len(trials.splits), WORST)
    if not present:  # the model diverged
        nothing = Comparison(0.0, float("inf"), 0.0, float("inf"))
        found = {"reference_error": WORST, "reference_rise": 0.0, "reference_rise_se": float("inf")}
        confident: tuple[float, float, Any] = (0.0, 0.0, np.arange(0))
        return found | {"restrained": nothing} | confidence(confident)
    errors, outputs = reference(present)
    half = reference(halves)[0] if halves else worst
    gains = np.array([r.error for r in runs[GIVEN]]) - errors
    return {
        "reference_error": float(errors.mean()),
        "reference_rise": float((half - errors).mean()),
        "reference_rise_se": corrected_se(half - errors, share),
        "restrained": Comparison(float(gains.mean()), corrected_se(gains, share), 0.0, 0.0),
    } | confidence(suspicion(*out_of_fold(outputs, trials.splits), trials.target, is_classifier(trials.model)))


def confidence(found: tuple[float, float, Any]) -> dict[str, Any]:
    """What `suspicion` found, by name."""
    return dict(zip(("confident_error", "confident_error_se", "suspects"), found, strict=True))
