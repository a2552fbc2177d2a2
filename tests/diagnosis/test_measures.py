"""Figures over splits against closed forms and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

from rosenblatt.diagnosis.evidence import POWER_LAW_RATIO
from rosenblatt.diagnosis.measures import compare, corrected_se, is_certain, label_noise_score, out_of_fold, reference
from rosenblatt.diagnosis.runs import MAX_ERROR, Run, mean_score


def test_the_standard_error_is_that_of_nadeau_and_bengio():
    assert corrected_se(np.array([1.0, 2.0, 3.0]), 0.25) == pytest.approx(np.sqrt(1.0 * (1 / 3 + 0.25)))
    assert corrected_se(np.array([1.0]), 0.25) == np.inf


def test_trials_are_compared_with_the_same_split():
    given = [Run(i, val_errors=[error], train_error=error) for i, error in enumerate((0.5, 0.6, 0.7))]
    (only,) = other = [Run(2, val_errors=[0.4], train_error=0.1)]
    found = compare(given, other, 0.25)
    assert found.gain == pytest.approx(given[2].error - only.error)
    assert found.train_gain == pytest.approx(0.6)
    assert found.gain_se == np.inf
    assert not found.certain


def test_a_gain_is_certain_by_its_size_or_by_its_signs():
    gains = np.array([0.1, 0.1, 0.1, 0.1, 2.0])
    assert is_certain(gains, 1.0)
    assert not is_certain(gains - 0.2, 1.0)
    assert is_certain(gains - 0.2, 0.1)
    assert not is_certain(gains[1:], 1.0)


def test_the_reference_is_judged_by_splits_that_did_not_choose_it():
    """The smallest of 50 equally good trials is no better than they are."""
    rng = np.random.default_rng(0)
    errors = rng.normal(1.0, 0.1, (100, 30, 6))
    found = []
    for trials in errors:
        runs = {
            str(k): [Run(i, val_errors=[e], outputs=[NOTHING]) for i, e in enumerate(t)] for k, t in enumerate(trials)
        }
        found.append(reference(runs, list(runs), 6)[0].mean())
    assert np.mean(found) == pytest.approx(1.0, abs=0.02)
    assert np.mean(errors.mean(axis=2).min(axis=1)) < 0.92


NOTHING = np.zeros((1, 1))


def test_the_reference_is_the_best_epoch_of_sound_trials():
    good = [Run(i, val_errors=[0.9, 0.4 + i / 100, 0.6], outputs=[NOTHING, NOTHING + i, NOTHING]) for i in range(4)]
    lost = [Run(i, diverged=True, val_errors=[0.1], outputs=[NOTHING]) for i in range(4)]
    errors, outputs = reference({"a": good, "b": lost}, ["a", "b", "absent"], 4)
    assert errors == pytest.approx([0.40, 0.41, 0.42, 0.43])
    assert [float(o[0, 0]) for o in outputs] == [0, 1, 2, 3]
    errors, outputs = reference({"b": lost}, ["b"], 4)
    assert (errors == MAX_ERROR).all()
    assert outputs == []


def test_the_next_gain_is_that_of_the_power_law():
    def error(n):
        return 0.2 + 3 * n**-0.5

    assert POWER_LAW_RATIO * (error(25) - error(100)) == pytest.approx(error(100) - error(200))


def test_outputs_of_repeated_folds_are_averaged():
    splits = [(NOTHING, np.array([2, 0])), (NOTHING, np.array([0, 5]))]
    rows, outputs = out_of_fold([np.array([[1.0], [2.0]]), np.array([[4.0], [5.0]])], splits)
    assert rows.tolist() == [0, 2, 5]
    assert outputs.ravel().tolist() == [3.0, 1.0, 5.0]


def test_flipped_labels_are_what_is_suspected():
    target = np.tile([[0.0], [1.0]], (50, 1))
    outputs = np.clip(target, 0.05, 0.95)
    target[:10] = 1 - target[:10]
    rate, _, suspects = label_noise_score(np.arange(100), outputs, target, True)
    assert set(suspects) <= set(range(10))
    assert rate > 0


def test_outliers_are_what_is_suspected_of_values():
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(500, 1))
    target = outputs + rng.normal(0, 0.1, (500, 1))
    assert label_noise_score(np.arange(500), outputs, target, False)[0] < 0.02
    target[:50] += 2
    rate, _, suspects = label_noise_score(np.arange(500), outputs, target, False)
    assert rate == pytest.approx(0.1, abs=0.02)
    assert set(range(50)) <= set(suspects)


def test_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    points = rng.random((30, 3))
    labels = np.eye(3)[rng.integers(0, 3, 30)]
    sets = (rng.random((30, 3)) > 0.4).astype(float)
    assert mean_score(points, labels, True) == pytest.approx(accuracy_score(labels.argmax(1), points.argmax(1)))
    assert mean_score(points, sets, True) == pytest.approx(accuracy_score(sets, points > 0.5))
    assert mean_score(points[:, :1], sets[:, :1], True) == pytest.approx(accuracy_score(sets[:, 0], points[:, 0] > 0.5))
    values = points + rng.normal(0, 0.1, (30, 3))
    assert mean_score(points, values, False) == pytest.approx(r2_score(values, points))
