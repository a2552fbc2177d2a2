"""What a diagnosis can be made of: checks of the model, the data and the splits.

Takes what the user gave. Returns arrays and splits, or raises an error that says what to do. Never trains anything.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone, is_classifier
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold
from sklearn.utils.multiclass import type_of_target

from rosenblatt._checks import is_count
from rosenblatt.estimators import MLPClassifier, MLPRegressor
from rosenblatt.estimators.base import check_rows, rows_of
from rosenblatt.tables.given_folds import check_pair, split_by
from rosenblatt.tables.splits import copies_in, fold_rows, forward_folds

from .runs import one_hot

__all__ = ["check_data", "encoded_target", "makes_folds", "require_network", "splits_of"]

Array = npt.NDArray[Any]
MIN_ROWS = 20
"""A quarter of four fifths of these is four rows."""
MIN_VALIDATION_ROWS = 10
"""A quarter of four fifths of these is two rows."""
N_FOLDS, FEW_ROWS = 5, 200
"""The default, and the number of rows below which the folds are made twice, as standard errors are then large."""
MAX_HELD_OUT = 5000
"""Held-out rows of a split that are predicted: with so many, errors are precise enough."""


def require_network(model: Any, caller: str) -> Any:
    """The model, if it is one of the two whose training can be watched."""
    if not isinstance(model, (MLPClassifier, MLPRegressor)):
        given = f"the class {model.__name__}" if isinstance(model, type) else f"{type(model).__name__}"
        raise TypeError(
            f"{caller} is given {given}, but it needs a rosenblatt MLPClassifier or MLPRegressor (fitted or not), "
            "or a Pipeline that ends with one. Of a search, pass the network itself."
        )
    return model


def check_data(model: Any, X: Any, y: Any) -> tuple[Any, Array]:
    """X and y as arrays, finite and of one length."""
    labels = is_classifier(model)
    dtype: Any = np.float32 if model.dtype is None else np.dtype(model.dtype)  # float32 takes half of the time
    twin = clone(model)
    twin.check_parameters()
    numeric: dict[str, Any] = {} if labels else {"y_numeric": True}
    X, y = check_rows(twin, X, y, dtype=dtype, multi_output=True, **numeric)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y.ravel()
    if X.shape[0] < MIN_ROWS:
        raise ValueError(
            f"X has {X.shape[0]} rows, but a diagnosis compares trainings on parts of them and needs at least "
            f"{MIN_ROWS}: collect more rows first."
        )
    if model.early_stopping and X.shape[0] * model.validation_fraction < MIN_VALIDATION_ROWS:
        fewest = MIN_VALIDATION_ROWS / model.validation_fraction
        raise ValueError(
            f"X has {X.shape[0]} rows, but early_stopping holds out {model.validation_fraction:g} of them, also in "
            f"trials on a quarter: diagnose with early_stopping=False, or give at least {fewest:.0f} rows."
        )
    if labels and type_of_target(y).startswith("continuous"):
        raise ValueError("y contains numbers that are not labels, but the model is a classifier: use MLPRegressor.")
    if (y == y[0]).all():
        value = y[:1].tolist()[0]
        what = f"a single class, {value!r}" if labels else f"the same value, {value!r}, in all rows"
        raise ValueError(f"y has {what}: there is nothing to learn. Give rows with at least two.")
    return rows_of(X), y


def encoded_target(model: Any, y: Array) -> Array:
    """The target as the outputs predict it: one-hot for classes, (n_rows, n_outputs)."""
    twin = clone(model).set_params(warm_start=False)
    return one_hot(twin, twin.encode_target(y, incremental=False))


def splits_of(
    model: Any, cv: Any, X: Any, y: Array, seed: int, groups: Array | None = None, times: Array | None = None
) -> list[tuple[Array, Array]]:
    """Training rows and held-out rows of each split, in a random order."""
    if makes_folds(cv):
        pairs = own_folds(model, cv if cv is None else int(cv), X, y, seed, groups, times)
    else:
        pairs = split_by(cv, X, y, groups, times)
    if len(pairs) < 2:
        raise ValueError(f"cv gives {len(pairs)} split, but standard errors need at least 2: add folds or repeats.")
    rng = np.random.default_rng(seed)
    found = []
    for i, pair in enumerate(pairs):
        train, held_out = check_pair(pair, X.shape[0], i, fewest=2, groups=groups, times=times)
        found.append((rng.permutation(train), rng.permutation(held_out)[:MAX_HELD_OUT]))
        if is_classifier(model) and y.ndim == 1 and (lacking := np.setdiff1d(y[held_out], y[train])).size:
            raise ValueError(
                f"cv: split {i} (from 0) has held-out rows of class {lacking.tolist()[0]!r}, but no training rows of "
                "it: use stratified folds, or merge rare classes."
            )
    return found


def own_folds(
    model: Any, n_folds: int | None, X: Any, y: Array, seed: int, groups: Array | None, times: Array | None
) -> list[tuple[Array, Array]]:
    """Folds of the given number or of the default one; later rows are held out if there are times.

    Rows of one group stay together or, without groups, copies of a row.
    """
    splitter = folds_of(model, n_folds, y, seed)
    n_folds = int(splitter.cvargs["n_splits"])
    if times is not None:
        return forward_folds(times, n_folds)
    together = copies_in(X) if groups is None else groups
    if together is None:
        return list(splitter.split(X, y))
    labels = y if is_classifier(model) and y.ndim == 1 else None
    repeats = range(splitter.get_n_splits() // n_folds)
    return [pair for repeat in repeats for pair in fold_rows(together, n_folds, seed + repeat, labels)]


def makes_folds(cv: Any) -> bool:
    """Whether the folds are made here, so that others can be made with another seed."""
    return cv is None or is_count(cv, 2)


def folds_of(model: Any, n_folds: int | None, y: Array, seed: int) -> Any:
    """Shuffled folds, stratified for classes."""
    n_repeats = 2 if n_folds is None and len(y) < FEW_ROWS else 1
    stratified = is_classifier(model) and y.ndim == 1
    classes, counts = np.unique(y, return_counts=True)
    if n_folds is None:  # fewer for rare classes
        n_folds = max(2, min(N_FOLDS, int(counts.min()))) if stratified else N_FOLDS
    if n_folds > len(y) // 4:
        raise ValueError(f"cv is {n_folds}, but {len(y)} rows allow at most {len(y) // 4} folds of four.")
    if not stratified:
        return RepeatedKFold(n_splits=n_folds, n_repeats=n_repeats, random_state=seed)
    if counts.min() < n_folds:
        raise ValueError(
            f"class {classes.tolist()[counts.argmin()]!r} has {counts.min()} rows, but each of the {n_folds} folds "
            "needs one: use fewer folds (cv), merge rare classes, or leave them out."
        )
    return RepeatedStratifiedKFold(n_splits=n_folds, n_repeats=n_repeats, random_state=seed)
