"""What all plots share: matplotlib, axes and colours.

Takes the caller's axes, if there are any. Returns axes to draw on. Never changes matplotlib's settings.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

__all__ = ["COLOURS", "BaseDisplay", "axes", "colours", "panels_of", "pyplot"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444")
"""Colours that people with red-green colour blindness can distinguish (Okabe and Ito 2008)."""


def pyplot() -> Any:
    """The module matplotlib.pyplot; ImportError if matplotlib is not installed."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("plots need matplotlib: pip install 'rosenblatt[plot]'") from None
    return plt


def axes(ax: Any, width: float = 6.4, height: float = 4.0) -> Any:
    """The given axes, or new ones in a figure of this size (inches)."""
    if ax is not None:
        return ax
    _, ax = pyplot().subplots(figsize=(width, height), layout="constrained")
    return ax


def panels_of(
    ax: Any, n: int, *, columns: int = 3, width: float = 4.8, height: float = 4.0, head: float = 0.0, **options: Any
) -> Any:
    """The given Axes as an array, or n new ones, at most so many in a row. ValueError if there are not n.

    A panel has `width` and `height` inches; `head` is left above all. Options are those of ``pyplot.subplots``.
    """
    if ax is not None:
        panels = np.atleast_1d(np.asarray(ax, dtype=object))
        if panels.size != n:
            raise ValueError(f"ax has {panels.size} Axes, but the plot has {n} panels: pass {n} Axes, or None.")
        return panels
    columns = min(n, columns)
    rows = -(-n // columns)
    size = (max(4.0, width * columns), height * rows + head)
    _, panels = pyplot().subplots(rows, columns, figsize=size, squeeze=False, layout="constrained", **options)
    for panel in panels.flat[n:]:
        panel.set_axis_off()
    return panels


class BaseDisplay:
    """A plot. It holds the data; after ``plot`` also the first of the Axes, all of them, and the figure."""

    ax_: Any = None
    axes_: Any = None
    figure_: Any = None

    def drawn_on(self, panels: Any) -> Self:
        """The display itself, which keeps the Axes that it was drawn on."""
        self.axes_ = np.atleast_1d(np.asarray(panels, dtype=object))
        self.ax_ = self.axes_.flat[0]
        self.figure_ = self.ax_.figure
        return self


def colours(n: int) -> list[Any]:
    """Colours for n classes, all different."""
    if n <= len(COLOURS):
        return list(COLOURS[:n])
    import matplotlib as mpl

    return [tuple(mpl.colormaps["turbo"](i / (n - 1))) for i in range(n)]
