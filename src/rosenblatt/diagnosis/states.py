"""Which state the evidence speaks for: a list of questions, the first "yes" of which names it.

Takes `Evidence`. Returns a name. Never uses a threshold that is fitted to a table: each has a reason.
"""

from __future__ import annotations

from .measures import CERTAIN
from .report import Comparison, Evidence

__all__ = ["has_gap", "may_be_biased", "rate_helps", "state_of", "wrong_training"]

MIN_GAIN_SHARE = 0.15
"""Share of the present error that a change must remove: with less, the state is "good"."""
MIN_GAIN = 0.03
"""Share of the target's variance below which differences do not matter, whatever they are relative to."""
MIN_SE = 1.0
"""For the choice of a reason for a gap that is certain: one of the reasons is true."""
MAX_WRONG_LABELS = 0.12
"""Wrong labels among the surest quarter. Overlapping classes have few, flips of 20 % have 20 %."""
MAX_OUTLIERS = 0.08
"""Residuals beyond three robust standard deviations: 0.3 % of normal ones, 5 % of Laplace's, 7 % of Student's with 2
degrees of freedom, whose variance is infinite."""


def state_of(e: Evidence) -> str:
    """The name of the state."""
    wrong = wrong_training(e)
    if wrong:
        return wrong
    if too_few_rows(e):
        return "too few rows"
    if noisy(e):
        return "noisy labels suspected"
    return "overfit" if overfit(e) else "good"


def wrong_training(e: Evidence) -> str:
    """The state if another rate, size or freedom trains better, and the network does not suffer from variance first."""
    lower, rate = best_gain(e, "rate x0"), best_gain(e, "rate x1")
    free = max(best_gain(e, name) for name in ("larger", "unregularized", "longer"))
    if e.diverged > 0 or lower > max(rate, best_gain(e, "larger")):
        return "learning rate too high"
    # The error that a change of the training removes must be larger than the gap, which variance makes.
    if max(rate, free) > 0 and max(t.gain for t in e.trials.values()) > e.gap:
        return "learning rate too low" if rate > free else "underfit"
    return ""


def trains_better(e: Evidence, trial: Comparison) -> bool:
    """Whether a change lowers the validation error, certainly and by enough to matter, and the training error likewise.

    The second says that optimization or capacity was what lacked.
    """
    validation, training = (max(MIN_GAIN_SHARE * error, MIN_GAIN) for error in (e.error, e.train_error))
    return trial.certain and trial.gain > validation and trial.train_gain > training


def best_gain(e: Evidence, prefix: str) -> float:
    """The largest gain of the trials of this name that train better; 0 without any."""
    return max((t.gain for n, t in e.trials.items() if n.startswith(prefix) and trains_better(e, t)), default=0.0)


def may_be_biased(e: Evidence) -> bool:
    """Whether the training error leaves room for a better training."""
    return e.diverged == 0 and e.train_error > MIN_GAIN


def rate_helps(e: Evidence) -> bool:
    """Whether another learning rate does."""
    return best_gain(e, "rate") > 0


def has_gap(e: Evidence) -> bool:
    """Whether held-out rows are predicted worse than those of the training."""
    return e.gap > max(CERTAIN * e.gap_se, MIN_GAIN)


def overfit(e: Evidence) -> bool:
    """The gap is there, and restraint (a penalty, fewer neurons, the best epoch) removes a part of the error."""
    return has_gap(e) and e.restrained.gain > max(MIN_SE * e.restrained.gain_se, MIN_GAIN_SHARE * e.error, MIN_GAIN)


def too_few_rows(e: Evidence) -> bool:
    """The gap is there, and twice the rows would remove more of the error than restraint does.

    The doublings of the learning curve say how much, unless the last one contradicts them.
    """
    enough = max(MIN_GAIN_SHARE * e.reference_error, MIN_GAIN)
    likely = e.next_gain > max(MIN_SE * e.next_gain_se, enough)
    contradicted = e.last_gain + CERTAIN * e.last_gain_se < enough
    return has_gap(e) and likely and not contradicted and not (overfit(e) and e.restrained.gain > e.next_gain)


def noisy(e: Evidence) -> bool:
    """Predictions that should be sure are wrong too often."""
    limit = MAX_WRONG_LABELS if e.classes else MAX_OUTLIERS
    return e.confident_error > limit and e.confident_error - CERTAIN * e.confident_error_se > limit / 1.5
