"""From a table to the float32 matrix that a network reads.

Goes in: training rows for `fit_encoder`, any rows for `Encoder.transform`. Comes out: a C-contiguous float32 matrix,
the same for the same cells whatever the frame and the order of its columns. What was learned from the training rows
(medians, scales, levels) is plain data: `Encoder.to_dict` gives JSON, and no code is needed to read it back.

Numbers: (x - median) / spread, then x / sqrt(1 + (x/3)^2), which keeps outliers within 3 (robust scaling and smooth
clipping, Holzmüller et al. 2024, arXiv:2407.04491). Spread is the interquartile range. Where that is zero, most cells
are alike: then it is the 75th percentile of the others' distances, and a column marks the others. If there are few
number columns, each also gives piecewise linear columns between its quantiles, clip((x - a) / (b - a), 0, 1), which
let a small network follow a curve (Gorishniy et al. 2022, arXiv:2203.05556). A missing number becomes the median and
sets an indicator column.

Categories: one column per level; rare and unseen levels share a column where the training rows had rare ones, else all
columns of an unseen level are zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.cells import PLURALS, parse_special
from rosenblatt.tables.kinds import ColumnKind, level_column, parse_levels, require_finite
from rosenblatt.tables.table import Column, Table, TableError, join_names, suggestion

__all__ = ["CategoricalColumn", "Encoder", "NumericColumn", "fit_encoder"]

MAX_LEVELS = 100
RARE = 3
"""A level of fewer training rows than this goes to the shared column of rare levels."""
CLIP = 3.0
MOST_BINS, FEWEST_BINS = 32, 4
BIN_BUDGET = 256
"""Piecewise linear columns of all numbers together; a bin also needs `ROWS_PER_BIN` training rows."""
ROWS_PER_BIN = 50


@dataclass(frozen=True)
class NumericColumn:
    """How a column of numbers, booleans or dates becomes columns of the matrix.

    They are: the scaled number; if `inflated`, whether the cell differs from `center`; one column for each interval of
    `edges`; if `indicator`, whether the cell is missing.
    """

    name: str
    storage: str
    center: float
    spread: float
    inflated: bool
    edges: tuple[float, ...]
    indicator: bool

    @property
    def outputs(self) -> list[str]:
        """Names of the matrix columns."""
        bins = [f"{self.name} from {a:.6g} to {b:.6g}" for a, b in pairwise(self.edges)]
        differs = [f"{self.name} is not {self.center:.6g}"] * self.inflated
        return [self.name, *differs, *bins, *[f"{self.name} is missing"] * self.indicator]

    def encode(self, column: Column, out: NDArray[np.float32]) -> None:
        """Write the matrix columns."""
        values = self.numbers(column)
        require_finite(replace(column, storage="number", values=values))
        missing = np.isnan(values)
        values = np.where(missing, self.center, values)
        with np.errstate(over="ignore"):  # what overflows is clipped
            scaled = np.clip((values - self.center) / self.spread, -1e100, 1e100)
            for place, (low, high) in enumerate(pairwise(self.edges), start=1 + self.inflated):
                out[:, place] = np.clip((values - low) / (high - low), 0.0, 1.0)
        out[:, 0] = scaled / np.sqrt(1.0 + np.square(scaled / CLIP))
        if self.inflated:
            out[:, 1] = values != self.center
        if self.indicator:
            out[:, -1] = missing

    def numbers(self, column: Column) -> NDArray[np.float64]:
        """The cells as float64, refusing what is not of the kind that training saw."""
        if column.storage == "text":
            if self.storage == "number":
                return np.asarray(parse_levels(column).values)
            return parse_special(column, self.storage)
        if (column.storage == "date") != (self.storage == "date") and not column.missing.all():
            raise TableError(
                f"column {self.name!r} held {PLURALS[self.storage]} in training, now it holds "
                f"{PLURALS[column.storage]}."
            )
        return np.asarray(column.values)


@dataclass(frozen=True)
class CategoricalColumn:
    """How a column of categories becomes one column per level, one if `other` for the rest, one for missing cells."""

    name: str
    levels: tuple[str, ...]
    other: bool
    indicator: bool

    @property
    def outputs(self) -> list[str]:
        """Names of the matrix columns."""
        named = [f"{self.name} = {level}" for level in self.levels]
        return named + [f"{self.name} is rare"] * self.other + [f"{self.name} is missing"] * self.indicator

    def encode(self, column: Column, out: NDArray[np.float32]) -> None:
        """Write the matrix columns."""
        texts = level_column(column)
        nowhere = len(self.outputs)
        place = {level: i for i, level in enumerate(self.levels)}
        default = len(self.levels) if self.other else nowhere
        missing = nowhere - 1 if self.indicator else nowhere
        lookup = np.array([place.get(level, default) for level in texts.levels] + [missing], dtype=np.intp)
        position = lookup[texts.values]
        rows = np.flatnonzero(position < nowhere)
        out[:] = 0.0
        out[rows, position[rows]] = 1.0


@dataclass(frozen=True)
class Encoder:
    """The frozen rules of all used columns, in the order of the training table."""

    columns: tuple[NumericColumn | CategoricalColumn, ...]

    @property
    def outputs(self) -> list[str]:
        """Names of the matrix columns."""
        return [name for column in self.columns for name in column.outputs]

    def transform(self, table: Table) -> NDArray[np.float32]:
        """The matrix of the table's rows.

        Parameters
        ----------
        table : Table
            Needs every column that training used; others are ignored.

        Returns
        -------
        ndarray of shape (n_rows, len(outputs)), float32, C-contiguous
            All values are finite.

        Raises
        ------
        TableError
            For a missing column, an infinite number, or text where numbers were.
        """
        self.require_columns(table)
        matrix = np.empty((table.n_rows, len(self.outputs)), dtype=np.float32)
        at = 0
        for column in self.columns:
            width = len(column.outputs)
            column.encode(table.columns[column.name], matrix[:, at : at + width])
            at += width
        return matrix

    def require_columns(self, table: Table) -> None:
        """Name the columns that are not there."""
        absent = [column.name for column in self.columns if column.name not in table.columns]
        if len(absent) == 1:
            raise TableError(f"the table has no column {absent[0]!r}.{suggestion(absent[0], table.columns)}")
        if absent:
            raise TableError(
                f"the table lacks {len(absent)} of the columns that training used: {join_names(absent)}. It has: "
                f"{join_names(list(table.columns))}."
            )

    def to_dict(self) -> list[dict[str, Any]]:
        """The rules as JSON-able data."""
        return [asdict(column) for column in self.columns]

    @classmethod
    def from_dict(cls, entries: Any) -> Encoder:
        """Read what `to_dict` gave.

        Raises
        ------
        ValueError
            If an entry is not of the form that `to_dict` writes.
        """
        if not isinstance(entries, list) or not entries:
            raise ValueError("the encoder is not a list of columns")
        columns = tuple(read_column(entry) for entry in entries)
        if len({column.name for column in columns}) < len(columns):
            raise ValueError("a column occurs twice in the encoder")
        return cls(columns)


def read_column(entry: Any) -> NumericColumn | CategoricalColumn:
    """One column's rules from JSON, every field checked."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise ValueError("a column of the encoder has no name")
    name, indicator = entry["name"], entry.get("indicator")
    if not isinstance(indicator, bool):
        raise ValueError(f"column {name!r} does not say whether it has an indicator")
    if set(entry) == {"name", "levels", "other", "indicator"}:
        levels, other = entry["levels"], entry["other"]
        texts = isinstance(levels, (list, tuple)) and all(isinstance(level, str) for level in levels)
        if (
            not texts
            or len(set(levels)) < len(levels)
            or not isinstance(other, bool)
            or len(levels) + other + indicator < 1
        ):
            raise ValueError(f"column {name!r} has no valid list of levels")
        return CategoricalColumn(name, tuple(levels), other, indicator)
    if set(entry) != {"name", "storage", "center", "spread", "inflated", "edges", "indicator"}:
        raise ValueError(f"column {name!r} has unknown fields")
    center, spread, edges = entry["center"], entry["spread"], entry["edges"]
    numbers = [center, spread, *edges] if isinstance(edges, (list, tuple)) else [None]
    if not all(isinstance(number, float) and math.isfinite(number) for number in numbers) or spread <= 0:
        raise ValueError(f"column {name!r} has no valid center, spread and edges")
    if any(low >= high or not math.isfinite(high - low) for low, high in pairwise(edges)):
        raise ValueError(f"the edges of column {name!r} do not increase")
    if entry["storage"] not in ("number", "boolean", "date") or not isinstance(entry["inflated"], bool):
        raise ValueError(f"column {name!r} is of an unknown storage")
    return NumericColumn(name, entry["storage"], center, spread, entry["inflated"], tuple(edges), indicator)


def fit_encoder(table: Table, kinds: Sequence[ColumnKind]) -> Encoder:
    """Learn the rules from training rows."""
    used = [kind for kind in kinds if kind.used]
    n_numeric = sum(kind.kind in ("numeric", "date") for kind in used)
    n_bins = min(MOST_BINS, BIN_BUDGET // max(n_numeric, 1), table.n_rows // ROWS_PER_BIN)
    return Encoder(tuple(fit_column(table.columns[kind.name], kind, n_bins) for kind in used))


def fit_column(column: Column, kind: ColumnKind, n_bins: int) -> NumericColumn | CategoricalColumn:
    """Learn one column's rules."""
    indicator = kind.n_missing > 0
    if kind.kind == "categorical":
        return fit_categories(level_column(column), indicator)
    values = parse_levels(column).values if column.storage == "text" else column.values
    present = values[~np.isnan(values)]
    if column.storage == "boolean":
        return NumericColumn(column.name, "boolean", 0.5, 0.5, False, (), indicator)
    if not math.isfinite(float(present.max()) - float(present.min())):
        span = f"{present.min():g} to {present.max():g}"
        raise TableError(f"column {column.name!r} spans more than float64 can hold: {span}. Take its logarithm.")
    low, center, high = np.percentile(present, [25, 50, 75])
    inflated = bool(low == high)
    spread = np.percentile(np.abs(present[present != center] - center), 75) if inflated else high - low
    storage = "date" if column.storage == "date" else "number"
    edges = bin_edges(present, n_bins)
    return NumericColumn(column.name, storage, float(center), max(float(spread), 1e-290), inflated, edges, indicator)


def bin_edges(present: NDArray[np.float64], n_bins: int) -> tuple[float, ...]:
    """Quantiles, without repetitions; none if there are too few rows or values for intervals to mean anything."""
    if n_bins < FEWEST_BINS:
        return ()
    edges = np.unique(np.quantile(present, np.linspace(0, 1, n_bins + 1)))
    return tuple(edges.tolist()) if len(edges) > 2 else ()


def fit_categories(column: Column, indicator: bool) -> CategoricalColumn:
    """The frequent levels in alphabetical order; the rest shares a column."""
    counts = np.bincount(column.values[column.values >= 0], minlength=len(column.levels))
    by_count = np.argsort(-counts, kind="stable")[:MAX_LEVELS]
    kept = [column.levels[i] for i in by_count if counts[i] >= RARE or len(column.levels) <= 2]
    n_present = int((counts > 0).sum())
    return CategoricalColumn(column.name, tuple(sorted(kept)), len(kept) < n_present, indicator)
