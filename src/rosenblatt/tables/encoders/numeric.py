"""Numbers and dates: scaled columns.

Takes a column of training rows, then of any rows. Returns a `NumericEncoder`, and what it makes. Never treats a cell
differently in prediction than in training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.counted_cells import quantiles_that_occur
from rosenblatt.tables.encoders.base import (
    ColumnEncoder,
    Mismatch,
    Prepared,
    Scaling,
    distinct_texts,
    record_mismatches,
    require,
)
from rosenblatt.tables.kinds import ColumnKind
from rosenblatt.tables.readers.cells import PLAIN_NUMBERS, PLURALS, read_cells, read_texts
from rosenblatt.tables.readers.numerals import NumberFormat
from rosenblatt.tables.table import Column, TableError, dates_of

__all__ = ["PERIODS", "NumericEncoder", "fit_numbers"]

PERIODS = {"year": 365.2425, "week": 7.0}
"""Periods of the cyclic features of dates, in days."""
LOWEST, HIGHEST = 0.05, 0.95
"""Quantiles between which typical numbers lie; beyond them there are few rows."""


@dataclass(frozen=True)
class NumericEncoder(ColumnEncoder):
    """A column of numbers or dates: scaled columns, and an indicator if cells were missing in training.

    Text is read by `format`, or as dates by `month_first`; cells that are one of `texts` count as missing without a
    warning. Dates have cyclic features for each of `periods`.
    """

    storage: str
    periods: tuple[str, ...]
    scaling: Scaling
    has_missing: bool
    format: NumberFormat = PLAIN_NUMBERS
    month_first: bool = False
    texts: tuple[str, ...] = ()

    @property
    def numbers(self) -> list[str]:
        """The number itself, then sine and cosine of each period."""
        return [self.name, *(f"{self.name}, {part} of {period}" for period in self.periods for part in ("sin", "cos"))]

    @property
    def indicators(self) -> list[str]:
        """Whether a cell is missing."""
        return [f"{self.name} is missing"] * self.has_missing

    @property
    def reads_text(self) -> bool:
        """Only where a point stands between thousands."""
        return self.format.thousands == "."

    @property
    def cell_kind(self) -> str:
        """A number or a date."""
        return self.storage

    def prepare(self, column: Column, mismatches: list[Mismatch]) -> Prepared:
        """Numbers and indicators."""
        values = self.read(column)
        record_mismatches(column, values, PLURALS[self.storage], self.texts, mismatches)
        numbers = self.scaling(with_cyclic_features(values, self.periods))
        indicators = np.isnan(values)[:, None] * np.ones(int(self.has_missing))
        return Prepared.of(len(values), numbers=numbers, indicators=indicators)

    def read(self, column: Column) -> NDArray[np.float64]:
        """The cells as float64, NaN where they are missing or of another kind."""
        if column.storage == "text":
            return read_cells(column, self.storage, self.format, self.month_first)
        if (column.storage == "date") != (self.storage == "date"):
            return np.full(len(column.values), np.nan)
        return np.asarray(column.values, dtype=np.float64)

    def describe(self, kind: ColumnKind) -> str:
        """Center and spread, or the parts of a date."""
        if self.storage == "date":
            return f"date: the day{''.join(f', place in the {period}' for period in self.periods)}; {kind.detail}"
        center, spread = self.scaling.centers[0], self.scaling.spreads[0]
        return f"number: ({center + 0.0:.6g} ± {spread:.6g}) scaled and softly cut; {kind.detail}"

    def typical_cells(self, column: Column, most: int) -> Column:
        """All different values or, if there are more than `most`, quantiles from 5 % to 95 %."""
        values = self.read(column)
        finite = np.isfinite(values)
        values, counts = values[finite], None if column.counts is None else column.counts[finite]
        distinct = np.unique(values)
        if len(distinct) > most:
            shares = np.linspace(LOWEST, HIGHEST, most)
            distinct = np.unique(quantiles_that_occur(values, counts, shares))
        return Column(self.name, "date" if self.storage == "date" else "number", distinct)

    def is_known(self, cells: Column) -> NDArray[np.bool_]:
        """Finite numbers."""
        return np.isfinite(self.read(cells))

    def decode(self, cells: Column) -> NDArray[Any]:
        """float64, or dates with times where there are any."""
        values = self.read(cells)
        return dates_of(values) if self.storage == "date" else values

    @classmethod
    def from_state(cls, entry: Mapping[str, Any]) -> Self:
        """Checked: storage, periods, scaling, how numbers and dates are written."""
        name, periods = entry["name"], distinct_texts(entry["periods"], entry["name"])
        known = entry["storage"] in ("number", "date") and set(periods) <= set(PERIODS)
        known = known and type(entry["has_missing"]) is type(entry["month_first"]) is bool
        require(known, name, "does not fit together")
        known = isinstance(entry["format"], dict) and set(entry["format"]) == {f.name for f in fields(NumberFormat)}
        require(known, name, "does not say how numbers are written")
        scaling = Scaling.from_state(entry["scaling"], 1 + 2 * len(periods), name)
        parts = {"format": NumberFormat(**entry["format"]), "texts": distinct_texts(entry["texts"], name)}
        return cls(**{**entry, **parts, "periods": periods, "scaling": scaling})


def fit_numbers(column: Column, storage: str) -> NumericEncoder:
    """How numbers or dates are written, scaled, and whether cells are missing."""
    encoder = NumericEncoder(column.name, storage, (), Scaling((0.0,), (1.0,)), False)
    reading = read_texts(column, storage) if column.storage == "text" else None
    if reading is not None:
        encoder = replace(encoder, format=reading.format, month_first=reading.order.month_first, texts=reading.others)
    values = encoder.read(column)
    finite = values[np.isfinite(values)]
    if len(finite) and not math.isfinite(float(finite.max()) - float(finite.min())):
        span = f"{finite.min():g} to {finite.max():g}"
        raise TableError(f"column {column.name!r} spans more than float64 can hold: {span}. Take its logarithm.")
    periods = tuple(name for name, days in PERIODS.items() if storage == "date" and varies(finite, days))
    scaling = Scaling.of(with_cyclic_features(values, periods), column.counts)
    return replace(encoder, periods=periods, scaling=scaling, has_missing=bool(np.isnan(values).any()))


def with_cyclic_features(values: NDArray[np.float64], periods: Sequence[str]) -> NDArray[np.float64]:
    """The values themselves, and sine and cosine of their place in each period; [n, 1 + 2 periods].

    Angles are within one turn, so that the same weekday is the same number: of two that differed by rounding, a scaling
    would make two sides of the network's input.
    """
    angles = [2 * np.pi * (values % PERIODS[name]) / PERIODS[name] for name in periods]
    return np.column_stack([values, *chain.from_iterable((np.sin(a), np.cos(a)) for a in angles)])


def varies(days: NDArray[np.float64], period: float) -> bool:
    """Whether dates cover at least one such period, at more than one place in it."""
    return bool(days.max() - days.min() >= period and len(np.unique(np.floor(days % period))) > 1)
