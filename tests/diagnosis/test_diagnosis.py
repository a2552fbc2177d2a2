"""`diagnose` and `remedy`: states of constructed cases, refusals, and what is never changed."""

import numpy as np
import pandas as pd
import pytest
from benchmarks.diagnosis import CASES
from sklearn.base import clone
from sklearn.datasets import make_moons
from sklearn.neural_network import MLPClassifier as TheirClassifier

from rosenblatt import MLPClassifier, MLPRegressor, diagnose, remedy
from rosenblatt.diagnosis.measures import corrected_se, suspicion
from rosenblatt.diagnosis.runs import Run

X, Y = make_moons(80, noise=0.2, random_state=0)
QUICK = MLPClassifier((8,), learning_rate_init=0.01, max_iter=10)


@pytest.mark.parametrize("name", CASES)
def test_constructed_cases_are_named(name):
    state, make = CASES[name]
    found = diagnose(*make(0))
    assert found.state == state
    assert state in str(found)
    assert bool(found.remedies) == (state != "good")


def test_the_model_is_not_changed_and_the_seed_decides():
    model = clone(QUICK)
    before = repr(model.get_params())
    first, second = (diagnose(model, X, Y, cv=3, random_state=1) for _ in range(2))
    assert repr(model.get_params()) == before
    assert not hasattr(model, "loss_curve_")
    assert str(first) == str(second)
    assert np.array_equal(first.evidence.curve.val_loss, second.evidence.curve.val_loss)
    assert str(first) != str(diagnose(model, X, Y, cv=3, random_state=2))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_fitted_model_keeps_its_weights():
    model = clone(QUICK).fit(X, Y)
    before = model.network.parameters.copy()
    diagnose(model, X, Y, cv=2)
    assert np.array_equal(model.network.parameters, before)


def test_the_standard_error_is_that_of_nadeau_and_bengio():
    assert corrected_se(np.array([1.0, 2.0, 3.0]), 0.25) == pytest.approx(np.sqrt(1.0 * (1 / 3 + 0.25)))


def test_flipped_labels_are_what_is_suspected():
    target = np.tile([[0.0], [1.0]], (50, 1))
    outputs = np.clip(target, 0.05, 0.95)
    target[:10] = 1 - target[:10]
    rate, _, suspects = suspicion([Run(best_outputs=outputs)], [(np.arange(0), np.arange(100))], target, True)
    assert set(suspects) <= set(range(10))
    assert rate > 0


def test_remedies_of_overfitting_come_in_order():
    model = MLPClassifier((100, 50), alpha=0.0)
    chain = [model]
    for _ in range(5):
        chain.append(remedy(chain[-1]))
    changed = ("hidden_layer_sizes", "hidden_layer_sizes", "dropout", "alpha", "early_stopping")
    for before, after, name in zip(chain, chain[1:], changed, strict=False):
        old, new = before.get_params(), after.get_params()
        assert [n for n in old if old[n] != new[n]] == [name]
    assert chain[2].hidden_layer_sizes == (50,)
    with pytest.raises(ValueError, match=r"no remedy is left.*Collect more rows"):
        remedy(chain[-1])
    assert model.hidden_layer_sizes == (100, 50)


def test_a_diagnosis_gives_its_first_remedy():
    rows = make_moons(300, noise=0.1, random_state=0)
    found = diagnose(MLPClassifier((8,), learning_rate_init=1e-6), *rows)
    assert found.state == "learning rate too low"
    assert remedy(found).learning_rate_init == pytest.approx(1e-5)
    assert remedy(remedy(found)).max_iter == 1000


NAN = np.where(np.arange(len(X))[:, None] == 3, np.nan, X)
REFUSED = {
    "another library's": (lambda: diagnose(TheirClassifier(), X, Y), TypeError, "rosenblatt MLPClassifier"),
    "a class": (lambda: diagnose(MLPClassifier, X, Y), TypeError, "the class MLPClassifier"),
    "no model": (lambda: diagnose(None, X, Y), TypeError, "NoneType"),
    "remedy of no model": (lambda: remedy("overfit"), TypeError, "remedy is given str"),
    "few rows": (lambda: diagnose(QUICK, X[:10], Y[:10]), ValueError, "10 rows.*at least 20"),
    "one class": (lambda: diagnose(QUICK, X, np.ones(80, int)), ValueError, "one class only"),
    "one value": (lambda: diagnose(MLPRegressor(), X, np.ones(80)), ValueError, "the same value"),
    "lengths": (lambda: diagnose(QUICK, X, Y[:70]), ValueError, "inconsistent numbers of samples"),
    "NaN in X": (lambda: diagnose(QUICK, NAN, Y), ValueError, "NaN"),
    "infinity in X": (lambda: diagnose(QUICK, np.where(np.isnan(NAN), np.inf, X), Y), ValueError, "infinity"),
    "NaN in y": (lambda: diagnose(MLPRegressor(), X, NAN[:, 0]), ValueError, "NaN"),
    "numbers for classes": (lambda: diagnose(QUICK, X, X[:, 0]), ValueError, "use MLPRegressor"),
    "one axis": (lambda: diagnose(QUICK, X[:, 0], Y), ValueError, "2D array"),
    "text in X": (lambda: diagnose(QUICK, pd.DataFrame({"a": ["x"] * 80}), Y), ValueError, "could not convert"),
    "cv of one": (lambda: diagnose(QUICK, X, Y, cv=1), ValueError, "cv is 1"),
    "many folds": (lambda: diagnose(QUICK, X, Y, cv=40), ValueError, "at most 20 folds"),
    "a rare class": (lambda: diagnose(QUICK, X, np.where(np.arange(80) < 2, 2, Y)), ValueError, "class .* has 2 rows"),
    "seed": (lambda: diagnose(QUICK, X, Y, random_state=-1), ValueError, "random_state is -1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused(name):
    call, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        call()
