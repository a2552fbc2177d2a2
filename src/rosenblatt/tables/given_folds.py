"""Folds that the user gives, as a splitter of scikit-learn or as pairs of row numbers.

Takes what was passed as `cv`, with targets, groups and times. Returns row numbers, or raises a `ValueError` that names
the split and says what to do. Never makes folds itself: `rosenblatt.tables.splits` does.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import refusal
from rosenblatt.tables.roles import Roles, assign_roles
from rosenblatt.tables.splits import has_common_groups
from rosenblatt.tables.table import Table

__all__ = ["check_pair", "given_folds", "refuse_rows_of_whole_table", "roles_of_rows", "split_by"]

Array = NDArray[Any]
Rows = NDArray[np.int64]
Fold = tuple[Rows, Rows]


def roles_of_rows(n_rows: int, groups: Any, time: Any) -> tuple[Rows | None, Array | None]:
    """Codes of groups, and times as numbers, for the rows of a matrix, whose columns cannot be named.

    A `ValueError` or `TypeError` where both are given, or one does not fit: see `rosenblatt.tables.roles`.
    """
    roles = Roles(groups=groups, time=time)
    for role, name in roles.names.items():
        raise TypeError(
            f"{role} is the name {name!r}, but of a matrix no column can be named; give {role} as an array."
        )
    fields = assign_roles(Table({}, n_rows), roles)[1]
    return fields["groups"], fields["times"]


def given_folds(
    cv: Any, n_rows: int, y: Any = None, groups: Any = None, times: Any = None, *, most: int | None = None
) -> list[Fold]:
    """The training and held-out rows of each split, checked.

    Parameters
    ----------
    cv : splitter or iterable of (training rows, held-out rows)
        A splitter has the method ``split(X, y, groups)``. Its X is a column of zeros here, because splits of tables
        depend on numbers of rows, targets and groups only. Rows are numbers or masks.
    n_rows : int
    y : array of shape (n_rows,) or (n_rows, n_targets), optional
        What a splitter gets.
    groups : ndarray of shape (n_rows,), optional
        What a splitter gets, and refuses to do without if it needs them. No group may be in both parts of a split.
    times : ndarray of shape (n_rows,), optional
        A splitter gets the rows in the order of time, as `TimeSeriesSplit` needs them. Of each split, no held-out row
        may be earlier than a training row.
    most : int, optional
        Largest number of splits.
    """
    pairs = split_by(cv, np.zeros((n_rows, 1)), y, groups, times)
    if not pairs:
        raise ValueError(f"cv is {cv!r}, which gives no split: give a number of folds or a splitter.")
    if most is not None and len(pairs) > most:
        raise ValueError(
            f"cv gives {len(pairs)} splits, of which each trains a network; at most {most} are allowed. Give a "
            "splitter with fewer splits."
        )
    return [check_pair(pair, n_rows, number, groups=groups, times=times) for number, pair in enumerate(pairs)]


def refuse_rows_of_whole_table(cv: Any, n_dropped: int) -> None:
    """Refuse folds by row numbers where rows without a target were left out: the others then have other numbers."""
    numbers = hasattr(cv, "test_fold") or not (hasattr(cv, "split") or isinstance(cv, Integral))
    if cv is not None and n_dropped and numbers:
        raise ValueError(
            f"cv numbers the rows, but {n_dropped} of them have no target and are left out, after which the others "
            "have other numbers. Remove these rows from the table yourself, or give a splitter such as KFold."
        )


def split_by(cv: Any, X: Any, y: Any = None, groups: Any = None, times: Any = None) -> list[Any]:
    """The pairs of a splitter or an iterable; rows are ordered by time for a splitter, and numbered as they were."""
    if isinstance(cv, (float, str, bool, type)) or not (hasattr(cv, "split") or isinstance(cv, Iterable)):
        raise refusal("cv", cv, "a number of folds of at least 2, a splitter, pairs of row numbers, or None")
    if not hasattr(cv, "split"):
        pairs = list(cv)
    else:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The groups parameter is ignored", UserWarning)  # the splits are checked
            try:
                pairs = list(cv.split(X, y, groups)) if times is None else split_in_order(cv, X, y, times)
            except ValueError as error:
                if groups is not None or "'groups' parameter" not in str(error):
                    raise
                raise ValueError(f"cv is {cv!r}, which needs groups: give groups=. ({error})") from None
    return pairs


def split_in_order(cv: Any, X: Any, y: Any, times: Any) -> list[Any]:
    """The pairs of a splitter that gets the rows in the order of time, in the rows' own numbers."""
    order = np.argsort(times, kind="stable")
    found = cv.split(X[order], None if y is None else np.asarray(y)[order])
    return [tuple(np.sort(order[rows]) for rows in pair) for pair in found]


def check_pair(pair: Any, n_rows: int, number: int, *, fewest: int = 1, groups: Any = None, times: Any = None) -> Fold:
    """The training rows and the held-out rows of the split `number`, from row numbers or masks.

    Each part has at least `fewest` rows, no row is in both, and no group; with `times`, no held-out row is earlier than
    a training row.
    """
    where = f"cv: split {number} (from 0)"
    if not isinstance(pair, Sequence | np.ndarray) or isinstance(pair, str) or len(pair) != 2:
        raise ValueError(f"{where} is not a pair of training rows and held-out rows.")
    training, held_out = (
        check_part(part, name, n_rows, where, fewest) for name, part in zip(("training", "held-out"), pair, strict=True)
    )
    if len(np.intersect1d(training, held_out)):
        raise ValueError(f"{where} has held-out rows that are among its training rows.")
    if groups is not None and has_common_groups(groups, [(training, held_out)]):
        raise ValueError(
            f"{where} has rows of one group in both parts, but with groups these are held out as a whole. Give a "
            "number of folds or GroupKFold, or leave groups out."
        )
    if times is not None and times[held_out].min() < times[training].max():
        raise ValueError(
            f"{where} has held-out rows that are earlier than some of its training rows, but with time rows are held "
            "out later only. Give a number of folds or TimeSeriesSplit, or leave time out."
        )
    return training, held_out


def check_part(part: Any, name: str, n_rows: int, where: str, fewest: int) -> Rows:
    """Row numbers of one part of a split."""
    rows = np.asarray(part)
    if rows.dtype == bool and rows.shape == (n_rows,):
        rows = np.flatnonzero(rows)
    if rows.ndim != 1 or len(rows) < fewest:
        s = "" if fewest == 1 else "s"
        raise ValueError(f"{where} has fewer than {fewest} {name} row{s}, or no list of them: use fewer folds.")
    if rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= n_rows:
        raise ValueError(
            f"{where}: {name} rows must be row numbers from 0 to {n_rows - 1}, or a mask with a value for each row."
        )
    return rows.astype(np.int64)
