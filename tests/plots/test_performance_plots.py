"""Pictures of performance show scikit-learn's curves; its own displays take our estimators, with tables too."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibrationDisplay, calibration_curve
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    PrecisionRecallDisplay,
    PredictionErrorDisplay,
    RocCurveDisplay,
    confusion_matrix,
    precision_recall_curve,
    roc_curve,
)

from rosenblatt import MLPClassifier, MLPRegressor, Perceptron, TabularClassifier, TabularRegressor, plots

RNG = np.random.default_rng(0)
X = pd.DataFrame({"size": RNG.normal(size=200), "colour": RNG.choice(["red", "green", "blue"], 200)})
VALUE = pd.Series(X["size"] + (X["colour"] == "red") + RNG.normal(0, 0.5, 200), name="price")
Y = np.where(VALUE > 0.3, "yes", "no")
IRIS, KINDS = load_iris(return_X_y=True)
KINDS = np.array(["setosa", "versicolor", "virginica"])[KINDS]
CURVES = (plots.plot_roc, plots.plot_precision_recall, plots.plot_calibration)
SKLEARNS = (RocCurveDisplay, PrecisionRecallDisplay, CalibrationDisplay, ConfusionMatrixDisplay)


@pytest.fixture(scope="module")
def binary():
    return TabularClassifier("fast", max_iter=4).fit(X, Y)


@pytest.fixture(scope="module")
def three():
    return MLPClassifier((8,), random_state=0, learning_rate_init=0.05, tol=1e-2).fit(IRIS, KINDS)


@pytest.fixture(scope="module")
def regressor():
    return TabularRegressor("fast", max_iter=4).fit(X, VALUE)


def test_scikit_learns_displays_take_tabular_estimators(binary, regressor):
    for display in SKLEARNS:
        drawn = display.from_estimator(binary, X, Y)
        predicted = binary.predict(X) if display is ConfusionMatrixDisplay else binary.predict_proba(X)[:, 1]
        given = {} if display is ConfusionMatrixDisplay else {"pos_label": "yes"}
        other = display.from_predictions(Y, predicted, **given)
        for name in ("fpr", "precision", "prob_true", "confusion_matrix"):
            if hasattr(drawn, name):
                assert np.array_equal(getattr(drawn, name), getattr(other, name))
    drawn = PredictionErrorDisplay.from_estimator(regressor, X, VALUE)
    assert np.array_equal(drawn.y_pred, regressor.predict(X))


def test_they_take_estimators_for_arrays(three):
    drawn = ConfusionMatrixDisplay.from_estimator(three, IRIS, KINDS)
    assert np.array_equal(drawn.confusion_matrix, confusion_matrix(KINDS, three.predict(IRIS)))
    two = MLPClassifier((4,), random_state=0, learning_rate_init=0.05, tol=1e-2).fit(IRIS[:100], KINDS[:100])
    for display in SKLEARNS[:3]:
        display.from_estimator(two, IRIS[:100], KINDS[:100])
    numbers = MLPRegressor(hidden_layer_sizes=(4,), random_state=0, tol=1e-1).fit(IRIS, IRIS[:, 0])
    PredictionErrorDisplay.from_estimator(numbers, IRIS, IRIS[:, 0], kind="actual_vs_predicted")


def test_two_classes_have_one_curve(binary):
    p = binary.predict_proba(X)[:, 1]
    roc, precision_recall, calibration = (draw(binary, X, Y) for draw in CURVES)
    assert isinstance(roc, RocCurveDisplay)
    fpr, tpr, _ = roc_curve(Y == "yes", p)
    assert np.array_equal(roc.ax_.get_lines()[0].get_xydata(), np.c_[fpr, tpr])
    assert isinstance(precision_recall, PrecisionRecallDisplay)
    precision, recall, _ = precision_recall_curve(Y == "yes", p)
    assert np.array_equal(precision_recall.ax_.get_lines()[0].get_xydata(), np.c_[recall, precision])
    assert isinstance(calibration, CalibrationDisplay)
    true, predicted = calibration_curve(Y == "yes", p, n_bins=10, strategy="quantile")
    assert np.array_equal(calibration.ax_.get_lines()[1].get_xydata(), np.c_[predicted, true])
    assert calibration.ax_.get_xlabel() == "probability of class yes"
    assert roc.ax_.get_legend().get_texts()[0].get_text().startswith("yes (AUC = 0.")


def test_each_of_several_classes_has_a_curve(three):
    p = three.predict_proba(IRIS)
    roc, precision_recall, calibration = (draw(three, IRIS, KINDS) for draw in CURVES)
    for k, name in enumerate(("setosa", "versicolor", "virginica")):
        fpr, tpr, _ = roc_curve(name == KINDS, p[:, k])
        assert np.array_equal(roc.ax_.get_lines()[k].get_xydata(), np.c_[fpr, tpr])
        precision, recall, _ = precision_recall_curve(name == KINDS, p[:, k])
        assert np.array_equal(precision_recall.ax_.get_lines()[k].get_xydata(), np.c_[recall, precision])
        assert name in roc.ax_.get_legend().get_texts()[k].get_text()
    assert len({line.get_color() for line in roc.ax_.get_lines()}) == 4
    true, predicted = calibration_curve(three.predict(IRIS) == KINDS, p.max(axis=1), n_bins=10, strategy="quantile")
    assert np.array_equal(calibration.ax_.get_lines()[1].get_xydata(), np.c_[predicted, true])
    assert calibration.ax_.get_ylabel() == "share of correct predictions"
    some = np.flatnonzero(KINDS != "virginica")
    assert len(plots.plot_roc(three, IRIS[some], KINDS[some]).ax_.get_lines()) == 3, (
        "curves of classes in y, and chance"
    )


def test_a_confusion_matrix_has_the_names_of_classes(three):
    display = plots.plot_confusion(three, IRIS, KINDS)
    assert np.array_equal(display.confusion_matrix, confusion_matrix(KINDS, three.predict(IRIS)))
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["setosa", "versicolor", "virginica"]
    shares = plots.plot_confusion(three, IRIS, KINDS, normalize="true").confusion_matrix
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    with pytest.raises(ValueError, match="normalize"):
        plots.plot_confusion(three, IRIS, KINDS, normalize="rows")


def test_errors_of_numbers(regressor):
    predicted = regressor.predict(X)
    residuals, predictions = (draw(regressor, X, VALUE) for draw in (plots.plot_residuals, plots.plot_predictions))
    assert np.array_equal(residuals.ax_.collections[0].get_offsets(), np.c_[predicted, VALUE - predicted])
    assert np.array_equal(predictions.ax_.collections[0].get_offsets(), np.c_[predicted, VALUE])
    assert (residuals.ax_.get_xlabel(), residuals.ax_.get_ylabel()) == ("predicted price", "true - predicted price")
    _, ax = plt.subplots()
    assert plots.plot_predictions(regressor, X, VALUE, ax=ax).ax_ is ax
    pair = TabularRegressor("fast", max_iter=2).fit(X, np.c_[VALUE, -VALUE])
    second = plots.plot_residuals(pair, X, np.c_[VALUE, -VALUE], output=1)
    assert np.array_equal(second.y_pred, pair.predict(X)[:, 1])
    for output in (None, 2):
        with pytest.raises(ValueError, match=f"output is {output}, but there are 2: give the number of one, from 0"):
            plots.plot_residuals(pair, X, np.c_[VALUE, -VALUE], output=output)


def test_what_cannot_be_drawn_is_named(binary, regressor, three):
    for draw in (*CURVES, plots.plot_confusion):
        with pytest.raises(ValueError, match=r"TabularRegressor has no classes_: draw plot_predictions"):
            draw(regressor, X, VALUE)
        with pytest.raises(ValueError, match=r"y holds the class 'maybe' in row 1, .*The classes are: 'no', 'yes'"):
            draw(binary, X, ["maybe", *Y[1:]])
        with pytest.raises(NotFittedError):
            draw(TabularClassifier(), X, Y)
    for draw in CURVES:
        with pytest.raises(ValueError, match="X has 200 rows, y has 199"):
            draw(binary, X, Y[1:])
        with pytest.raises(ValueError, match="y holds 'setosa' only; rows of at least two classes are needed"):
            draw(three, IRIS[:50], KINDS[:50])
        with pytest.raises(ValueError, match="Perceptron has no predict_proba"):
            draw(Perceptron().fit(IRIS, KINDS), IRIS, KINDS)
    for draw in (plots.plot_residuals, plots.plot_predictions):
        with pytest.raises(ValueError, match="TabularClassifier predicts classes: draw plot_confusion"):
            draw(binary, X, Y)
        with pytest.raises(ValueError, match="X has 200 rows, y has 100"):
            draw(regressor, X, VALUE[:100])
