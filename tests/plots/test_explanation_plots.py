"""Pictures of importances and of partial dependence show the numbers that they are of."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from rosenblatt import TabularClassifier, TabularRegressor, plots

RNG = np.random.default_rng(0)
N = 150
X = {
    "size": RNG.normal(size=N),
    "day": np.datetime64("2020-01-01") + RNG.integers(0, 90, N).astype("timedelta64[D]"),
    "colour": RNG.choice(["red", "green", "$ & a name that is much too long to be shown"], N),
    "always": np.ones(N),
}
NOISY = X["size"] + (X["colour"] == "red") + RNG.normal(0, 0.3, N)


@pytest.fixture(scope="module")
def model():
    return TabularClassifier("fast", max_iter=8).fit(X, np.digitize(NOISY, [-0.5, 1]))


def test_bars_are_the_importances(model):
    found = model.explain(X, np.digitize(NOISY, [-0.5, 1]))
    display = plots.plot_importance(found, most=3)
    assert [bar.get_width() for bar in display.ax_.patches] == found.importance[found.order[:3]].tolist()
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels[0] == found.ranked[0]
    assert display.ax_.yaxis_inverted(), "the most important is at the top"
    assert display.ax_.get_xlabel() == "rise of the log loss when a column is shuffled"
    assert len(plots.plot_importance(found).ax_.patches) == 4
    display.figure_.canvas.draw()
    with pytest.raises(ValueError, match="most is 0; it must be at least 1"):
        plots.plot_importance(found, most=0)


def test_curves_are_the_dependences(model):
    display = plots.plot_dependence(model, X, ["size", "day", "colour"], n_grid=6)
    size, day, colour = display.axes_.flat
    expected = model.partial_dependence(X, "size", n_grid=6)
    for k, line in enumerate(size.get_lines()):
        assert np.array_equal(line.get_ydata(), expected.values[:, k])
        assert np.array_equal(line.get_xdata(), expected.grid)
    assert [line.get_label() for line in size.get_lines()] == ["0", "1", "2"]
    assert len(day.get_lines()) == 3
    assert "red" in [label.get_text() for label in colour.get_xticklabels()]
    display.figure_.canvas.draw()
    assert [panel.get_xlabel() for panel in plots.plot_dependence(model, X).axes_.flat if panel.axison].count(
        "size"
    ) == 1


def test_two_classes_and_regressions_have_one_line_and_a_band():
    binary = TabularClassifier("fast", max_iter=4).fit(X, np.where(NOISY > 0, "yes", "no"))
    panel = plots.plot_dependence(binary, X, "size").ax_
    assert len(panel.get_lines()) == len(panel.collections) == 1
    assert panel.get_ylabel() == "probability of yes"
    pair = TabularRegressor("fast", max_iter=4).fit(X, np.c_[NOISY, -NOISY])
    figure, ax = plt.subplots()
    display = plots.plot_dependence(pair, X, "size", ax=ax)
    assert display.figure_ is figure
    assert [line.get_label() for line in ax.get_lines()] == ["target 1", "target 2"]


def test_learning_curves_are_drawn_as_histories(model):
    curve = model.learning_curve()
    display = plots.plot_history(curve.history(), ["loss", "held_out"])
    left, right = display.figure_.axes
    assert (left.get_ylabel(), right.get_ylabel()) == ("loss", "held out")
    assert list(left.get_lines()[0].get_ydata()) == list(curve.training_loss[0])


def test_what_cannot_be_drawn_is_named(model):
    with pytest.raises(ValueError, match="there is no column to draw"):
        plots.plot_dependence(model, X, [])
    with pytest.raises(ValueError, match=r"there is no column 'sise'\. Did you mean 'size'"):
        plots.plot_dependence(model, X, ["sise"])
    with pytest.raises(ValueError, match="LinearRegression has no partial_dependence"):
        plots.plot_dependence(LinearRegression(), X)
    with pytest.raises(NotFittedError):
        plots.plot_dependence(TabularClassifier(), X)
    _, ax = plt.subplots()
    with pytest.raises(ValueError, match="ax has 1 Axes, but the plot has 2 panels"):
        plots.plot_dependence(model, X, ["size", "day"], ax=ax)
