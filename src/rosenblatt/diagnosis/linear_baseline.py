"""A linear model of the same rows: what a network must beat to be worth its weights.

Takes a fitted tabular estimator, its training rows and the rows that score it. Returns predictions of scikit-learn's
`LogisticRegression`, `Ridge` or `PoissonRegressor`. Never lets it train on a row that it predicts.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.estimators.tabular.explain.background import hashes_of
from rosenblatt.estimators.tabular.folds import member_folds
from rosenblatt.metrics import quantiles_of
from rosenblatt.tables.encoders import Prepared
from rosenblatt.tables.targets import Target
from rosenblatt.tables.task import score_on

__all__ = ["LinearBaseline", "linear_baseline", "linear_inputs"]

Array = NDArray[Any]
Predict = Callable[[Any], Array]
Folds = list[tuple[NDArray[np.int64], NDArray[np.int64]]]
MAX_ROWS, MIN_ROWS = 10_000, 1_000
"""Rows that a linear model is trained on at most; fewer where it has many inputs and classes, but so many at least."""
MAX_PRODUCTS = 3_000_000
"""Of rows, inputs that are not zero, and classes."""
N_FOLDS = 5
MAX_ITER = 200


@dataclass(frozen=True, eq=False)
class LinearBaseline:
    """Predictions of a linear model.

    Attributes
    ----------
    predictions : ndarray of shape (n_rows, n_outputs)
        Probabilities of the classes, or numbers, or quantiles, for the rows that score the model. NaN in rows that no
        fold predicts.
    name : str
        scikit-learn's class.
    n_rows : int
        The most rows that one of its models was trained on.
    """

    predictions: Array
    name: str
    n_rows: int


def linear_baseline(model: Any, training: Any, prepared: Prepared | None) -> LinearBaseline | None:
    """A linear model beside a fitted one; None where its folds cannot be known.

    Its inputs are those of the networks: scaled numbers, indicators, one indicator for each level of a category, and
    weighted words. `C` and `alpha` are 1. At most 10,000 rows train it, which are drawn with a fixed seed.

    Parameters
    ----------
    model : fitted TabularClassifier or TabularRegressor
    training : rosenblatt.report.scored.GivenRows
        The rows that it was trained on.
    prepared : Prepared or None
        Other rows, to predict with one linear model. None predicts each training row by a linear model of the rows that
        are not held out with it: in the folds of the networks if the model still knows them, else in five folds.
    """
    X = linear_inputs(training.prepared, model.preparation_)
    n = X.shape[0]
    if prepared is not None:
        folds: Folds | None = [(np.arange(n), np.arange(len(prepared.numbers)))]
        rows = linear_inputs(prepared, model.preparation_)
    else:
        folds, rows = folds_of(model, training), X
    if folds is None:
        return None
    found = np.zeros((rows.shape[0], n_outputs(model, training.target)))
    counts, name, most = np.zeros(rows.shape[0]), "", 0
    for learned, scored in folds:
        learned = limited(learned, X, model)
        predict, name = fitted(model, X[learned], training, learned)
        found[scored] += predict(rows[scored])
        counts[scored] += 1
        most = max(most, len(learned))
    with np.errstate(invalid="ignore"):
        return LinearBaseline(found / counts[:, None], name, most)


def n_outputs(model: Any, target: Target) -> int:
    """Columns of the predictions."""
    if target.classes is not None:
        return len(target.classes)
    quantiles = model.fitted_parameter("quantiles")
    return target.values.shape[1] if quantiles is None else len(quantiles)


def linear_inputs(prepared: Prepared, preparation: Any) -> Any:
    """The inputs of a linear model, [n_rows, n_inputs]; a CSR matrix where there are numbered levels or words."""
    dense = np.hstack([prepared.numbers, prepared.indicators]).astype(np.float64)
    if not prepared.codes.shape[1] and not prepared.words:
        return dense
    from scipy.sparse import csr_matrix, hstack

    n = len(dense)
    coded = zip(prepared.codes.T, preparation.n_codes, strict=True)
    levels = [csr_matrix((np.ones(n), (np.arange(n), codes)), shape=(n, width)) for codes, width in coded]
    return hstack([csr_matrix(dense), *levels, *prepared.words], format="csr", dtype=np.float64)


def folds_of(model: Any, training: Any) -> Folds | None:
    """Rows to learn from and to predict: those of the networks or, of a loaded model, five folds of its own."""
    n, members = len(training.prepared.numbers), model.ensemble_.members
    held = [member.held_out for member in members]
    in_time = model.score_on_ == score_on(None, ())
    if training.are_training and all(map(len, held)):
        if not in_time:
            return [(np.setdiff1d(np.arange(n), rows), rows) for rows in held]
        # the first network holds out the latest rows, and no network has trained on rows later than its own
        later = [np.concatenate(held[: i + 1]) for i in range(len(held))]
        folds = [(np.setdiff1d(np.arange(n), rows), own) for rows, own in zip(later, held, strict=True)]
        return (
            folds
            if model.cv is None or (np.ndim(model.cv) == 0 and len(np.unique(later[-1])) == len(later[-1]))
            else None
        )
    if in_time or (model.n_groups_ is not None and training.groups is None) or n < 2 * N_FOLDS:
        return None
    groups = training.groups
    if groups is None:  # copies stay together
        groups = np.unique(hashes_of(training.prepared), return_inverse=True)[1].astype(np.int64)
    if len(np.unique(groups)) < N_FOLDS:
        return None
    labels = None if training.target.classes is None else training.target.values
    return list(member_folds(n, N_FOLDS, 0, labels, groups))


def limited(rows: NDArray[np.int64], X: Any, model: Any) -> NDArray[np.int64]:
    """At most so many of the rows that a linear model learns from them in about a second."""
    cells = X.nnz if hasattr(X, "nnz") else X.size
    products = cells / X.shape[0] * len(getattr(model, "classes_", (0,)))
    most = int(min(MAX_ROWS, max(MIN_ROWS, MAX_PRODUCTS / max(products, 1))))
    return rows if len(rows) <= most else np.sort(np.random.default_rng(0).permutation(rows)[:most])


def fitted(model: Any, X: Any, training: Any, rows: NDArray[np.int64]) -> tuple[Predict, str]:
    """A function that predicts as the model does, and the name of the linear model."""
    weights = None if training.weights is None else training.weights[rows]
    y = training.target.values[rows]
    if training.target.classes is not None:
        return fitted_classes(X, y, weights, len(training.target.classes))
    return fitted_numbers(model, X, y, weights)


def fitted_classes(X: Any, labels: Array, weights: Array | None, n_classes: int) -> tuple[Predict, str]:
    """Logistic regression; a class that the rows lack has probability 0."""
    from sklearn.linear_model import LogisticRegression

    present, name = np.unique(labels), "LogisticRegression"
    if len(present) < 2:
        return lambda rows: np.tile(np.eye(n_classes)[present[0]], (rows.shape[0], 1)), name
    linear = quietly(LogisticRegression(max_iter=MAX_ITER), X, labels, weights)

    def predict(rows: Any) -> Array:
        found = np.zeros((rows.shape[0], n_classes))
        found[:, present] = linear.predict_proba(rows)
        return found

    return predict, name


def fitted_numbers(model: Any, X: Any, y: Array, weights: Array | None) -> tuple[Predict, str]:
    """Ridge regression within the range of the targets, with the quantiles of its errors for a model of quantiles."""
    from sklearn.linear_model import PoissonRegressor, Ridge

    if model.goal.scaling == "mean":
        columns = [quietly(PoissonRegressor(alpha=1 / len(y), max_iter=MAX_ITER), X, one, weights) for one in y.T]
        return lambda rows: np.column_stack([linear.predict(rows) for linear in columns]), "PoissonRegressor"
    linear, low, high = quietly(Ridge(), X, y, weights), y.min(axis=0), y.max(axis=0)

    def predict(rows: Any) -> Array:
        return np.clip(np.reshape(linear.predict(rows), (rows.shape[0], -1)), low, high)

    quantiles = model.fitted_parameter("quantiles")
    if quantiles is None:
        return predict, "Ridge"
    errors = quantiles_of((y - predict(X))[:, 0], tuple(quantiles), weights)
    return lambda rows: predict(rows) + errors, "Ridge"


def quietly(linear: Any, X: Any, y: Array, weights: Array | None) -> Any:
    """The linear model, fitted in one thread; that it might gain from more iterations is no news for a baseline.

    Its products are small: several threads would cost more than they gain, and change the last bits.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # a dependency of scikit-learn

    with warnings.catch_warnings(), threadpool_limits(1, user_api="blas"):
        warnings.simplefilter("ignore")
        return linear.fit(X, y, sample_weight=weights)
