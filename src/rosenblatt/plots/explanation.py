"""Plots of what a tabular model uses: bars of importances, curves of partial dependence.

Takes an `Explanation`, or a fitted estimator and a table. Returns an `ImportanceDisplay` or a `DependenceDisplay`.
Never changes the model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rosenblatt._checks import check_count
from rosenblatt._suggestions import suggest_keywords
from rosenblatt.estimators.tabular.explain.importance import Explanation
from rosenblatt.plots.given import require_kind
from rosenblatt.plots.style import (
    COLOURS,
    LONGEST_LABEL,
    BaseDisplay,
    axes,
    label_below,
    label_categories,
    label_left,
    legend_above,
    legend_name,
    panels_of,
    shade,
    shortened,
)

if TYPE_CHECKING:
    from rosenblatt.estimators.tabular.explain.partial_dependence import PartialDependence

__all__ = ["DependenceDisplay", "ImportanceDisplay", "plot_dependence", "plot_importance"]

PANELS = 6
MAX_LINES = len(COLOURS)
JITTER = 0.15


@dataclass
class ImportanceDisplay(BaseDisplay):
    """Bars of importances, the longest at the top, with error bars of one standard deviation.

    Attributes
    ----------
    explanation : Explanation
    most : int
        Largest number of bars.
    ax_, figure_ : matplotlib objects, after `plot`
    """

    explanation: Explanation
    most: int = 20

    def plot(self, ax: Any = None) -> Self:
        """Draw on `ax`, or on a new figure."""
        found, n = self.explanation, min(self.most, len(self.explanation.columns))
        ax = axes(ax, height=1.2 + 0.26 * n)
        places = np.arange(n)
        shown = found.order[:n]
        ax.barh(places, found.importance[shown], xerr=found.deviation[shown], color=COLOURS[0], ecolor=shade(0.6))
        label_categories(ax, [found.columns[i] for i in shown], "y", share=0.8)
        ax.invert_yaxis()
        ax.axvline(0, color=shade(0.4), linewidth=0.8)
        label_below(ax, found.quantity)
        return self.drawn_on(ax)


@dataclass
class DependenceDisplay(BaseDisplay):
    """A panel for each column: mean predictions over its values, and behind a single mean those for single rows.

    Attributes
    ----------
    dependences : sequence of PartialDependence
    most : int
        Largest number of lines in each panel. If there are more outputs, those that vary most are drawn. With two
        classes only the second is drawn.
    ax_, axes_, figure_ : matplotlib objects, after `plot`
        The first panel, all of them, the figure.
    """

    dependences: Sequence[PartialDependence]
    most: int = MAX_LINES

    def plot(self, ax: Any = None) -> Self:
        """Draw on `ax` (one Axes, or an array with one for each column) or on a new figure."""
        panels = panels_of(ax, len(self.dependences), width=3.4, height=2.8)
        for panel, dependence in zip(panels.flat, self.dependences, strict=False):
            self._draw(panel, dependence)
        return self.drawn_on(panels)

    def _draw(self, panel: Any, found: PartialDependence) -> None:
        binary = len(found.outputs) == 2 and found.of_classes
        shown = [1] if binary else found.varying(self.most)
        curve = found.kind in ("number", "date")
        order = np.argsort(found.grid) if curve else np.arange(len(found.grid))
        x = found.grid[order] if curve else order
        for colour, k in zip(COLOURS * math.ceil(len(shown) / len(COLOURS)), shown, strict=False):
            name = legend_name(found.outputs[k]) if len(shown) > 1 else f"mean of {found.n_rows:,} rows"
            style = "-" if curve and len(x) > 2 else "-o" if curve else "o"
            panel.plot(x, found.values[order, k], style, color=colour, label=name, markersize=4, zorder=3)
        if len(shown) == 1:
            self._draw_rows(panel, x, found.single_rows[:, order, shown[0]], curve)
        if not curve:
            label_categories(panel, found.labels())
            panel.set_xlim(-0.5, len(x) - 0.5)
        elif found.kind == "date":
            from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

            locator = AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
            panel.xaxis.set_major_locator(locator)
            panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        of = f" of {shortened(found.target)}" if found.target else ""
        quantity = "probability" if found.of_classes else f"prediction{of}"
        label_left(panel, f"probability of {shortened(found.outputs[1])}" if binary else f"mean {quantity}")
        label_below(panel, shortened(found.column, 2 * LONGEST_LABEL))
        legend_above(panel)

    def _draw_rows(self, panel: Any, x: Any, rows: Any, curve: bool) -> None:
        """Draw the predictions for single rows [n, n_grid], as lines over numbers and dates and as points otherwise."""
        label, colour = f"{len(rows)} single rows", shade(0.35)
        if not curve:
            spread = np.random.default_rng(0).uniform(-JITTER, JITTER, rows.shape)
            panel.scatter((x + spread).ravel(), rows.ravel(), s=4, color=colour, label=label)
            return
        from matplotlib.collections import LineCollection
        from matplotlib.dates import date2num

        places = date2num(x) if x.dtype.kind == "M" else x  # type: ignore[no-untyped-call]
        lines = [np.column_stack([places, row]) for row in rows]
        panel.add_collection(LineCollection(lines, colors=[colour], linewidths=0.6, label=label, zorder=1))
        panel.autoscale_view()


@suggest_keywords
def plot_importance(explanation: Explanation, *, most: int = 20, ax: Any = None) -> ImportanceDisplay:
    """Draw the importances of columns.

    Parameters
    ----------
    explanation : Explanation
        The result of ``model.explain(X, y)``.
    most : int
        Largest number of bars.
    ax : matplotlib Axes, optional

    Returns
    -------
    ImportanceDisplay

    Raises
    ------
    TypeError
        If `explanation` is something else.
    ValueError
        If `most` is not a positive integer.
    """
    require_kind("plot_importance", explanation, Explanation, "what model.explain(X, y) returns")
    check_count("most", most)
    return ImportanceDisplay(explanation, most).plot(ax)


@suggest_keywords
def plot_dependence(
    model: Any, X: Any, columns: Sequence[str | int] | str | None = None, *, ax: Any = None, **options: Any
) -> DependenceDisplay:
    """Draw how predictions depend on columns.

    Parameters
    ----------
    model : fitted TabularClassifier or TabularRegressor
    X : table, as in ``model.predict``
        Rows over which predictions are averaged.
    columns : sequence of str or int, or one of them, optional
        Columns to draw. By default these are the six that are most important by gradients, without free texts.
    ax : matplotlib Axes or array of them, optional
        Axes to draw on, one for each column. By default there is a new figure.
    **options
        Options of ``model.partial_dependence``: ``n_grid``, ``n_rows``, ``random_state``.

    Returns
    -------
    DependenceDisplay

    Raises
    ------
    ValueError
        If the model is not a tabular estimator, there is no column to draw, or `ax` has the wrong number of Axes.
    """
    if not hasattr(model, "partial_dependence"):
        raise ValueError(f"{type(model).__name__} has no partial_dependence: pass a fitted tabular estimator")
    if columns is None:
        ranked = model.explain(X, method="gradient").ranked
        kinds = {kind.name: kind for kind in model.preparation_.kinds}
        columns = [name for name in ranked if kinds[name].used and kinds[name].kind != "text"][:PANELS]
    chosen = [columns] if isinstance(columns, (str, int)) else list(columns)
    if not chosen:
        raise ValueError("there is no column to draw: columns is empty, or the model only uses free texts")
    return DependenceDisplay([model.partial_dependence(X, column, **options) for column in chosen]).plot(ax)
