"""Order and strength of remedies, on scores that were made up: no training."""

import numpy as np
import pytest

from rosenblatt import MLPClassifier, remedy
from rosenblatt.diagnosis import Diagnosis
from rosenblatt.diagnosis.effects import MAX_CONFIRMED, effect_of, measured_remedies
from rosenblatt.diagnosis.remedies import STATES
from rosenblatt.diagnosis.runs import Run
from rosenblatt.diagnosis.trials import GIVEN

MODEL = MLPClassifier((100, 50), alpha=0.0)
NAMES = ("fewer layers", "half as large", "smaller", "dropout", "L2 0.005", "L2 0.05", "early stopping")
WIGGLE = np.array([-0.01, 0.01, 0.0, -0.02, 0.02])


class Scripted:
    """Trials whose scores are given by parameter, or else 0.6, and which notes what was run."""

    model, batch_size = MODEL, 200
    splits = [(np.arange(80), np.arange(80, 100))] * 5

    def __init__(self, **gains):
        self.gains, self.asked = gains, []

    def run(self, named):
        self.asked += list(named)
        return {name: self.runs(trial.changes) for name, trial in named.items()}

    def runs(self, changes):
        gain = self.gains.get("_".join(f"{n}_{v}" for n, v in changes.items()).replace(".", "_"), 0.0)
        if gain is None:
            raise ValueError("the rows do not allow this")
        scores = 0.6 + gain + (WIGGLE if changes else 0)
        return [Run(i, score=float(score)) for i, score in enumerate(scores + np.zeros(5))]


def found_by(first, fresh, state="overfit"):
    trials, again = Scripted(**first), Scripted(**fresh)
    remedies = measured_remedies(state, trials, {GIVEN: trials.runs({})}, again)
    return remedies, trials, again


def test_the_strength_and_the_order_are_those_of_the_gains():
    gains = {"alpha_1_0": 0.1, "alpha_10_0": 0.2, "dropout_0_3": 0.15, "early_stopping_True": 0.3}
    remedies, trials, again = found_by(gains, gains)
    assert [(r.name, r.changes) for r in remedies if r.helps] == [
        ("early stopping", {"early_stopping": True}),
        ("L2", {"alpha": 10.0}),
        ("dropout", {"dropout": 0.3}),
    ]
    assert remedies[0].effect.before == pytest.approx(0.6)
    assert remedies[0].effect.after == pytest.approx(0.9)
    assert sorted(trials.asked) == sorted(NAMES)
    assert len(again.asked) == 1 + MAX_CONFIRMED
    # More rows were not tried, and come last.
    assert [r.name for r in remedies[3:]] == ["fewer layers", "fewer neurons", "more rows"]
    assert [r.effect is None for r in remedies] == [False] * 5 + [True]
    assert remedy(Diagnosis("overfit", None, remedies, MODEL)).get_params() == {
        **MODEL.get_params(),
        "early_stopping": True,
    }


def test_fresh_splits_decide():
    first = {"alpha_10_0": 0.3, "dropout_0_3": 0.2}
    remedies, _, _ = found_by(first, {"dropout_0_3": 0.1, "alpha_10_0": 0.005})
    assert [(r.name, r.helps) for r in remedies[:2]] == [("dropout", True), ("L2", False)]
    assert remedies[0].effect.gain == pytest.approx(0.1)


def test_only_the_best_three_are_confirmed_and_no_other_is_certain():
    gains = {"alpha_10_0": 0.1, "dropout_0_3": 0.2, "early_stopping_True": 0.3, "hidden_layer_sizes_(100,)": 0.4}
    remedies, _, again = found_by(gains, gains)
    assert len(again.asked) == 1 + MAX_CONFIRMED
    assert [(r.name, r.helps) for r in remedies[:4]] == [
        ("fewer layers", True),
        ("early stopping", True),
        ("dropout", True),
        ("L2", False),
    ]


def test_without_a_certain_gain_the_model_stays_as_it_is():
    remedies, _, _ = found_by({"alpha_10_0": 0.3}, {"alpha_10_0": 0.005})
    diagnosis = Diagnosis("overfit", None, remedies, MODEL)
    assert diagnosis.best is None
    same = remedy(diagnosis)
    assert same is not MODEL
    assert same.get_params() == MODEL.get_params()
    with pytest.raises(ValueError, match="has not been measured"):
        remedy(same)


def test_trials_that_were_made_are_not_repeated_and_those_of_one_split_prove_nothing():
    trials, again = Scripted(), Scripted(learning_rate_init_0_01=0.1)
    runs = {GIVEN: trials.runs({}), "rate x10": [Run(i, score=0.7) for i in range(5)]}
    runs |= {name: [Run(2, score=0.95)] for name in ("rate x100", "rate x1000")}
    remedies = measured_remedies("learning rate too low", trials, runs, again)
    assert trials.asked == ["longer"]
    assert [(r.name, r.changes, r.helps) for r in remedies] == [
        ("higher learning rate", {"learning_rate_init": 0.01}, True),
        ("train longer", {"max_iter": 1000}, False),
    ]


def test_a_row_or_two_prove_nothing_though_all_splits_agree():
    one_row = np.array([0.05, 0.05])  # of 20 in each of two splits
    trials = Scripted()
    trials.splits = [(np.arange(20), np.arange(20, 40)), (np.arange(20, 40), np.arange(20))]
    given = [Run(i, score=0.6) for i in range(2)]
    assert not effect_of(given, [Run(i, score=0.6 + gain) for i, gain in enumerate(one_row)], trials).certain
    assert effect_of(given, [Run(i, score=0.6 + gain) for i, gain in enumerate(4 * one_row)], trials).certain


def test_a_remedy_that_the_rows_do_not_allow_is_left_out():
    remedies, _, _ = found_by({"early_stopping_True": None}, {})
    assert "early stopping" not in [r.name for r in remedies]


@pytest.mark.parametrize("state", STATES)
def test_every_remedy_with_parameters_is_tried(state):
    rules = STATES[state]
    remedies, trials, _ = found_by({}, {}, state)
    tried = [r.name for r in remedies if r.effect]
    assert tried == [rule.name for rule in rules if rule.strengths(MODEL, 200)]
    assert [r.name for r in remedies if not r.effect] == [rule.name for rule in rules if rule.candidates is None]
    assert len(trials.asked) == len(set(trials.asked)) <= 7
