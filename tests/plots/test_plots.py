"""Pictures show the numbers that they are of; what cannot be drawn is named."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import make_blobs, make_moons
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from rosenblatt import LogisticRegression, MLPClassifier, Perceptron, nn, plots, training
from rosenblatt.nn.activations import ACTIVATIONS
from rosenblatt.plots.activations import activation_values

X, Y = make_moons(200, noise=0.2, random_state=0)


@pytest.fixture(scope="module")
def model():
    options = {"max_iter": 15, "learning_rate_init": 0.02, "early_stopping": True, "n_iter_no_change": 99}
    with pytest.warns(match="Maximum iterations"):
        return MLPClassifier((6, 4), random_state=0, **options).fit(X, Y)


def curves(ax):
    return {line.get_label(): line.get_ydata() for line in ax.get_lines()}


def test_a_history_is_drawn_as_it_was(model):
    display = plots.plot_history(model)
    left, right = display.figure_.axes
    assert list(curves(left)["loss"]) == model.loss_curve_
    assert list(curves(left)["val_loss"]) == model.history_["val_loss"]
    assert list(curves(right)["val_score"]) == model.validation_scores_
    assert display.best_epoch == 1 + int(np.argmax(model.validation_scores_))
    only = plots.plot_history(model.history_, ["learning_rate"], log=True)
    assert only.ax_.get_yscale() == "log"
    with pytest.raises(ValueError, match="the history has no column rate; it has: loss, learning_rate"):
        plots.plot_history(model, ["rate"])
    with pytest.raises(ValueError, match="Perceptron has no history_"):
        plots.plot_history(Perceptron())


def test_kinds_of_columns_have_axes_of_their_own():
    history = training.History({"loss": [3.0, 2, 1], "val_score": [float("nan"), 0.5, 0.9], "learning_rate": [0.1] * 3})
    assert plots.plot_history(history).best_epoch == 3, "NaN is not the best"
    both = plots.HistoryDisplay.from_estimator(history, ["loss", "learning_rate"])
    assert [ax.get_ylabel() for ax in both.figure_.axes] == ["loss", "learning rate"]
    assert [list(curves(ax)) for ax in both.figure_.axes] == [["loss"], ["learning_rate"]]
    with pytest.raises(ValueError, match=r"two axes, but the columns are of 3 kinds: loss \(loss\); learning rate"):
        plots.plot_history(history, list(history))
    many = training.History({f"layer{i}.norm": [1.0, 2.0] for i in range(10)})
    lines = plots.plot_history(many, list(many)).ax_.get_lines()
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 10
    with pytest.raises(ValueError, match="loss falls to -1, but a logarithmic scale only shows positive values"):
        plots.plot_history(training.History({"loss": [1.0, -1.0]}), log=True)
    one = plots.plot_history(training.History({"loss": [1.0], "val_loss": [2.0]}))
    one.figure_.canvas.draw()
    assert all(float(tick).is_integer() for tick in one.ax_.get_xticks())
    _, ax = plt.subplots()
    assert plots.plot_history(history, ["loss"], ax=ax).ax_ is ax


def test_activations_are_drawn_with_their_derivatives():
    display = plots.plot_activations()
    assert list(display.curves) == list(ACTIVATIONS)
    z = np.linspace(-3, 3, 7)
    for name, value, slope in (
        ("tanh", np.tanh(z), 1 - np.tanh(z) ** 2),
        ("elu", np.where(z > 0, z, np.expm1(z)), np.where(z > 0, 1, np.exp(z))),
        ("prelu", np.where(z > 0, z, z / 4), np.where(z > 0, 1, 1 / 4)),
        ("step", z >= 0, np.zeros(7)),
    ):
        found = activation_values(name, z)
        rows = z != 0
        np.testing.assert_allclose(found[0], value, rtol=1e-12)
        np.testing.assert_allclose(found[1][rows], slope[rows], rtol=1e-12)
    one = plots.plot_activations([nn.LeakyReLU(alpha=0.3)], low=-1, high=1, points=3)
    assert list(one.curves["leaky_relu(alpha=0.3)"][0]) == [-0.3, 0.0, 1.0]
    assert one.ax_ is one.axes_.flat[0]
    _, own = plt.subplots(1, 2)
    two = plots.plot_activations(["relu", "tanh"]).plot(own)
    assert two.axes_[1] is own[1]
    low, high = own[0].get_ylim()
    assert low < 0 < 7 < high, "nothing is cut off"
    with pytest.raises(ValueError, match="ax has 1 Axes, but the plot has 2 panels"):
        two.plot(own[0])
    with pytest.raises(ValueError, match="nothing to draw"):
        plots.plot_activations([])
    with pytest.raises(ValueError, match="did you mean 'relu'"):
        plots.plot_activations(["rely"])


def test_a_network_is_drawn_neuron_by_neuron(model):
    display = plots.plot_network(model)
    neurons = [len(c.get_offsets()) for c in display.ax_.collections if len(c.get_offsets()) > 1 or c.get_zorder() == 2]
    assert neurons == [2, 6, 4, 1]
    texts = " ".join(t.get_text() for t in display.ax_.texts)
    assert "hidden 1\n6\nrelu" in texts
    large = plots.plot_network(nn.Network(nn.NetworkSpec(784, (300,), 10)), most_neurons=6)
    assert [len(c.get_offsets()) for c in large.ax_.collections if c.get_zorder() == 2] == [6, 6, 6]
    with pytest.raises(ValueError, match="most_neurons is 1; it must be an integer in"):
        plots.plot_network(model, most_neurons=1)


def test_what_stands_between_the_neurons_is_written_below():
    spec = nn.NetworkSpec(3, (5, 4), 2, input_noise=0.1, normalization=("batch", None), dropout=(0.0, 0.5))
    display = plots.NetworkDisplay.from_estimator(nn.Network(spec).freeze("hidden1"))
    texts = [t.get_text() for t in display.ax_.texts]
    assert texts == [
        "input\n3\nnoise 0.1",
        "hidden 1\n5\nbatch norm\nrelu\nfrozen",
        "hidden 2\n4\nrelu\ndropout 0.5",
        "output\n2\nidentity",
    ]
    with pytest.raises(NotFittedError, match="not fitted"):
        plots.plot_network(MLPClassifier())


def test_an_arrow_past_a_layer_does_not_cross_it():
    node = nn.input(5)
    for name in ("first", "second"):
        node = node + nn.Dense(5, "relu", name=name)(nn.Dense(5, "tanh", name=f"{name} of two")(node))
    display = plots.plot_network(nn.Network(node))
    display.figure_.canvas.draw()
    boxes = [t.get_bbox_patch().get_window_extent() for t in display.ax_.texts if t.get_text()]
    arrows = [t.arrow_patch for t in display.ax_.texts if not t.get_text()]
    assert len(arrows) == 8
    for arrow in arrows:
        path = arrow.get_transform().transform_path(arrow.get_path()).interpolated(50)
        ends = path.vertices[[0, -1]]
        for box in boxes:
            if not any(box.padded(4).contains(*end) for end in ends):
                assert not path.intersects_bbox(box, filled=False)


def test_a_graph_is_drawn_layer_by_layer():
    x, city = nn.input(4, "numbers"), nn.codes(3, "city")
    h = nn.Dense(8, "relu", name="h")(nn.Concat()(x, nn.Embedding(2)(city)))
    net = nn.Network({"a": nn.Dense(2, name="o")(h + nn.Dense(8)(h)), "b": nn.Dense(1)(h)}, output={"a": "softmax"})
    texts = [t.get_text() for t in plots.plot_network(net.freeze("h")).ax_.texts]
    assert any(t.startswith("h: Dense, relu\n[m, 8]") for t in texts)
    assert any("→ a, softmax" in t for t in texts)
    assert any(t.endswith("→ b") for t in texts)
    assert any("3 levels" in t for t in texts)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_boundary_is_where_the_prediction_changes(n_classes):
    points, labels = make_blobs(120, centers=n_classes, random_state=1)
    model = LogisticRegression().fit(points, labels)
    display = plots.plot_decision_boundary(model, points, labels, grid_resolution=20)
    grid = np.column_stack([display.xx0.ravel(), display.xx1.ravel()])
    if n_classes == 2:
        np.testing.assert_allclose(display.response.ravel(), model.predict_proba(grid)[:, 1])
    else:
        assert np.array_equal(display.response.ravel(), model.predict(grid))
        drawn = [c.get_facecolor()[0][:3].tolist() for c in display.ax_.collections[-n_classes:]]
        assert len({tuple(c) for c in drawn}) == n_classes
    plots.plot_decision_boundary(Perceptron().fit(points, labels), points)
    with pytest.raises(ValueError, match=r"X has shape \(5, 3\); it must have two columns"):
        plots.plot_decision_boundary(model, np.zeros((5, 3)))
    with pytest.raises(NotFittedError, match="not fitted"):
        plots.plot_decision_boundary(LogisticRegression(), points)
    with pytest.raises(ValueError, match="LinearRegression has no classes_: only classifiers have regions"):
        plots.plot_decision_boundary(LinearRegression().fit(points, labels), points)


def test_many_classes_have_colours_of_their_own():
    labels = np.arange(200) % 9
    display = plots.plot_decision_boundary(LogisticRegression().fit(X, labels), X, labels, grid_resolution=20)
    assert len({tuple(c.get_facecolor()[0]) for c in display.ax_.collections[-9:]}) == 9


def test_a_rate_range_finds_where_the_loss_falls():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(400, 3))
    target = points @ [1.0, -2.0, 0.5]
    net = nn.Network(nn.NetworkSpec(3, (), 1), "float64")
    before = net.parameters.copy()
    found = training.find_learning_rate(net, points, target, optimizer=nn.SGD(0.0), low=1e-5, high=10, batch_size=50)
    assert np.array_equal(net.parameters, before)
    # Plain descent on a quadratic of curvature 1 falls fastest near a rate of 1 and diverges beyond 2.
    assert 0.02 < found.suggestion < 1.5
    assert max(found.rates) < 10, "it ends when the loss explodes"
    display = plots.plot_learning_rates(found)
    assert list(curves(display.ax_)["smoothed"]) == found.smoothed
    for options, message in (
        ({"low": 0}, "0 < low < high"),
        ({"steps": 3}, r"steps is 3; it must be an integer in \[10, inf\)"),
    ):
        with pytest.raises(ValueError, match=message):
            training.find_learning_rate(net, points, target, **options)


def test_without_matplotlib_the_error_says_what_to_install(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'rosenblatt\[plot\]'"):
        plots.plot_history(model)
