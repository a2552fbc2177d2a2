"""A plot of a diagnosis: the training curves, and the gain from more rows.

Takes a `Diagnosis`. Returns a `DiagnosisDisplay`. Never trains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from rosenblatt._suggestions import suggest_keywords
from rosenblatt.plots.given import require_kind
from rosenblatt.plots.style import COLOURS, BaseDisplay, legend_above, panels_of

__all__ = ["DiagnosisDisplay", "plot_diagnosis"]


@dataclass
class DiagnosisDisplay(BaseDisplay):
    """Left, losses by epoch as means over the splits. Right, validation error by training rows, with standard errors.

    Attributes
    ----------
    state : str
        Title of the plot.
    epochs, loss, val_loss : ndarray of shape (n_looks,)
        Epochs at which the losses were measured, and the losses.
    n_rows, errors, standard_errors : ndarray of shape (3,)
        Numbers of training rows, and the validation errors, as shares of the target's variance.
    train_error : float
        Training error with all rows.
    ax_, axes_, figure_ : matplotlib objects, after `plot`
        The first panel, both panels, and the figure.
    """

    state: str
    epochs: Any
    loss: Any
    val_loss: Any
    n_rows: Any
    errors: Any
    standard_errors: Any
    train_error: float

    def plot(self, ax: Any = None) -> Self:
        """Draw on `ax` (two Axes) or on a new figure."""
        panels = panels_of(ax, 2)
        left, right = panels.flat
        left.plot(self.epochs, self.loss, color=COLOURS[0], label="training")
        left.plot(self.epochs, self.val_loss, "--", color=COLOURS[1], label="validation")
        left.set(xlabel="epoch", ylabel="loss")
        left.set_title(self.state, pad=24)
        right.errorbar(self.n_rows, self.errors, self.standard_errors, color=COLOURS[1], capsize=3, label="validation")
        right.plot(self.n_rows[-1:], [self.train_error], "o", color=COLOURS[0], label="training")
        right.set_xscale("log", base=2)
        right.set_xticks(self.n_rows, [str(n) for n in self.n_rows])
        right.set(xlabel="training rows", ylabel="error (1 = best constant)")
        right.set_ylim(bottom=0)
        for panel in (left, right):
            legend_above(panel)
        return self.drawn_on(panels)


@suggest_keywords
def plot_diagnosis(diagnosis: Any, *, ax: Any = None) -> DiagnosisDisplay:
    """Draw the training and validation curves of a diagnosis, and its learning curve over rows.

    Parameters
    ----------
    diagnosis : Diagnosis
    ax : two matplotlib Axes, optional

    Returns
    -------
    DiagnosisDisplay

    Raises
    ------
    TypeError
        If `diagnosis` is not a `Diagnosis`.
    """
    from rosenblatt.diagnosis import Diagnosis

    require_kind("plot_diagnosis", diagnosis, Diagnosis, "what diagnose(model, X, y) returns")
    e = diagnosis.evidence
    errors, standard_errors = np.array(list(e.learning_curve.values())).T
    n_rows = np.array(list(e.learning_curve))
    shown = e.curve.epochs, e.curve.loss, e.curve.val_loss, n_rows, errors, standard_errors
    return DiagnosisDisplay(diagnosis.state, *shown, e.train_error).plot(ax)
