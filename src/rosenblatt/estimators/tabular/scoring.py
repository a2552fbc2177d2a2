"""Scores of a tabular estimator: of its held-out predictions, and of those of any other rows.

Takes targets and predictions. Returns scores by the metrics of the fit, each beside that of the best guess without a
model. Never predicts.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.evaluation import Evaluation, evaluate
from rosenblatt.tables.targets import Target
from rosenblatt.tables.task import score_on

__all__ = ["ON_VALIDATION_ROWS", "TabularScores", "is_on_common_rows", "is_on_later_rows", "on_held_out_rows"]

Array = NDArray[Any]
ON_VALIDATION_ROWS = "on the validation rows"
"""What scores measure if the user gave rows of a validation set."""
LATER = ", which are later"
HELD_OUT = re.compile(r"on [\d,]+ held-out rows")


def on_held_out_rows(n_rows: int, groups: Any = None, times: Any = None) -> str:
    """What scores measure if a table larger than memory is fitted: by groups or times, where these are given."""
    which = LATER if times is not None else "" if groups is None else " of other groups"
    return f"on {n_rows:,} held-out rows{which}"


def is_on_common_rows(score_on_rows: str) -> bool:
    """Whether scores measure the same rows for each network: those of the user, or of a table larger than memory."""
    return score_on_rows == ON_VALIDATION_ROWS or HELD_OUT.match(score_on_rows) is not None


def is_on_later_rows(score_on_rows: str) -> bool:
    """Whether scores measure rows that are later than those that train."""
    return score_on_rows == score_on(None, ()) or score_on_rows.endswith(LATER)


class TabularScores:
    """How a tabular estimator is scored; subclasses say what by."""

    out_of_fold_: Array
    score_on_: str

    @property
    def score_name(self) -> str:
        """What ``score_`` is."""
        return str(self.goal.score.name)

    def score_in_words(self) -> str:
        """The first score, what it measures, and that of the guess."""
        name, (own, guess) = next(iter(self.scores_.items()))
        return f"{name} {own:.4f} {self.score_on_}; {self.trivial_guess_}: {guess:.4f}"

    @property
    def goal(self) -> Any:
        """The `ClassMetric` or `RegressionLoss` of the last fit; before it, that of the parameters."""
        raise NotImplementedError

    def evaluate(
        self,
        training: Target,
        held_out: Target,
        predictions: Array,
        training_weights: Array | None = None,
        weights: Array | None = None,
    ) -> Evaluation:
        """Scores of held-out rows by the metrics of the fit, each beside that of the trivial guess.

        Parameters
        ----------
        training, held_out : Target
            Of the training rows, which the guess is learned from, and of the rows that are scored.
        predictions : ndarray
            Of the held-out rows: what `predict` gives for numbers, and `predict_proba` for classes.
        training_weights, weights : ndarray of shape (n_rows,), optional
            Weights of the rows.

        Returns
        -------
        Evaluation
        """
        given = {"training_weights": training_weights, "weights": weights, **self._scoring()}
        targets = self._own_order(training), self._own_order(held_out)
        return evaluate(*targets, predictions, self.goal.reported, **given)

    def _scoring(self) -> dict[str, Any]:
        """What `evaluate` must know of the predictions."""
        raise NotImplementedError

    def _own_order(self, target: Target) -> Target:
        """A target with its classes in the order of the predictions."""
        return target

    def _keep_scores(
        self,
        target: Target,
        seen: NDArray[np.int64],
        weights: Array | None,
        training: tuple[Target, Array | None] | None = None,
    ) -> None:
        """Set the attributes that compare the out-of-fold predictions with the trivial guess.

        Target and weights are those of the rows of which some were held out, and which also trained, unless the target
        and the weights of the `training` rows are given.
        """
        held_weights = None if weights is None else weights[seen]
        self.n_scored_ = len(seen) if held_weights is None else int(np.count_nonzero(held_weights))
        known, known_weights = training or (target, weights)
        found = self.evaluate(known, target.take(seen), self.out_of_fold_[seen], known_weights, held_weights)
        self.scores_, self.trivial_guess_, self.beats_guess_ = found.scores, found.guess_name, found.beats_guess
        self.guesses_ = {name: (guess.name, tuple(guess.values.tolist())) for name, guess in found.guesses.items()}
