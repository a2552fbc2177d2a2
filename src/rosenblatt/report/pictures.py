"""The pictures of a report: those of `rosenblatt.plots`, as SVG.

Takes a `Report`. Returns a picture for each name, or the reason why it cannot be drawn. Never trains, never scores.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rosenblatt import plots
from rosenblatt.estimators.tabular.explain.partial_dependence import PartialDependence
from rosenblatt.plots.style import COLOURS
from rosenblatt.report.about_columns import N_GRID, N_ROWS
from rosenblatt.report.about_rows import n_bins
from rosenblatt.report.svg import draw_svg
from rosenblatt.report.threshold import default_point
from rosenblatt.report.wording import visible

__all__ = ["Picture", "pictures"]

Size = tuple[float, float]
SQUARE, WIDE = (4.2, 3.9), (4.8, 3.3)
STEEP = 12.0
"""Ratio of the largest loss to the median from which on its axis is logarithmic."""
MOST_NAMED = 10
"""Largest number of curves in a legend."""
OPAQUE, ON_COLOUR = 0.72, "#fffffe"
"""From which opacity on a cell has light numbers, and their colour, which is that in both themes."""
HALF = 5.5
"""Inches from which on a picture has a row of the page for itself."""
LARGEST = 6.6
"""Inches of the longest side of a confusion matrix."""
BARS, PANELS, OUTPUTS = 15, 6, 3
"""Largest numbers of importances, and of columns and outputs with a picture each."""
SHARED = {"predictions": "xy", "residuals": "xy", "importance": "x"}
"""The axes that are the same in the pictures of two models."""
LAYERS, ABREAST = 24, 3
"""Largest numbers of layers that are drawn, and of those side by side."""


@dataclass(frozen=True)
class Picture:
    """An SVG element, or none, and what it shows, or why there is none."""

    svg: str
    caption: str
    wide: bool = False


Draw = Callable[..., Any]
Planned = tuple[str, Draw, str, Size]
"""Name, what draws on the Axes ``ax``, caption, and size in inches."""


def pictures(report: Any, prefix: str = "") -> dict[str, Picture]:
    """The pictures that the report's model, rows and facts allow.

    Parameters
    ----------
    report : Report
    prefix : str
        Letters that distinguish the ids of this report's pictures from those of another on the same page.
    """
    return all_drawn(report, prefix, planned_of(report))


def pictures_of_two(a: Any, b: Any) -> tuple[dict[str, Picture], dict[str, Picture]]:
    """The pictures of two reports; those of numbers of the same kind have the same axes."""
    planned = [planned_of(report) for report in (a, b)]
    drawings = [{name: draw for name, draw, *_ in one} for one in planned]
    for name in set(drawings[0]) & set(drawings[1]):
        if shared := SHARED.get(re.sub(r"-\d+$", "", name)):
            limits = common_limits(shared, *(one[name] for one in drawings))
            planned = [
                [(n, partial(within, draw, limits) if n == name else draw, text, size) for n, draw, text, size in one]
                for one in planned
            ]
    return all_drawn(a, "a-", planned[0]), all_drawn(b, "b-", planned[1])


def planned_of(report: Any) -> list[Planned]:
    """All pictures of a report, before they are drawn."""
    return [*of_training(report), *of_rows(report), *of_columns(report), *of_network(report)]


def all_drawn(report: Any, prefix: str, planned: Sequence[Planned]) -> dict[str, Picture]:
    """The pictures by name."""
    return {name: drawn(report, prefix + name, name, draw, caption, size) for name, draw, caption, size in planned}


def common_limits(shared: str, *draws: Draw) -> dict[str, tuple[float, float]]:
    """The limits of the axes that hold both drawings."""
    from matplotlib.figure import Figure

    found = []
    for draw in draws:
        axes = Figure().subplots()
        draw(ax=axes)
        found.append(axes)
    ends = {f"{axis}lim": np.array([getattr(one, f"get_{axis}lim")() for one in found]) for axis in shared}
    return {name: (float(values[:, 0].min()), float(values[:, 1].max())) for name, values in ends.items()}


def within(draw: Draw, limits: dict[str, tuple[float, float]], ax: Any) -> None:
    """A drawing with these limits of its axes."""
    draw(ax=ax)
    ax.set(**limits)


def drawn(report: Any, identifier: str, name: str, draw: Draw, caption: str, size: Size) -> Picture:
    """The picture, or why these rows have none."""
    weighted = report.rows is not None and report.rows.weights is not None and name in UNWEIGHTED
    mark = None if weighted else default_point(report, name)  # whose rates are weighted
    caption += " Rows count equally here, without their weights." if weighted else ""
    try:
        return Picture(draw_svg(draw, identifier, caption, size, mark), caption, size[0] > HALF)
    except ValueError as error:
        return Picture("", str(error))


UNWEIGHTED = ("confusion", "roc", "precision_recall", "calibration")
"""Pictures that draw each row, or count it, as much as any other."""


def of_training(report: Any) -> Iterator[Planned]:
    """The learning curves of every network."""
    if report.facts.get("curves"):
        caption = "Training loss and held-out metric of each network by epoch. A dot marks the epoch that was kept."
        yield "curves", partial(draw_curves, report.model), caption, WIDE


def draw_curves(model: Any, ax: Any) -> None:
    """The curves of all networks; an axis that one steep fall would fill is logarithmic."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    for panel in plots.plot_history(model, members=True, ax=ax).figure_.axes:
        values = np.concatenate([line.get_ydata() for line in panel.get_lines()])
        if values.min() > 0 and values.max() > STEEP * np.median(values):
            panel.set_yscale("log")
            panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            panel.yaxis.set_minor_formatter(NullFormatter())


def of_rows(report: Any) -> Iterator[Planned]:
    """How good the predictions for the report's rows are."""
    rows = report.rows
    if rows is None:
        return
    model, X, y = rows.as_model(report.model), rows.table, rows.y
    if hasattr(model, "classes_"):
        yield from of_classes(model, X, y)
        return
    for k in outputs_of(report.facts, np.shape(model.predict(X))[1:]):
        end = "" if k is None else f"-{k}"
        yield (
            f"predictions{end}",
            partial(plots.plot_predictions, model, X, y, output=k),
            "True over predicted numbers: points on the line are predicted exactly.",
            SQUARE,
        )
        yield (
            f"residuals{end}",
            partial(plots.plot_residuals, model, X, y, output=k),
            "True minus predicted over predicted numbers: no pattern should remain.",
            SQUARE,
        )


def outputs_of(facts: dict[str, Any], shape: tuple[int, ...]) -> Sequence[int | None]:
    """The outputs with pictures: the first ones, or of quantiles that nearest to the median."""
    if not shape:
        return [None]
    if levels := facts["model"].get("quantiles"):
        return [min(range(len(levels)), key=lambda k: abs(levels[k] - 0.5))]
    return range(min(OUTPUTS, shape[0]))


def of_classes(model: Any, X: Any, y: Any) -> Iterator[Planned]:
    """How good predictions of classes are."""
    each = "" if len(model.classes_) == 2 else ", a curve for each class"
    side = min(LARGEST, max(SQUARE[1], 2.2 + 0.42 * len(model.classes_)))
    captions: dict[str, tuple[str, Size]] = {
        "confusion": ("Rows by true and by predicted class: those on the diagonal are right.", (side, side)),
        "roc": (f"True over false positive rate, for all thresholds (ROC){each}.", SQUARE),
        "precision_recall": (f"Precision over recall, for all thresholds{each}.", SQUARE),
        "calibration": ("How often rows with a predicted probability are right: the dotted line is ideal.", SQUARE),
    }
    options = {"calibration": {"n_bins": n_bins(len(model.predictions))}}
    for name, (caption, size) in captions.items():
        plot = partial(getattr(plots, f"plot_{name}"), **options.get(name, {}))
        yield name, partial(draw_classes, plot, model, X, y), caption, size


def draw_classes(plot: Any, model: Any, X: Any, y: Any, ax: Any) -> None:
    """A picture of `rosenblatt.plots`, in the page's colours, and without a legend that would fill it."""
    display = plot(model, X, y, ax=ax)
    if hasattr(display, "confusion_matrix"):
        tint(display)
    legend = ax.get_legend()
    if legend is not None and len(legend.get_texts()) > MOST_NAMED:
        legend.remove()


def tint(display: Any) -> None:
    """Draw cells by how opaque they are, so that those without rows have the page's colour, and numbers stand out."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    colour = to_rgb(COLOURS[0])
    display.im_.set_cmap(LinearSegmentedColormap.from_list("opaque", [(*colour, 0.0), (*colour, 1.0)]))
    shares = np.ravel(display.im_.norm(display.confusion_matrix))
    for text, share in zip(np.ravel(display.text_), shares, strict=False):
        if text is not None:
            text.set_color(ON_COLOUR if share >= OPAQUE else "black")


def of_columns(report: Any) -> Iterator[Planned]:
    """What the columns matter, and how predictions depend on the first of them."""
    if rows := report.facts.get("importance"):
        explanation, height = report.evidence.explanation, 1.2 + 0.24 * min(BARS, len(rows))
        caption = "Importance of columns, with one standard deviation."
        yield "importance", partial(plots.plot_importance, explanation, most=BARS), caption, (WIDE[0], height)
    for i, found in enumerate(dependences_of(report)):
        caption = f"Mean prediction by {visible(found.column)}, if all rows had the same value."
        yield f"dependence-{i}", plots.DependenceDisplay([found]).plot, caption, (4.2, 3.2)


def dependences_of(report: Any) -> list[PartialDependence]:
    """How predictions depend on the columns that the facts name, over the same rows."""
    names = [entry["column"] for entry in report.facts.get("dependence", ())]
    of = partial(report.model.partial_dependence, report.evidence.inputs, n_grid=N_GRID, n_rows=N_ROWS)
    return [of(name) for name in names[:PANELS]]


def of_network(report: Any) -> Iterator[Planned]:
    """The first network, if it is small enough to be read."""
    network = report.model.ensemble_.networks[0]
    width, depth = shape_of(network)
    if len(network.graph.nodes) <= LAYERS and width <= ABREAST:
        size = (3.2 * width, 0.3 + 0.75 * depth)
        caption = "The layers of one network, with m rows at a time."
        yield "network", partial(plots.plot_network, network), caption, size


def shape_of(network: Any) -> tuple[int, int]:
    """The largest number of layers side by side, and the number of layers on the longest way from an input."""
    level: dict[Any, int] = {}
    for node in network.graph.nodes:
        level[node] = 1 + max((level[source] for source in node.inputs), default=0)
    rows = list(level.values())
    return max(map(rows.count, rows)), max(rows)
