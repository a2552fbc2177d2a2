"""A plot of the learning-rate range test.

Takes the result of `rosenblatt.training.find_learning_rate`. Returns a `RateDisplay`. Never trains.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rosenblatt.plots.style import COLOURS, axes
from rosenblatt.training.learning_rate_finder import RateRange

__all__ = ["RateDisplay", "plot_learning_rates"]


@dataclass
class RateDisplay:
    """Loss over learning rate.

    Attributes
    ----------
    found : RateRange
    ax_, figure_ : matplotlib objects, after `plot`
    """

    found: RateRange
    ax_: Any = field(default=None, init=False)
    figure_: Any = field(default=None, init=False)

    def plot(self, ax: Any = None) -> RateDisplay:
        """Draw on `ax`, or on a new figure."""
        ax = axes(ax)
        found = self.found
        ax.plot(found.rates, found.losses, color="0.8", label="loss of each step")
        ax.plot(found.rates, found.smoothed, color=COLOURS[0], label="smoothed")
        ax.axvline(found.suggestion, color=COLOURS[1], linestyle="--", label=f"suggestion {found.suggestion:.2g}")
        ax.set_xscale("log")
        ax.set_xlabel("learning rate")
        ax.set_ylabel("loss")
        low, high = min(found.losses), max(found.smoothed[0], max(found.losses[: max(1, len(found.losses) // 4)]))
        ax.set_ylim(
            low - 0.05 * (high - low) - 1e-12, high + 0.2 * (high - low) + 1e-12
        )  # a diverging loss would hide the rest
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


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
    """
    return RateDisplay(found).plot(ax)
