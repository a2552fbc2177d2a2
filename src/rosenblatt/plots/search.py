"""A search of hyperparameters as a picture: its course, and what mattered.

Goes in: a fitted `MLPSearchCV`. Comes out: a `SearchDisplay`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rosenblatt.plots.style import COLOURS, pyplot

__all__ = ["SearchDisplay", "plot_search"]


@dataclass
class SearchDisplay:
    """Left: each candidate's score and the best so far; right: importances of the parameters.

    Attributes
    ----------
    scores, epochs : ndarray of shape (n_candidates,)
        Scores are NaN for candidates that failed.
    importance : dict of str to float
        Empty where there are too few candidates.
    ax_, axes_, figure_ : matplotlib objects, after `plot`
        The first panel, both, the figure.
    """

    scores: Any
    epochs: Any
    importance: dict[str, float]
    ax_: Any = field(default=None, init=False)
    axes_: Any = field(default=None, init=False)
    figure_: Any = field(default=None, init=False)

    def plot(self, ax: Any = None) -> SearchDisplay:
        """Draw on `ax`, two Axes, or on a new figure."""
        if ax is None:
            _, ax = pyplot().subplots(1, 2, figsize=(9.6, 4.0), layout="constrained")
        panels = np.atleast_1d(np.asarray(ax, dtype=object))
        if panels.size != 2:
            raise ValueError(f"ax has {panels.size} Axes; the picture has two panels.")
        self._draw_course(panels.flat[0])
        self._draw_importance(panels.flat[1])
        self.ax_, self.axes_, self.figure_ = panels.flat[0], panels, panels.flat[0].figure
        return self

    def _draw_course(self, panel: Any) -> None:
        number = np.arange(1, len(self.scores) + 1)
        for colour, stage in zip(COLOURS, np.unique(self.epochs), strict=False):
            here = self.epochs == stage
            panel.plot(number[here], self.scores[here], "o", color=colour, markersize=4, label=f"{stage} epochs")
        last = np.where(self.epochs == self.epochs.max(), self.scores, np.nan)
        best = np.fmax.accumulate(last)
        panel.step(number, best, where="post", color="0.4", linewidth=1, label="best so far")
        panel.set_xlabel("candidate")
        panel.set_ylabel("mean score of the folds")
        panel.legend(fontsize=8)

    def _draw_importance(self, panel: Any) -> None:
        names = list(self.importance)
        panel.barh(np.arange(len(names)), list(self.importance.values()), color=COLOURS[0])
        panel.set_yticks(np.arange(len(names)), names)
        panel.invert_yaxis()
        panel.set_xlabel("share of what a forest knows of the score")


def plot_search(search: Any, *, ax: Any = None) -> SearchDisplay:
    """Draw the course of a search, and which parameters mattered.

    Parameters
    ----------
    search : fitted MLPSearchCV
    ax : two matplotlib Axes, optional

    Returns
    -------
    SearchDisplay

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the search was not fitted.
    """
    from sklearn.utils.validation import check_is_fitted

    from rosenblatt.search.importance import hyperparameter_importance

    check_is_fitted(search, "cv_results_")
    results = search.cv_results_
    try:
        importance = hyperparameter_importance(results)
    except ValueError:  # too few candidates
        importance = {}
    scores = np.asarray(results["mean_test_score"], dtype=float)
    return SearchDisplay(scores, np.asarray(results["epochs"]), importance).plot(ax)
