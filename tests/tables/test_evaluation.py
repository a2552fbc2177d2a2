"""Scores beside the trivial guess, with and without weights."""

import numpy as np
import pytest

from rosenblatt import metrics
from rosenblatt.tables.evaluation import evaluate, trivial_guess
from rosenblatt.tables.targets import Target

LABELS = np.array([0] * 7 + [1] * 3)
CLASSES = Target("passed", LABELS, np.array(["No", "Yes"], dtype=object))
NUMBERS = Target("price", np.array([1.0, 2.0, 3.0, 100.0]))


@pytest.mark.parametrize(
    ("metric", "name", "values"),
    [
        (metrics.ACCURACY, "always 'No'", [1, 0]),
        (metrics.BALANCED_ACCURACY, "always 'No'", [1, 0]),
        (metrics.F1, "always 'Yes'", [0, 1]),
        (metrics.AUC, "always 'No'", [1, 0]),
        (metrics.LOG_LOSS, "the shares of the classes", [0.7, 0.3]),
    ],
)
def test_the_guess_for_classes_is_the_best_constant(metric, name, values):
    guess = trivial_guess(CLASSES, metric)
    assert guess.name == name
    assert guess.values == pytest.approx(values)


def test_the_guess_for_numbers_is_the_mean_the_median_or_the_quantiles():
    assert trivial_guess(NUMBERS, metrics.R2).values == pytest.approx([26.5])
    assert trivial_guess(NUMBERS, metrics.D2_ABSOLUTE, "median").values == pytest.approx([2.5])
    assert trivial_guess(NUMBERS, metrics.R2, (0.25, 0.5)).values == pytest.approx([1.75, 2.5])
    weights = np.array([0.0, 0.0, 3.0, 1.0])
    assert trivial_guess(NUMBERS, metrics.R2, weights=weights).values == pytest.approx([27.25])
    assert trivial_guess(NUMBERS, metrics.R2, "median", weights).values == pytest.approx([3])


def test_weights_count_in_the_guess_and_in_the_scores():
    weights = np.where(LABELS == 1, 10.0, 1.0)
    found = evaluate(CLASSES, CLASSES, np.tile([0.4, 0.6], (10, 1)), training_weights=weights, weights=weights)
    assert found.guess_name == "always 'Yes'"
    assert found.scores["accuracy"] == pytest.approx((30 / 37, 30 / 37))
    assert not found.beats_guess
    assert found.verdict == "By accuracy, the model is no better than always 'Yes'."


def test_classes_are_chosen_with_the_decision_weights():
    predictions = np.stack([np.where(LABELS == 1, 0.6, 0.9), np.where(LABELS == 1, 0.4, 0.1)], axis=1)
    plain = evaluate(CLASSES, CLASSES, predictions, [metrics.F1, metrics.ACCURACY])
    assert plain.scores["F1"][0] == 0
    found = evaluate(CLASSES, CLASSES, predictions, [metrics.F1, metrics.ACCURACY], decision_weights=np.array([1, 2]))
    assert found.scores["F1"][0] == 1
    assert found.beats_guess
    assert found.verdict == ""
    assert found.confusion.tolist() == [[7, 0], [0, 3]]
