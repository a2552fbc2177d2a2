"""The data of a fit of `MLPClassifier` or `MLPRegressor`, and what is asked of them.

Takes checked arrays. Returns them as one value, what a checkpoint of their training belongs to, and the score of an
epoch. Never trains.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from rosenblatt.estimators.base import is_sparse, predict_rows, rows_of
from rosenblatt.estimators.outputs import OutputError
from rosenblatt.nn import Network
from rosenblatt.training.evaluation import gathered, score_of

__all__ = ["Score", "TrainingData", "held_out_rows", "identity_of", "score_or_nan", "split_rows"]

Array = npt.NDArray[Any]
Score = Callable[[], float]
COPIED_BYTES = 1 << 24
"""Rows that are set aside are copied once if they need no more than this; otherwise a few are copied at a time."""


@dataclass(frozen=True)
class TrainingData:
    """X as checked, the target encoded (labels (n,) or floats (n, k)), weights of rows or None, the target as given.

    Attributes
    ----------
    dtype : numpy.dtype, optional
        The type of the network that is trained, where X does not have it.
    rows : ndarray of int64, optional
        The rows of X that the others belong to, in their order. None means all of them.
    """

    X: Any
    y: Array
    sample_weight: Array | None
    labels: Any = None
    dtype: Any = None
    rows: npt.NDArray[np.int64] | None = None

    def matrix(self) -> Any:
        """The rows of X that are meant."""
        return self.X if self.rows is None else self.X[self.rows]

    def predictions(self, network: Network) -> Array:
        """The network's outputs for these rows."""
        if self.rows is None:
            return predict_rows(network, self.X)
        return np.concatenate([predict_rows(network, X) for _, X in gathered(self.X, self.rows)])


def split_rows(data: TrainingData, share: float, stratified: bool, rng: np.random.RandomState) -> tuple[Array, Array]:
    """Numbers of the rows to train on, and of the share to validate on, drawn as scikit-learn draws them."""
    rows = np.arange(data.X.shape[0])
    stratify = data.y.astype(bool).ravel() if stratified else None
    n_held_out = math.ceil(share * len(rows))
    if stratify is not None and min(n_held_out, len(rows) - n_held_out, *np.bincount(stratify, minlength=2)) >= 2:
        return stratified_rows(stratify, n_held_out, rng)
    try:
        column = None if stratify is None else stratify[:, None]  # as a column, its classes are named as texts
        train, held_out = train_test_split(rows, random_state=rng, test_size=share, stratify=column)
    except ValueError as error:
        raise ValueError(f"{error}.{'' if stratify is None else rare_class(data.labels)}") from None
    if len(held_out) < 2:
        raise ValueError(
            f"The validation set is too small: {len(held_out)} of {len(rows)} rows. Raise validation_fraction (now "
            f"{share}), give more rows, or pass X_val and y_val."
        )
    return train, held_out


def stratified_rows(labels: Array, n_held_out: int, rng: np.random.RandomState) -> tuple[Array, Array]:
    """What scikit-learn's `train_test_split` draws of two classes, without its Python lists of all row numbers."""
    counts = np.bincount(labels, minlength=2)
    kept = shares(counts, len(labels) - n_held_out, rng)
    taken = shares(counts - kept, n_held_out, rng)
    parts: tuple[list[Array], list[Array]] = ([], [])
    for label in (0, 1):
        drawn = rng.permutation(np.flatnonzero(labels == label))
        parts[0].append(drawn[: kept[label]])
        parts[1].append(drawn[kept[label] : kept[label] + taken[label]])
    train, held_out = (rng.permutation(np.concatenate(part)) for part in parts)
    return train, held_out


def shares(counts: Array, n_rows: int, rng: np.random.RandomState) -> Array:
    """How many of `n_rows` rows are of each of two classes: in proportion; a tie is drawn, as scikit-learn does it."""
    exact = counts / counts.sum() * n_rows
    whole: Array = np.floor(exact).astype(np.int64)
    if n_rows > whole.sum():  # by one
        rest = exact - whole
        whole[rng.choice(np.flatnonzero(rest == rest.max()), size=1, replace=False)] += 1
    return whole


def held_out_rows(data: TrainingData, rows: npt.NDArray[np.int64]) -> TrainingData:
    """The rows that early stopping sets aside; a `ValueError` if all of them have the weight zero."""
    weight = None if data.sample_weight is None else data.sample_weight[rows]
    if weight is not None and not weight.any():
        raise ValueError(
            f"sample_weight is zero in all {len(rows)} rows that early_stopping set aside: raise "
            "validation_fraction, change random_state, or pass X_val and y_val."
        )
    held_out = TrainingData(data.X, data.y[rows], weight, np.asarray(data.labels)[rows], rows=rows)
    numbers = data.X.data if is_sparse(data.X) else data.X
    small = numbers.nbytes * len(rows) <= COPIED_BYTES * data.X.shape[0]
    return replace(held_out, X=held_out.matrix(), rows=None) if small else held_out


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
