"""Scores: their weights and targets are checked as those of a fit; only finite scores are best."""

import numpy as np
import pytest
import scipy.sparse as sp

from rosenblatt import (
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    Perceptron,
    TabularClassifier,
    TabularRegressor,
    diagnose,
    learn,
    nn,
)
from rosenblatt.estimators.sparse import own_indices

X = np.random.default_rng(0).normal(size=(60, 3))
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0}
FITTED = {
    "MLPClassifier": lambda: MLPClassifier(**SMALL).fit(X, X[:, 0] > 0),
    "MLPRegressor": lambda: MLPRegressor(**SMALL).fit(X, X[:, 0]),
    "LogisticRegression": lambda: LogisticRegression().fit(X, X[:, 0] > 0),
    "Perceptron": lambda: Perceptron().fit(X, X[:, 0] > 0),
    "TabularClassifier": lambda: TabularClassifier(max_iter=2, members=2).fit(X, X[:, 0] > 0),
    "TabularRegressor": lambda: TabularRegressor(max_iter=2, members=2).fit(X, X[:, 0]),
}
WEIGHTS = {
    "negative": (np.r_[-1.0, np.ones(59)], "sample_weight is -1 in row 0"),
    "NaN": (np.r_[np.nan, np.ones(59)], "sample_weight contains NaN in row 0"),
    "zero": (np.zeros(60), "sample_weight is zero in all rows"),
    "too few": (np.ones(3), r"shape \(3,\); it must have one weight per row"),
}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("door", FITTED)
def test_weights_of_scores_are_checked_as_those_of_fits(door):
    model, y = FITTED[door](), X[:, 0] if door.endswith("Regressor") else X[:, 0] > 0
    for weights, message in WEIGHTS.values():
        with pytest.raises(ValueError, match=message):
            model.score(X, y, sample_weight=weights)
    assert model.score(X, y, sample_weight=[2] * 60) == pytest.approx(model.score(X, y))


@pytest.mark.parametrize("door", ["MLPClassifier", "LogisticRegression", "Perceptron", "TabularClassifier"])
def test_a_missing_label_is_named(door):
    y = np.array(["a", "b"] * 30, dtype=object)
    model = type(FITTED[door]())(**({"max_iter": 2, "members": 2} if door.startswith("Tab") else {"max_iter": 5}))
    model.fit(X, y)
    y[3] = None
    calls = [lambda: model.score(X, y), lambda: model.fit(X, y)]
    for call in calls + [lambda: model.partial_fit(X, y)] * hasattr(model, "partial_fit"):
        with pytest.raises(ValueError, match=r"y (has|contains NaN, or) no value.* in .*row 3 \(from 0\)"):
            call()


@pytest.mark.parametrize("make", [lambda: MLPRegressor(**SMALL), lambda: TabularRegressor(max_iter=2, members=2)])
def test_dates_are_no_numbers_to_learn(make):
    with pytest.raises(ValueError, match="y holds dates or times; convert them to numbers"):
        make().fit(X, np.arange("2020-01-01", "2020-03-01", dtype="datetime64[D]"))


@pytest.mark.parametrize("first", [np.nan, np.inf, -np.inf])
def test_a_first_score_that_is_not_finite_is_never_the_best(first):
    scores = iter([first, 1.0, 2.0, 3.0])
    network = nn.Network(nn.NetworkSpec(3, (4,), 1), seed=0)
    network.fit(X, X[:, 0], epochs=4, validation=(X, X[:, 0]), scorer=lambda network, X, y: next(scores))
    other = nn.Network(nn.NetworkSpec(3, (4,), 1), seed=0)
    other.fit(X, X[:, 0], epochs=4)
    np.testing.assert_array_equal(network.parameters, other.parameters)


def test_a_perceptron_refuses_margins_that_overflow():
    model = Perceptron().fit(X * 1e300, X[:, 0] > 0)
    with pytest.raises(ValueError, match="output for row 0"):
        model.predict(np.full((2, 3), 1e308))


def test_a_training_that_ends_far_worse_than_a_constant_is_no_good_state():
    model = MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=0, learning_rate_init=1e5)
    assert diagnose(model, X, X[:, 0]).state == "learning rate too high"


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_matrix, sp.csr_array])
def test_index_arrays_are_copied_and_checked(kind):
    given = kind(sp.random(20, 5, 0.4, random_state=0))
    made = own_indices(given)
    given.indices[:] = 0
    assert made.indices.any()
    assert type(made) is type(given)
    assert not np.shares_memory(made.indices, given.indices)
    assert not np.shares_memory(made.indptr, given.indptr)
    given.indices[0] = 99
    with pytest.raises(ValueError, match="X is not a valid sparse matrix"):
        own_indices(given)
    dense = np.zeros((2, 2))
    assert own_indices(dense) is dense


def test_versions_in_a_file_are_classes(tmp_path):
    cells = ["1.1", "1.10", "1.9"]
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{i * 7 % 13},{cells[i % 3]}\n" for i in range(60)))
    model = learn(tmp_path / "t.csv", "y", max_iter=1, members=2)
    assert list(model.classes_) == cells
