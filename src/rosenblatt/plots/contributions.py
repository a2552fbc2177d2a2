"""A waterfall of one row: from the baseline to the prediction, column by column.

Takes a `RowExplanation`. Returns a `ContributionDisplay`. Never computes a contribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from rosenblatt._checks import check_count
from rosenblatt._suggestions import suggest_keywords
from rosenblatt.estimators.tabular.explain.contributions import RowExplanation
from rosenblatt.estimators.tabular.explain.importance import Explanation
from rosenblatt.plots.given import chosen_output, require_kind
from rosenblatt.plots.style import COLOURS, BaseDisplay, axes, label_below, shade, shortened, width_of

__all__ = ["ContributionDisplay", "plot_contributions"]

LETTER = 0.078
"""Inches of a letter of a label."""
MIN_LETTERS, LETTERS_PER_INCH = 18, 4.5
MIN_CELL = 12
"""Letters of a cell that are shown in any case, as a date and most numbers have them."""


@dataclass
class ContributionDisplay(BaseDisplay):
    """Bars that begin where the last one ended: those to the right raise the prediction, those to the left lower it.

    Attributes
    ----------
    columns, cells : list of str
        Columns and the row's cells, those with the largest contributions first; at last the others together, with an
        empty cell.
    contributions : ndarray of shape (n_bars,)
    baseline, prediction : float
        Where the first bar begins, and where the last one ends.
    quantity : str
        What they are values of.
    ax_, figure_ : matplotlib objects, after `plot`
    """

    columns: list[str]
    cells: list[str]
    contributions: Any
    baseline: float
    prediction: float
    quantity: str

    def plot(self, ax: Any = None) -> Self:
        """Draw on `ax`, or on a new figure."""
        n = len(self.columns)
        ax = axes(ax, height=1.3 + 0.3 * (n + 2))
        from matplotlib.ticker import MaxNLocator

        ends = self.baseline + np.cumsum(self.contributions)
        starts, places = ends - self.contributions, np.arange(1, n + 1)
        shades = [COLOURS[0] if value >= 0 else COLOURS[1] for value in self.contributions]
        ax.barh(places, self.contributions, left=starts, color=shades, height=0.7)
        edges = [self.baseline, *ends, self.prediction]
        ax.vlines(edges[:-1], np.arange(n + 1) - 0.35, np.arange(n + 1) + 1.35, color=shade(0.5), linewidth=0.7)
        ax.plot([self.baseline, self.prediction], [0, n + 1], "D", color=shade(0.8), markersize=5)
        for place, value in enumerate(self.contributions, start=1):
            self._write(ax, max(edges[place - 1], edges[place]), place, f"{value:+.3g}")
        self._write(ax, self.baseline, 0, f"{self.baseline:.3g}")
        self._write(ax, self.prediction, n + 1, f"{self.prediction:.3g}")
        labels = self.labels(max(MIN_LETTERS, int(LETTERS_PER_INCH * width_of(ax))))
        ax.set_yticks(range(n + 2), ["baseline", *labels, "prediction"])
        ax.set_ylim(n + 1.6, -0.6)
        span = max(edges) - min(edges) or 1.0
        share = self._share_of_numbers(width_of(ax) - LETTER * max(map(len, ("prediction", *labels))))
        ax.set_xlim(min(edges) - 0.05 * span, max(edges) + share * span)
        ax.ticklabel_format(axis="x", useOffset=False)
        ax.xaxis.set_major_locator(MaxNLocator(max(2, int(width_of(ax)))))
        label_below(ax, self.quantity, 0.5)
        return self.drawn_on(ax)

    def labels(self, letters: int) -> list[str]:
        """Columns with cells, within so many letters: names are cut before cells."""
        found = []
        for column, cell in zip(self.columns, self.cells, strict=True):
            value = f" = {shortened(cell, max(MIN_CELL, letters // 2))}" if cell else ""
            found.append(shortened(column, max(4, letters - len(value))) + value)
        return found

    def _share_of_numbers(self, width: float) -> float:
        """What numbers to the right of bars need, as a share of the bars' own width, on so many inches."""
        longest = max(len(f"{value:+.3g}") for value in (*self.contributions, self.baseline, self.prediction))
        share = min(0.6, (LETTER * longest + 0.2) / max(0.5, width - 0.3))
        return share / (1 - share)

    def _write(self, ax: Any, x: float, place: int, text: str) -> None:
        """Write a number to the right of a mark."""
        ax.annotate(text, (x, place), (7, 0), textcoords="offset points", va="center", fontsize=8)


@suggest_keywords
def plot_contributions(
    explanation: RowExplanation, row: int = 0, *, most: int = 10, output: int = 0, ax: Any = None
) -> ContributionDisplay:
    """Draw what each column contributes to the prediction for one row.

    Parameters
    ----------
    explanation : RowExplanation
        The result of ``model.explain(X, method="shapley")`` or of ``method="integrated_gradients"``.
    row : int
        Number of the row in X, from 0.
    most : int
        Largest number of bars. The columns with the smallest contributions are drawn as one.
    output : int
        Number of the output, from 0, where several are predicted.
    ax : matplotlib Axes, optional

    Returns
    -------
    ContributionDisplay

    Raises
    ------
    ValueError
        If the explanation has no baseline, the row is not among the explained ones, or there is no such output.
    """
    require_kind("plot_contributions", explanation, Explanation, "what model.explain(X, method='shapley') returns")
    if not hasattr(explanation, "predictions"):
        raise ValueError(
            f"{explanation.method!r} has no contributions that add up to a prediction: give what model.explain returns "
            "with method='shapley' or method='integrated_gradients'."
        )
    check_count("most", most)
    at, order, found = explanation.place_of(row), explanation.ranked_in(row), explanation
    values, start, end = (
        np.atleast_2d(part[at].T) for part in (found.contributions, found.baseline, found.predictions)
    )
    output = chosen_output(output, len(values))
    order = [j for j in order if found.importance[j] > 0] or order[:1]
    shown, rest = (order, []) if len(order) <= most else (order[: most - 1], order[most - 1 :])
    columns, cells = [found.columns[j] for j in shown], [found.cells[at][j] for j in shown]
    bars = [values[output, j] for j in shown]
    if rest:
        columns, cells = [*columns, f"{len(rest)} other columns"], [*cells, ""]
        bars.append(values[output, rest].sum())
    quantity = (found.outputs[output] if found.outputs else found.what).removeprefix("the ").replace("$", r"\$")
    if found.classes:
        quantity = f"log odds of class {shortened(found.classes[at])}"
    baseline, prediction = float(start.ravel()[output]), float(end.ravel()[output])
    return ContributionDisplay(columns, cells, np.array(bars), baseline, prediction, quantity).plot(ax)
