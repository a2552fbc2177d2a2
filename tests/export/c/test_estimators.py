"""Estimators in C: what `predict_proba` and `predict` give, for every kind of output."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from tests.export.c.compiling import run_c

from rosenblatt import LogisticRegression, MLPClassifier, MLPRegressor, Perceptron
from rosenblatt.export import to_c

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, SPECIES = load_iris(return_X_y=True)
NAMES = np.array(["setosa", 'versi"color??/', "Jungfräuliche"])[SPECIES]
WIDTHS, ROWS = X[:, 3], X[:, :3]
FAST = {"max_iter": 30, "random_state": 0}


def compare(model, rows, right, tmp_path, rtol=1e-12, **options):
    """The file's predictions beside `right`, and its classes beside the model's own."""
    written = to_c(model, tmp_path / "model.c", **options)
    found, labels = run_c(written, rows)
    assert_allclose(found, right, rtol=rtol, atol=rtol)
    if hasattr(model, "classes_") and (labels != -2).all():
        assert_array_equal(model.classes_[labels], model.predict(rows))
    return written


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (MLPClassifier((8,), **FAST), NAMES),
        (MLPClassifier((8,), **FAST), SPECIES > 0),
        (MLPClassifier((8,), dropout=0.2, normalization="batch", activation="gelu", **FAST), SPECIES),
        (LogisticRegression(), NAMES),
        (LogisticRegression(), SPECIES == 1),
    ],
    ids=["classes", "two", "toolbox", "logistic", "logistic of two"],
)
def test_probabilities_and_classes(model, y, tmp_path):
    model.fit(X, y)
    compare(model, X, model.predict_proba(X), tmp_path)


@pytest.mark.parametrize("y", [SPECIES, SPECIES > 0], ids=["classes", "two"])
@pytest.mark.parametrize(
    "model", [MLPClassifier((8,), loss="hinge", **FAST), Perceptron()], ids=["hinge", "perceptron"]
)
def test_margins_and_classes(model, y, tmp_path):
    model.fit(X, y)
    right = np.asarray(model.decision_function(X)).reshape(len(X), -1)
    compare(model, X, right, tmp_path)


def test_several_labels_have_a_probability_each(tmp_path):
    y = np.column_stack([SPECIES == 0, WIDTHS > 1]).astype(int)
    model = MLPClassifier((8,), **FAST).fit(X, y)
    text = compare(model, X, model.predict_proba(X), tmp_path).path.read_text()
    assert "model_predict_class" not in text
    assert "a row may have several" in text


def test_a_single_class_is_always_chosen(tmp_path):
    model = MLPClassifier((3,), **FAST).fit(X, np.zeros(len(X), int))
    compare(model, X, np.asarray(model.network.predict(X)), tmp_path)


@pytest.mark.parametrize(
    "options",
    [{}, {"target_transform": "log"}, {"loss": "gaussian_nll"}, {"loss": "poisson"}, {"loss": "quantile"}],
    ids=["plain", "log", "variance", "poisson", "quantile"],
)
@pytest.mark.parametrize("several", [False, True])
def test_numbers(options, several, tmp_path):
    y = np.column_stack([WIDTHS, 3 * WIDTHS]) if several else WIDTHS
    model = MLPRegressor(hidden_layer_sizes=(8,), **FAST, **options).fit(ROWS, y)
    compare(model, ROWS, model.predict(ROWS).reshape(len(X), -1), tmp_path)


def test_single_precision(tmp_path):
    model = MLPClassifier((50,), **FAST, dtype="float32").fit(X, NAMES)
    compare(model, X, model.predict_proba(X.astype(np.float32)), tmp_path, rtol=1e-6)
    double = MLPClassifier((50,), **FAST).fit(X, NAMES)
    compare(double, X, double.predict_proba(X), tmp_path, rtol=1e-5, dtype="float32", overwrite=True)


def test_a_class_is_not_chosen_from_nan(tmp_path):
    model = MLPClassifier((8,), **FAST).fit(X, NAMES)
    rows = np.array([[np.nan, 1, 1, 1], [1, 1, np.inf, 1], X[0]])
    found, labels = run_c(to_c(model, tmp_path / "m.h"), rows)
    assert np.isnan(found[0]).all()
    assert labels.tolist() == [-1, -1, 1]


def test_classes_are_written_as_they_are(tmp_path):
    model = LogisticRegression().fit(X, NAMES)
    text = to_c(model, tmp_path / "m.c").path.read_text(encoding="ascii")
    assert r'"Jungfr\303\244uliche", "setosa", "versi\"color\?\?/"' in text


@pytest.mark.parametrize("unit", ["D", "s", "ns"])
def test_dates_as_classes_are_written_as_dates(unit, tmp_path):
    days = np.array(["2020-12-31", "2021-01-01", "2022-05-05"], f"datetime64[{unit}]")[SPECIES]
    text = to_c(Perceptron().fit(X, days), tmp_path / "m.c").path.read_text()
    assert '"2020-12-31", "2021-01-01", "2022-05-05"' in text


def test_columns_are_named_in_the_first_comment(tmp_path):
    frame = load_iris(as_frame=True).data
    model = LogisticRegression().fit(frame, SPECIES)
    text = to_c(model, tmp_path / "m.c").path.read_text()
    assert " *   2: petal length (cm)" in text
