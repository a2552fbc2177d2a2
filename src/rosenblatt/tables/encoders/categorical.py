"""Categories and booleans: signs, indicators or level numbers.

Takes a column of training rows, then of any rows. Returns a `CategoricalEncoder`, and what it makes. Never treats a
cell differently in prediction than in training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rosenblatt._suggestions import suggestion
from rosenblatt.tables.counted_cells import bin_counts
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
from rosenblatt.tables.levels import place_levels
from rosenblatt.tables.readers.cells import PLURALS, read_cells
from rosenblatt.tables.table import Column, level_column

__all__ = ["CategoricalEncoder", "fit_categories"]

MAX_INDICATORS = 8
"""A category with more levels is embedded."""
MIN_ROWS_OF_LEVEL = 2


@dataclass(frozen=True)
class CategoricalEncoder(ColumnEncoder):
    """A column of levels: a sign for two, indicators for a few, else level numbers.

    `storage` is what the levels were in training: "text", "number", "boolean" or "date". A level is its text; how texts
    meet numbers is said in `place_levels`.
    `scaling` is that of the indicators; None where levels are numbered, or are two (-1 and 1).
    """

    storage: str
    levels: tuple[str, ...]
    scaling: Scaling | None

    @property
    def n_codes(self) -> int:
        """One for each level, and 0."""
        return len(self.levels) + 1 if self.scaling is None and len(self.levels) != 2 else 0

    @property
    def indicators(self) -> list[str]:
        """The second of two levels, or each of a few."""
        if self.n_codes:
            return []
        return [f"{self.name} = {level}" for level in (self.levels if self.scaling else self.levels[1:])]

    @property
    def reads_text(self) -> bool:
        """True except for booleans: a level is its text."""
        return self.storage != "boolean"

    @property
    def cell_kind(self) -> str:
        """A category or a boolean."""
        return "boolean" if self.storage == "boolean" else "category"

    def codes(self, column: Column, mismatches: list[Mismatch]) -> NDArray[np.int32]:
        """The number of each row's level, from 1; 0 for others."""
        if self.storage == "boolean":
            if column.storage == "text":
                values = read_cells(column, "boolean")
            else:
                values = np.where(np.isin(column.values, (0, 1)), column.values, np.nan)
            record_mismatches(column, values, PLURALS["boolean"], (), mismatches)
            return np.where(np.isnan(values), 0, np.nan_to_num(values) + 1).astype(np.int32)
        return np.asarray(place_levels(self.levels, self.storage, column) + 1, dtype=np.int32)

    def prepare(self, column: Column, mismatches: list[Mismatch]) -> Prepared:
        """Level numbers or indicators."""
        codes = self.codes(column, mismatches)
        if self.n_codes:
            return Prepared.of(len(codes), codes=codes[:, None])
        if self.scaling is None:
            return Prepared.of(len(codes), indicators=np.array([0.0, -1.0, 1.0])[codes][:, None])
        levels = codes[:, None] == np.arange(1, len(self.levels) + 1)
        return Prepared.of(len(codes), indicators=self.scaling(levels.astype(np.float64)))

    def describe(self, kind: ColumnKind) -> str:
        """The levels, or how many there are."""
        if self.n_codes:
            return f"category: {len(self.levels):,} levels, embedded"
        return f"category: {', '.join(self.levels[:5])}{', ...' if len(self.levels) > 5 else ''}"

    def typical_cells(self, column: Column, most: int) -> Column:
        """The most frequent levels; booleans in their order."""
        counts = bin_counts(self.codes(column, []), len(self.levels) + 1, column.counts)[1:]
        order = np.arange(2) if self.storage == "boolean" else np.argsort(-counts, kind="stable")
        levels = [self.levels[i] for i in order if counts[i]][:most]
        return Column(self.name, "text", np.arange(len(levels), dtype=np.int32), tuple(levels))

    def is_known(self, cells: Column) -> NDArray[np.bool_]:
        """Levels of the training rows."""
        return self.codes(cells, []) > 0

    def allowed(self, cell: str) -> str:
        """What a cell must be, with the nearest level."""
        if self.storage == "boolean":
            return "true or false."
        return f"a level that the model knows.{suggestion(cell, self.levels, 'levels')}"

    def decode(self, cells: Column) -> NDArray[Any]:
        """Texts; "false" and "true" for booleans."""
        return np.array([self.levels[code - 1] for code in self.codes(cells, [])], dtype=object)

    @classmethod
    def from_state(cls, entry: Mapping[str, Any]) -> Self:
        """Checked: storage, levels, a scaling of each."""
        name, levels, scaling = entry["name"], distinct_texts(entry["levels"], entry["name"]), entry["scaling"]
        valid = entry["storage"] in ("text", "number", "date") or (entry["storage"] == "boolean" and len(levels) == 2)
        require(valid and len(levels) > 0, name, "does not fit together")
        scaling = None if scaling is None else Scaling.from_state(scaling, len(levels), name)
        return cls(**{**entry, "levels": levels, "scaling": scaling})


def fit_categories(column: Column) -> CategoricalEncoder:
    """Signs, indicators or numbers, by how many levels there are."""
    storage = "number" if column.level_storage == "integer" else column.level_storage
    column = level_column(column)
    counts = column.level_counts()
    seen = sorted(level for level, count in zip(column.levels, counts, strict=True) if count)
    encoder = CategoricalEncoder(column.name, storage, tuple(seen), None)
    if len(seen) == 2:
        return encoder
    if len(seen) <= MAX_INDICATORS:
        indicators = encoder.codes(column, [])[:, None] == np.arange(1, len(seen) + 1)
        return replace(encoder, scaling=Scaling.of(indicators.astype(np.float64), column.counts))
    frequent = sorted(level for level, n in zip(column.levels, counts, strict=True) if n >= MIN_ROWS_OF_LEVEL)
    return replace(encoder, levels=tuple(frequent)) if len(frequent) > 2 else encoder
