"""How the training rows are distributed in each column, as much of it as later rows are compared with.

Takes a column of training rows and its encoder, or what a file holds. Returns a `ReferenceDistribution`, which says for
any rows which bins their cells fall in, and which of them are unlike those of training. Never keeps a cell, except for
the lowest and the highest number: a column takes less than 1 kB; one of levels that occur once, up to 6 kB more.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.counted_cells import bin_counts, distinct_counts, shares_of
from rosenblatt.tables.encoders import CategoricalEncoder, Encoder, NumericEncoder, TextEncoder
from rosenblatt.tables.encoders.base import is_finite_list
from rosenblatt.tables.encoders.text import counts_of_words, hashed_words
from rosenblatt.tables.histograms import drawn_numbers, number_histogram
from rosenblatt.tables.levels import HASHES, hash_of
from rosenblatt.tables.table import Column, dates_of, level_column, level_text

__all__ = ["BinnedCells", "ReferenceDistribution", "fit_reference", "reference_from_state"]

Floats = NDArray[np.float64]
DECILES = np.arange(1, 10) / 10
MAX_LEVELS = 50
"""The most frequent levels have a bin each; all others share one."""
MAX_BARS = 10
"""Levels of a histogram."""
MAX_RARE = 500
"""Hashes that are kept of levels that the encoder does not know, because they occur once in many."""
ROUNDING = 1e-7
"""Numbers that were rounded to float32 are not out of range: the ends are this share of themselves further out."""
LARGEST = sys.float_info.max
MAX_COUNT = 2**53


@dataclass(frozen=True)
class BinnedCells:
    """Cells as they are compared with training.

    Attributes
    ----------
    counts : ndarray of int64, shape (n_bins,)
        Cells in each bin; the last one is for missing cells.
    unlike : ndarray of float64, shape (n_rows,)
        How many values of the cell (words of a text, else 0 or 1) training never saw or lie outside its range. Where
        only some of them can be recognized, each counts for several, so that sums are right on average.
    sizes : ndarray of float64, shape (n_rows,)
        How many values the cell holds: words of a text; else 1, and 0 if it is missing.
    """

    counts: NDArray[np.int64]
    unlike: Floats
    sizes: Floats

    @property
    def share_unlike(self) -> float:
        """The share of unlike values among all that are present; 0 if there are none."""
        return min(1.0, float(self.unlike.sum() / max(self.sizes.sum(), 1)))


@dataclass(frozen=True)
class ReferenceDistribution:
    """The training rows of one column.

    `counts` are those of training rows in each bin, the last one of missing cells. `expected` is the share of values
    that would be unlike the training ones, had the new rows been drawn in the same way.
    """

    counts: tuple[int, ...]
    expected: float
    measures_range: ClassVar[bool] = False

    @property
    def n_rows(self) -> int:
        """Training rows."""
        return sum(self.counts)

    @property
    def missing(self) -> float:
        """Share of missing cells in training."""
        return self.counts[-1] / self.n_rows

    def describe_unlike(self, encoder: Any) -> str:
        """What is unlike about the cells, as the end of a sentence."""
        raise NotImplementedError

    def bin_cells(self, encoder: Any, column: Column) -> BinnedCells:
        """The cells of any rows."""
        raise NotImplementedError

    def example(self, encoder: Any, column: Column, row: int) -> str:
        """The unlike value in a row, as text."""
        raise NotImplementedError

    def histogram(self, encoder: Any) -> tuple[list[str], list[int]]:
        """Labels of intervals or levels, and how many training rows are in each, without missing cells."""
        raise NotImplementedError

    def draw(self, encoder: Any, rng: np.random.Generator, n: int) -> Column:
        """So many cells that are distributed like those of training, as far as is known."""
        raise NotImplementedError

    def to_state(self) -> dict[str, Any]:
        """The distribution as JSON-able data."""
        return {"class": type(self).__name__, **asdict(self)}

    def is_valid(self, encoder: Any) -> bool:
        """Whether a stored distribution fits together, and fits the encoder."""
        counts = self.counts
        valid = len(counts) > 1 and all(type(count) is int and 0 <= count <= MAX_COUNT for count in counts)
        return valid and 0 < sum(counts) <= MAX_COUNT and type(self.expected) is float and 0 <= self.expected <= 1


@dataclass(frozen=True)
class NumberDistribution(ReferenceDistribution):
    """Numbers or dates: `edges` between the deciles, or between single values if there are at most ten; the range."""

    edges: tuple[float, ...] = ()
    lowest: float = 0.0
    highest: float = 0.0
    measures_range: ClassVar[bool] = True

    @classmethod
    def fit(cls, encoder: NumericEncoder, column: Column) -> Self:
        """Learned from training rows."""
        values = finite_cells(encoder, column)
        cells = ~np.isnan(values)
        present = values[cells]
        edges = edges_of(present, column.counts_at(cells))
        span = (float(present.min()), float(present.max())) if len(present) else (0.0, 0.0)
        counts = binned_rows(column, bins_of(values, edges), len(edges) + 2)
        return cls(counts, min(1.0, 2 / (sum(counts[:-1]) + 1)), tuple(edges.tolist()), *span)

    def bin_cells(self, encoder: NumericEncoder, column: Column) -> BinnedCells:
        values = finite_cells(encoder, column)
        lowest, highest = self.lowest - ROUNDING * abs(self.lowest), self.highest + ROUNDING * abs(self.highest)
        unlike = (values < lowest) | (values > highest)
        counts = np.bincount(bins_of(values, np.array(self.edges)), minlength=len(self.counts))
        return BinnedCells(counts, unlike.astype(np.float64), (~np.isnan(values)).astype(np.float64))

    def describe_unlike(self, encoder: NumericEncoder) -> str:
        span = f"{written(encoder, self.lowest)} to {written(encoder, self.highest)}"
        return f"lie outside the training range, {span}"

    def example(self, encoder: NumericEncoder, column: Column, row: int) -> str:
        return written(encoder, float(encoder.read(column)[row]))

    def histogram(self, encoder: NumericEncoder) -> tuple[list[str], list[int]]:
        return number_histogram(self.counts[:-1], self.ends, partial(written, encoder, digits=4))

    def draw(self, encoder: NumericEncoder, rng: np.random.Generator, n: int) -> Column:
        return Column(
            encoder.name,
            "date" if encoder.storage == "date" else "number",
            drawn_numbers(self.counts, self.ends, rng, n),
        )

    @property
    def ends(self) -> Floats:
        """The ends of all bins, [n_bins + 1]."""
        return np.array([self.lowest, *self.edges, self.highest])

    def is_valid(self, encoder: Any) -> bool:
        span = [*self.edges, self.lowest, self.highest]
        valid = super().is_valid(encoder) and is_finite_list(span, len(self.counts))
        return valid and self.lowest <= self.highest and is_increasing(self.edges)


@dataclass(frozen=True)
class LevelDistribution(ReferenceDistribution):
    """Categories and Booleans.

    `levels` are the numbers of the encoder's most frequent levels, with a bin each; the bin before the last is for all
    others. `rare` are hashes of levels that the encoder does not know, the smallest ones if there are many.
    """

    levels: tuple[int, ...] = ()
    rare: tuple[int, ...] = ()

    @classmethod
    def fit(cls, encoder: CategoricalEncoder, column: Column) -> Self:
        """Learned from training rows."""
        codes, missing = codes_of(encoder, column)
        known = bin_counts(codes[codes > 0] - 1, len(encoder.levels), column.counts_at(codes > 0))
        levels = np.argsort(-known, kind="stable")[:MAX_LEVELS]
        n_missing = column.count(missing)
        others = column.n_rows - n_missing - int(known[levels].sum())
        cells = level_column(column)
        rare = np.unique(cells.values[(codes == 0) & ~missing])
        once, hashes = int((known == 1).sum()) + len(rare), {hash_of(cells.levels[code]) for code in rare}
        if column.unlisted is not None:  # hashes of known levels do no harm
            once, hashes = column.unlisted.n_once, set(column.unlisted.hashes)
        counts = (*known[levels].tolist(), others, n_missing)
        expected = min(1.0, once / max(1, column.n_rows - n_missing))
        return cls(counts, expected, tuple(levels.tolist()), tuple(sorted(hashes)[:MAX_RARE]))

    def bin_cells(self, encoder: CategoricalEncoder, column: Column) -> BinnedCells:
        codes, missing = codes_of(encoder, column)
        n_levels = len(self.levels)
        bins = np.full(len(encoder.levels) + 1, n_levels)
        bins[np.array(self.levels, np.int64) + 1] = np.arange(n_levels)
        bins = np.where(missing, n_levels + 1, bins[codes])
        unlike = np.append(np.array(self.counts[:-2]) == 0, [False, False])[bins].astype(np.float64)
        unknown = (codes == 0) & ~missing
        if unknown.any():
            unlike[unknown] = self.newness(level_column(column), unknown)
        return BinnedCells(np.bincount(bins, minlength=n_levels + 2), unlike, (~missing).astype(np.float64))

    def newness(self, cells: Column, unknown: NDArray[np.bool_]) -> Floats:
        """1 for each unknown cell whose level is new; more if this is known of some only, by the kept hashes."""
        codes, rare, complete = cells.values[unknown], set(self.rare), len(self.rare) < MAX_RARE
        most = HASHES if complete else self.rare[-1]
        weight = HASHES / (most + 1) if not complete else 1.0
        hashes = {code: hash_of(cells.levels[code]) for code in np.unique(codes).tolist()}
        new = {code: weight * (own <= most and own not in rare) for code, own in hashes.items()}
        return np.array([new[code] for code in codes.tolist()])

    def describe_unlike(self, encoder: CategoricalEncoder) -> str:
        return "hold levels that training never saw"

    def example(self, encoder: CategoricalEncoder, column: Column, row: int) -> str:
        cells = level_column(column)
        return repr(cells.levels[cells.values[row]])

    def histogram(self, encoder: CategoricalEncoder) -> tuple[list[str], list[int]]:
        """The most frequent levels, and all others together."""
        n_others = self.counts[-2] + sum(self.counts[MAX_BARS:-2])
        bars = [(encoder.levels[i], n) for i, n in zip(self.levels[:MAX_BARS], self.counts, strict=False)]
        bars += [("all others", n_others)] if n_others else []
        return [label for label, _ in bars], [n for _, n in bars]

    def draw(self, encoder: CategoricalEncoder, rng: np.random.Generator, n: int) -> Column:
        counts = np.array([*self.counts[: len(self.levels)], self.counts[-1]], np.float64)
        if not counts.sum():
            return Column(encoder.name, "text", np.full(n, -1, np.int32))
        codes = rng.choice([*range(len(self.levels)), -1], size=n, p=counts / counts.sum()).astype(np.int32)
        return Column(encoder.name, "text", codes, tuple(encoder.levels[i] for i in self.levels))

    def is_valid(self, encoder: Any) -> bool:
        levels, rare = self.levels, self.rare
        valid = super().is_valid(encoder) and len(self.counts) == len(levels) + 2 and 0 < len(levels) <= MAX_LEVELS
        valid = valid and all(type(i) is int and 0 <= i < len(encoder.levels) for i in levels)
        valid = valid and len(set(levels)) == len(levels) and len(rare) <= MAX_RARE
        return valid and all(type(i) is int and 0 <= i < HASHES for i in rare) and is_increasing(rare)


@dataclass(frozen=True)
class WordDistribution(ReferenceDistribution):
    """Texts: `edges` between the deciles of the number of words. The encoder knows which words training saw.

    It knows them by their hashes. New words with the hash of a known one are not recognized, but allowed for.
    """

    edges: tuple[float, ...] = ()

    @classmethod
    def fit(cls, encoder: TextEncoder, column: Column) -> Self:
        """Learned from training rows."""
        words, n_words = words_of(column)
        rows = 1 if column.counts is None else np.repeat(column.counts, np.diff(words.indptr))
        of_hash = np.bincount(words.indices, words.data * rows, minlength=encoder.n_words)
        cells = ~np.isnan(n_words)
        edges = edges_of(n_words[cells], column.counts_at(cells))
        counts = binned_rows(column, bins_of(n_words, edges), len(edges) + 2)
        expected = min(1.0, float((of_hash == 1).sum() * weight_of_new(encoder) / max(1, of_hash.sum())))
        return cls(counts, expected, tuple(edges.tolist()))

    def bin_cells(self, encoder: TextEncoder, column: Column) -> BinnedCells:
        words, n_words = words_of(column)
        new = (np.array(encoder.idf) == 0) * weight_of_new(encoder)
        counts = np.bincount(bins_of(n_words, np.array(self.edges)), minlength=len(self.counts))
        return BinnedCells(counts, np.asarray(words @ new, np.float64), np.nan_to_num(n_words))

    def describe_unlike(self, encoder: TextEncoder) -> str:
        return "were never seen in training"

    def example(self, encoder: TextEncoder, column: Column, row: int) -> str:
        cells = level_column(column)
        text = cells.levels[cells.values[row]]
        return repr(next((word for word, place in hashed_words(text) if encoder.idf[place] == 0), text))

    def histogram(self, encoder: TextEncoder) -> tuple[list[str], list[int]]:
        """By the number of words."""
        ends = [*(int(edge) for edge in self.edges)]
        labels = [f"{a + 1} to {b} words" for a, b in zip([-1, *ends], ends, strict=False)]
        return [*labels, f"{ends[-1] + 1} words or more" if ends else "any number of words"], list(self.counts[:-1])

    def draw(self, encoder: TextEncoder, rng: np.random.Generator, n: int) -> Column:
        """Missing cells: no text is kept."""
        return Column(encoder.name, "text", np.full(n, -1, np.int32))

    def is_valid(self, encoder: Any) -> bool:
        valid = super().is_valid(encoder) and is_finite_list(self.edges, len(self.counts) - 2)
        return valid and is_increasing(self.edges)


KINDS: dict[str, Any] = {
    **dict.fromkeys(("number", "date"), NumberDistribution),
    **dict.fromkeys(("category", "boolean"), LevelDistribution),
    "text": WordDistribution,
}
"""The distribution of each kind of cell, as encoders call it."""


def fit_reference(encoder: Encoder, column: Column) -> ReferenceDistribution:
    """Learn the distribution of a column of training rows."""
    found: ReferenceDistribution = KINDS[encoder.cell_kind].fit(encoder, column)
    return found


def reference_from_state(entry: Any, encoder: Encoder) -> ReferenceDistribution:
    """The distribution whose `to_state` gave the entry; a `ValueError` for anything else."""
    kind, form = KINDS[encoder.cell_kind], f"the training distribution of column {encoder.name!r}"
    if not isinstance(entry, dict) or set(entry) != {"class", *(field.name for field in fields(kind))}:
        raise ValueError(f"{form} is not of the known form")
    state = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items() if key != "class"}
    found: ReferenceDistribution = kind(**state)
    # fields have the types of their defaults; `counts` has none
    typed = all(type(value) is type(getattr(kind, name, ())) for name, value in state.items() if name != "expected")
    if entry["class"] != kind.__name__ or not typed or not found.is_valid(encoder):
        raise ValueError(f"{form} does not fit together")
    return found


# Bins ---------------------------------------------------------------------------------------------------------------


def edges_of(values: Floats, rows: NDArray[np.int64] | None = None) -> Floats:
    """Increasing numbers between the deciles of the values or, if at most ten values differ, between each two.

    They lie midway between neighbouring values, so that rounding moves no value into another bin. `rows` says how many
    rows each value stands for.
    """
    distinct, counts = distinct_counts(values, rows)
    if len(distinct) < 2:
        return np.empty(0)
    places = np.arange(len(distinct) - 1)
    if len(distinct) > len(DECILES) + 1:
        below = np.cumsum(counts) / counts.sum()
        places = np.unique(np.searchsorted(below, DECILES - 1e-12))
        places = places[places < len(distinct) - 1]
    return np.unique(distinct[places] / 2 + distinct[places + 1] / 2)


def bins_of(values: Floats, edges: Floats) -> NDArray[np.int64]:
    """The number of each value's interval, which includes its upper edge; the last number is for missing ones."""
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values))


def binned_rows(column: Column, bins: NDArray[np.int64], n_bins: int) -> tuple[int, ...]:
    """How many rows are in each bin, the last one for missing cells; rows that are not listed are like others."""
    counts = bin_counts(bins, n_bins, column.counts).tolist()
    return (*shares_of(counts[:-1], sum(counts[:-1]) + column.n_unlisted), counts[-1])


def is_increasing(values: Sequence[float]) -> bool:
    """Whether each number is larger than the one before."""
    return all(a < b for a, b in zip(values[:-1], values[1:], strict=True))


def finite_cells(encoder: NumericEncoder, column: Column) -> Floats:
    """Cells as the encoder reads them; infinite ones are the largest numbers that there are."""
    return np.clip(encoder.read(column), -LARGEST, LARGEST)


def written(encoder: NumericEncoder, value: float, digits: int = 6) -> str:
    """A number, or a date as such; with fewer than six digits without its time."""
    if encoder.storage != "date":
        return f"{value:.{digits}g}"
    return level_text(dates_of(np.array([value if digits == 6 else np.floor(value)]))[0])


def codes_of(encoder: CategoricalEncoder, column: Column) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Numbers of levels from 1, 0 for others, and which cells are missing or, among Booleans, of another kind."""
    codes = encoder.codes(column, [])
    return codes, codes == 0 if encoder.storage == "boolean" else column.missing


def words_of(column: Column) -> tuple[Any, Floats]:
    """How often each hash of a word occurs in each row, and how many words a row has, NaN where it is missing."""
    words = counts_of_words(column).astype(np.float64)
    words.data = np.round(np.square(words.data))
    return words, np.where(column.missing, np.nan, np.asarray(words.sum(axis=1)).ravel())


def weight_of_new(encoder: TextEncoder) -> float:
    """How many new words one with a new hash stands for: those with the hash of a known word are not recognized."""
    return len(encoder.idf) / max(1, encoder.idf.count(0.0))
