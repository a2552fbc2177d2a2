"""Pictures in any style and width: legends hide nothing, labels do not overlap, nothing has the colour of the paper."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from sklearn.linear_model import LogisticRegression

from rosenblatt import learn, nn, plots, training
from rosenblatt.plots.style import label_categories, shade, shortened

EPOCHS = np.repeat([1, 4, 12], 8)
LAYERS = np.ma.array([str(layers) for layers in [(4,), (16,), (128, 128, 64)] * 8])
NAMES = np.ma.array(["relu", "tanh", "logistic", "leaky_relu"] * 6)
SCORES = np.random.default_rng(0).uniform(size=24)


def search(ax):
    importance = {"hidden_layer_sizes": 0.5, "activation": 0.3, "learning_rate_init": 0.2}
    pair = {"hidden_layer_sizes": LAYERS, "activation": NAMES}
    return plots.SearchDisplay(SCORES, EPOCHS, importance, pair).plot(ax)


def history(ax):
    curves = {"loss": [3.0, 2, 1, 0.9], "val_loss": [3.0, 2, 1, 1.1], "val_score": [0.1, 0.2, 0.3, 0.2]}
    return plots.plot_history(training.History(curves), ax=ax)


def rates(ax):
    falling = np.linspace(1, 0, 40).tolist()
    return plots.plot_learning_rates(
        training.RateRange(np.geomspace(1e-6, 1, 40).tolist(), falling, falling, 0.01), ax=ax
    )


def diagnosis(ax):
    rows = np.array([71, 142, 284])
    curve = np.arange(5), np.linspace(1, 0.2, 5), np.linspace(1, 0.4, 5)
    return plots.DiagnosisDisplay("overfit", *curve, rows, rows / 300, rows / 3000, 0.2).plot(ax)


@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.parametrize("width", [3.3, pytest.param(6.4, marks=pytest.mark.long)])
@pytest.mark.parametrize(("draw", "n"), [(search, 3), (history, 1), (rates, 1), (diagnosis, 2)])
def test_legends_hide_nothing_and_labels_do_not_overlap(draw, n, width, style):
    with plt.style.context(style):
        figure, panels = plt.subplots(n, 1, figsize=(width, 2.6 * n), layout="constrained")
        draw(panels)
        figure.canvas.draw()
        for panel in np.atleast_1d(panels):
            legend = panel.get_legend()
            assert legend is None or not legend.get_window_extent().overlaps(panel.bbox.padded(-1))
            for axis in (panel.xaxis, panel.yaxis):
                labels = [label for label in axis.get_ticklabels() if label.get_text() and label.get_visible()]
                low, high = sorted(panel.bbox.intervalx if axis is panel.xaxis else panel.bbox.intervaly)
                boxes = [label.get_window_extent() for label in labels if label.get_rotation() == 0]
                centres = [(box.x0 + box.x1) / 2 if axis is panel.xaxis else (box.y0 + box.y1) / 2 for box in boxes]
                shown = [box for box, at in zip(boxes, centres, strict=True) if low - 2 <= at <= high + 2]
                assert not any(a.overlaps(b) for i, a in enumerate(shown) for b in shown[:i])
                assert len({label.get_rotation() for label in labels}) <= 1, "angles are alike"
            for text in (text for text in (panel.xaxis.label, panel.yaxis.label) if text.get_text()):
                box = text.get_window_extent()
                assert box.x0 >= -1
                assert box.x1 <= figure.bbox.x1 + 1


def test_the_best_epoch_has_a_dot_on_the_curves_that_may_decide():
    left, right = history(None).figure_.axes
    assert [dots.get_offsets().tolist() for dots in left.collections] == [[[3.0, 1.0]]]
    assert [dots.get_offsets().tolist() for dots in right.collections] == [[[3.0, 0.3]]]
    held_out = plots.plot_history(training.History({"loss": [3.0, 2, 1], "held_out": [0.5, 0.2, 0.4]}))
    assert held_out.best_epoch == 2
    assert list(held_out.columns) == ["loss", "held_out"]


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_boxes_have_another_colour_than_their_texts(style):
    with plt.style.context(style):
        x = nn.input(3, "x")
        network = nn.Network(nn.Dense(2)(nn.Dense(4, name="h")(x)) + nn.Dense(2)(x)).freeze("h")
        for text in plots.plot_network(network).ax_.texts:
            if text.get_text():
                fill = np.array(to_rgb(text.get_bbox_patch().get_facecolor()))
                assert np.abs(fill - to_rgb(text.get_color())).min() > 0.5
        assert shade(0.0) == to_rgb(plt.rcParams["axes.facecolor"])
        assert shade(1.0) == to_rgb(plt.rcParams["text.color"])


def test_labels_are_cut_and_turned_only_where_they_must():
    assert shortened("a cost of $5 and much, much more than that") == r"a cost of \$5 and much, …"
    _, ax = plt.subplots()
    label_categories(ax, ["yes", "no"])
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {0}
    label_categories(ax, [f"a long name {i}" for i in range(6)])
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {45}


# Names and numbers that need more room than there is --------------------------------------------------------------

LONG = "a class with a very long name"
CLASSES = np.array([*map(str, range(9)), LONG])
N = 300
TABLE = {
    "a": np.random.default_rng(0).normal(size=N),
    "a long name of a column (mg/dl)": np.random.default_rng(1).normal(size=N),
    "day": np.datetime64("2021-05-16") + np.arange(N).astype("timedelta64[D]"),
    "level": np.tile(["a long level, number one", "a long level, number two"], N // 2),
}


@pytest.fixture(scope="module")
def ten():
    """A classifier of 10 classes, one of which has a long name, rows and their classes."""
    labels = CLASSES[np.arange(N) % 10]
    X = np.eye(10)[np.arange(N) % 10] + np.random.default_rng(0).normal(size=(N, 10)) / 2
    return LogisticRegression().fit(X, labels), X, labels


@pytest.fixture(scope="module")
def regressor():
    y = 1e6 * (TABLE["a"] + np.random.default_rng(2).normal(size=N))
    return learn({**TABLE, "price in $ of a long name": y}, "price in $ of a long name", preset="fast", max_iter=4)


def narrow():
    return plt.subplots(figsize=(3.3, 2.6), layout="constrained")[1]


def boxes_of(texts):
    return [text.get_window_extent() for text in texts if text.get_text() and text.get_visible()]


def test_long_names_leave_room_for_the_plot(ten, regressor):
    draws = [
        (0.20, lambda ax: plots.plot_roc(*ten, ax=ax).ax_),
        (0.20, lambda ax: plots.plot_precision_recall(*ten, ax=ax).ax_),
        (0.25, lambda ax: plots.plot_confusion(*ten, ax=ax).ax_),
        (0.30, lambda ax: plots.plot_dependence(regressor, TABLE, "level", ax=ax).ax_),
        (0.40, lambda ax: plots.plot_importance(regressor.explain(TABLE, method="gradient"), ax=ax).ax_),
    ]
    for share, draw in draws:
        ax = draw(narrow())
        ax.figure.canvas.draw()
        assert ax.bbox.height > share * ax.figure.bbox.height
        assert ax.bbox.width > share * ax.figure.bbox.width
        for box in boxes_of([ax.xaxis.label, ax.yaxis.label]):
            assert box.x0 >= -1
            assert box.x1 <= ax.figure.bbox.x1 + 1


@pytest.mark.parametrize("width", [3.3, 6.4])
def test_numbers_of_a_waterfall_stay_inside(regressor, width):
    ax = plt.subplots(figsize=(width, 2.6), layout="constrained")[1]
    explained = regressor.explain({name: column[:1] for name, column in TABLE.items()}, method="shapley")
    plots.plot_contributions(explained, ax=ax)
    ax.figure.canvas.draw()
    assert all(box.x1 < ax.bbox.x1 for box in boxes_of(ax.texts))
    assert "day = 2021-05-16" in [label.get_text() for label in ax.get_yticklabels()]
    (label,), (power,) = boxes_of([ax.xaxis.label]), boxes_of([ax.xaxis.get_offset_text()])
    assert not label.overlaps(power)


def test_numbers_that_would_be_too_small_are_left_out(ten):
    assert plots.plot_confusion(*ten, ax=narrow()).text_ is None
    display = plots.plot_confusion(*ten)
    assert min(text.get_fontsize() for text in display.text_.ravel()) >= 5


def test_neurons_are_apart_and_inside():
    network = nn.Network(nn.NetworkSpec(64, (32,), 10))
    ax = plots.plot_network(network, ax=narrow()).ax_
    ax.figure.canvas.draw()
    for circles in ax.collections[2:]:
        heights = np.sort(ax.transData.transform(circles.get_offsets())[:, 1])
        diameter = np.sqrt(circles.get_sizes()[0]) * ax.figure.dpi / 72
        assert np.diff(heights).min() > diameter
        assert heights[0] - diameter / 2 > ax.bbox.y0
        assert heights[-1] + diameter / 2 < ax.bbox.y1


def test_two_candidates_have_no_importances():
    first, middle, _ = plots.SearchDisplay(SCORES[:2], EPOCHS[:2], {}, {}).plot().axes_.flat
    assert middle.texts[0].get_text().startswith("too few candidates")
    assert all(tick == int(tick) for tick in first.get_xticks())


def test_unprintable_letters_and_empty_names():
    assert shortened("two\nlines") == "two lines"
    assert shortened("") == '""'
