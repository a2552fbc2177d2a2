"""Columns that leak the target: each predicts it alone, and so may not be known when the model is used.

Takes a table, labels or numbers. Returns names of columns, each with what was found on held-out rows. Never drops a
column: it may be there for good reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.kinds import ColumnKind
from rosenblatt.tables.table import Table, warn_of_columns
from rosenblatt.threads import matrix_product

__all__ = ["annotate_leakage", "find_leaking_columns", "is_leak"]

Array = NDArray[Any]
MAX_ROWS, MIN_ROWS = 5_000, 100
MAX_BINS = 32
HIGHEST_ACCURACY = 0.995
MAX_ERROR = 0.1
"""Share of the error that the most frequent class makes; most rows may be of one class."""
MIN_OTHERS = 10
"""With fewer rows of other classes than the most frequent one, a perfect score may be chance."""
HIGHEST_R2 = 0.999
HIGHEST_CORRELATION, LOWEST_R2_OF_RANKS = 0.9999, 0.9
CHUNK = 4_000_000
"""Cells of numbers that are processed together."""
ALONE = "by itself it predicts"


@dataclass(frozen=True)
class LearnScoreSplit:
    """Rows to learn from and rows to score by, with their targets: labels [n], or numbers [n, k]."""

    learn: NDArray[np.int64]
    score: NDArray[np.int64]
    y: Array
    n_classes: int


def find_leaking_columns(table: Table, y: Array, is_classification: bool) -> list[tuple[str, str]]:
    """Columns that alone predict the target (almost) perfectly, each as (name, reason), in the order of the table.

    Levels, or up to 32 intervals between quantiles, are learned on half of at most 5,000 training rows, and scored on
    the other half. A column is listed if its accuracy is at least 0.995 (and the most frequent class is wrong ten times
    as often), if its R2 is at least 0.999, or if the rank correlation of its numbers with the target is beyond 0.9999.
    `y` holds labels 0, 1, ... [n], or numbers [n] or [n, k].
    """
    if table.n_rows < MIN_ROWS:
        return []
    rows = np.random.default_rng(0).permutation(table.n_rows)[:MAX_ROWS]
    half = len(rows) // 2
    target = y if is_classification else np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    n_classes = int(y.max()) + 1 if is_classification else 0
    halves = LearnScoreSplit(rows[:half], rows[half:], target, n_classes)
    if is_classification and len(rows) - half - np.bincount(target[halves.score]).max() < MIN_OTHERS:
        return []
    found: dict[str, str] = {}
    for names, codes, values in coded(table, halves, rows):
        scores = accuracies(codes, halves) if is_classification else r2_scores(codes, halves)
        if not is_classification:
            scores = np.where(same_order(values, codes, halves), 1.0, scores)
        for name, score in zip(names, scores, strict=True):
            if reason := reason_of(float(score), halves):
                found[name] = reason
    return [(name, found[name]) for name in table.columns if name in found]


def annotate_leakage(
    table: Table, kinds: Sequence[ColumnKind], y: Array, is_classification: bool, where: str = ""
) -> list[ColumnKind]:
    """The kinds, with a note on each used column that leaks the target; a `TableWarning` names these.

    `where` says which rows the table has, if these are not all.
    """
    used = table.drop([kind.name for kind in kinds if not kind.used])
    ask = "Is it known before the target is? If not, say kinds="
    notes = {
        name: f"column {name!r}: {reason}{where}. {ask}{{{name!r}: 'ignored'}}"
        for name, reason in find_leaking_columns(used, y, is_classification)
    }
    warn_of_columns([f"{note}." for note in notes.values()], "predict it too")
    return [replace(kind, check="; ".join(filter(None, [kind.check, notes.get(kind.name, "")]))) for kind in kinds]


def is_leak(note: str) -> bool:
    """Whether a note on a column, as `annotate_leakage` makes it, says that the column leaks."""
    return f": {ALONE} " in note


def reason_of(score: float, halves: LearnScoreSplit) -> str:
    """Why a column is suspect, or nothing."""
    if halves.n_classes:
        base = np.bincount(halves.y[halves.score]).max() / len(halves.score)
        if score >= HIGHEST_ACCURACY and 1 - score <= MAX_ERROR * (1 - base):
            return f"{ALONE} the class of {score:.1%} of rows"
    elif score >= HIGHEST_R2:
        return f"{ALONE} the target almost exactly"
    return ""


def coded(table: Table, halves: LearnScoreSplit, rows: NDArray[np.int64]) -> Iterator[tuple[list[str], Array, Array]]:
    """Columns as codes and as numbers, [n_columns, learned rows then scored ones].

    Numbers come many at a time, levels one by one and with no numbers.
    """
    numbers = [column for column in table.columns.values() if column.storage != "text"]
    width = max(1, CHUNK // (MAX_BINS * len(rows)))
    for first in range(0, len(numbers), width):
        some = numbers[first : first + width]
        values = np.array([column.values[rows] for column in some], dtype=np.float64)
        yield [column.name for column in some], binned(values, len(halves.learn)), values
    for column in table.columns.values():
        if column.storage == "text":
            yield [column.name], (column.values[rows] + 1)[None, :].astype(np.int64), np.empty((1, 0))


def binned(values: Array, n_learned: int) -> Array:
    """The interval between quantiles of the learned rows that each cell is in, from 1; 0 for missing. [k, n]

    Up to 32 different values are an interval each, however rare they are.
    """
    ordered = np.sort(values[:, :n_learned], axis=1)  # NaN come last
    n_present = (~np.isnan(ordered)).sum(axis=1)
    places = np.arange(1, MAX_BINS)[None, :] * n_present[:, None] // MAX_BINS
    edges = np.take_along_axis(ordered, np.minimum(places, n_learned - 1), axis=1)
    codes = np.ones(values.shape, dtype=np.int64)
    for edge in edges.T:
        codes += values >= edge[:, None]
    n_different = 1 + (ordered[:, 1:] > ordered[:, :-1]).sum(axis=1)
    for column in np.flatnonzero(n_different <= MAX_BINS):
        different = np.unique(ordered[column, : n_present[column]])
        codes[column] = np.searchsorted(different, values[column], side="right")
    return np.where(np.isnan(values), 0, codes)


def same_order(values: Array, codes: Array, halves: LearnScoreSplit) -> NDArray[np.bool_]:
    """Whether the rank correlation of each column with a column of the target is beyond 0.9999. [k]

    It is computed only where the codes predict the target's ranks well, as they must for such a correlation.
    """
    found = np.zeros(len(values), dtype=np.bool_)
    if not values.size:
        return found
    y = ranked(halves.y.T)
    target = standardized(ranked(y[:, np.concatenate([halves.learn, halves.score])]))
    well = r2_scores(codes, replace(halves, y=y.T)) > LOWEST_R2_OF_RANKS
    for column in np.flatnonzero(well & ~np.isnan(values).any(axis=1)):
        ranks = standardized(ranked(values[column : column + 1]))
        found[column] = np.abs(matrix_product(ranks, target.T)).max() > HIGHEST_CORRELATION
    return found


def ranked(values: Array) -> Array:
    """Mean ranks of each row's elements."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(values, axis=1), dtype=np.float64)


def standardized(ranks: Array) -> Array:
    """Each row with mean 0 and length 1, or zeros."""
    centered = ranks - ranks.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centered, axis=1, keepdims=True)
    return np.asarray(centered / np.where(length > 0, length, 1.0))


def accuracies(codes: Array, halves: LearnScoreSplit) -> Array:
    """The share of scored rows in the most frequent class of their code among learned rows. [k]"""
    k, n_learned, n_classes = len(codes), len(halves.learn), halves.n_classes
    labels, n_codes = halves.y, int(codes.max()) + 1
    default = int(np.bincount(labels[halves.learn]).argmax())
    place = codes + n_codes * np.arange(k)[:, None]
    pairs = place[:, :n_learned] * n_classes + labels[halves.learn]
    pair, count = np.unique(pairs, return_counts=True)
    order = np.argsort(count, kind="stable")  # of a code's classes the most frequent is written last
    guess = np.full(k * n_codes, default)
    guess[pair[order] // n_classes] = pair[order] % n_classes
    return np.asarray((guess[place[:, n_learned:]] == labels[halves.score]).mean(axis=1))


def r2_scores(codes: Array, halves: LearnScoreSplit) -> Array:
    """The best R2, among the columns of the target, of the learned rows' mean for each code. [k]"""
    k, n_learned, n_codes = len(codes), len(halves.learn), int(codes.max()) + 1
    place = codes + n_codes * np.arange(k)[:, None]
    learned, scored = place[:, :n_learned], place[:, n_learned:]
    counts = np.bincount(learned.ravel(), minlength=k * n_codes)
    best = np.full(k, -np.inf)
    for y in halves.y.T:
        known, wanted = y[halves.learn], y[halves.score]
        sums = np.bincount(learned.ravel(), np.tile(known, k), minlength=k * n_codes)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), known.mean())
        spread = np.square(wanted - wanted.mean()).sum()
        if spread > 0:
            best = np.maximum(best, 1 - np.square(means[scored] - wanted).sum(axis=1) / spread)
    return best
