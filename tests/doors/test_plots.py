"""Plots that are asked for in the wrong words: other objects, targets that do not fit, outputs that are not there."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from rosenblatt import MLPClassifier, Perceptron, TabularClassifier, TabularRegressor, plots
from rosenblatt.nn.activations import ACTIVATIONS

mpl.use("Agg")
RNG = np.random.default_rng(0)
X = {"a": RNG.normal(size=60), "b": RNG.normal(size=60)}
POINTS = np.column_stack(list(X.values()))
LABELS = np.where(X["a"] > 0, "_yes", "no")
OF_CLASSES = (plots.plot_roc, plots.plot_precision_recall, plots.plot_calibration, plots.plot_confusion)
OF_NUMBERS = (plots.plot_predictions, plots.plot_residuals)


@pytest.fixture(autouse=True)
def _no_figure_is_left():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def classifier():
    return TabularClassifier("fast", max_iter=2).fit(X, LABELS)


@pytest.fixture(scope="module")
def regressor():
    return TabularRegressor("fast", max_iter=2).fit(X, X["a"])


@pytest.fixture(scope="module")
def network():
    return MLPClassifier((3,), max_iter=9, tol=9.0, n_iter_no_change=1).fit(POINTS, LABELS)


@pytest.mark.parametrize("given", [None, "model", 0.1, LinearRegression, TabularClassifier])
def test_another_object_is_named(given):
    name = "None" if given is None else type(given).__name__
    draws = [lambda draw=draw: draw(given, X, LABELS) for draw in (*OF_CLASSES, *OF_NUMBERS)]
    ones = (plots.plot_importance, plots.plot_contributions, plots.plot_learning_rates, plots.plot_search)
    draws += [lambda draw=draw: draw(given) for draw in (*ones, plots.plot_diagnosis, plots.plot_network)]
    for draw in [*draws, lambda: plots.plot_decision_boundary(given, POINTS)]:
        with pytest.raises(TypeError, match=rf"plot_\w+ got {name}; pass "):
            draw()


def test_networks_are_drawn_of_all_that_have_one(regressor, network):
    assert plots.plot_network(regressor).network is regressor.ensemble_.networks[0]
    assert plots.plot_network(network).network is network.network
    for other in (Perceptron().fit(POINTS, LABELS), LinearRegression().fit(POINTS, X["a"])):
        with pytest.raises(TypeError, match=f"plot_network got {type(other).__name__}; pass a Network"):
            plots.plot_network(other)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([np.nan] * 60, "y contains NaN in row 0"),
        (None, "y is None; it must be an array of numbers"),
        (["dear"] * 60, "y contains 'dear'"),
        (3.0, "y is 3.0; it must be an array with a number for each row"),
        ([1.0] * 59, "X has 60 rows, y has 59"),
        (np.ones((60, 2)), "y has 2 targets, but the model predicts 1"),
        ("c", "there is no target column 'c'"),
    ],
)
def test_targets_that_are_no_numbers(regressor, y, message):
    for draw in OF_NUMBERS:
        with pytest.raises(ValueError, match=message):
            draw(regressor, X, y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "y is None; it must be an array with a label for each row"),
        ("t", "there is no target column 't'|y is 't'; it must be an array"),
        (LABELS[:3], "X has 60 rows, y has 3"),
        ([5] * 60, "y holds the class 5 in row 1, which the model does not know"),
    ],
)
def test_targets_that_are_no_labels(classifier, network, y, message):
    draws = [lambda draw=draw: draw(classifier, X, y) for draw in OF_CLASSES]
    draws += [] if y is None else [lambda: plots.plot_decision_boundary(network, POINTS, y)]
    for draw in draws:
        with pytest.raises(ValueError, match=message):
            draw()


def test_a_target_may_be_named(classifier, regressor):
    table = {**X, "kind": LABELS, "value": X["a"]}
    display = plots.plot_roc(classifier, table, "kind")
    assert np.array_equal(display.fpr, plots.plot_roc(classifier, X, LABELS).fpr)
    assert plots.plot_confusion(classifier, table, "kind").confusion_matrix.sum() == 60
    assert np.array_equal(plots.plot_residuals(regressor, table, "value").y_true, X["a"])


def test_outputs_and_axes_that_are_not_there(classifier, regressor):
    explained = classifier.explain(X, method="shapley")
    draws = [lambda output, draw=draw: draw(regressor, X, X["a"], output=output) for draw in OF_NUMBERS]
    for draw in (*draws, lambda output: plots.plot_contributions(explained, output=output)):
        draw(0)
        for output in (1, -1, 0.5, "0"):
            with pytest.raises(ValueError, match=f"output is {output!r}, but there is 1: give the number"):
                draw(output)
    for ax in (3, "left"):
        with pytest.raises(TypeError, match=f"ax is {ax!r}; it must be matplotlib's Axes"):
            plots.plot_importance(explained, ax=ax)
        with pytest.raises(TypeError, match=f"ax is {ax!r}; it must be matplotlib's Axes"):
            plots.plot_dependence(classifier, X, "a", ax=ax)


def test_numbers_of_columns_are_positive_integers(classifier):
    explained = classifier.explain(X, method="shapley")
    calls = (explained.table, lambda most: explained.row_table(0, most))
    for most in (2.5, -1, 0, "1"):
        for call in (*calls, lambda most: plots.plot_importance(explained, most=most)):
            with pytest.raises(ValueError, match=f"most is {most!r}; it must be a positive integer"):
                call(most)


def test_one_name_stands_for_a_list_of_one(network):
    assert list(plots.plot_history(network, "loss").columns) == ["loss"]
    assert list(plots.plot_activations("relu").curves) == ["relu"]
    assert list(plots.plot_activations(ACTIVATIONS["relu"]).curves) == ["relu"]


def test_classes_that_begin_with_an_underscore_are_in_legends(network):
    labels = np.where(X["a"] > 0.5, "_high", np.where(X["a"] < -0.5, "_low", "middle"))
    model = TabularClassifier("fast", max_iter=2).fit(X, labels)
    for display in (
        plots.plot_roc(model, X, labels),
        plots.plot_precision_recall(model, X, labels),
        plots.plot_dependence(model, X, "a"),
    ):
        shown = [text.get_text().split(" (")[0].strip() for text in display.ax_.get_legend().get_texts()]
        assert shown[:3] == ["_high", "_low", "middle"]
