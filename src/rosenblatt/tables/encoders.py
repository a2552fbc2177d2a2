"""What becomes of a column: the rules that training learns and later rows are prepared by.

Goes in: a column of training rows and its kind for `fit_rule`, the column of any rows for a rule. Comes out: numbers,
flags, level numbers or words. A rule is plain data, and treats a cell at predict as it did in training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.kinds import ColumnKind, date_text, level_column
from rosenblatt.tables.readers.cells import PLURALS, read_levels, read_texts
from rosenblatt.tables.readers.numerals import NumberFormat
from rosenblatt.tables.table import Column, TableError

__all__ = ["CIRCLES", "N_WORDS", "CategoricalEncoder", "NumericEncoder", "Rule", "Scaling", "TextEncoder", "fit_rule"]

Array = NDArray[Any]
CLIP = 3.0
MAX_FLAGS = 8
"""A category of more levels is embedded."""
MIN_ROWS_OF_LEVEL = 2
PLAIN = NumberFormat()
CIRCLES = {"year": 365.2425, "week": 7.0}
"""Periods of dates in days."""
N_WORDS = 4096
"""Columns that the words of a text are counted in."""


@dataclass(frozen=True)
class Scaling:
    """Centers and spreads of columns of numbers, by which they are scaled and softly cut to (-3, 3)."""

    centers: tuple[float, ...]
    spreads: tuple[float, ...]

    @classmethod
    def of(cls, values: Array) -> Scaling:
        """Learned from the finite cells of [n, k], center 0 where there are none; without variation the spread is 1."""
        centers, spreads = [], []
        for column in np.asarray(values, dtype=np.float64).T:
            finite = column[np.isfinite(column)]
            low, center, high = np.percentile(finite if len(finite) else np.zeros(1), [25, 50, 75])
            half = (finite.max() - finite.min()) / 2 if len(finite) else 0.0
            spread = high - low if high > low else half if half > 0 else 1.0
            centers.append(float(center))
            spreads.append(max(float(spread), 1e-290))
        return cls(tuple(centers), tuple(spreads))

    def __call__(self, values: Array) -> Array:
        """Scaled float32; missing cells become 0."""
        with np.errstate(over="ignore"):  # what overflows is cut
            scaled = (values - np.array(self.centers)) / np.array(self.spreads)
        scaled = np.clip(np.nan_to_num(scaled, nan=0.0), -1e100, 1e100)
        return np.asarray(scaled / np.sqrt(1.0 + np.square(scaled / CLIP)), dtype=np.float32)


@dataclass(frozen=True)
class NumericEncoder:
    """A column of numbers or dates: scaled columns, and a flag if cells were missing in training.

    Text is read by `format`, or as dates by `month_first`; those of `texts` are known to count as missing.
    """

    name: str
    storage: str
    circles: tuple[str, ...]
    scaling: Scaling
    indicator: bool
    format: NumberFormat = PLAIN
    month_first: bool = False
    texts: tuple[str, ...] = ()

    @property
    def numbers(self) -> list[str]:
        """Names of the columns that it makes."""
        return [self.name, *(f"{self.name}, {part} of {circle}" for circle in self.circles for part in ("sin", "cos"))]

    @property
    def flags(self) -> list[str]:
        """Names of the flags that it makes."""
        return [f"{self.name} is missing"] * self.indicator

    def apply(self, column: Column, type_mismatches: list[str]) -> tuple[Array, Array]:
        """Numbers and flags of the rows; cells that are neither numbers nor missing are told to `type_mismatches`."""
        values = self.read(column)
        record_mismatches(column, values, PLURALS[self.storage], self.texts, type_mismatches)
        return self.scaling(parts_of(values, self.circles)), np.isnan(values)[:, None] * np.ones(int(self.indicator))

    def read(self, column: Column) -> NDArray[np.float64]:
        """The cells as float64, NaN where they are missing or nothing of that kind."""
        if column.storage == "text":
            values = read_levels(column.levels, self.storage, self.format, self.month_first)
            return np.asarray(np.append(values, np.nan)[column.values])
        if (column.storage == "date") != (self.storage == "date"):
            return np.full(len(column.values), np.nan)
        return np.asarray(column.values, dtype=np.float64)


@dataclass(frozen=True)
class CategoricalEncoder:
    """A column of levels: a sign for two, flags for a few, else level numbers.

    `scaling` is that of the flags; None where levels are numbered (or two, as -1 and 1).
    """

    name: str
    storage: str
    levels: tuple[str, ...]
    scaling: Scaling | None

    @property
    def coded(self) -> bool:
        """Whether levels are numbered."""
        return self.scaling is None and len(self.levels) != 2

    @property
    def numbers(self) -> list[str]:
        """None are made."""
        return []

    @property
    def flags(self) -> list[str]:
        """Names of the flags that it makes."""
        if self.coded:
            return []
        if self.scaling is None:
            return [f"{self.name} = {self.levels[1]}"]
        return [f"{self.name} = {level}" for level in self.levels]

    def codes(self, column: Column, type_mismatches: list[str]) -> NDArray[np.int32]:
        """The number of each row's level, from 1; 0 for others. `type_mismatches` gets cells that are no booleans."""
        if self.storage == "boolean":
            values = read_booleans(column)
            record_mismatches(column, values, PLURALS["boolean"], (), type_mismatches)
            return np.where(np.isnan(values), 0, np.nan_to_num(values) + 1).astype(np.int32)
        texts = level_column(column)
        place = {level: i for i, level in enumerate(self.levels, start=1)}
        lookup = np.array([place.get(level, 0) for level in texts.levels] + [0], dtype=np.int32)
        return np.asarray(lookup[texts.values])

    def apply(self, column: Column, type_mismatches: list[str]) -> Array:
        """Flags of the rows, [n, n_flags]."""
        codes = self.codes(column, type_mismatches)
        if self.scaling is None:
            return np.array([0.0, -1.0, 1.0], dtype=np.float32)[codes][:, None]
        return self.scaling((codes[:, None] == np.arange(1, len(self.levels) + 1)).astype(np.float64))


@dataclass(frozen=True)
class TextEncoder:
    """A column of sentences: the words of each, weighted by how rare they are, in a sparse matrix.

    A word is counted in one of `N_WORDS` columns, which a hash names; the root of its count is multiplied by `idf`,
    log((1 + rows) / (1 + rows with it)) + 1, or 0 if training never saw it; then each row is divided by its norm
    (TF-IDF: Spärck Jones 1972; hashing: Weinberger et al. 2009, arXiv:0902.2206). Missing cells are rows of zeros.
    """

    name: str
    idf: tuple[float, ...]

    @property
    def numbers(self) -> list[str]:
        """None are made."""
        return []

    @property
    def flags(self) -> list[str]:
        """None are made."""
        return []

    def apply(self, column: Column) -> Any:
        """CSR matrix of float32, shape (n_rows, N_WORDS)."""
        from sklearn.preprocessing import normalize

        weighted = counts_of_words(column).multiply(np.array(self.idf, dtype=np.float32)).tocsr()
        weighted.eliminate_zeros()
        return normalize(weighted, copy=False)


Rule = NumericEncoder | CategoricalEncoder | TextEncoder


def fit_rule(column: Column, kind: ColumnKind) -> Rule:
    """Learn one column's rule."""
    if column.storage == "boolean":
        return CategoricalEncoder(column.name, "boolean", ("false", "true"), None)
    if kind.kind == "text":
        return fit_text(column)
    if kind.kind == "categorical":
        return fit_categories(level_column(column))
    storage = "date" if kind.kind == "date" else "number"
    rule = NumericEncoder(column.name, storage, (), Scaling((0.0,), (1.0,)), False)
    reading = read_texts(column, storage) if column.storage == "text" else None
    if reading is not None:
        rule = replace(rule, format=reading.format, month_first=reading.order.month_first, texts=reading.others)
    values = rule.read(column)
    finite = values[np.isfinite(values)]
    if len(finite) and not math.isfinite(float(finite.max()) - float(finite.min())):
        span = f"{finite.min():g} to {finite.max():g}"
        raise TableError(f"column {column.name!r} spans more than float64 can hold: {span}. Take its logarithm.")
    circles = tuple(name for name, days in CIRCLES.items() if storage == "date" and varies(finite, days))
    scaling = Scaling.of(parts_of(values, circles))
    return replace(rule, circles=circles, scaling=scaling, indicator=bool(np.isnan(values).any()))


def fit_categories(column: Column) -> CategoricalEncoder:
    """Signs, flags or numbers, by how many levels there are."""
    counts = np.bincount(column.values[column.values >= 0], minlength=len(column.levels))
    seen = sorted(level for level, count in zip(column.levels, counts, strict=True) if count)
    if len(seen) == 2:
        return CategoricalEncoder(column.name, "text", tuple(seen), None)
    if len(seen) <= MAX_FLAGS:
        rule = CategoricalEncoder(column.name, "text", tuple(seen), Scaling((0.0,) * len(seen), (1.0,) * len(seen)))
        flags = rule.codes(column, [])[:, None] == np.arange(1, len(seen) + 1)
        return replace(rule, scaling=Scaling.of(flags.astype(np.float64)))
    frequent = {level for level, count in zip(column.levels, counts, strict=True) if count >= MIN_ROWS_OF_LEVEL}
    kept = sorted(frequent) if len(frequent) > 2 else seen
    return CategoricalEncoder(column.name, "text", tuple(kept), None)


def fit_text(column: Column) -> TextEncoder:
    """How rare the words are."""
    counts = counts_of_words(column)
    rows_with = np.bincount(counts.indices, minlength=N_WORDS)
    idf = np.where(rows_with > 0, np.log((1 + counts.shape[0]) / (1 + rows_with)) + 1, 0.0)
    return TextEncoder(column.name, tuple(np.round(idf, 4).tolist()))


def counts_of_words(column: Column) -> Any:
    """Roots of the counts of hashed words, lower case, CSR of float32; one row for each cell."""
    from sklearn.feature_extraction.text import HashingVectorizer

    vectorizer = HashingVectorizer(n_features=N_WORDS, alternate_sign=False, norm=None, dtype=np.float32)
    counts = vectorizer.transform([*level_column(column).levels, ""])
    np.sqrt(counts.data, out=counts.data)
    return counts[level_column(column).values]  # -1, a missing cell, is the empty text


def read_booleans(column: Column) -> NDArray[np.float64]:
    """The cells as 0 and 1, NaN where they are missing or neither."""
    if column.storage == "text":
        values = read_levels(column.levels, "boolean", NumberFormat(), False)
        return np.asarray(np.append(values, np.nan)[column.values])
    return np.where((column.values == 0) | (column.values == 1), column.values, np.nan)


def record_mismatches(
    column: Column, values: NDArray[np.float64], plural: str, known: Sequence[str], type_mismatches: list[str]
) -> None:
    """A sentence on the cells that are present but could not be read, other than the texts that training knew."""
    wrong = np.isnan(values) & ~column.missing
    if known and column.storage == "text":
        wrong &= ~np.append(np.isin(column.levels, known), False)[column.values]
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return
    cell = column.values[rows[0]]
    example = repr(column.levels[int(cell)]) if column.storage == "text" else f"{cell:g}"
    if column.storage == "date":
        example = repr(date_text(cell))
    count = "a cell is" if len(rows) == 1 else f"{len(rows)} cells are"
    type_mismatches.append(
        f"column {column.name!r} held {plural} in training; now {count} none and counted as missing, such as "
        f"{example} in {column.name_rows(rows[:1])}."
    )


def parts_of(values: NDArray[np.float64], circles: Sequence[str]) -> NDArray[np.float64]:
    """The values themselves, and sine and cosine of where they lie on circles of so many days; [n, 1 + 2 circles]."""
    angles = [2 * np.pi * values / CIRCLES[name] for name in circles]
    return np.column_stack([values, *chain.from_iterable((np.sin(a), np.cos(a)) for a in angles)])


def varies(days: NDArray[np.float64], period: float) -> bool:
    """Whether dates cover at least one such period, at more than one place in it."""
    return bool(days.max() - days.min() >= period and len(np.unique(np.floor(days % period))) > 1)
