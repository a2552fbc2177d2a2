"""The data of a fit of `MLPClassifier` or `MLPRegressor`, and what is asked of them.

Takes checked arrays. Returns them as one value, what a checkpoint of their training belongs to, and the score of an
epoch. Never trains.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rosenblatt.estimators.base import is_sparse, rows_of
from rosenblatt.estimators.outputs import OutputError
from rosenblatt.training.evaluation import score_of

__all__ = ["Score", "TrainingData", "identity_of", "rare_class", "score_or_nan"]

Array = npt.NDArray[Any]
Score = Callable[[], float]


@dataclass(frozen=True)
class TrainingData:
    """X as checked, the target encoded (labels (n,) or floats (n, k)), weights of rows or None, the target as given."""

    X: Any
    y: Array
    sample_weight: Array | None
    labels: Any = None


def identity_of(data: TrainingData, validation: tuple[Any, Any] | None, continued: Any) -> dict[str, Any]:
    """What a checkpoint belongs to, apart from parameters: data, and the fitted estimator that is continued, if any.

    Of that, weights count, and the history, whose best value and stalled epochs a warm start continues.
    """
    arrays = {"X": data.X, "y": data.y, "sample_weight": data.sample_weight}
    if validation is not None:
        X_val, y_val = validation
        arrays |= {"X_val": rows_of(X_val) if is_sparse(X_val) else np.asarray(X_val), "y_val": np.asarray(y_val)}
    if continued is not None:
        history = vars(continued).get("history_") or {}
        arrays |= {"starting weights": continued.network.block}
        arrays |= {"earlier epochs": {name: np.array(column) for name, column in history.items()}}
    return arrays


def rare_class(y: Array) -> str:
    """Which class has only one row, in words; empty if none has."""
    labels, counts = np.unique(y, return_counts=True)
    if counts.min() > 1:
        return ""
    return (
        f" early_stopping sets rows of both classes aside, but y has only 1 row of the class "
        f"{labels.tolist()[counts.argmin()]!r}: give more rows, pass X_val and y_val, or set early_stopping=False."
    )


def score_or_nan(score: Score) -> float:
    """The score of an epoch; NaN, which is never the best, where the outputs are not finite."""
    try:
        return score_of(score())
    except OutputError:
        return math.nan
