"""What a diagnosis says: its evidence in numbers, and a text to read.

Takes measurements. Returns frozen records. Never measures or decides anything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from rosenblatt.training.evaluation import LayerGradient

__all__ = ["Comparison", "Curve", "Diagnosis", "Evidence", "Remedy"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Remedy:
    """Something to try.

    Attributes
    ----------
    name : str
    advice : str
        A sentence.
    changes : dict or None
        Parameters that apply it to the diagnosed model; None: it is not a matter of parameters.
    """

    name: str
    advice: str
    changes: dict[str, Any] | None


@dataclass(frozen=True)
class Curve:
    """A training, the mean over splits; arrays of shape (n_looks,), the last of which are of the end.

    `epochs` are those that were looked at, 0 the initial weights; `loss` and `val_loss` are the model's loss without
    penalties; `score` is accuracy or R2.
    """

    epochs: Array
    loss: Array
    val_loss: Array
    score: Array
    val_score: Array


@dataclass(frozen=True)
class Comparison:
    """A trial with one thing changed beside the model as it is, in pairs of splits.

    Attributes
    ----------
    gain, gain_se : float
        How much smaller the validation error is, and the standard error of that.
    train_gain, train_gain_se : float
        The same of the training error.
    certain : bool
        Whether both gains are more than two standard errors, or positive in each of at least 5 splits.
    """

    gain: float
    gain_se: float
    train_gain: float
    train_gain_se: float
    certain: bool = False


@dataclass(frozen=True)
class Evidence:
    """What was measured. Errors are shares of the target's variance: 0 is perfect, 1 is the best constant.

    Attributes
    ----------
    curve : Curve
        Training and validation by epoch.
    score, val_score : float
        Accuracy or R2 after the last epoch, mean over splits.
    train_error, error, gap, gap_se : float
        Errors on training and held-out rows of the final models, their difference, and its standard error.
    learning_curve : mapping of int to (error, standard error)
        Validation error of the model by number of training rows.
    reference_error : float
        Validation error of the model with the restraint that helps most (none, an L2 penalty, fewer neurons) in its
        best epoch, chosen for each half of the splits by the other half. Restraint is tried where there is a gap.
    last_gain, last_gain_se : float
        How much that fell from half of the rows to all.
    next_gain, next_gain_se : float
        How much it should fall with twice the rows: a power law of exponent 1/2 through a quarter of the rows and all.
    n_rows, n_features, n_parameters : int
        Training rows of a split; columns; weights and biases.
    effective_parameters : float
        n (error - train_error) / (error + train_error), from Akaike's final prediction error (1970); 0 to n_rows.
    first_gradients, gradients : tuple of LayerGradient
        By layer at the initial weights and at the end, of the first split.
    dead : mapping of str to float
        Share of the neurons that are zero for all rows, by hidden layer with ReLU; mean over splits.
    diverged : float
        Share of the splits whose training ended with NaN or infinity.
    reached_end : float
        Share of the splits that stopped at max_iter.
    confident_error, confident_error_se : float
        Share of wrong labels among the quarter of the rows that the reference is surest of when it does not train on
        them; for values, the share of residuals beyond three (robust) standard deviations.
    suspects : ndarray of int
        Rows whose label the reference contradicts with the greatest confidence, most suspicious first.
    classes : bool
        Whether the target is classes.
    restrained : Comparison
        What the reference gains.
    trials : mapping of str to Comparison
        What other settings gain; those that could not change the answer were not tried.
    """

    curve: Curve
    score: float
    val_score: float
    train_error: float
    error: float
    gap: float
    gap_se: float
    learning_curve: Mapping[int, tuple[float, float]]
    reference_error: float
    last_gain: float
    last_gain_se: float
    next_gain: float
    next_gain_se: float
    n_rows: int
    n_features: int
    n_parameters: int
    effective_parameters: float
    first_gradients: tuple[LayerGradient, ...]
    gradients: tuple[LayerGradient, ...]
    dead: Mapping[str, float]
    diverged: float
    reached_end: float
    confident_error: float
    confident_error_se: float
    suspects: Array
    classes: bool
    restrained: Comparison
    trials: Mapping[str, Comparison]


@dataclass(frozen=True)
class Diagnosis:
    """The state of a model on its data; `print` it.

    Attributes
    ----------
    state : str
        "underfit", "overfit", "learning rate too high", "learning rate too low", "noisy labels suspected", "too few
        rows" or "good".
    evidence : Evidence
    remedies : tuple of Remedy
        What to try, in order.
    model : estimator
        An unfitted clone of the model.
    """

    state: str
    evidence: Evidence
    remedies: tuple[Remedy, ...]
    model: Any

    def __str__(self) -> str:
        lines = [f"State: {self.state}", "", *evidence_lines(self.evidence)]
        if self.remedies:
            lines += ["", "Try next, in this order:"]
            lines += [f"  {i}. {r.name}: {r.advice}{changes_text(r)}" for i, r in enumerate(self.remedies, 1)]
        return "\n".join(lines)


def changes_text(remedy: Remedy) -> str:
    """The parameters of a remedy as they are written in a call."""
    if remedy.changes is None:
        return ""
    return "  [" + ", ".join(f"{name}={value!r}" for name, value in remedy.changes.items()) + "]"


def evidence_lines(e: Evidence) -> list[str]:
    """The evidence in a line each."""
    curve = ", ".join(f"{n} rows {error:.3f}" for n, (error, _) in e.learning_curve.items())
    lines = [
        f"  error (1 = best constant): training {e.train_error:.3f}, validation {e.error:.3f}",
        f"  gap: {e.gap:.3f} ± {e.gap_se:.3f};  score: training {e.score:.3f}, validation {e.val_score:.3f}",
        f"  validation error by rows: {curve}",
        f"  restrained: {e.reference_error:.3f}, gains {e.restrained.gain:+.3f} ± {e.restrained.gain_se:.3f};  "
        f"by twice the rows: {e.next_gain:+.3f} ± {e.next_gain_se:.3f}",
        f"  parameters: {e.n_parameters} (effective {e.effective_parameters:.0f}) for {e.n_rows} rows",
        f"  surest predictions that are wrong: {e.confident_error:.1%}",
    ]
    if e.gradients:
        lines.append("  gradient norms at the end: " + ", ".join(f"{g.layer} {g.norm:.1e}" for g in e.gradients))
    if e.dead:
        lines.append("  dead neurons: " + ", ".join(f"{layer} {share:.0%}" for layer, share in e.dead.items()))
    if e.diverged:
        lines.append(f"  diverged in {e.diverged:.0%} of the splits")
    for name, trial in e.trials.items():
        error = f" ± {trial.gain_se:.3f}" if math.isfinite(trial.gain_se) else " in one split"
        lines.append(f"  {name}: gains {trial.gain:+.3f}{error}, in training {trial.train_gain:+.3f}")
    return lines
