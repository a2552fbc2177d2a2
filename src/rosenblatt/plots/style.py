"""What all plots share: matplotlib, axes and colours.

Takes the caller's axes, if there are any. Returns axes to draw on. Never changes matplotlib's settings.
"""

from __future__ import annotations

import textwrap
from typing import Any, Self

import numpy as np

from rosenblatt._extras import needed
from rosenblatt.estimators.tabular.explain.shortened import visible

__all__ = [
    "COLOURS",
    "LONGEST_LABEL",
    "SMALLEST",
    "BaseDisplay",
    "axes",
    "colours",
    "label_categories",
    "legend_above",
    "panels_of",
]
__all__ += [
    "height_of",
    "label_below",
    "label_left",
    "legend_name",
    "letters_in",
    "pyplot",
    "shade",
    "shortened",
    "width_of",
]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#808080")
"""Colours that people with red-green colour blindness can distinguish (Okabe and Ito 2008), on light and dark."""
LONGEST_LABEL = 24
LINE = 1.3
"""Height of a line of text, in its size."""
INCHES_PER_LETTER = 0.072  # at 9 points, on average
LEGEND_SIZES, MAX_LEGEND_ROWS = (9, 7), 4
CUT_LEGEND_ROWS, CUT_LEGEND_LETTERS = 6, 20
"""A legend that needs more rows has labels of at least so many letters, which are cut."""
WRAPPED = 0.8
"""Inches from which on a label below an axis has two lines instead of being turned."""
LABEL_SHARE = 0.3
"""Of the width or height, that names beside or below an axis may take."""
SMALLEST = 5.0
"""Size in points below which labels are left out."""
LEGEND_HANDLE = 0.55
"""Inches of a legend's entry beside its text."""


def pyplot() -> Any:
    """The module matplotlib.pyplot; ImportError if matplotlib is not installed."""
    with needed("plots need", "matplotlib", extra="plot"):
        import matplotlib.pyplot as plt
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
    text = visible(text, lambda c: " ") or '""'
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    return text.replace("$", r"\$")


def legend_name(text: str) -> str:
    """A label as a legend shows it: matplotlib leaves those out that begin with an underscore."""
    return f" {shortened(text)}" if text.startswith("_") else shortened(text)


def width_of(ax: Any) -> float:
    """About how many inches wide Axes will be."""
    columns = ax.get_gridspec().ncols if ax.get_subplotspec() is not None else 1
    return float(ax.figure.get_figwidth()) / columns


def height_of(ax: Any) -> float:
    """About how many inches high Axes will be."""
    rows = ax.get_gridspec().nrows if ax.get_subplotspec() is not None else 1
    return float(ax.figure.get_figheight()) / rows


def cut_name(text: str, most: int) -> str:
    """A label of a legend with a cut name; what stands in parentheses behind it is kept."""
    name, mark, value = text.rpartition(" (")
    if not mark or len(text) <= most:
        return text if len(text) <= most else f"{text[: most - 1]}…"
    return f"{name[: max(1, most - len(value) - 3)].rstrip('…')}…{mark}{value}"


def legend_above(ax: Any, handles: Any = None, share: float = 1.0) -> None:
    """A legend above the Axes, where it hides nothing, as wide as this share of their width with labels allows."""
    handles = ax.get_legend_handles_labels()[0] if handles is None else handles
    longest, n, size = max(len(handle.get_label()) for handle in handles), len(handles), LEGEND_SIZES[0]
    for size in LEGEND_SIZES:
        entry = (LEGEND_HANDLE + INCHES_PER_LETTER * longest) * size / 9
        columns = max(1, min(n, int(share * width_of(ax) / entry)))
        if -(-n // columns) <= MAX_LEGEND_ROWS:
            break
    else:
        room = share * width_of(ax) * LEGEND_SIZES[0] / size
        wanted = room / -(-n // CUT_LEGEND_ROWS) - LEGEND_HANDLE
        longest = min(longest, max(CUT_LEGEND_LETTERS, int(wanted / INCHES_PER_LETTER)))
        columns = max(columns, min(n, int(room / (LEGEND_HANDLE + INCHES_PER_LETTER * longest))))
    columns = -(-n // -(-n // columns))  # rows that are equally full
    style = {"frameon": False, "fontsize": size, "handlelength": 1.6, "columnspacing": 1.2}
    style["borderaxespad"] = 1.6 if has_power(ax.get_ylim(), ax.get_yscale()) else 0.2
    labels = [cut_name(handle.get_label(), longest) for handle in handles]
    ax.legend(handles=handles, labels=labels, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns, **style)


def label_below(ax: Any, text: str, share: float = 0.6) -> None:
    """The label of the x axis, on several lines where it is longer than this share of the Axes' width."""
    letters = max(12, int(share * width_of(ax) / INCHES_PER_LETTER))
    pad = 14.0 if has_power(ax.get_xlim(), ax.get_xscale()) else None
    ax.set_xlabel("\n".join(textwrap.wrap(text, letters)), labelpad=pad)


def has_power(limits: tuple[float, float], scale: str) -> bool:
    """Whether a power of ten stands at the end of an axis with these limits."""
    return scale == "linear" and not 1e-4 < max(map(abs, limits)) < 1e6


def label_left(ax: Any, text: str, share: float = 0.5) -> None:
    """The label of the y axis, on two lines where it is longer than this share of the Axes' height, or cut."""
    letters = max(14, int(share * height_of(ax) / INCHES_PER_LETTER))
    ax.set_ylabel("\n".join(textwrap.wrap(text, letters, max_lines=2, placeholder=" …")))


def label_categories(ax: Any, labels: Any, axis: str = "x", share: float = 0.55) -> None:
    """Ticks at 0, 1, ... with these labels; below an axis all have two lines, or are turned, if they would touch.

    The axis itself is taken to have this share of the width of the Axes with their labels.
    """
    n, labels = len(labels), list(map(str, labels))
    room = share * (width_of(ax) if axis == "x" else height_of(ax)) / max(1, n)
    size = 72 * room / LINE
    style: dict[str, Any] = {"fontsize": max(SMALLEST, size)} if size < 9 else {}
    shown = range(0, n, max(1, int(np.ceil(SMALLEST / size)))) if n else range(0)
    longest = max((len(shortened(label)) for label in labels), default=0)
    if axis == "x" and room >= WRAPPED and longest * INCHES_PER_LETTER > room:
        letters = int(room / INCHES_PER_LETTER)
        texts = [textwrap.fill(shortened(label), letters, max_lines=2, placeholder=" …") for label in labels]
        ax.set_xticks(range(n), texts)
        return
    if axis == "x" and longest * INCHES_PER_LETTER > room:
        style |= {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        most = letters_in(LABEL_SHARE * 2**0.5 * height_of(ax))
    else:
        most = letters_in(LABEL_SHARE * width_of(ax)) if axis == "y" else LONGEST_LABEL
    texts = [shortened(labels[i], most) for i in shown]
    (ax.set_xticks if axis == "x" else ax.set_yticks)(shown, texts, **style)


def letters_in(inches: float) -> int:
    """How many letters of a label have room."""
    return max(8, min(LONGEST_LABEL, int(inches / INCHES_PER_LETTER)))


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
