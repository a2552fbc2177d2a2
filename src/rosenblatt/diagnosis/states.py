"""Which state the evidence speaks for: a list of questions, whose first "yes" names it.

Takes `Evidence`. Returns a name. Never uses a threshold that is fitted to a table: each has a reason.
"""

from __future__ import annotations

from .measures import CERTAIN
from .report import Evidence

__all__ = ["best_gain", "has_gap", "may_be_biased", "state_of", "wrong_training"]

MIN_GAIN_SHARE = 0.15
"""Share of the present error that a change must remove: with less, the state is "good"."""
MIN_GAIN = 0.03
"""Share of the target's variance below which differences do not matter, whatever they are relative to."""
MIN_SE = 1.0
"""Standard errors required of a reason for a gap: that the gap is there is certain already."""
MAX_WRONG_LABELS = 0.12
"""Share of wrong labels in the most confident quarter. Overlapping classes have few, flips of 20 % have 20 %."""
MAX_OUTLIERS = 0.08
"""Share of residuals beyond three robust standard deviations: 0.3 % of normal ones, 5 % of Laplace's, and 7 % of
Student's with 2 degrees of freedom, whose variance is infinite."""


def state_of(e: Evidence) -> str:
    """The name of the state."""
    if wrong := wrong_training(e):
        return wrong
    if too_few_rows(e):
        return "too few rows"
    if noisy(e):
        return "noisy labels suspected"
    return "overfit" if overfit(e) else "good"


def wrong_training(e: Evidence) -> str:
    """The state if another rate, size or regularization trains better, and variance is not the larger problem."""
    lower, rate = best_gain(e, "rate x0"), best_gain(e, "rate x1")
    free = max(best_gain(e, name) for name in ("larger", "unregularized", "longer"))
    if e.diverged > 0 or lower > max(rate, best_gain(e, "larger")):
        return "learning rate too high"
    # The error that a change of the training removes must be larger than the gap, which variance makes.
    if max(rate, free) > 0 and max(t.gain for t in e.trials.values()) > e.gap:
        return "learning rate too low" if rate > free else "underfit"
    return ""


def best_gain(e: Evidence, prefix: str) -> float:
    """The largest gain of the trials of this name that train better; 0 if there are none.

    Such a trial lowers both the validation error and the training error, certainly and by enough to matter. The second
    shows that optimization or capacity was lacking.
    """
    validation, training = (max(MIN_GAIN_SHARE * error, MIN_GAIN) for error in (e.error, e.train_error))
    trials = [trial for name, trial in e.trials.items() if name.startswith(prefix) and trial.certain]
    return max((t.gain for t in trials if t.gain > validation and t.train_gain > training), default=0.0)


def may_be_biased(e: Evidence) -> bool:
    """Whether the training error leaves room for a better training."""
    return e.diverged == 0 and e.train_error > MIN_GAIN


def has_gap(e: Evidence) -> bool:
    """Whether held-out rows are predicted worse than training rows."""
    return e.gap > max(CERTAIN * e.gap_se, MIN_GAIN)


def overfit(e: Evidence) -> bool:
    """Whether there is a gap, and restraint (a penalty, fewer neurons, the best epoch) removes part of the error."""
    return has_gap(e) and e.restrained.gain > max(MIN_SE * e.restrained.gain_se, MIN_GAIN_SHARE * e.error, MIN_GAIN)


def too_few_rows(e: Evidence) -> bool:
    """Whether there is a gap, and twice the rows would remove more of the error than restraint does.

    The learning curve is extrapolated by a power law, unless its last doubling contradicts that.
    """
    enough = max(MIN_GAIN_SHARE * e.reference_error, MIN_GAIN)
    likely = e.next_gain > max(MIN_SE * e.next_gain_se, enough)
    contradicted = e.last_gain + CERTAIN * e.last_gain_se < enough
    return has_gap(e) and likely and not contradicted and not (overfit(e) and e.restrained.gain > e.next_gain)


def noisy(e: Evidence) -> bool:
    """Whether confident predictions are wrong too often."""
    limit = MAX_WRONG_LABELS if e.classes else MAX_OUTLIERS
    return e.confident_error > limit and e.confident_error - CERTAIN * e.confident_error_se > limit / 1.5
