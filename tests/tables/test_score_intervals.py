"""Intervals of scores: beside SciPy's, and as often right as they say."""

import numpy as np
import pytest
from scipy import stats

from rosenblatt.metrics import ACCURACY, AUC, LOG_LOSS, MEAN_ABSOLUTE, R2, Metric
from rosenblatt.tables.score_intervals import difference_interval, score_interval, score_of


def labels_and_probabilities(n, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    p = np.clip(0.5 + 0.3 * (y - 0.5) + 0.2 * rng.normal(size=n), 0.01, 0.99)
    return y, np.column_stack([1 - p, p])


def test_the_accuracy_has_wilsons_interval():
    y, p = labels_and_probabilities(200)
    found, right = score_interval(ACCURACY, y, p), int((p.argmax(axis=1) == y).sum())
    expected = stats.binomtest(right, 200).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert found.method == "Wilson"
    perfect = score_interval(ACCURACY, np.ones(50, int), np.tile([0.1, 0.9], (50, 1)))
    assert 0.9 < perfect.low < perfect.high == 1


def test_the_bootstrap_of_a_mean_is_that_of_its_standard_error():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(1500, 1))
    found = score_interval(MEAN_ABSOLUTE, y, np.zeros((1500, 1)))
    error = np.abs(y).std() / np.sqrt(1500)
    assert (found.high - found.low) / (2 * 1.96 * error) == pytest.approx(1, abs=0.12)
    assert found.low < np.abs(y).mean() < found.high
    assert found == score_interval(MEAN_ABSOLUTE, y, np.zeros((1500, 1)))


def test_many_rows_have_the_narrow_interval_of_many():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(50_000, 1))
    found = score_interval(MEAN_ABSOLUTE, y, np.zeros((50_000, 1)))
    error = np.abs(y).std() / np.sqrt(50_000)
    assert (found.high - found.low) / (2 * 1.96 * error) == pytest.approx(1, abs=0.15)
    assert found.low < np.abs(y).mean() < found.high


def test_rows_of_groups_that_are_alike_make_it_wider():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 20)
    y = np.repeat(rng.normal(size=30), 20)[:, None]
    of_rows, of_groups = (score_interval(MEAN_ABSOLUTE, y, y * 0, None, g) for g in (None, groups))
    assert of_groups.high - of_groups.low > 3 * (of_rows.high - of_rows.low)
    assert (of_rows.method, of_groups.method) == ("bootstrap of rows", "bootstrap of groups")


def test_weights_count():
    y, p = labels_and_probabilities(300)
    right = p.argmax(axis=1) == y
    found = score_interval(ACCURACY, y, p, np.where(right, 10.0, 1.0))
    assert found.method == "bootstrap of rows"
    assert found.low > score_interval(ACCURACY, y, p).high


def test_the_difference_of_models_is_that_of_the_same_rows():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(400, 1)) * 5
    near, far = y + 1.0 + 0.01 * rng.normal(size=y.shape), y + 1.1
    found = difference_interval(MEAN_ABSOLUTE, y, near, far)
    assert 0.09 < found.low < found.high < 0.11
    assert difference_interval(MEAN_ABSOLUTE, y, far, near).high < -0.09
    assert difference_interval(R2, y, near, far).low > 0


def test_few_rows_have_none():
    y, p = labels_and_probabilities(7)
    assert score_interval(LOG_LOSS, y, p) is None
    assert score_interval(ACCURACY, y[:1], p[:1]) is not None
    assert score_interval(LOG_LOSS, *labels_and_probabilities(8)) is not None


def test_the_area_under_the_curve_has_one_where_drawn_rows_may_lack_a_class():
    y, p = labels_and_probabilities(30)
    y[:] = 0
    y[:2] = 1
    found = score_interval(AUC, y, p)
    assert found.low <= AUC.measure(y, p, None) <= found.high


def test_a_score_that_is_not_defined_is_nan():
    def fails(y, p, weights):
        raise ValueError

    assert np.isnan(score_of(Metric("one", fails), np.zeros(9), np.zeros(9)))
    assert score_interval(Metric("one", fails), np.zeros(9), np.zeros(9)) is None
    divides = Metric("two", lambda y, p, weights: 1.0 / float(y.sum()))
    assert np.isnan(score_of(divides, np.zeros(9), np.zeros(9)))


def test_it_covers_the_true_score_as_often_as_it_says():
    truth = np.abs(np.random.default_rng(9).normal(size=10**5)).mean()
    hits = 0
    for seed in range(40):
        y = np.random.default_rng(seed).normal(size=(60, 1))
        found = score_interval(MEAN_ABSOLUTE, y, y * 0)
        hits += found.low <= truth <= found.high
    assert 33 <= hits <= 40
