"""A plot of activations and their derivatives.

Takes names or functions. Returns an `ActivationDisplay`, whose derivatives come from autodiff. Never trains.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.compile import evaluate
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import M
from rosenblatt.nn.activations import ACTIVATIONS, Activation
from rosenblatt.nn.registry import name_of
from rosenblatt.plots.style import COLOURS, pyplot

__all__ = ["ActivationDisplay", "activation_values", "plot_activations"]


def activation_values(activation: str | Activation, z: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Values and derivatives of an activation at the points `z`, in float64.

    Learned parameters have their initial values.

    Parameters
    ----------
    activation : str or callable
    z : ndarray of shape (n,)
        Points at which to evaluate it.

    Returns
    -------
    values, derivatives : ndarray of shape (n,)
    """
    b = Builder("float64")
    x = b.input("x", (M, 1))
    function = ACTIVATIONS.resolve(activation)
    own = [b.fill(value=float(value), shape=(1,)) for value in getattr(function, "parameters", {}).values()]
    y = function(b, x, *own)
    (slope,) = gradient(b, b.sum(y), [x])
    found = evaluate(b.build(y=b.add(y, 0.0), slope=b.add(slope, 0.0)), {"x": z.reshape(-1, 1)}, len(z))
    return found["y"].ravel(), found["slope"].ravel()


@dataclass
class ActivationDisplay:
    """Small panels, one for each function, with its derivative dashed.

    Attributes
    ----------
    z : ndarray of shape (n,)
        Points at which the functions were evaluated.
    curves : dict of str to (values, derivatives)
        Values and derivatives of each function at these points.
    ax_, axes_, figure_ : matplotlib objects, after `plot`
        The first panel, all panels, and the figure.
    """

    z: NDArray[Any]
    curves: dict[str, tuple[NDArray[Any], NDArray[Any]]]
    ax_: Any = field(default=None, init=False)
    axes_: Any = field(default=None, init=False)
    figure_: Any = field(default=None, init=False)

    def plot(self, ax: Any = None) -> ActivationDisplay:
        """Draw on `ax` (one Axes, or an array with one for each function) or on a new figure."""
        n = len(self.curves)
        if ax is None:
            panels = self._new_panels(n)
        else:
            panels = np.atleast_1d(np.asarray(ax, dtype=object))
            if panels.size != n:
                raise ValueError(f"ax has {panels.size} Axes for {n} functions; pass one for each, or None")
        for panel, (name, (values, slopes)) in zip(panels.flat, self.curves.items(), strict=False):
            panel.axhline(0, color="0.85", linewidth=0.8)
            panel.axvline(0, color="0.85", linewidth=0.8)
            panel.plot(self.z, values, color=COLOURS[0], label="function")
            panel.plot(self.z, slopes, "--", color=COLOURS[1], label="derivative")
            panel.set_title(name, fontsize=10)
        figure = panels.flat[0].figure
        if ax is None:
            figure.legend(handles=panels.flat[0].get_lines()[2:], loc="outside upper center", ncols=2, frameon=False)
        else:
            panels.flat[0].legend(fontsize=8, loc="upper left")
        self.ax_, self.axes_, self.figure_ = panels.flat[0], panels, figure
        return self

    def _new_panels(self, n: int) -> Any:
        """A grid of Axes. Those that are left over are hidden, and the Axes above them get their own tick labels."""
        columns = min(n, 4)
        rows = math.ceil(n / columns)
        size = (max(3.6, 2.6 * columns), 2.2 * rows + 0.6)
        _, panels = pyplot().subplots(rows, columns, figsize=size, sharex=True, squeeze=False, layout="constrained")
        for panel in panels.flat[n:]:
            panel.set_axis_off()
        for panel in panels.flat[n - columns : n]:
            panel.tick_params(labelbottom=True)
        return panels


def plot_activations(
    activations: Sequence[str | Activation] | None = None, *, low: float = -7.0, high: float = 7.0, points: int = 401
) -> ActivationDisplay:
    """Draw activations and their derivatives.

    Parameters
    ----------
    activations : sequence of str or callable, optional
        Activations to draw. By default these are all in `rosenblatt.nn.activations.ACTIVATIONS`.
    low, high : float
        Range of the argument. The default range shows both kinks of ReLU6.
    points : int
        Number of points at which each activation is computed.

    Returns
    -------
    ActivationDisplay
    """
    chosen = list(ACTIVATIONS) if activations is None else list(activations)
    if not chosen or not low < high or points < 2:
        raise ValueError(f"nothing to draw: {len(chosen)} activations, {points} points from {low} to {high}")
    z = np.linspace(low, high, points)
    return ActivationDisplay(z, {name_of(a): activation_values(a, z) for a in chosen}).plot()
