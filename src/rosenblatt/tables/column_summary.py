"""A column that is too long for memory, summarized block by block.

Takes columns of cells, in any order. Returns a counted column: different cells, and how many rows have each. Never
keeps more of it than `rosenblatt.tables.quantile_sketch` and `rosenblatt.tables.level_counts` state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.joining import with_level_values
from rosenblatt.tables.level_counts import LevelCounts, own_values
from rosenblatt.tables.quantile_sketch import QuantileSketch
from rosenblatt.tables.readers.cells import PLURALS
from rosenblatt.tables.states import arrays_of, require_counts, require_state
from rosenblatt.tables.table import Column, RowFiles, Storage, TableError, Unlisted, level_column

__all__ = ["ColumnSummary"]

Rows = NDArray[np.int64]
NO_ROW = 2**63 - 1
USES = ("cells", "levels", "missing")
SPECIAL = ("missing", "lowest", "highest")
"""Cells of which the first row is known in a column of numbers, as errors name it: NaN, minus infinity, infinity."""


class ColumnSummary:
    """A summary of the column with this name: numbers by a `QuantileSketch`, texts and levels by `LevelCounts`.

    `use` says what of it is wanted: "cells", or "levels" if numbers or dates are levels, too, or "missing" if only
    empty cells are counted, since the column is left out.
    """

    def __init__(self, name: str, use: str = "cells") -> None:
        self.name, self.use = name, use
        self.storage: Storage | None = None
        self.categorical, self.problem = False, ""
        self.files: RowFiles | None = None  # not kept in a state: messages are better with it, and right without
        self.n_rows = self.n_missing = 0
        self.first_rows = dict.fromkeys(SPECIAL, NO_ROW)
        self.sketch, self.levels = QuantileSketch(), LevelCounts()

    @property
    def has_cells(self) -> bool:
        """Whether a cell is not missing."""
        return self.n_rows > self.n_missing

    def add(self, column: Column, rows: Rows) -> None:
        """Add the cells of these rows; a `TableError` if they are of another kind than those before."""
        if column.problem:
            self.problem = self.problem or column.problem
        missing, self.files = column.missing, self.files or column.files
        if self.use == "missing":
            self.storage = "number"
        elif not missing.all() or self.storage is None:
            self._settle_storage(column, rows)
        self.categorical = self.categorical or column.categorical
        self.n_rows += len(missing)
        self.n_missing += int(missing.sum())
        self._note("missing", missing, rows)
        if missing.all() or self.use == "missing":
            return
        if column.storage == "text" or (self.use == "levels" and column.storage != "boolean"):
            self._add_levels(column, ~missing, rows)
            return
        self.sketch.add(column.values)
        self._note("lowest", column.values == -np.inf, rows)
        self._note("highest", column.values == np.inf, rows)

    def _note(self, what: str, cells: NDArray[np.bool_], rows: Rows) -> None:
        if cells.any():
            self.first_rows[what] = min(self.first_rows[what], int(rows[cells].min()))

    def _settle_storage(self, column: Column, rows: Rows) -> None:
        """What the cells are; integers and other numbers together are numbers."""
        if self.storage is None or not self.has_cells:
            self.storage = column.storage
        if {self.storage, column.storage} == {"integer", "number"}:
            self.storage = "number"
        if self.storage != column.storage and not (self.storage == "number" and column.storage == "integer"):
            given, known = PLURALS[column.storage], PLURALS[self.storage]
            raise TableError(
                f"column {self.name!r} holds {given} in rows from {int(rows.min()) + 1} on, but {known} in others. "
                f"Write all of it in one way, or leave it out: ignore=[{self.name!r}]."
            )

    def _add_levels(self, column: Column, present: NDArray[np.bool_], rows: Rows) -> None:
        """Count the levels of the cells that are present."""
        texts = level_column(column)
        own: list[Any] | None = None
        if column.storage != "text":
            own = np.unique(column.values[present]).tolist()
        elif texts.level_values is not None:
            own = own_values(texts.level_values)
        self.levels.add(texts.levels, texts.values[present], rows[present], own)

    def merge(self, other: ColumnSummary) -> None:
        """Add all that a summary of other rows of the same column has seen."""
        if other.storage is not None and (other.has_cells or self.storage is None):
            row = min(other.first_rows.values(), default=0)
            self._settle_storage(Column(self.name, other.storage, np.empty(0)), np.array([row if row < NO_ROW else 0]))
        self.categorical, self.problem = self.categorical or other.categorical, self.problem or other.problem
        self.n_rows += other.n_rows
        self.n_missing += other.n_missing
        self.first_rows = {what: min(row, other.first_rows[what]) for what, row in self.first_rows.items()}
        self.sketch.merge(other.sketch)
        self.levels.merge(other.levels)

    def counted(self) -> Column:
        """The counted column; one of a single cell if it is missing in every row, or could not be read."""
        if self.problem or not self.has_cells:
            return self._column(np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64))
        if self.use == "missing":
            return self._column(np.zeros(1), np.array([self.n_rows - self.n_missing]), np.array([-1]))
        return self._counted_levels() if self.levels.n_rows else self._counted_numbers()

    def _column(self, values: NDArray[Any], counts: Rows, rows: Rows, **more: Any) -> Column:
        """The column of these cells, and of the missing one."""
        storage = self.storage or "number"
        n_others = self.n_rows if self.problem else self.n_missing
        if n_others:
            values = np.append(values, -1 if storage == "text" else np.nan)
            counts = np.append(counts, n_others)
            rows = np.append(rows, self.first_rows["missing"] if self.first_rows["missing"] < NO_ROW else 0)
        values = values.astype(np.int32 if storage == "text" else np.float64)
        more |= {"categorical": self.categorical, "problem": self.problem, "files": self.files}
        return Column(self.name, storage, values, rows=rows, counts=counts, **more)

    def _counted_numbers(self) -> Column:
        """Different numbers, ascending; the rows of finite ones are not known."""
        sketch = self.sketch
        values, counts = sketch.cells()
        rows = np.full(len(values), -1, np.int64)
        for at, n, value, row in (
            (0, sketch.n_lowest, -np.inf, self.first_rows["lowest"]),
            (len(values) + (sketch.n_lowest > 0), sketch.n_highest, np.inf, self.first_rows["highest"]),
        ):
            if n:
                values, counts, rows = np.insert(values, at, value), np.insert(counts, at, n), np.insert(rows, at, row)
        n_infinite = (sketch.n_lowest > 0) + (sketch.n_highest > 0)
        n_distinct = sketch.n_distinct + n_infinite
        return self._column(
            values, counts, rows, unlisted=None if sketch.is_exact else Unlisted(n_distinct, sketch.n_once)
        )

    def _counted_levels(self) -> Column:
        """Levels in the order of their first rows; numbers and dates that are levels ascend."""
        found = self.levels.levels()
        counts, rows = found.counts, found.rows
        if self.storage == "text":
            codes = np.arange(len(found.texts))
            column = self._column(codes, counts, rows, levels=found.texts, unlisted=found.unlisted)
            return column if found.values is None else with_level_values(column, found.values)
        numbers = np.array(found.values, np.float64)
        order = np.argsort(numbers)
        return self._column(numbers[order], counts[order], rows[order], unlisted=found.unlisted)

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The summary as JSON-able data and arrays."""
        (sketch, numbers), (levels, texts) = self.sketch.to_state(), self.levels.to_state()
        plain: dict[str, Any] = {"name": self.name, "use": self.use, "storage": self.storage, "n_rows": self.n_rows}
        plain |= {"categorical": self.categorical, "problem": self.problem, "n_missing": self.n_missing}
        plain |= {"first_rows": dict(self.first_rows), "sketch": sketch, "levels": levels}
        arrays = {f"sketch_{name}": array for name, array in numbers.items()}
        return plain, arrays | {f"levels_{name}": array for name, array in texts.items()}

    @classmethod
    def from_state(cls, plain: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `to_state` gave; a `ValueError` for anything else."""
        types = {"name": str, "use": str, "categorical": bool, "problem": str, "first_rows": dict}
        types |= {"sketch": dict, "levels": dict}
        valid = isinstance(plain, dict) and all(type(plain.get(name)) is kind for name, kind in types.items())
        require_state(valid and (plain.get("storage") is None or plain["storage"] in PLURALS), "a column")
        require_state(plain["use"] in USES, "what is wanted of a column")
        made = cls(plain["name"], plain["use"])
        made.storage, made.categorical, made.problem = (plain[name] for name in ("storage", "categorical", "problem"))
        made.n_rows, made.n_missing = require_counts(plain, "n_rows", "n_missing")
        made.first_rows = dict(zip(SPECIAL, require_counts(plain["first_rows"], *SPECIAL), strict=True))
        made.sketch = QuantileSketch.from_state(plain["sketch"], arrays_of("sketch_", arrays))
        made.levels = LevelCounts.from_state(plain["levels"], arrays_of("levels_", arrays))
        sketch = made.sketch
        n_numbers = sketch.n_finite + sketch.n_lowest + sketch.n_highest
        n_counted = made.n_rows - made.n_missing if made.use == "missing" else n_numbers + made.levels.n_rows
        require_state(n_counted + made.n_missing == made.n_rows, "how many rows a column has")
        return made
