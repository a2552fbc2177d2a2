"""When training stops: rules that receive one value after each epoch, of which lower is better.

Takes values. Returns whether the epoch was the best one so far, and whether training should stop. Never trains, and
never looks at a network: the loop keeps the best weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["BestEpoch", "EarlyStopping", "StoppingState", "Tolerance"]


@dataclass
class StoppingState:
    """The lowest value so far, and the number of epochs without progress since."""

    best: float = math.inf
    stalled: float = 0


@dataclass
class EarlyStopping:
    """Stop after `patience` epochs in a row whose value is not more than `min_delta` below the best one.

    NaN is never the best value, and never progress.
    """

    patience: float = math.inf
    min_delta: float = 0.0
    state: StoppingState = field(default_factory=StoppingState)

    def is_best(self, value: float) -> bool:
        """Whether the network of this epoch is the one to keep."""
        return value < self.state.best

    def is_progress(self, value: float) -> bool:
        """Whether the epoch starts the count of stalled epochs again."""
        return value < self.state.best - self.min_delta

    def after_epoch(self, value: float) -> bool:
        """Count an epoch; whether it was the best one."""
        value = math.nan if value == -math.inf else value  # an infinite score measures nothing either
        best = self.is_best(value)
        self.state.stalled = 0 if self.is_progress(value) else self.state.stalled + 1
        self.state.best = value if best else self.state.best
        return best

    def should_stop(self) -> bool:
        """Whether training should end now."""
        return self.state.stalled >= self.patience

    def epochs_until_decision(self) -> float:
        """Epochs that can pass before `should_stop` can be true."""
        return self.patience - self.state.stalled


@dataclass
class BestEpoch(EarlyStopping):
    """Never stop; of equally good epochs, the last one is the best."""

    def is_best(self, value: float) -> bool:
        return value <= self.state.best


@dataclass
class Tolerance(EarlyStopping):
    """scikit-learn's rule: stop when more than `patience` epochs in a row did not improve by `min_delta` (its tol).

    Attributes
    ----------
    at_plateau : callable
        Called instead of stopping; its result says whether training ends. (An adaptive learning rate is lowered first.)
    """

    at_plateau: Callable[[], bool] = lambda: True

    def is_progress(self, value: float) -> bool:
        return value <= self.state.best - self.min_delta

    def should_stop(self) -> bool:
        if self.state.stalled <= self.patience:
            return False
        if self.at_plateau():
            return True
        self.state.stalled = 0
        return False

    def epochs_until_decision(self) -> float:
        return self.patience + 1 - self.state.stalled
