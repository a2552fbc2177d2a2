"""Which rows each member of an ensemble trains on, and which it holds out.

Takes numbers of rows and members, labels, and groups of copies. Returns row numbers. Never separates copies: a member
would be scored by rows that it has seen.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold, StratifiedShuffleSplit

from rosenblatt.tables.splits import fold_rows, split_rows

__all__ = ["Folds", "member_folds"]

Array = NDArray[Any]
Folds = list[tuple[NDArray[np.int64], NDArray[np.int64]]]
MIN_HELD_OUT = 0.2
"""Share of the rows that are held out if there is a single member."""


def member_folds(
    n_rows: int, n_members: int, seed: int, labels: Array | None = None, copies: Array | None = None
) -> Folds:
    """Training and held-out rows of each member, stratified if each class has enough rows.

    There are at most as many members as rows, or as groups of copies; a single one holds out a fifth of the rows.
    """
    members = min(n_members, n_rows)
    if copies is not None and members == 1:
        return [split_rows(n_rows, MIN_HELD_OUT, seed, labels, copies)]
    if copies is not None:
        return fold_rows(copies, members, seed, labels)
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
