"""What all pictures share: matplotlib, axes, colours.

Goes in: axes that the caller may have. Comes out: axes to draw on. It never changes matplotlib's settings.
"""

from __future__ import annotations

from typing import Any

__all__ = ["COLOURS", "axes", "colours", "pyplot"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444")
"""Told apart by people who see red and green alike (Okabe and Ito 2008)."""


def pyplot() -> Any:
    """matplotlib.pyplot.

    Raises
    ------
    ImportError
        If matplotlib is not installed; says how to install it.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("pictures need matplotlib: pip install 'rosenblatt[plot]'") from None
    return plt


def axes(ax: Any, width: float = 6.4, height: float = 4.0) -> Any:
    """The given axes, or new ones in a figure of this size (inches)."""
    if ax is not None:
        return ax
    _, ax = pyplot().subplots(figsize=(width, height), layout="constrained")
    return ax


def colours(n: int) -> list[Any]:
    """Colours for n classes, no two of them equal."""
    if n <= len(COLOURS):
        return list(COLOURS[:n])
    import matplotlib as mpl

    return [tuple(mpl.colormaps["turbo"](i / (n - 1))) for i in range(n)]
