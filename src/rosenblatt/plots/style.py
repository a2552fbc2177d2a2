"""What all plots share: matplotlib, axes and colours.

Takes the caller's axes, if there are any. Returns axes to draw on. Never changes matplotlib's settings.
"""

from __future__ import annotations

import textwrap
from typing import Any, Self

import numpy as np

__all__ = [
    "COLOURS",
    "LONGEST_LABEL",
    "BaseDisplay",
    "axes",
    "colours",
    "label_categories",
    "legend_above",
    "panels_of",
]
__all__ += ["label_below", "legend_name", "pyplot", "shade", "shortened", "width_of"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#808080")
"""Colours that people with red-green colour blindness can distinguish (Okabe and Ito 2008), on light and dark."""
LONGEST_LABEL = 24
LINE = 1.3
"""Height of a line of text, in its size."""
INCHES_PER_LETTER = 0.072  # at 9 points, on average
LEGEND_SIZES, MAX_LEGEND_ROWS = (9, 7), 4
LEGEND_HANDLE = 0.55
"""Inches of a legend's entry beside its text."""


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
        require_axes(ax)
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
        for panel in panels.flat:
            require_axes(panel)
        return panels
    columns = min(n, columns)
    rows = -(-n // columns)
    size = (max(4.0, width * columns), height * rows + head)
    _, panels = pyplot().subplots(rows, columns, figsize=size, squeeze=False, layout="constrained", **options)
    for panel in panels.flat[n:]:
        panel.set_axis_off()
    return panels


def require_axes(ax: Any) -> None:
    """Refuse what is not matplotlib's Axes."""
    if not (hasattr(ax, "get_xlim") and hasattr(ax, "figure")):
        raise TypeError(f"ax is {ax!r}; it must be matplotlib's Axes, such as plt.subplots()[1], or None.")


def shade(share: float) -> Any:
    """A grey between the paper (0) and the ink (1) of matplotlib's style, which shows on light and dark."""
    import matplotlib as mpl
    from matplotlib.colors import to_rgb

    paper, ink = (np.array(to_rgb(mpl.rcParams[name])) for name in ("axes.facecolor", "text.color"))
    return tuple(float(value) for value in paper + share * (ink - paper))


def shortened(text: str, most: int = LONGEST_LABEL) -> str:
    """A label that leaves room for the plot, with dollar signs escaped: matplotlib reads them as formulas."""
    text = "".join(c if c.isprintable() else " " for c in text) or '""'
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    return text.replace("$", r"\$")


def legend_name(text: str) -> str:
    """A label as a legend shows it: matplotlib leaves those out that begin with an underscore."""
    return f" {shortened(text)}" if text.startswith("_") else shortened(text)


def width_of(ax: Any) -> float:
    """About how many inches wide Axes will be."""
    columns = ax.get_gridspec().ncols if ax.get_subplotspec() is not None else 1
    return float(ax.figure.get_figwidth()) / columns


def legend_above(ax: Any, handles: Any = None, share: float = 1.0) -> None:
    """A legend above the Axes, where it hides nothing, as wide as this share of their width with labels allows."""
    handles = ax.get_legend_handles_labels()[0] if handles is None else handles
    longest, n, size = max(len(handle.get_label()) for handle in handles), len(handles), LEGEND_SIZES[0]
    for size in LEGEND_SIZES:
        entry = (LEGEND_HANDLE + INCHES_PER_LETTER * longest) * size / 9
        columns = max(1, min(n, int(share * width_of(ax) / entry)))
        if -(-n // columns) <= MAX_LEGEND_ROWS:
            break
    columns = -(-n // -(-n // columns))  # rows that are equally full
    style = {"frameon": False, "fontsize": size, "handlelength": 1.6, "columnspacing": 1.2, "borderaxespad": 0.2}
    ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns, **style)


def label_below(ax: Any, text: str, share: float = 0.6) -> None:
    """The label of the x axis, on several lines where it is longer than this share of the Axes' width."""
    letters = max(12, int(share * width_of(ax) / INCHES_PER_LETTER))
    ax.set_xlabel("\n".join(textwrap.wrap(text, letters)))


def label_categories(ax: Any, labels: Any, axis: str = "x", share: float = 0.55) -> None:
    """Ticks at 0, 1, ... with these labels; below an axis all are turned by 45 degrees if they would touch.

    The axis itself is taken to have this share of the width of the Axes with their labels.
    """
    texts = [shortened(str(label)) for label in labels]
    if axis == "y":
        ax.set_yticks(range(len(texts)), texts)
        return
    room = share * width_of(ax) / max(1, len(texts))
    size = 72 * room / LINE
    style: dict[str, Any] = {"fontsize": max(5.0, size)} if size < 9 else {}
    if max(map(len, texts), default=0) * INCHES_PER_LETTER > room:
        style |= {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    ax.set_xticks(range(len(texts)), texts, **style)


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

    return [tuple(mpl.colormaps["turbo"](0.08 + 0.84 * i / (n - 1))) for i in range(n)]  # its ends are nearly black
