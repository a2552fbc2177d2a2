"""What all encoders of columns share: the form of what they make, scaling, checks of what was stored.

Takes columns of numbers, and entries of files. Returns prepared parts, or errors that name the column. Never decides
what a column means.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.counted_cells import percentiles
from rosenblatt.tables.table import Column, level_column

__all__ = ["CLIP", "ColumnEncoder", "Mismatch", "Prepared", "Scaling", "distinct_texts", "is_finite_list"]
__all__ += ["record_mismatches", "require"]

Array = NDArray[Any]
CLIP = 3.0
"""Scaled numbers are softly cut to this and its negative."""


@dataclass(frozen=True)
class Prepared:
    """Rows as a network reads them; of one column, or of all side by side.

    Attributes
    ----------
    numbers : ndarray of float32, shape (n_rows, n_numbers)
    indicators : ndarray of float32, shape (n_rows, n_indicators)
    codes : ndarray of int32, shape (n_rows, n_coded)
        0 is for missing, rare and unseen levels.
    words : tuple of CSR matrices of float32, shape (n_rows, N_WORDS)
    """

    numbers: Array
    indicators: Array
    codes: Array
    words: tuple[Any, ...] = ()

    @classmethod
    def of(cls, n_rows: int, **parts: Any) -> Prepared:
        """What was made of a column; parts that are not given have no columns."""
        types = {"numbers": np.float32, "indicators": np.float32, "codes": np.int32}
        arrays = {name: np.asarray(parts.get(name, np.empty((n_rows, 0))), dtype) for name, dtype in types.items()}
        return cls(**arrays, words=parts.get("words", ()))

    @classmethod
    def side_by_side(cls, parts: Sequence[Prepared]) -> Prepared:
        """The columns of all parts, in their order."""
        numbers, indicators, codes = (
            np.hstack([getattr(part, name) for part in parts]) for name in ("numbers", "indicators", "codes")
        )
        return cls(numbers, indicators, codes, tuple(matrix for part in parts for matrix in part.words))


@dataclass(frozen=True)
class Scaling:
    """Centers and spreads of columns of numbers, by which they are scaled and softly cut to (-3, 3)."""

    centers: tuple[float, ...]
    spreads: tuple[float, ...]

    @classmethod
    def of(cls, values: Array, counts: NDArray[np.int64] | None = None) -> Scaling:
        """Learned from the finite cells of [n, k], center 0 where there are none; without variation the spread is 1.

        `counts`, shape (n,), says how many rows each cell stands for.
        """
        centers, spreads = [], []
        for column in np.asarray(values, dtype=np.float64).T:
            cells = np.isfinite(column)
            finite = column[cells]
            known = None if counts is None or not len(finite) else counts[cells]
            low, center, high = percentiles(finite if len(finite) else np.zeros(1), known, [25, 50, 75])
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

    @classmethod
    def from_state(cls, entry: Any, n_columns: int, name: str) -> Scaling:
        """What ``dataclasses.asdict`` gave, for so many columns."""
        valid = isinstance(entry, dict) and set(entry) == {"centers", "spreads"}
        columns = [entry["centers"], entry["spreads"]] if valid else []
        valid = valid and all(is_finite_list(column, n_columns) for column in columns)
        require(valid and min(columns[1]) > 0, name, "does not hold finite centers and positive spreads")
        return cls(tuple(columns[0]), tuple(columns[1]))


@dataclass(frozen=True)
class ColumnEncoder:
    """What training learned of a column. By default, it makes nothing."""

    name: str

    @property
    def numbers(self) -> list[str]:
        """Names of the scaled numbers that it makes."""
        return []

    @property
    def indicators(self) -> list[str]:
        """Names of the indicators that it makes."""
        return []

    @property
    def n_codes(self) -> int:
        """How many level numbers it gives, 0 included; 0 if levels are not numbered."""
        return 0

    @property
    def n_words(self) -> int:
        """Columns of its matrix of words; 0 if it makes none."""
        return 0

    @property
    def reads_text(self) -> bool:
        """Whether a file's reader must leave the cells as texts: "1.234" may be 1234 here, or a level."""
        return True

    @property
    def cell_kind(self) -> str:
        """What a cell is, in a word."""
        return "text"

    def allowed(self, cell: str) -> str:
        """What a cell must be, for the message that refuses `cell`."""
        return f"a {self.cell_kind}."

    def to_state(self) -> dict[str, Any]:
        """The encoder as JSON-able data."""
        return {"class": type(self).__name__, **asdict(self)}


def require(valid: bool, name: str, what: str) -> None:
    """Refuse a stored encoder."""
    if not valid:
        raise ValueError(f"the encoder of column {name!r} {what}")


def distinct_texts(entry: Any, name: str) -> tuple[str, ...]:
    """A stored list of different texts."""
    valid = isinstance(entry, (list, tuple)) and all(isinstance(text, str) for text in entry)
    require(valid and len(set(entry)) == len(entry), name, "does not list different texts")
    return tuple(entry)


def is_finite_list(entry: Any, length: int) -> bool:
    """Whether it is a stored list of so many finite numbers."""
    valid = isinstance(entry, (list, tuple)) and len(entry) == length
    return valid and all(type(x) is float and math.isfinite(x) for x in entry)


@dataclass(frozen=True)
class Mismatch:
    """Cells of a column that are present, but of another kind than those of training, which were `plural`.

    `example` is the first of them, with its row.
    """

    column: str
    plural: str
    n_cells: int
    example: str

    def followed_by(self, later: Mismatch) -> Mismatch:
        """These cells, and those of later rows of the same table."""
        return replace(self, n_cells=self.n_cells + later.n_cells)

    @property
    def sentence(self) -> str:
        """What a prediction warns of."""
        count = "a cell of another kind counts" if self.n_cells == 1 else f"{self.n_cells} cells of another kind count"
        return f"column {self.column!r} held {self.plural} in training; now {count} as missing, {self.example}."


def record_mismatches(
    column: Column, values: NDArray[np.float64], plural: str, known: Sequence[str], mismatches: list[Mismatch]
) -> None:
    """Add the cells that are present but could not be read, if any, except for the texts `known` from training."""
    wrong = np.isnan(values) & ~column.missing
    if known and column.storage == "text":
        wrong &= ~np.append(np.isin(column.levels, known), False)[column.values]
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return
    cell = level_column(column.take(rows[:1]))
    example = repr(cell.levels[cell.values[0]]) if column.storage in ("text", "date") else cell.levels[0]
    where = f"such as {example} in {column.name_rows(rows[:1])}"
    mismatches.append(Mismatch(column.name, plural, len(rows), where))
