"""The measures that everybody shares: scikit-learn's figures, and comparisons that NaN never wins."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn import metrics as theirs

from rosenblatt import metrics
from rosenblatt.metrics import best_index, is_better

RNG = np.random.default_rng(0)
Y = RNG.normal(3, 2, (50, 2))
FOUND = Y + RNG.normal(0, 0.5, (50, 2))


@pytest.mark.parametrize("weights", [None, RNG.random(50)], ids=["equal", "weighted"])
def test_r2_is_scikit_learns_bit_for_bit(weights):
    for y, found in ((Y, FOUND), (Y[:, :1], FOUND[:, :1]), (np.full((50, 1), 2.0), FOUND[:, :1])):
        assert metrics.R2.measure(y, found, weights) == theirs.r2_score(y, found, sample_weight=weights)
    assert metrics.R2.measure(np.ones((3, 1)), np.ones((3, 1)), None) == 1.0


@pytest.mark.parametrize("weights", [None, RNG.random(50)], ids=["equal", "weighted"])
def test_errors_of_numbers_are_scikit_learns(weights):
    expected = theirs.mean_absolute_error(Y, FOUND, sample_weight=weights)
    assert metrics.MEAN_ABSOLUTE.measure(Y, FOUND, weights) == pytest.approx(expected)
    expected = np.sqrt(theirs.mean_squared_error(Y, FOUND, sample_weight=weights))
    assert metrics.ROOT_MEAN_SQUARE.measure(Y, FOUND, weights) == pytest.approx(expected)
    losses = [
        theirs.mean_pinball_loss(Y[:, 0], FOUND[:, i], alpha=a, sample_weight=weights) for i, a in ((0, 0.1), (1, 0.8))
    ]
    assert metrics.pinball((0.1, 0.8)).measure(Y[:, :1], FOUND, weights) == pytest.approx(np.mean(losses))


def test_a_complement_is_better_in_the_other_direction():
    labels, p = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    assert metrics.ERROR.measure(labels, p, None) == pytest.approx(1 / 3)
    assert metrics.ACCURACY.measure(labels, p, None) == pytest.approx(2 / 3)
    assert (metrics.ERROR.greater_is_better, metrics.ACCURACY.greater_is_better) == (False, True)
    assert [m.needs_probabilities for m in (metrics.LOG_LOSS, metrics.AUC, metrics.F1)] == [True, True, False]


def test_nan_is_never_best():
    nan = float("nan")
    for greater in (True, False):
        assert not is_better(nan, 1.0, greater=greater)
        assert is_better(1.0, nan, greater=greater)
        assert not is_better(nan, nan, greater=greater)
        assert not is_better(1.0, 1.0, greater=greater)
    assert is_better(2.0, 1.0, greater=True)
    assert not is_better(2.0, 1.0, greater=True, margin=1.0)
    assert is_better(1.0, 2.0, greater=False)
    assert best_index([nan, 3.0, 1.0, 1.0, nan], greater=False) == 2
    assert best_index([nan, 3.0, 1.0], greater=True) == 1
    assert best_index([nan, nan], greater=True) == 0


def test_only_numpy_is_imported():
    script = "import sys, rosenblatt.metrics; print('sklearn' in sys.modules, 'scipy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).split() == ["False", "False"]


def test_counts_that_are_all_equal_have_a_share_of_the_deviance():
    zeros = np.zeros((5, 1))
    assert metrics.D2_POISSON.measure(zeros, zeros, None) == 1
    assert metrics.D2_POISSON.measure(zeros, zeros + 0.1, None) == 0
    assert metrics.D2_POISSON.measure(zeros + 3, zeros + 2, np.ones(5)) == 0
