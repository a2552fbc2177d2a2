"""The course of a training as a picture: losses on the left axis, scores on the right one.

Goes in: a model that was trained, or a `History`. Comes out: a `HistoryDisplay`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rosenblatt.plots.style import COLOURS, axes

__all__ = ["HistoryDisplay", "plot_history"]


@dataclass
class HistoryDisplay:
    """Curves over epochs.

    Attributes
    ----------
    columns : mapping of str to list of float
        What is drawn; those whose name ends with "score" have the right axis.
    best_epoch : int or None
        Marked by a line.
    ax_, figure_ : matplotlib objects, after `plot`
    """

    columns: Mapping[str, Sequence[float]]
    best_epoch: int | None = None
    log: bool = False
    ax_: Any = field(default=None, init=False)
    figure_: Any = field(default=None, init=False)

    def plot(self, ax: Any = None) -> HistoryDisplay:
        """Draw on `ax`, or on a new figure."""
        ax = axes(ax)
        left = [name for name in self.columns if not name.endswith("score")]
        right = [name for name in self.columns if name.endswith("score")]
        lines, top = self._draw(ax, left, COLOURS), ax
        ax.set_xlabel("epoch")
        ax.set_ylabel(", ".join(left))
        if self.log:
            ax.set_yscale("log")
        if right:
            top = ax.twinx() if left else ax  # is drawn above, and so has the legend
            lines += self._draw(top, right, COLOURS[len(left) :])
            top.set_ylabel(", ".join(right))
        if self.best_epoch is not None:
            lines.append(
                ax.axvline(self.best_epoch, color="0.6", linestyle=":", label=f"best epoch, {self.best_epoch}")
            )
        top.legend(lines, [line.get_label() for line in lines], loc="center right", framealpha=0.9)
        ax.margins(x=0.01)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw(self, ax: Any, names: Sequence[str], colours: Sequence[str]) -> list[Any]:
        lines = []
        for name, colour in zip(names, colours, strict=False):
            values = self.columns[name]
            dashes = "--" if name.startswith("val") else "-"
            marker = "o" if len(values) == 1 else None
            lines += ax.plot(range(1, len(values) + 1), values, dashes, color=colour, label=name, marker=marker)
        return lines


def plot_history(
    model: Any, columns: Sequence[str] | None = None, *, log: bool = False, ax: Any = None
) -> HistoryDisplay:
    """Draw how a training went.

    Parameters
    ----------
    model : fitted estimator, or History
    columns : sequence of str, optional
        Default: "loss", "val_loss" and "val_score", where they are.
    log : bool
        Logarithmic scale for the losses.
    ax : matplotlib Axes, optional

    Returns
    -------
    HistoryDisplay

    Raises
    ------
    ValueError
        If there is nothing to draw, or no column of a name.
    """
    history = getattr(model, "history_", model)
    if not isinstance(history, Mapping):
        raise ValueError(f"{type(model).__name__} has no history_: fit it with a solver that trains in epochs")
    wanted = [c for c in ("loss", "val_loss", "val_score") if c in history] if columns is None else list(columns)
    missing = [c for c in wanted if c not in history]
    if missing or not wanted:
        raise ValueError(f"the history has no column {', '.join(missing) or 'at all'}; it has: {', '.join(history)}")
    chosen = {name: list(history[name]) for name in wanted}
    best = None
    if chosen.get("val_score"):
        best = 1 + max(range(len(chosen["val_score"])), key=chosen["val_score"].__getitem__)
    elif chosen.get("val_loss"):
        best = 1 + min(range(len(chosen["val_loss"])), key=chosen["val_loss"].__getitem__)
    return HistoryDisplay(chosen, best, log).plot(ax)
