"""Which rows train and which are held out; rows of one group stay together, and rows in time are held out last.

Takes numbers of rows, labels, groups and times. Returns row numbers. Never looks at a target except to give each part
its share of the classes, and never moves a row without groups: splits are then those that a seed has always given.

A group is an integer for each row. `copies_of` makes groups of equal rows; where none are equal there are no groups. A
time is a number for each row, the larger the later.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import check_number
from rosenblatt.tables.row_hashes import bits_of, hash_column, hash_sparse

__all__ = [
    "copies_in",
    "copies_of",
    "first_rows",
    "fold_rows",
    "forward_folds",
    "has_common_groups",
    "split_rows",
]

Array = NDArray[Any]
Rows = NDArray[np.int64]
Groups = NDArray[np.int64]
Fold = tuple[Rows, Rows]
MIN_DISTINCT = 5
"""With fewer different rows, no part of them says anything about the others."""
FULL, OFTEN = 0.6, 10
"""Rows repeat by nature if this share of all combinations of values occurs; those of one column, if each so often."""
FIRST_SHARE = 0.5
"""Share of the rows, the earliest, that every forward fold trains on."""


# Copies ------------------------------------------------------------------------------------------------------------


def copies_of(columns: Iterable[Array], n_rows: int) -> Groups | None:
    """Groups of rows that are equal in all columns, numbered from 0; None if there are no copies.

    Columns are arrays of numbers; NaN equals NaN. Rows are compared by a hash of 64 bits, so the time is linear in the
    number of cells. Equal rows are no copies where columns have so few values that rows repeat by nature: if there are
    fewer than 5 different rows, or if these are 60 % of all combinations of the columns' values. (Of a single column
    all values occur, so that they also have to occur 10 times each on average.)
    """
    hashed, combinations, n_varying = np.zeros(n_rows, np.uint64), 1.0, 0
    for number, column in enumerate(columns):
        if FULL * combinations <= n_rows:  # otherwise too many for the rows, whatever the other columns are
            n_values = len(np.unique(bits_of(column)))
            combinations, n_varying = combinations * n_values, n_varying + (n_values > 1)
        hashed += hash_column(column, number)
    return groups_of(hashed, combinations, n_varying)


def copies_in(X: Any) -> Groups | None:
    """`copies_of` for the rows of an array or a sparse matrix [n_rows, n_columns]."""
    if not hasattr(X, "tocsr"):
        values = np.asarray(X)
        return copies_of(values.T, len(values))
    return groups_of(hash_sparse(X), np.inf, X.shape[1])


def groups_of(hashed: NDArray[np.uint64], combinations: float, n_varying: int) -> Groups | None:
    """Groups of rows with the same hash, unless all differ or rows repeat by nature."""
    different, groups = np.unique(hashed, return_inverse=True)
    n, n_rows = len(different), len(hashed)
    natural = n >= FULL * combinations and (n_varying > 1 or n_rows >= OFTEN * n)
    return None if n == n_rows or n < MIN_DISTINCT or natural else groups.astype(np.int64)


def first_rows(groups: Groups) -> Rows:
    """The first row of each group, in increasing order."""
    return np.sort(np.unique(groups, return_index=True)[1]).astype(np.int64)


# Splits ------------------------------------------------------------------------------------------------------------


def split_rows(
    n_rows: int,
    share: float,
    seed: int,
    labels: NDArray[np.int64] | None = None,
    groups: Groups | None = None,
    times: Array | None = None,
) -> Fold:
    """Training rows and a share in (0, 1) of held-out rows, both in increasing order and neither empty.

    With labels 0, 1, 2, ..., each class gives its share, rounded so that the shares add up; a class of one row, or of
    one group, stays in training. No group is in both parts, so that the share is only approximate.

    With times, the latest rows are held out, whatever seed, labels and groups are: later rows may well repeat earlier
    ones. Rows of equal time stay together, so that the share is only approximate.
    """
    check_number("share", share, 0, 1, above=True, below=True)
    if times is not None:
        return later_rows(times, [(1 - share) * n_rows])[0]
    if groups is not None:
        return split_groups(groups, share, seed, labels)
    order = np.random.default_rng(seed).permutation(n_rows)
    n_held = min(max(round(share * n_rows), 1), n_rows - 1)
    if labels is None:
        return np.sort(order[n_held:]), np.sort(order[:n_held])
    counts = np.bincount(labels)
    sorted_rows = order[np.argsort(labels[order], kind="stable")]
    starts = np.cumsum(counts) - counts
    rank = np.arange(n_rows) - starts[labels[sorted_rows]]  # position of a row among the shuffled rows of its class
    # all classes are taken at the same rate: a row's time is its position over the class's size
    size = counts[labels[sorted_rows]]
    time = np.where(rank == size - 1, np.inf, (rank + 0.5) / size)
    first_served = np.lexsort((rank, time))
    held = np.zeros(n_rows, dtype=bool)
    held[sorted_rows[first_served[:n_held]]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def split_groups(groups: Groups, share: float, seed: int, labels: Array | None = None) -> Fold:
    """`split_rows` for groups: in the order of `dealt`, about one of 1 / share groups is held out.

    A group that is larger than the part to hold out, and the smallest group of each class, stay in training.
    """
    rng = np.random.default_rng(seed)
    order, sizes, strata = dealt(groups, labels, rng)
    require_groups(sizes)
    last = np.append(strata[order][1:] != strata[order][:-1], True)
    able = order[~last & (sizes[order] <= share * len(groups))]
    if not len(able):  # all others are too large
        able = order[:-1][-1:]
    rate = min(1.0, share * len(sizes) / len(able))
    turns = np.floor((np.arange(len(able) + 1) + rng.random()) * rate)
    chosen = able[np.diff(turns) > 0]
    held = np.isin(np.unique(groups, return_inverse=True)[1], chosen if len(chosen) else able[-1:])
    return np.flatnonzero(~held), np.flatnonzero(held)


def fold_rows(groups: Groups, n_folds: int, seed: int, labels: Array | None = None) -> list[Fold]:
    """Training and held-out rows of `n_folds` folds (at most as many as groups), each in increasing order.

    Groups are dealt to the folds in turn, so that folds have similar numbers of rows, and of rows of each class.
    """
    order, sizes, _ = dealt(groups, labels, np.random.default_rng(seed))
    require_groups(sizes)
    n_folds = min(n_folds, len(sizes))
    fold = np.empty(len(sizes), np.int64)
    fold[order] = np.arange(len(sizes)) % n_folds
    of_row = fold[np.unique(groups, return_inverse=True)[1]]
    return [(np.flatnonzero(of_row != k), np.flatnonzero(of_row == k)) for k in range(n_folds)]


def dealt(groups: Groups, labels: Array | None, rng: np.random.Generator) -> tuple[Rows, Rows, Rows]:
    """An order of the groups in which neighbours are alike, their numbers of rows, and their classes.

    They are ordered by class, then by size, the largest first, then at random. A group of several classes counts for
    the rarest of them.
    """
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    strata = np.zeros(len(sizes), np.int64)
    if labels is not None:
        _, label, counts = np.unique(labels, return_inverse=True, return_counts=True)
        rarity = np.argsort(np.argsort(-counts, kind="stable"))  # 0 for the most frequent class
        np.maximum.at(strata, group, rarity[label])
    return np.lexsort((rng.permutation(len(sizes)), -sizes, strata)), sizes, strata


def has_common_groups(groups: Groups, folds: Iterable[Fold]) -> bool:
    """Whether a fold has rows of one group in both parts."""
    return any(len(np.intersect1d(groups[training], groups[held_out])) for training, held_out in folds)


def require_groups(sizes: Rows) -> None:
    """Refuse a single group."""
    if len(sizes) < 2:
        raise ValueError(
            f"all {sizes.sum()} rows are of one group, so that no other group can be held out. Give groups of at least "
            "two values, or leave groups out."
        )


# Time --------------------------------------------------------------------------------------------------------------


def forward_folds(times: Array, n_folds: int) -> list[Fold]:
    """Training and held-out rows of folds in the order of time, each validated on later rows only (forward chaining).

    The earlier half of the rows always trains. The later half is cut into `n_folds` parts; each is held out once, and
    all rows before it train. Rows of equal time are never divided, so that parts are only about equal, and there are
    at most as many folds as different times, less one.

    Parameters
    ----------
    times : ndarray of shape (n_rows,)
        Numbers without NaN, the larger the later. The rows may be in any order.
    n_folds : int

    Returns
    -------
    list of (training rows, held-out rows), each in increasing order

    Raises
    ------
    ValueError
        If all times are equal.
    """
    n_rows = len(times)
    return later_rows(times, [n_rows * (FIRST_SHARE + (1 - FIRST_SHARE) * k / n_folds) for k in range(n_folds)])


def later_rows(times: Array, n_before: Iterable[float]) -> list[Fold]:
    """Folds whose held-out parts begin after about so many rows, and end where the next begins."""
    distinct, rank, counts = np.unique(times, return_inverse=True, return_counts=True)
    if len(distinct) < 2:
        raise ValueError(
            f"the time of all {len(times)} rows is {distinct.tolist()[0]!r}, so that no row is later than another. "
            "Give times of at least two values, or leave time out."
        )
    ends = np.cumsum(counts)[:-1]  # how many rows lie before each place where time can be cut
    cuts = np.unique([int(np.argmin(np.abs(ends - n))) + 1 for n in n_before])
    bounds = zip(cuts, [*cuts[1:], len(distinct)], strict=True)
    return [(np.flatnonzero(rank < begin), np.flatnonzero((begin <= rank) & (rank < end))) for begin, end in bounds]
