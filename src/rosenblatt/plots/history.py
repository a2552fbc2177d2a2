"""A plot of a training history, with losses on the left axis and scores on the right one.

Takes a trained model or a `History`. Returns a `HistoryDisplay`. Never changes the model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from rosenblatt._suggestions import suggest_keywords
from rosenblatt.plots.style import COLOURS, BaseDisplay, axes, legend_above, shade

__all__ = ["HistoryDisplay", "plot_history"]

DECIDING = {"held_out": 1.0, "val_loss": 1.0, "val_score": -1.0}
"""Columns that decide on the best epoch, with the sign in which less is better: scores decide, if there are any."""
STATISTICS = {"norm": "gradient norm", "vanishing": "share", "dead": "share"}


@dataclass
class HistoryDisplay(BaseDisplay):
    """Curves over epochs.

    Attributes
    ----------
    columns : mapping of str to list of float
        The curves. They are of one or two kinds: losses, scores, learning rates, norms of gradients, shares. Each kind
        has its own axis, and scores have the right one.
    best_epoch : int or None
        Epoch that a line marks.
    log : bool
        Whether the left axis has a logarithmic scale.
    members : sequence of (mapping of str to list of float, int)
        The columns of each network of an ensemble and its best epoch, which are drawn instead of their means.
    ax_, figure_ : matplotlib objects, after `plot`
    """

    columns: Mapping[str, Sequence[float]]
    best_epoch: int | None = None
    log: bool = False
    members: Sequence[tuple[Mapping[str, Sequence[float]], int]] = ()

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        columns: Sequence[str] | str | None = None,
        *,
        log: bool = False,
        members: bool = False,
        ax: Any = None,
    ) -> HistoryDisplay:
        """Draw the history of a fitted estimator (see `plot_history`)."""
        history = getattr(model, "history_", model)
        if not isinstance(history, Mapping):
            raise ValueError(f"{type(model).__name__} has no history_: fit it, with a solver that trains in epochs")
        usual = ("loss", *DECIDING)
        columns = [columns] if isinstance(columns, str) else columns
        wanted = [c for c in usual if c in history] if columns is None else list(columns)
        missing = [c for c in wanted if c not in history]
        if missing or not wanted:
            raise ValueError(
                f"the history has no column {', '.join(missing) or 'at all'}; it has: {', '.join(history)}"
            )
        chosen = {name: list(history[name]) for name in wanted}
        if members:
            return cls(chosen, None, log, members_of(model, wanted)).plot(ax)
        best_epoch = None
        for name, sign in DECIDING.items():  # the last one decides
            values = {i: sign * v for i, v in enumerate(chosen.get(name, ()), start=1) if not math.isnan(v)}
            best_epoch = min(values, key=values.__getitem__) if values else best_epoch
        return cls(chosen, best_epoch, log).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw on `ax`, or on a new figure."""
        kinds = columns_by_unit(self.columns)
        for name in next(iter(kinds.values())) if self.log else ():
            low = min((value for curve in self._curves(name) for value in curve), default=1.0)
            if low <= 0:
                raise ValueError(
                    f"{name} falls to {low:g}, but a logarithmic scale only shows positive values: set log=False"
                )
        ax = axes(ax)
        from matplotlib.ticker import MaxNLocator

        colours = dict(zip(self.columns, range(len(self.columns)), strict=True))
        lines: list[Any] = []
        for panel, (kind, names) in zip((ax, ax.twinx()) if len(kinds) == 2 else (ax,), kinds.items(), strict=True):
            lines += [self._draw(panel, name, colours[name]) for name in names]
            self._mark_best(panel, {name: colours[name] for name in names})
            panel.set_ylabel(kind)
        if self.best_epoch is not None:
            label = f"best epoch, {self.best_epoch}"
            lines.append(ax.axvline(self.best_epoch, color=shade(0.5), linestyle=":", label=label))
        if self.log:
            ax.set_yscale("log")
        legend_above(ax, lines)
        ax.set_xlabel("epoch")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        ax.margins(x=0.01)
        if max(len(values) for values in self.columns.values()) == 1:
            ax.set_xlim(0, 2)
        return self.drawn_on(ax)

    def _curves(self, name: str) -> list[Sequence[float]]:
        """The lines of a column: its own, or that of each member."""
        return [own[name] for own, _ in self.members] or [self.columns[name]]

    def _mark_best(self, ax: Any, places: Mapping[str, int]) -> None:
        """A dot on each curve that may decide on the best epoch, at that epoch."""
        best_epochs = [*(best for _, best in self.members)] if self.members else [self.best_epoch]
        for name, i in places.items():
            for values, best in zip(self._curves(name), best_epochs, strict=True):
                if best is not None and name in DECIDING and best <= len(values):
                    ax.scatter([best], [values[best - 1]], s=22, color=COLOURS[i % len(COLOURS)], zorder=4)

    def _draw(self, ax: Any, name: str, i: int) -> Any:
        plain = ("-", "-.", ":")[i // len(COLOURS) % 3]
        style = "--" if name.startswith("val") else plain
        colour, curves = COLOURS[i % len(COLOURS)], self._curves(name)
        width, alpha = (1.5, 1.0) if len(curves) == 1 else (1.0, 0.75)
        shown = "held out" if name == "held_out" else name
        label = f"{shown} of each network" if len(curves) > 1 else shown
        lines = [
            ax.plot(range(1, len(values) + 1), values, style, color=colour, label=label, linewidth=width, alpha=alpha,
                    marker="o" if len(values) == 1 else None)[0]
            for values in curves
        ]  # fmt: skip
        return lines[0]


def members_of(model: Any, columns: Sequence[str]) -> list[tuple[Mapping[str, Sequence[float]], int]]:
    """The columns of each network of a tabular estimator, and its best epoch."""
    if not hasattr(model, "learning_curve"):
        raise ValueError(f"{type(model).__name__} is no ensemble with learning_curve(): leave members out.")
    curve = model.learning_curve()
    histories = [curve.history(i) for i in range(len(curve.best_epochs))]
    return [
        ({name: list(history[name]) for name in columns}, best)
        for history, best in zip(histories, curve.best_epochs, strict=True)
    ]


def unit_of(column: str) -> str:
    """The quantity in a column, which labels its axis."""
    if column.endswith("score"):
        return "score"
    if column.endswith("loss"):
        return "loss"
    return STATISTICS.get(column.rpartition(".")[2], column.replace("_", " "))


def columns_by_unit(columns: Mapping[str, Sequence[float]]) -> dict[str, list[str]]:
    """Columns by kind, scores last; ValueError for more than two kinds, because a plot has two axes."""
    kinds: dict[str, list[str]] = {}
    for name in sorted(columns, key=lambda name: unit_of(name) == "score"):
        kinds.setdefault(unit_of(name), []).append(name)
    if len(kinds) > 2:
        listed = "; ".join(f"{kind} ({', '.join(names)})" for kind, names in kinds.items())
        raise ValueError(
            f"a plot has two axes, but the columns are of {len(kinds)} kinds: {listed}; make several plots"
        )
    return kinds


@suggest_keywords
def plot_history(
    model: Any,
    columns: Sequence[str] | str | None = None,
    *,
    log: bool = False,
    members: bool = False,
    ax: Any = None,
) -> HistoryDisplay:
    """Draw the history of a training.

    Parameters
    ----------
    model : fitted estimator, or History
    columns : sequence of str, or str, optional
        Columns of one or two kinds: losses, scores, learning rates, norms of gradients, shares. By default these are
        "loss", "held_out", "val_loss" and "val_score", as far as they exist.
    log : bool
        Whether the left axis has a logarithmic scale.
    members : bool
        Whether to draw the curves of each network of a tabular estimator, with a dot at its best epoch, instead of the
        means over those that were trained for so long.
    ax : matplotlib Axes, optional

    Returns
    -------
    HistoryDisplay

    Raises
    ------
    ValueError
        If there is no history, a column does not exist, there are more than two kinds of columns, or a value on a
        logarithmic scale is not positive; if members are asked of a model that is no ensemble.
    """
    return HistoryDisplay.from_estimator(model, columns, log=log, members=members, ax=ax)
