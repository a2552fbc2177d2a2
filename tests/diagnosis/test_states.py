"""The questions, on evidence that was made up: no training."""

from dataclasses import replace

import numpy as np
import pytest

from rosenblatt.diagnosis import Comparison, Curve, Evidence
from rosenblatt.diagnosis.states import state_of

NONE = np.arange(0)
GOOD = Evidence(
    curve=Curve(NONE, NONE, NONE, NONE, NONE),
    score=0.9,
    val_score=0.9,
    train_error=0.3,
    error=0.32,
    gap=0.02,
    gap_se=0.02,
    learning_curve={},
    reference_error=0.32,
    last_gain=0.01,
    last_gain_se=0.01,
    next_gain=0.01,
    next_gain_se=0.01,
    n_rows=400,
    n_features=2,
    n_parameters=100,
    effective_parameters=20.0,
    first_gradients=(),
    gradients=(),
    dead={},
    diverged=0.0,
    reached_end=0.0,
    confident_error=0.02,
    confident_error_se=0.01,
    suspects=NONE,
    classes=True,
    restrained=Comparison(0.0, 0.01, 0.0, 0.0),
    trials={},
)
GAP = replace(GOOD, train_error=0.0, error=0.4, gap=0.4, gap_se=0.05, reference_error=0.4)
MUCH = Comparison(0.2, 0.02, 0.2, 0.02, certain=True)
RESTRAINED = replace(GAP, restrained=Comparison(0.15, 0.03, 0.0, 0.0), reference_error=0.25)
ROWS = replace(GAP, next_gain=0.12, next_gain_se=0.03, last_gain=0.15, last_gain_se=0.05)
CASES = {
    "nothing": (GOOD, "good"),
    "diverged": (replace(GOOD, diverged=0.2), "learning rate too high"),
    "a lower rate": (replace(GOOD, trials={"rate x0.1": MUCH}), "learning rate too high"),
    "a higher rate": (replace(GOOD, trials={"rate x100": MUCH}), "learning rate too low"),
    "a rate, not certainly": (replace(GOOD, trials={"rate x100": replace(MUCH, certain=False)}), "good"),
    "a little": (replace(GOOD, trials={"larger": replace(MUCH, gain=0.04)}), "good"),
    "only in training": (replace(GOOD, trials={"larger": replace(MUCH, gain=-0.1)}), "good"),
    "only in validation": (replace(GOOD, trials={"larger": replace(MUCH, train_gain=0.0)}), "good"),
    "larger": (replace(GOOD, trials={"larger": MUCH}), "underfit"),
    "larger, but for its variance": (replace(GOOD, gap=0.3, trials={"larger": MUCH}), "good"),
    "unregularized": (replace(GOOD, trials={"unregularized": MUCH}), "underfit"),
    "longer": (replace(GOOD, trials={"longer": MUCH}), "underfit"),
    "larger rather than a rate": (
        replace(GOOD, trials={"larger": MUCH, "rate x10": replace(MUCH, gain=0.1)}),
        "underfit",
    ),
    "a gap that nothing closes": (GAP, "good"),
    "restraint": (RESTRAINED, "overfit"),
    "restraint without a gap": (replace(RESTRAINED, gap=0.05, gap_se=0.04), "good"),
    "rows": (ROWS, "too few rows"),
    "rows, not certainly": (replace(ROWS, next_gain_se=0.2), "good"),
    "rows at first only": (replace(ROWS, last_gain=0.0, last_gain_se=0.01), "good"),
    "restraint more than rows": (replace(ROWS, restrained=RESTRAINED.restrained), "overfit"),
    "rows more than restraint": (replace(ROWS, restrained=Comparison(0.1, 0.03, 0, 0)), "too few rows"),
    "contradictions": (replace(RESTRAINED, confident_error=0.2, confident_error_se=0.03), "noisy labels suspected"),
    "few contradictions": (replace(RESTRAINED, confident_error=0.1), "overfit"),
    "outliers": (replace(RESTRAINED, confident_error=0.1, classes=False), "noisy labels suspected"),
    "contradictions by few rows": (replace(ROWS, confident_error=0.2, confident_error_se=0.03), "too few rows"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_first_yes_names_the_state(name):
    evidence, state = CASES[name]
    assert state_of(evidence) == state
