"""A plot of a search for hyperparameters: its progress, and which parameters mattered.

Takes a fitted `MLPSearchCV`. Returns a `SearchDisplay`. Never changes the search.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from rosenblatt._checks import is_number
from rosenblatt._suggestions import suggest_keywords
from rosenblatt.plots.given import require_kind
from rosenblatt.plots.style import (
    COLOURS,
    BaseDisplay,
    label_below,
    label_categories,
    legend_above,
    panels_of,
    shade,
    width_of,
)

__all__ = ["SearchDisplay", "plot_search"]

JITTER = 0.2
MIN_LOG_RATIO = 10
"""Ratio of the largest to the smallest number above which an axis has a logarithmic scale."""


@dataclass
class SearchDisplay(BaseDisplay):
    """Each candidate's score and the best so far, the importances of the parameters, and the two most important ones.

    Attributes
    ----------
    scores, epochs : ndarray of shape (n_candidates,)
        Score and number of epochs of each candidate. Scores are NaN for candidates that failed.
    importance : dict of str to float
        Importance of each parameter. It is empty if there are too few candidates.
    pair : dict of str to masked array of shape (n_candidates,)
        Values of the two most important parameters, or of as many as there are.
    ax_, axes_, figure_ : matplotlib objects, after `plot`
        The first panel, all three panels, and the figure.
    """

    scores: Any
    epochs: Any
    importance: dict[str, float]
    pair: dict[str, Any]

    def plot(self, ax: Any = None) -> Self:
        """Draw on `ax` (three Axes) or on a new figure."""
        panels = panels_of(ax, 3)
        self._draw_scores(panels.flat[0])
        middle, names = panels.flat[1], list(self.importance)
        middle.barh(range(len(names)), list(self.importance.values()), color=COLOURS[0])
        label_categories(middle, names, "y")
        middle.invert_yaxis()
        if not names:
            middle.text(0.5, 0.5, "too few candidates\nto tell which\nparameters matter", ha="center", va="center",
                        transform=middle.transAxes)  # fmt: skip
            middle.set(xticks=[], yticks=[])
        label_below(middle, "share of the score that a forest explains", 0.5)
        self._draw_pair(panels.flat[2])
        return self.drawn_on(panels)

    def _draw_scores(self, panel: Any) -> None:
        from matplotlib.ticker import MaxNLocator

        number = np.arange(1, len(self.scores) + 1)
        for colour, stage in zip(COLOURS, np.unique(self.epochs), strict=False):
            here = self.epochs == stage
            panel.plot(
                number[here],
                self.scores[here],
                "o",
                color=colour,
                markersize=4,
                label=f"{stage} epoch{'s' if stage > 1 else ''}",
            )
        last = np.where(self.epochs == self.epochs.max(), self.scores, np.nan)
        best = np.fmax.accumulate(last)
        panel.step(number, best, where="post", color=shade(0.6), linewidth=1, label="best so far")
        panel.set(xlabel="candidate", ylabel="mean score of the folds")
        panel.xaxis.set_major_locator(MaxNLocator(max(2, int(1.5 * width_of(panel))), integer=True))
        legend_above(panel, share=0.6)

    def _draw_pair(self, panel: Any) -> None:
        """Draw candidates by two parameters, coloured by their score relative to the others of their stage."""
        from rosenblatt.search.importance import within_stage

        if len(self.pair) < 2:
            panel.set_axis_off()
            return
        seen = np.isfinite(self.scores) & ~np.any([np.ma.getmaskarray(values) for values in self.pair.values()], axis=0)
        positions = []
        for (name, values), axis in zip(self.pair.items(), "xy", strict=True):
            positions.append(positions_on(panel, axis, list(values.data[seen])))
            panel.set(**{f"{axis}label": name})
        drawn = panel.scatter(*positions, c=within_stage(self.scores, self.epochs)[seen], cmap="viridis", s=24)
        panel.figure.colorbar(drawn, ax=panel, label="score above the\nmean of its stage")


def positions_on(panel: Any, axis: str, values: list[Any]) -> Any:
    """Positions on the axis "x" or "y": numbers at their values, other values in alphabetical order."""
    if values and all(map(is_number, values)):
        if min(values) > 0 and max(values) > MIN_LOG_RATIO * min(values):
            panel.set(**{f"{axis}scale": "log"})
        return np.array(values, dtype=float)
    names = sorted({str(value) for value in values})
    label_categories(panel, names, axis, share=0.35)
    spread = np.random.default_rng(0).uniform(-JITTER, JITTER, len(values))  # points would hide each other
    return spread + [names.index(str(value)) for value in values]


@suggest_keywords
def plot_search(search: Any, *, ax: Any = None) -> SearchDisplay:
    """Draw the progress of a search, the importance of its parameters, and the scores by the two most important ones.

    Parameters
    ----------
    search : fitted MLPSearchCV
    ax : three matplotlib Axes, optional

    Returns
    -------
    SearchDisplay

    Raises
    ------
    TypeError
        If `search` is something else.
    sklearn.exceptions.NotFittedError
        If the search was not fitted.
    """
    from sklearn.utils.validation import check_is_fitted

    from rosenblatt.search import MLPSearchCV
    from rosenblatt.search.importance import hyperparameter_importance

    require_kind("plot_search", search, MLPSearchCV, "a fitted MLPSearchCV")
    check_is_fitted(search, "cv_results_")
    results = search.cv_results_
    try:
        importance = hyperparameter_importance(results)
    except ValueError:  # too few candidates
        importance = {}
    scores = np.asarray(results["mean_test_score"], dtype=float)
    pair = {name: results[f"param_{name}"] for name in list(importance)[:2]}
    return SearchDisplay(scores, np.asarray(results["epochs"]), importance, pair).plot(ax)
