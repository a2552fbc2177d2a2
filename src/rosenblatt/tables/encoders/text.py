"""Sentences: weighted counts of words.

Takes a column of training rows, then of any rows. Returns a `TextEncoder`, and what it makes. Never treats a cell
differently in prediction than in training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.counted_cells import bin_counts
from rosenblatt.tables.encoders.base import ColumnEncoder, Mismatch, Prepared, is_finite_list, require
from rosenblatt.tables.kinds import ColumnKind
from rosenblatt.tables.table import Column, TableError, level_column

__all__ = ["N_WORDS", "TextEncoder", "counts_of_words", "fit_text", "hashed_words"]

N_WORDS = 4096
"""Number of columns in which the words of a text are counted."""


@dataclass(frozen=True)
class TextEncoder(ColumnEncoder):
    """A column of sentences: the words of each, weighted by how rare they are, in a sparse matrix.

    A word is counted in one of `N_WORDS` columns, which its hash selects; the root of its count is multiplied by `idf`,
    log((1 + rows) / (1 + rows with it)) + 1, or 0 if training never saw it; then each row is divided by its norm
    (TF-IDF: Spärck Jones 1972; hashing: Weinberger et al. 2009, arXiv:0902.2206). Missing cells are rows of zeros.
    """

    idf: tuple[float, ...]

    @property
    def n_words(self) -> int:
        """The same number for every column."""
        return N_WORDS

    def prepare(self, column: Column, mismatches: list[Mismatch]) -> Prepared:
        """A CSR matrix."""
        from sklearn.preprocessing import normalize

        weighted = counts_of_words(column).multiply(np.array(self.idf, dtype=np.float32)).tocsr()
        weighted.eliminate_zeros()
        return Prepared.of(len(column.values), words=(normalize(weighted, copy=False),))

    def describe(self, kind: ColumnKind) -> str:
        """The same sentence for every column."""
        return "text: the words, weighted by how rare they are"

    def typical_cells(self, column: Column, most: int) -> Column:
        """There are none."""
        raise TableError(f"column {self.name!r} holds free text: give texts as grid.")

    def is_known(self, cells: Column) -> NDArray[np.bool_]:
        """All texts."""
        return np.ones(len(cells.values), dtype=np.bool_)

    def decode(self, cells: Column) -> NDArray[Any]:
        """The texts."""
        return np.array([cells.levels[code] for code in cells.values], dtype=object)

    @classmethod
    def from_state(cls, entry: Mapping[str, Any]) -> Self:
        """Checked: a finite number for each column of words."""
        known = is_finite_list(entry["idf"], N_WORDS) and all(0 <= weight < 100 for weight in entry["idf"])
        require(known, entry["name"], "does not say how rare words are")
        return cls(entry["name"], tuple(entry["idf"]))


def fit_text(column: Column) -> TextEncoder:
    """How rare the words are."""
    words = counts_of_words(column)
    counts = None if column.counts is None else np.repeat(column.counts, np.diff(words.indptr))
    rows_with = bin_counts(words.indices, N_WORDS, counts)
    n_rows = column.n_rows - column.n_unlisted
    idf = np.where(rows_with > 0, np.log((1 + n_rows) / (1 + rows_with)) + 1, 0.0)
    return TextEncoder(column.name, tuple(np.round(idf, 4).tolist()))


def counts_of_words(column: Column) -> Any:
    """Roots of the counts of hashed words, lower case, CSR of float32; one row for each cell."""
    counts = word_counter().transform([*level_column(column).levels, ""])
    np.sqrt(counts.data, out=counts.data)
    return counts[level_column(column).values]  # -1, a missing cell, is the empty text


def hashed_words(text: str) -> list[tuple[str, int]]:
    """The different words of a text in their order, each with the column in which it is counted."""
    counter = word_counter()
    words = list(dict.fromkeys(counter.build_analyzer()(text)))
    places = [(word, counter.transform([word]).indices) for word in words]
    return [(word, int(place[0])) for word, place in places if len(place)]


def word_counter() -> Any:
    """What splits texts into words, and counts them by their hashes."""
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(n_features=N_WORDS, alternate_sign=False, norm=None, dtype=np.float32)
