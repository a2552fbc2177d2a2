"""Which rows each member of an ensemble trains on, and which it holds out.

Takes numbers of rows and members, labels, groups and times, or what the user says of folds. Returns row numbers. Never
separates rows of one group, such as copies: a member would be scored by rows that it has seen.
"""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold, StratifiedShuffleSplit

from rosenblatt._checks import check_count
from rosenblatt.tables.given_folds import given_folds
from rosenblatt.tables.splits import fold_rows, forward_folds, split_rows
from rosenblatt.tables.task import TabularTask

__all__ = ["MAX_MEMBERS", "Folds", "folds_of_task", "member_folds"]

Array = NDArray[Any]
Folds = list[tuple[NDArray[np.int64], NDArray[np.int64]]]
MIN_HELD_OUT = 0.2
"""Share of the rows that are held out if there is a single member."""
MAX_MEMBERS = 100
"""Each is a network that has to be trained, kept and asked."""


def folds_of_task(
    task: TabularTask, n_members: int, seed: int, labels: Array | None = None, cv: Any = None, validation: int = 0
) -> Folds:
    """`member_folds` of a task. Copies of a row stay together, unless `cv` is a splitter or there are times."""
    groups = task.together if cv is None or isinstance(cv, Integral) else task.groups
    y = task.target.values
    return member_folds(task.inputs.n_rows, n_members, seed, labels, groups, task.times, cv, y, validation)


def member_folds(
    n_rows: int,
    n_members: int,
    seed: int,
    labels: Array | None = None,
    groups: Array | None = None,
    times: Array | None = None,
    cv: Any = None,
    y: Array | None = None,
    validation: int = 0,
) -> Folds:
    """Training and held-out rows of each member.

    By default, there is a fold for each member, stratified if each class has enough rows; a single member holds out a
    fifth of the rows. There are at most as many members as rows, or as groups.

    Parameters
    ----------
    n_rows, n_members, seed : int
    labels : ndarray of int of shape (n_rows,), optional
        Classes, counted from 0.
    groups : ndarray of int64 of shape (n_rows,), optional
        Groups of rows that no fold divides.
    times : ndarray of shape (n_rows,), optional
        Members are scored on later rows only than they train on; the first holds out the latest (`forward_folds`).
        Groups then do not count: later rows may well repeat earlier ones.
    cv : int, splitter or iterable of (training rows, held-out rows), optional
        The number of folds, or the folds themselves, instead of `n_members` (`given_folds`).
    y : ndarray, optional
        What a splitter gets as the target. Default: the labels.
    validation : int
        Number of rows in a table of their own that score all members: these train on all rows, and held-out rows are
        row numbers of that table.
    """
    if validation:
        return [(np.arange(n_rows), np.arange(validation))] * n_members
    if cv is not None and not isinstance(cv, Integral):
        return given_folds(cv, n_rows, labels if y is None else y, groups, times, most=MAX_MEMBERS)
    members = min(n_members, n_rows) if cv is None else check_count("cv", cv, 2, MAX_MEMBERS)
    if times is not None and members > 1:
        return forward_folds(times, members)[::-1]
    if members == 1 and (groups is not None or times is not None):
        return [split_rows(n_rows, MIN_HELD_OUT, seed, labels, groups, times)]
    if groups is not None:
        return fold_rows(groups, members, seed, labels)
    counts = None if labels is None else np.bincount(labels)
    kind: Any
    if members == 1:
        stratify = counts is not None and counts.min() >= 2 and MIN_HELD_OUT * n_rows >= len(counts)
        kind = StratifiedShuffleSplit if stratify else ShuffleSplit
        splitter = kind(1, test_size=MIN_HELD_OUT, random_state=seed)
    else:
        kind = StratifiedKFold if counts is not None and counts.min() >= members else KFold
        splitter = kind(members, shuffle=True, random_state=seed)
    return [(a.astype(np.int64), b.astype(np.int64)) for a, b in splitter.split(np.empty((n_rows, 1)), labels)]
