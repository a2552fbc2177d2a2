"""Pictures of importances and of partial dependence show the numbers that they are of."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from rosenblatt import TabularClassifier, TabularRegressor, learn, plots

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
    with pytest.raises(ValueError, match="most is 0; it must be a positive integer"):
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


def test_a_single_output_has_a_mean_and_lines_of_rows():
    binary = TabularClassifier("fast", max_iter=4).fit(X, np.where(NOISY > 0, "yes", "no"))
    panel = plots.plot_dependence(binary, X, "size").ax_
    assert len(panel.get_lines()) == len(panel.collections) == 1
    assert panel.get_ylabel() == "probability of yes"
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["mean of 150 rows", "50 single rows"]
    found = binary.partial_dependence(X, "size")
    for i, line in enumerate(panel.collections[0].get_segments()):
        own = {name: np.repeat(np.asarray(column)[i : i + 1], len(found.grid)) for name, column in X.items()}
        expected = binary.predict_proba({**own, "size": found.grid})[:, 1]
        np.testing.assert_allclose(line, np.column_stack([found.grid, expected]), rtol=1e-5)
    points = plots.plot_dependence(binary, X, "colour").ax_.collections[0].get_offsets()
    single = binary.partial_dependence(X, "colour").single_rows[:, :, 1]
    np.testing.assert_allclose(points[:, 1], single.ravel())
    pair = TabularRegressor("fast", max_iter=4).fit(X, np.c_[NOISY, -NOISY])
    figure, ax = plt.subplots()
    display = plots.plot_dependence(pair, X, "size", ax=ax)
    assert display.figure_ is figure
    assert [line.get_label() for line in ax.get_lines()] == ["output 0", "output 1"]


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


# Contributions -----------------------------------------------------------------------------------------------------


def test_a_waterfall_goes_from_the_baseline_to_the_prediction(model):
    found = model.explain(X, method="shapley", n_rows=5)
    row = int(found.rows[2])
    display = plots.plot_contributions(found, row)
    bars = display.ax_.patches
    order = [j for j in found.ranked_in(row) if found.columns[j] != "always"]
    np.testing.assert_allclose([bar.get_width() for bar in bars], found.contributions[2, order])
    np.testing.assert_allclose([bar.get_x() for bar in bars[1:]], [bar.get_x() + bar.get_width() for bar in bars[:-1]])
    assert bars[0].get_x() == pytest.approx(found.baseline[2])
    assert bars[-1].get_x() + bars[-1].get_width() == pytest.approx(found.predictions[2])
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert (labels[0], labels[-1]) == ("baseline", "prediction")
    assert any(label == f"day = {X['day'][row]}" for label in labels)
    assert display.ax_.get_xlabel() == f"log odds of class {found.classes[2]}"
    display.figure_.canvas.draw()
    few = plots.plot_contributions(found, row, most=2)
    assert few.columns[-1] == "2 other columns"
    assert few.contributions.sum() == pytest.approx(found.contributions[2].sum())


def test_a_waterfall_shows_one_of_several_outputs():
    pair = TabularRegressor("fast", max_iter=2).fit(X, np.c_[NOISY, -9 * NOISY])
    found = pair.explain({name: column[:1] for name, column in X.items()}, method="integrated_gradients")
    display = plots.plot_contributions(found, output=1)
    assert display.prediction == found.predictions[0, 1]
    assert display.ax_.get_xlabel() == "prediction, output 1"
    named = learn({**X, "y": NOISY, "z": -NOISY}, ["y", "z"], preset="fast", max_iter=2)
    assert plots.plot_contributions(named.explain(X, method="shapley"), output=1).ax_.get_xlabel() == "prediction of z"
    assert [line.get_label() for line in plots.plot_dependence(named, X, "size").ax_.get_lines()] == ["y", "z"]
    display = plots.plot_predictions(named, X, np.c_[NOISY, -NOISY], output=1)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("predicted z", "true z")
    quantiles = TabularRegressor("fast", max_iter=2, quantiles=(0.1, 0.5)).fit(X, NOISY).explain(X, method="shapley")
    assert plots.plot_contributions(quantiles, output=1).ax_.get_xlabel() == "prediction, quantile 0.5"
    for options, message in (
        ({"output": 2}, "output is 2, but there are 2: give the number of one, from 0"),
        ({"row": 1}, "row is 1, which is not among the 1 explained rows, counted from 0: 0"),
        ({"row": -1}, "row is -1; it must be"),
        ({"most": 0}, "most is 0; it must be a positive integer"),
    ):
        with pytest.raises(ValueError, match=message):
            plots.plot_contributions(found, **options)
    with pytest.raises(ValueError, match=r"'gradient' has no contributions that add up to a prediction: .*'shapley'"):
        plots.plot_contributions(pair.explain(X, method="gradient"))


@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.parametrize("width", [3.3, 6.4])
def test_nothing_of_a_waterfall_overlaps_or_is_cut(model, style, width):
    with plt.style.context(style):
        figure, ax = plt.subplots(figsize=(width, 2.6), layout="constrained")
        plots.plot_contributions(model.explain(X, method="shapley"), 109, ax=ax)
        figure.canvas.draw()
        texts = [*ax.get_yticklabels(), *ax.texts, ax.xaxis.label]
        boxes = [text.get_window_extent() for text in texts if text.get_text()]
        assert all(figure.bbox.padded(1).contains(box.x0, box.y0) for box in boxes)
        assert all(figure.bbox.padded(1).contains(box.x1, box.y1) for box in boxes)
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
