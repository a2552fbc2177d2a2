"""What a diagnosis says: its evidence in numbers, and a text to read.

Takes measurements. Returns frozen records. Never measures or decides anything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from rosenblatt._html import folded, paragraph, preformatted, table, view
from rosenblatt.training.evaluation import LayerGradient

__all__ = ["Comparison", "Curve", "Diagnosis", "Effect", "Evidence", "Remedy"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Effect:
    """What a remedy did to the validation score, as the mean over splits.

    Attributes
    ----------
    measure : str
        "accuracy" or "R2".
    before, after : float
        Scores of the model as it is and with the remedy. A training that diverged counts as 0 (accuracy) or -9 (R2).
    gain_se : float
        The standard error of the gain; infinite if it was measured on one split only.
    certain : bool
        Whether splits and initial weights that had no part in choosing the remedy confirm the gain: it is more than two
        standard errors, or positive in each of at least 5 splits.
    """

    measure: str
    before: float
    after: float
    gain_se: float
    certain: bool

    @property
    def gain(self) -> float:
        """How much the score rose."""
        return self.after - self.before

    def __str__(self) -> str:
        error = f"± {self.gain_se:.3f}" if math.isfinite(self.gain_se) else "in one split"
        return f"validation {self.measure} {self.before:.3f} -> {self.after:.3f} ({self.gain:+.3f} {error})"


@dataclass(frozen=True)
class Remedy:
    """Something to do.

    Attributes
    ----------
    name : str
    advice : str
        A sentence.
    changes : dict or None
        Parameters that apply it to the diagnosed model, at the best of the strengths that were tried. None if it is not
        a matter of parameters.
    effect : Effect or None
        What these parameters did to the score. None if the remedy was not tried.
    """

    name: str
    advice: str
    changes: dict[str, Any] | None
    effect: Effect | None

    @property
    def helps(self) -> bool:
        """Whether it was tried and certainly raised the score."""
        return self.effect is not None and self.effect.certain

    def __str__(self) -> str:
        if self.effect is None:
            return f"{self.name}: {self.advice}"
        return f"{self.name}: {self.effect} with {settings_in_words(self.changes)}. {self.advice}"


@dataclass(frozen=True)
class Curve:
    """A training, as the mean over splits: arrays of shape (n_looks,), whose last entries belong to the end.

    Attributes
    ----------
    epochs : array
        Those at which the model was measured; 0 means the initial weights.
    loss, val_loss : array
        The model's loss without penalties, on the training and on the validation rows.
    score, val_score : array
        Accuracy or R2.
    """

    epochs: Array
    loss: Array
    val_loss: Array
    score: Array
    val_score: Array


@dataclass(frozen=True)
class Comparison:
    """A trial with one change, compared with the unchanged model split by split.

    Attributes
    ----------
    gain, gain_se : float
        How much smaller the validation error is, and the standard error of that.
    train_gain, train_gain_se : float
        The same for the training error.
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
        How much `reference_error` fell from half of the rows to all of them.
    next_gain, next_gain_se : float
        How much it should fall with twice the rows: a power law of exponent 1/2 through a quarter of the rows and all.
    n_rows, n_features, n_parameters : int
        Numbers of training rows of a split, of columns, and of weights and biases.
    effective_parameters : float
        n (error - train_error) / (error + train_error), from Akaike's final prediction error (1970); 0 to n_rows.
    first_gradients, gradients : tuple of LayerGradient
        Statistics by layer, at the initial weights and at the end of the first split.
    dead : mapping of str to float
        Share of the neurons that are zero for all rows, by hidden layer with ReLU, as the mean over splits.
    diverged : float
        Share of the splits whose training ended with NaN or infinity.
    reached_end : float
        Share of the splits that stopped at max_iter.
    confident_error, confident_error_se : float
        Share of wrong labels among the quarter of the rows whose out-of-fold predictions by the reference are the most
        confident. For values, the share of residuals beyond three (robust) standard deviations.
    suspects : ndarray of int
        Rows whose label the reference contradicts with the greatest confidence, the most suspicious first.
    classes : bool
        Whether the target is classes.
    restrained : Comparison
        What the reference gains.
    trials : mapping of str to Comparison
        What other settings gain. Those that could not change the answer were not tried.
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
    """The state of a model on its data. Printing it shows the evidence and the remedies.

    Attributes
    ----------
    state : str
        "underfit", "overfit", "learning rate too high", "learning rate too low", "noisy labels suspected", "too few
        rows" or "good".
    evidence : Evidence
    remedies : tuple of Remedy
        What was tried, with the largest gain in the validation score first. Remedies without a certain gain follow, and
        last those that were not tried, as they are not a matter of parameters.
    model : estimator
        An unfitted clone of the model, or of the pipeline.
    score_on : str
        What the validation scores and errors measure: "on rows not seen in training", "on groups not seen in training"
        or "on later rows".
    """

    state: str
    evidence: Evidence
    remedies: tuple[Remedy, ...]
    model: Any
    score_on: str = "on rows not seen in training"

    @property
    def best(self) -> Remedy | None:
        """The remedy with the largest gain; None if none raised the score beyond noise."""
        return next((remedy for remedy in self.remedies if remedy.helps), None)

    def __str__(self) -> str:
        measured = [f"  validation: {self.score_on}"]
        return "\n".join([f"State: {self.state}", "", *measured, *evidence_lines(self.evidence), *remedy_lines(self)])

    def _repr_html_(self) -> str:
        lines = "\n".join(line.strip() for line in evidence_lines(self.evidence))
        heads = ("remedy", "before", "after", "gain", "± standard error", "certain", "with", "advice")
        return view(
            f"State: {self.state}",
            paragraph(f"validation: {self.score_on}"),
            paragraph(NOTHING_HELPS if self.remedies and not self.best else ""),
            table(heads, map(remedy_cells, self.remedies)) if self.remedies else "",
            folded("Evidence", preformatted(lines)),
        )


NOTHING_HELPS = "No trial improved the validation score beyond noise: remedy leaves the model as it is."


def remedy_cells(remedy: Remedy) -> tuple[str, ...]:
    """The row of a remedy; one that was not tried has no numbers."""
    effect, changes = remedy.effect, settings_in_words(remedy.changes)
    if effect is None:
        return (remedy.name, "", "", "", "", "not tried", changes, remedy.advice)
    error = f"{effect.gain_se:.3f}" if math.isfinite(effect.gain_se) else ""
    scores = (f"{effect.before:.3f}", f"{effect.after:.3f}", f"{effect.gain:+.3f}", error)
    return (remedy.name, *scores, "yes" if effect.certain else "no", changes, remedy.advice)


def settings_in_words(changes: Mapping[str, Any] | None) -> str:
    """Parameters as they are written in a call."""
    return ", ".join(f"{name}={value!r}" for name, value in (changes or {}).items())


def remedy_lines(diagnosis: Diagnosis) -> list[str]:
    """The remedies in groups: those that help, those that do not, and those that were not tried."""
    remedies = diagnosis.remedies
    if not remedies:
        return []
    lines = ["", "Remedies by their gain on fresh splits:"] if diagnosis.best else []
    lines += [f"  {i}. {remedy}" for i, remedy in enumerate((r for r in remedies if r.helps), 1)]
    if not diagnosis.best:
        lines = ["", NOTHING_HELPS]
    for title, group in (
        ("Tried, with a smaller gain or none beyond noise:", [r for r in remedies if r.effect and not r.helps]),
        ("Not tried, as no parameter does it:", [r for r in remedies if not r.effect]),
    ):
        lines += ["", title, *(f"  {remedy}" for remedy in group)] if group else []
    return lines


def evidence_lines(e: Evidence) -> list[str]:
    """The evidence, line by line."""
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
