"""Estimators as ONNX models: labels, probabilities, scores and numbers, beside their own predictions."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from tests.export.onnx.running import RUNS, assert_close

from rosenblatt import LogisticRegression, MLPClassifier, MLPRegressor, Perceptron
from rosenblatt.export.onnx.estimators import classifier_model
from rosenblatt.export.onnx.exporting import onnx_model
from rosenblatt.nn.activations import ACTIVATIONS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4))
NUMBERS = np.clip((X[:, 0] * 2 + X[:, 1]).round().astype(int), -1, 1) + 1
TARGETS = {
    "two": NUMBERS > 1,
    "three": NUMBERS * 5,
    "texts": np.array(["süd", "north", "east"])[NUMBERS],
    "two texts": np.array(["no", "yes"])[(NUMBERS > 1).astype(int)],
    "objects": np.array(["a", "b", "c"], dtype=object)[NUMBERS],
    "floats": np.array([-1.0, 1.0])[(NUMBERS > 0).astype(int)],
    "wide": NUMBERS.astype(np.int64) + 2**60,
    "several": np.eye(3, dtype=int)[NUMBERS],
}
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Maximum number of iteration"),
]


def agree(model, X=X):
    """Check that both programs give the labels and the numbers that the estimator gives."""
    converted = onnx_model(model)
    network = getattr(model, "network", None)
    dtype = model.coef_.dtype if network is None else network.dtype
    for program, run in RUNS.items():
        found = run(converted, {"X": X.astype(dtype)})
        if "label" in found:
            expected = model.predict(X.astype(dtype))
            assert found["label"].shape == expected.shape, program
            assert found["label"].tolist() == expected.tolist(), program
        if "probabilities" in found:
            assert_close(found["probabilities"], model.predict_proba(X.astype(dtype)), program)
        if "variable" in found:
            expected = model.predict(X.astype(dtype))
            assert_close(found["variable"], expected.reshape(len(X), -1), program)
    return converted, found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", TARGETS)
def test_classifiers_of_all_kinds_of_labels(target, dtype):
    model = MLPClassifier((6,), "tanh", max_iter=10, random_state=0, dtype=dtype).fit(X, TARGETS[target])
    converted, found = agree(model)
    facts = {p.key: p.value for p in converted.metadata_props}
    assert facts["model"] == "MLPClassifier"
    assert json.loads(facts["classes"]) == model.classes_.tolist()
    assert list(found) == ["label", "probabilities"]


@pytest.mark.parametrize("target", [name for name in TARGETS if name != "several"])
def test_logistic_regressions_and_perceptrons(target):
    agree(LogisticRegression(max_iter=20).fit(X, TARGETS[target]))
    model = Perceptron(max_iter=5, tol=None).fit(X, TARGETS[target])
    _, found = agree(model)
    assert_close(found["scores"], model.decision_function(X).reshape(len(X), -1))


def test_sparse_perceptrons():
    agree(Perceptron(max_iter=5, tol=None).fit(X, TARGETS["three"]).sparsify())


@pytest.mark.parametrize("target", ["two", "texts", "several"])
def test_without_probabilities_there_are_scores(target):
    model = MLPClassifier((6,), loss="hinge", max_iter=10, random_state=0).fit(X, TARGETS[target])
    _, found = agree(model)
    assert list(found) == ["label", "scores"]
    assert_close(found["scores"], model.network.predict(X))


def test_a_single_class_is_always_predicted():
    agree(MLPClassifier((3,), max_iter=2).fit(X, np.full(len(X), 7)))


def test_dates_as_labels_are_texts():
    days = np.array(["2020-01-01", "2021-05-06"], dtype="datetime64[D]")[(NUMBERS > 0).astype(int)]
    model = LogisticRegression(max_iter=20).fit(X, days)
    for run in RUNS.values():
        found = run(onnx_model(model), {"X": X})["label"]
        assert found.tolist() == model.predict(X).astype(str).tolist()


def test_ties_go_to_the_first_class_as_in_python():
    model = MLPClassifier((3,), max_iter=2, random_state=0).fit(X, TARGETS["three"])
    model.network.block[...] = 0
    _, found = agree(model)
    assert set(found["label"].tolist()) == {0}
    model = LogisticRegression(max_iter=2).fit(X, TARGETS["two"])
    model.network.block[...] = 0
    _, found = agree(model)
    assert not found["label"].any()


def test_scores_of_zero_are_not_above_the_boundary():
    model = Perceptron(max_iter=5, tol=None).fit(X, TARGETS["two texts"])
    model.coef_[...] = model.intercept_[...] = 0
    _, found = agree(model)
    assert set(found["label"].tolist()) == {"no"}


REGRESSORS = {
    "squares": {},
    "counts": {"loss": "poisson"},
    "absolute": {"loss": "absolute"},
    "logarithm": {"target_transform": "log"},
    "quantiles": {"loss": "quantile"},
    "batch norm": {"normalization": "batch"},
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", REGRESSORS.values(), ids=REGRESSORS)
def test_regressors(options, dtype):
    model = MLPRegressor(hidden_layer_sizes=(6,), max_iter=10, random_state=0, dtype=dtype, **options)
    agree(model.fit(X, np.exp(X[:, 0])))
    agree(model.fit(X, np.exp(X[:, :2])))


def test_learned_deviations():
    model = MLPRegressor(loss="gaussian_nll", hidden_layer_sizes=(6,), max_iter=10, random_state=0)
    model.fit(X, X[:, :2])
    _, found = agree(model)
    assert_close(found["std"], model.predict(X, return_std=True)[1])


def test_names_of_columns_are_kept():
    pandas = pytest.importorskip("pandas")
    model = LogisticRegression(max_iter=5).fit(pandas.DataFrame(X, columns=list("abcd")), TARGETS["two"])
    facts = {p.key: p.value for p in onnx_model(model).metadata_props}
    assert json.loads(facts["columns"]) == ["a", "b", "c", "d"]


def test_text_that_is_no_unicode():
    labels = np.array(["a\udc80", "b"], dtype=object)[(NUMBERS > 0).astype(int)]
    with pytest.raises(ValueError, match=r"a class is called 'a\\udc80', which is no Unicode"):
        onnx_model(LogisticRegression(max_iter=5).fit(X, labels))
    model = LogisticRegression(max_iter=5).fit(X, TARGETS["two"])
    model.feature_names_in_ = np.array(["a\udc80", "b", "c", "d"], dtype=object)
    facts = {p.key: p.value for p in onnx_model(model).metadata_props}
    assert json.loads(facts["columns"])[0] == "a\udc80"


@pytest.mark.parametrize("target", ["two", "three", "several"])
def test_raw_scores_are_those_of_the_decision_function(target):
    models = [MLPClassifier((6,), max_iter=10, random_state=0).fit(X, TARGETS[target])]
    models += [] if target == "several" else [LogisticRegression(max_iter=20).fit(X, TARGETS[target])]
    for model in models:
        for program, run in RUNS.items():
            found = run(classifier_model(model, raw_scores=True), {"X": X})
            assert_close(found["scores"], model.decision_function(X).reshape(len(X), -1), program)
            assert found["label"].tolist() == model.predict(X).tolist()


def test_rows_with_nan_have_nan_for_probabilities():
    rows = X[:6].copy()
    rows[2, 1] = np.nan
    model = MLPClassifier((6,), max_iter=10, random_state=0).fit(X, TARGETS["three"])
    for run in RUNS.values():
        found = run(onnx_model(model), {"X": rows})["probabilities"]
        assert_close(found, model.network.predict(rows))
        assert np.isnan(found[2]).all()


@pytest.mark.parametrize("model", [MLPClassifier(), MLPRegressor(), LogisticRegression(), Perceptron()])
def test_models_that_are_not_fitted_are_refused(model):
    with pytest.raises(NotFittedError):
        onnx_model(model)


TRAINABLE = [name for name in ACTIVATIONS if name != "step"]
PAIRS = list(itertools.product(TRAINABLE, [None, "batch", "layer"], ["two", "texts", "several", "numbers"]))


@pytest.mark.long
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("activation", "normalization", "target"), PAIRS)
def test_pairs_of_options(activation, normalization, target):
    dtype = ("float32", "float64")[PAIRS.index((activation, normalization, target)) // 3 % 2]
    options = {"max_iter": 3, "random_state": 0, "dtype": dtype, "normalization": normalization, "tol": 0.0}
    options |= {"activation": activation, "hidden_layer_sizes": (7, 5), "n_iter_no_change": 99}
    model = MLPRegressor(**options) if target == "numbers" else MLPClassifier(**options)
    agree(model.fit(X, X[:, :2] if target == "numbers" else TARGETS[target]))
