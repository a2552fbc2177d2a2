"""`diagnose` and `remedy`: states of constructed cases, kinds of models, refusals, and what is never changed."""

import re

import numpy as np
import pandas as pd
import pytest
from benchmarks.diagnosis import CASES, new_scores
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_diabetes, make_moons, make_multilabel_classification
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.pipeline import make_pipeline

from rosenblatt import (
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    MLPSearchCV,
    TabularClassifier,
    diagnose,
    get_num_threads,
    remedy,
    set_num_threads,
)
from rosenblatt.diagnosis import trials
from rosenblatt.diagnosis.remedies import STATES
from rosenblatt.diagnosis.runs import MAX_ERROR, run_tasks

X, Y = make_moons(80, noise=0.2, random_state=0)
QUICK = MLPClassifier((8,), learning_rate_init=0.01, max_iter=10)
CHEAP = ("moons", "two neurons", "moons and noise", "rate to NaN", "rate 1e-6", "25 % flipped", "100 rows of 40")
CHEAPEST = ("moons", "two neurons", "rate to NaN", "rate 1e-6")


@pytest.mark.parametrize(
    "name", [name if name in CHEAPEST else pytest.param(name, marks=pytest.mark.long) for name in CHEAP]
)
def test_constructed_cases_are_named(name, monkeypatch):
    state, make = CASES[name]
    trainings = []
    monkeypatch.setattr(trials, "run_tasks", lambda tasks: trainings.extend(tasks) or run_tasks(tasks))
    found = diagnose(*make(0))
    assert found.state == state
    assert state in str(found)
    assert bool(found.remedies) == (state != "good")
    assert len(trainings) <= 29 * (10 if "100 rows" in name else 5)  # as the page says


def test_there_is_a_cheap_case_for_each_state():
    assert {CASES[name][0] for name in CHEAP} == set(STATES)


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


@pytest.mark.long
def test_the_number_of_threads_does_not_matter():
    before, found = get_num_threads(), []
    try:
        for n_threads in (1, 3):
            set_num_threads(n_threads)
            found.append(str(diagnose(QUICK, X, Y)))
    finally:
        set_num_threads(before)
    assert found[0] == found[1]


class Unasked:
    """A callback that fails when it is called."""

    def setup(self, estimator, context): ...

    def teardown(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        pytest.fail("a trial called the user's callback")


def test_callbacks_stay_outside():
    diagnose(clone(QUICK).set_callbacks(Unasked()), X, Y, cv=2)


LABELS = make_multilabel_classification(60, 5, n_classes=3, random_state=0)
KINDS = {
    "sparse": lambda: (QUICK, csr_matrix(X), Y),
    "float64": lambda: (clone(QUICK).set_params(dtype="float64"), X, Y),
    "words": lambda: (QUICK, X, np.array(["no", "yes"])[Y]),
    "sets of labels": lambda: (QUICK, *LABELS),
    "two outputs": lambda: (
        MLPRegressor(hidden_layer_sizes=(8,), max_iter=10),
        X,
        np.column_stack([X[:, 0], X[:, 1] ** 2]),
    ),
    "L-BFGS": lambda: (MLPClassifier((4,), solver="lbfgs", max_iter=20), X, Y),
    "early stopping": lambda: (clone(QUICK).set_params(early_stopping=True, validation_fraction=0.2), X, Y),
    "margin loss": lambda: (clone(QUICK).set_params(loss="hinge"), X, Y),
    "small batches": lambda: (clone(QUICK).set_params(batch_size=8), X, Y),
    "no hidden layer": lambda: (clone(QUICK).set_params(hidden_layer_sizes=()), X, Y),
    "rare class": lambda: (QUICK, X, np.where(np.arange(80) < 3, 2, Y)),
}
FEW_KINDS = ("sparse", "two outputs", "L-BFGS")


@pytest.mark.parametrize(
    "name", [name if name in FEW_KINDS else pytest.param(name, marks=pytest.mark.long) for name in KINDS]
)
def test_all_kinds_of_models_are_measured(name):
    model, table, target = KINDS[name]()
    e = diagnose(model, table, target, random_state=1).evidence
    assert e.diverged == 0
    assert 0 < e.error < MAX_ERROR
    assert np.isfinite([e.gap_se, e.score, e.val_score, e.next_gain, e.confident_error]).all()
    assert list(e.learning_curve) == sorted(e.learning_curve)
    assert len(e.curve.val_score) == len(e.curve.epochs) > 0
    assert e.curve.val_score[-1] == pytest.approx(e.val_score)


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
    with pytest.raises(ValueError, match=r"no parameter offers a further remedy.*Collect more rows"):
        remedy(chain[-1])
    assert model.hidden_layer_sizes == (100, 50)


def test_a_rate_is_raised_as_far_as_was_measured():
    rows = make_moons(300, noise=0.1, random_state=0)
    model = MLPClassifier((8,), learning_rate_init=1e-6)
    found = diagnose(model, *rows)
    assert found.state == "learning rate too low"
    assert max(found.evidence.trials, key=lambda name: found.evidence.trials[name].gain) == "rate x1000"
    assert found.best.changes == {"learning_rate_init": 0.001}
    assert remedy(found).get_params() == {**model.get_params(), "learning_rate_init": 0.001}
    with pytest.raises(ValueError, match=r"has not been measured: call remedy\(diagnose\(model, X, y\)\)"):
        remedy(remedy(found))


@pytest.mark.long
def test_the_first_remedy_keeps_its_gain_under_new_seeds():
    table, target = load_diabetes(return_X_y=True)
    table, target = table / table.std(0), (target - target.mean()) / target.std()
    model = MLPRegressor(hidden_layer_sizes=(128,), learning_rate_init=0.01)
    found = diagnose(model, table, target)
    assert found.state == "overfit"
    assert "alpha" in found.best.changes
    gains = [remedy.effect.gain for remedy in found.remedies if remedy.helps]
    assert gains == sorted(gains, reverse=True)
    before, after = new_scores([clone(model), remedy(found)], table, target, seed=7)
    assert after - before == pytest.approx(found.best.effect.gain, abs=0.15)
    assert after > before + 0.15
    line = re.search(r"  1\. L2: validation R2 (\S+) -> (\S+) \(.*\) with alpha=(\S+)\. ", str(found))
    effect = found.best.effect
    assert [float(number) for number in line.groups()] == pytest.approx(
        [effect.before, effect.after, found.best.changes["alpha"]], abs=5e-4
    )


@pytest.mark.long
def test_a_good_model_stays_as_it_is():
    model, table, target = CASES["moons"][1](0)
    found = diagnose(model, table, target)
    assert found.best is None
    assert found.remedies == ()
    same = remedy(found)
    assert same is not model
    assert same.get_params() == model.get_params()


NAN = np.where(np.arange(len(X))[:, None] == 3, np.nan, X)
REFUSED = {
    "another library's": (lambda: diagnose(TheirClassifier(), X, Y), TypeError, "rosenblatt MLPClassifier"),
    "a class": (lambda: diagnose(MLPClassifier, X, Y), TypeError, "the class MLPClassifier"),
    "no model": (lambda: diagnose(None, X, Y), TypeError, "NoneType"),
    "remedy of no model": (lambda: remedy("overfit"), TypeError, "remedy is given str"),
    "another pipeline": (lambda: diagnose(make_pipeline(LogisticRegression()), X, Y), TypeError, "given LogisticReg"),
    "a search": (lambda: diagnose(MLPSearchCV(QUICK), X, Y), TypeError, "given MLPSearchCV"),
    "a table's": (lambda: diagnose(TabularClassifier(), X, Y), TypeError, "given TabularClassifier"),
    "a parameter": (lambda: diagnose(MLPClassifier((8,), batch_size="x"), X, Y), ValueError, "'batch_size'.*'x'"),
    "few rows": (lambda: diagnose(QUICK, X[:10], Y[:10]), ValueError, "10 rows.*at least 20"),
    "one class": (lambda: diagnose(QUICK, X, np.ones(80, int)), ValueError, "y has a single class, 1: there"),
    "one value": (lambda: diagnose(MLPRegressor(), X, np.ones(80)), ValueError, "the same value"),
    "lengths": (lambda: diagnose(QUICK, X, Y[:70]), ValueError, "inconsistent numbers of samples"),
    "NaN in X": (lambda: diagnose(QUICK, NAN, Y), ValueError, "X contains NaN in row 3, column 0"),
    "infinity in X": (lambda: diagnose(QUICK, np.where(np.isnan(NAN), np.inf, X), Y), ValueError, "inf in row 3"),
    "NaN in y": (lambda: diagnose(MLPRegressor(), X, NAN[:, 0]), ValueError, "y contains NaN in row 3"),
    "numbers for classes": (lambda: diagnose(QUICK, X, X[:, 0]), ValueError, "use MLPRegressor"),
    "one axis": (lambda: diagnose(QUICK, X[:, 0], Y), ValueError, "2D array"),
    "text in X": (
        lambda: diagnose(QUICK, pd.DataFrame({"a": ["x"] * 80}), Y),
        ValueError,
        "X contains 'x'; it must be an array of numbers",
    ),
    "cv of one": (lambda: diagnose(QUICK, X, Y, cv=1), ValueError, "cv is 1"),
    "many folds": (lambda: diagnose(QUICK, X, Y, cv=40), ValueError, "at most 20 folds"),
    "a rare class": (lambda: diagnose(QUICK, X, np.where(np.arange(80) < 1, 2, Y)), ValueError, "class 2 has 1 row"),
    "early stopping": (
        lambda: diagnose(clone(QUICK).set_params(early_stopping=True), X, Y),
        ValueError,
        "80 rows, but early_stopping.*at least 100 rows",
    ),
    "overlap": (
        lambda: diagnose(QUICK, X, Y, cv=[(range(80), range(40))] * 2),
        ValueError,
        "that are among its training rows",
    ),
    "no splits": (lambda: diagnose(QUICK, X, Y, cv=[]), ValueError, "cv gives 0 split"),
    "no cv": (lambda: diagnose(QUICK, X, Y, cv=object()), ValueError, "cv is <object.*a splitter"),
    "rows beyond": (lambda: diagnose(QUICK, X, Y, cv=[(range(9), (80, 81))] * 2), ValueError, "from 0 to 79"),
    "rows from the end": (lambda: diagnose(QUICK, X, Y, cv=[(range(9), (-1, -2))] * 2), ValueError, "from 0 to 79"),
    "no pairs": (lambda: diagnose(QUICK, X, Y, cv=[(1, 2, 3)] * 2), ValueError, "split 0.*not a pair"),
    "nothing held out": (lambda: diagnose(QUICK, X, Y, cv=[(range(9), [])] * 2), ValueError, "fewer than 2 held-out"),
    "a class held out": (
        lambda: diagnose(QUICK, X, Y, cv=[(np.flatnonzero(Y), np.flatnonzero(1 - Y))] * 2),
        ValueError,
        "class 0, but no training rows",
    ),
    "a misspelt keyword": (lambda: diagnose(QUICK, X, Y, random_sate=0), TypeError, "'random_sate'.*'random_state'"),
    "seed": (lambda: diagnose(QUICK, X, Y, random_state=-1), ValueError, "random_state is -1"),
    "huge seed": (lambda: diagnose(QUICK, X, Y, random_state=2**70), ValueError, "random_state is 11805"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused(name):
    call, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        call()


def test_any_seed_of_64_bits_will_do():
    assert {diagnose(QUICK, X, Y, cv=2, random_state=seed).state for seed in (None, 2**64 - 1)} <= set(STATES)


def test_splits_may_be_masks_and_lists_of_layers_keep_their_length():
    mask = np.arange(80) % 2 == 0
    rows = [(np.flatnonzero(mask), np.flatnonzero(~mask)), (np.flatnonzero(~mask), np.flatnonzero(mask))]
    both = [str(diagnose(QUICK, X, Y, cv=cv)) for cv in ([(mask, ~mask), (~mask, mask)], rows)]
    assert both[0] == both[1]
    listed = MLPClassifier((16, 8), weight_init=["he_normal", "he_normal", "glorot_uniform"])
    assert remedy(listed).hidden_layer_sizes == (8, 4)  # fewer neurons, as the list has an entry for each layer
