"""Checks of a fitted tabular estimator: what a user should look at before relying on it.

Takes the evidence of a report (`rosenblatt.report.evidence.Evidence`): a model, scored rows, training rows, a linear
model. Returns a list of `Check`, each with a code and a remedy. Never trains anything: that is what `diagnose` does.
"""

from __future__ import annotations

from typing import Any

from rosenblatt.diagnosis.check_record import Check
from rosenblatt.diagnosis.checks_of_rows import (
    copied_rows,
    copied_training_rows,
    drift_of_the_last_rows,
    leaks,
    rare_classes,
    too_few_rows,
)
from rosenblatt.diagnosis.checks_of_scores import (
    below_out_of_fold,
    no_better_than_the_guess,
    overfitting,
    underfitting,
    uneven_members,
)
from rosenblatt.tables.leakage import is_leak

__all__ = ["CHECKS", "Check", "model_checks"]

CHECKS = (
    no_better_than_the_guess,
    underfitting,
    overfitting,
    below_out_of_fold,
    leaks,
    copied_training_rows,
    copied_rows,
    drift_of_the_last_rows,
    too_few_rows,
    rare_classes,
    uneven_members,
)
"""Each takes the evidence, and yields what it found."""


def model_checks(evidence: Any) -> tuple[Check, ...]:
    """All checks that fire, warnings first."""
    found = [check for look in CHECKS for check in look(evidence)]
    found += doubtful_readings(evidence)
    return tuple(sorted(found, key=lambda check: check.severity != "warning"))


def doubtful_readings(evidence: Any) -> list[Check]:
    """What `fit` left to the user: readings of columns and of the target that may be wrong."""
    model = evidence.model
    texts = [model.target_check_, *(kind.check for kind in model.preparation_.kinds)]
    parts = [part for text in texts if text for part in text.split("; ")]
    remedy = "Look at the cells. If the reading is wrong, say kinds= or task= when the model is trained."
    return [Check("to-check", "note", f"{part.rstrip('.')}.", remedy) for part in parts if not is_leak(part)]
