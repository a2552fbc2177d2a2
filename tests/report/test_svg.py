"""Pictures inside a page: deterministic, with ids of their own, in the page's colours, and nothing left behind."""

import re
import threading
import xml.etree.ElementTree as ET

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from rosenblatt import plots, training
from rosenblatt.report.svg import draw_svg


def draw(*, ax):
    ax.plot([0, 1], [0, 1], color="#0072B2", label="a <b> & c")
    ax.axvline(0.5, color="#808080")
    ax.axhline(0.5, color="#333333")
    ax.scatter(np.linspace(0, 1, 50), np.linspace(0, 1, 50))
    ax.set(xlabel="</svg><script>alert(1)</script>", xlim=(0, 1), ylim=(0, 1))
    ax.legend()


def test_a_picture_is_deterministic_and_takes_the_colours_of_the_page():
    first, again = (draw_svg(draw, "a", "a line") for _ in range(2))
    assert first == again
    root = ET.fromstring(first)
    assert root.get("role") == "img"
    assert root.get("aria-label") == "a line"
    assert "var(--hue-0)" in first
    assert "var(--ink-80)" in first
    assert "#000000" not in first
    assert "font-family" not in first
    labels = {text.text for text in root.iter("text")}
    assert {"</svg><script>alert(1)</script>", "a <b> & c"} <= labels
    assert {element.tag for element in root.iter()} <= {"svg", "g", "defs", "path", "use", "text", "clipPath", "rect"}


def test_two_pictures_share_no_id_and_every_reference_is_found():
    ids = []
    for name in ("a", "b"):
        root = ET.fromstring(draw_svg(draw, name, "a line"))
        own = [element.get("id") for element in root.iter() if element.get("id")]
        used = re.findall(r'(?:href="#|url\(#)([\w-]+)', ET.tostring(root, encoding="unicode"))
        assert set(used) == set(own)
        ids += own
    assert len(ids) == len(set(ids))


def test_the_mark_lies_where_the_axes_have_the_point():
    root = ET.fromstring(draw_svg(draw, "a", "a line", mark=(0.25, 1.0)))
    x0, y0, x1, y1 = map(float, root.get("data-frame").split())
    mark = root.find("circle")
    assert float(mark.get("cx")) == pytest.approx(x0 + 0.25 * (x1 - x0), abs=0.01)
    assert float(mark.get("cy")) == pytest.approx(y1, abs=0.01)
    assert y1 < y0, "up is up"
    diagonal = next(path.get("d") for path in root.iter("path") if "var(--hue-0)" in path.get("style", ""))
    assert [float(v) for v in re.findall(r"[\d.]+", diagonal)][:4] == pytest.approx([x0, y0, x1, y1], abs=0.1)


def test_settings_and_figures_stay_as_they_were_also_from_threads():
    mpl.rcParams["text.color"] = "red"
    try:
        before, pictures = dict(mpl.rcParams), []
        workers = [threading.Thread(target=lambda: pictures.append(draw_svg(draw, "a", "a line"))) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert dict(mpl.rcParams) == before
        assert len(pictures) == 4
        assert len(set(pictures)) == 1
        assert "red" not in pictures[0]
        assert plt.get_fignums() == []
    finally:
        mpl.rcParams["text.color"] = "black"


class Curves:
    """The learning curves of two networks."""

    best_epochs = (2, 3)

    def history(self, network):
        losses, held_out = ([3.0, 1.0], [1.0, 1.0, 0.5]), ([0.4, 0.2], [0.6, 0.4, 0.4])
        return training.History({"loss": losses[network], "held_out": held_out[network]})


class Ensemble:
    """What `plot_history` reads of a tabular estimator."""

    history_ = training.History({"loss": [2.0, 1.0, 0.5], "held_out": [0.5, 0.3, 0.4]})

    def learning_curve(self):
        return Curves()


def test_the_curves_of_each_network_are_drawn_with_their_best_epochs():
    display = plots.plot_history(Ensemble(), members=True)
    lines = [line for ax in display.figure_.axes for line in ax.get_lines()]
    assert sorted(list(line.get_ydata()) for line in lines) == [[0.4, 0.2], [0.6, 0.4, 0.4], [1, 1, 0.5], [3, 1]]
    dots = [tuple(found) for ax in display.figure_.axes for part in ax.collections for found in part.get_offsets()]
    assert dots == [(2, 0.2), (3, 0.4)]
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["loss of each network", "held out of each network"]
    with pytest.raises(ValueError, match="no ensemble"):
        plots.plot_history(training.History({"loss": [1.0]}), members=True)
