"""What all pictures share: matplotlib, axes, colours.

Goes in: axes that the caller may have. Comes out: axes to draw on. It never changes matplotlib's settings.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["COLOURS", "axes", "colours", "panels_of", "pyplot"]

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


def panels_of(ax: Any, n: int) -> Any:
    """The given Axes as an array, or n new ones side by side in a figure; ValueError if there are not n."""
    if ax is None:
        _, ax = pyplot().subplots(1, n, figsize=(4.8 * n, 4.0), layout="constrained")
    panels = np.atleast_1d(np.asarray(ax, dtype=object))
    if panels.size != n:
        raise ValueError(f"ax has {panels.size} Axes; the picture has {n} panels.")
    return panels


def colours(n: int) -> list[Any]:
    """Colours for n classes, no two of them equal."""
    if n <= len(COLOURS):
        return list(COLOURS[:n])
    import matplotlib as mpl

    return [tuple(mpl.colormaps["turbo"](i / (n - 1))) for i in range(n)]
