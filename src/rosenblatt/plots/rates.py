"""A plot of the learning-rate range test.

Takes the result of `rosenblatt.training.find_learning_rate`. Returns a `RateDisplay`. Never trains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from rosenblatt._suggestions import suggest_keywords
from rosenblatt.plots.given import require_kind
from rosenblatt.plots.style import COLOURS, BaseDisplay, axes, legend_above, shade
from rosenblatt.training.learning_rate_finder import RateRange

__all__ = ["RateDisplay", "plot_learning_rates"]


@dataclass
class RateDisplay(BaseDisplay):
    """Loss over learning rate.

    Attributes
    ----------
    found : RateRange
    ax_, figure_ : matplotlib objects, after `plot`
    """

    found: RateRange

    def plot(self, ax: Any = None) -> Self:
        """Draw on `ax`, or on a new figure."""
        ax = axes(ax)
        found = self.found
        ax.plot(found.rates, found.losses, color=shade(0.25), label="loss of each step")
        ax.plot(found.rates, found.smoothed, color=COLOURS[0], label="smoothed")
        ax.axvline(found.suggestion, color=COLOURS[1], linestyle="--", label=f"suggestion {found.suggestion:.2g}")
        ax.set(xscale="log", xlabel="learning rate", ylabel="loss")
        low, high = min(found.losses), max(found.smoothed[0], max(found.losses[: max(1, len(found.losses) // 4)]))
        margin = high - low  # limits, as a diverging loss would hide the rest
        ax.set_ylim(low - 0.05 * margin - 1e-12, high + 0.2 * margin + 1e-12)
        legend_above(ax)
        return self.drawn_on(ax)


@suggest_keywords
def plot_learning_rates(found: RateRange, *, ax: Any = None) -> RateDisplay:
    """Draw a learning-rate range test and its suggestion.

    Parameters
    ----------
    found : RateRange
        The result of `rosenblatt.training.find_learning_rate`.
    ax : matplotlib Axes, optional

    Returns
    -------
    RateDisplay

    Raises
    ------
    TypeError
        If `found` is something else.
    """
    require_kind("plot_learning_rates", found, RateRange, "what find_learning_rate(X, y) returns")
    return RateDisplay(found).plot(ax)
