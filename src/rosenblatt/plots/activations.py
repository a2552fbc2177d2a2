"""A plot of activations and their derivatives.

Takes names or functions. Returns an `ActivationDisplay`, whose derivatives come from autodiff. Never trains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rosenblatt._suggestions import suggest_keywords
from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.compile import evaluate
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import M
from rosenblatt.nn.activations import ACTIVATIONS, Activation
from rosenblatt.nn.registry import name_of
from rosenblatt.plots.style import COLOURS, BaseDisplay, panels_of, shade

__all__ = ["ActivationDisplay", "activation_values", "plot_activations"]


def activation_values(activation: str | Activation, z: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Values and derivatives of an activation at the points `z`, of shape (n,), in float64.

    Learned parameters have their initial values.
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
class ActivationDisplay(BaseDisplay):
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

    def plot(self, ax: Any = None) -> Self:
        """Draw on `ax` (one Axes, or an array with one for each function) or on a new figure."""
        n = len(self.curves)
        panels = panels_of(ax, n, columns=4, width=2.6, height=2.2, head=0.6, sharex=True)
        for panel, (name, (values, slopes)) in zip(panels.flat, self.curves.items(), strict=False):
            panel.axhline(0, color=shade(0.15), linewidth=0.8)
            panel.axvline(0, color=shade(0.15), linewidth=0.8)
            panel.plot(self.z, values, color=COLOURS[0], label="function")
            panel.plot(self.z, slopes, "--", color=COLOURS[1], label="derivative")
            panel.set_title(name, fontsize=10)
        if ax is None:
            for panel in panels.flat[max(0, n - 4) : n]:  # also those above hidden panels
                panel.tick_params(labelbottom=True)
            lines = panels.flat[0].get_lines()[2:]
            panels.flat[0].figure.legend(handles=lines, loc="outside upper center", ncols=2, frameon=False)
        else:
            panels.flat[0].legend(fontsize=8, loc="best")
        return self.drawn_on(panels)


@suggest_keywords
def plot_activations(
    activations: Sequence[str | Activation] | str | Activation | None = None,
    *,
    low: float = -7.0,
    high: float = 7.0,
    points: int = 401,
) -> ActivationDisplay:
    """Draw activations and their derivatives.

    Parameters
    ----------
    activations : sequence of str or callable, or one of them, optional
        Activations to draw. By default these are all in `rosenblatt.nn.activations.ACTIVATIONS`.
    low, high : float
        Range of the argument. The default range shows both kinks of ReLU6.
    points : int
        Number of points at which each activation is computed.

    Returns
    -------
    ActivationDisplay
    """
    if activations is None:
        activations = list(ACTIVATIONS)
    chosen = [activations] if isinstance(activations, str) or callable(activations) else list(activations)
    if not chosen or not low < high or points < 2:
        raise ValueError(f"nothing to draw: {len(chosen)} activations, {points} points from {low} to {high}")
    z = np.linspace(low, high, points)
    return ActivationDisplay(z, {name_of(a): activation_values(a, z) for a in chosen}).plot()
