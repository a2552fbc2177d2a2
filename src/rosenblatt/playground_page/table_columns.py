"""Columns of the user's table on the page.

Takes a `Column`. Returns what the page says of it, and its cells as numbers. Never raises for a column that cannot be
used: it says why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.encoders.numeric import fit_numbers
from rosenblatt.tables.kinds import ColumnKind, infer_kind
from rosenblatt.tables.table import Column, TableError, level_column

__all__ = ["TableColumn"]

MAX_LEVELS = 20
NUMBERS = {"numeric": "number", "date": "date", "boolean": "boolean"}
"""Kinds of columns that can be an axis of the plane, and what the page calls them."""


@dataclass(frozen=True)
class TableColumn:
    """A column as the page shows it.

    Attributes
    ----------
    name : str
    kind : {"number", "date", "boolean", "category", "text"}
    missing : int
        Cells that are missing among the rows that are kept.
    levels : int
        Different values.
    problem : str
        Why it cannot be used; empty if it can.
    values : ndarray of float64, shape (n_rows,)
        Numbers (dates as days since 1970-01-01, booleans 0 and 1), or level numbers; NaN where a cell is missing.
    names : tuple of str
        Of the levels of a category.
    running : bool
        Whether it numbers the rows: it is not suggested as an axis.
    """

    name: str
    kind: str
    missing: int
    levels: int
    problem: str
    values: NDArray[np.float64]
    names: tuple[str, ...] = ()
    running: bool = False

    @classmethod
    def of(cls, column: Column) -> Self:
        """Look at a column's cells."""
        try:
            kind = infer_kind(column)
            if kind.kind == "identifier" and column.storage != "text":
                return replace(cls._of_kind(column, infer_kind(column, "numeric")), running=True)
            return cls._of_kind(column, kind)
        except TableError as error:
            n = len(column.values) if isinstance(column.values, np.ndarray) else 0
            return cls(column.name, "text", 0, 0, str(error), np.full(n, np.nan))

    @classmethod
    def _of_kind(cls, column: Column, kind: ColumnKind) -> Self:
        if kind.kind in NUMBERS:
            return cls._of_numbers(column, kind)
        texts = level_column(column)
        codes = np.where(texts.values < 0, np.nan, texts.values).astype(np.float64)
        n_levels = len(np.unique(codes[~np.isnan(codes)]))
        what = "category" if kind.kind in ("categorical", "constant") else "text"
        problems = {"missing": "every cell is missing", "constant": "every cell is the same"}
        problem = problems.get(kind.kind, "" if what == "category" else "it holds texts, which the page cannot use")
        if what == "category" and not problem and n_levels > MAX_LEVELS:
            problem = f"it holds {n_levels} categories; at most {MAX_LEVELS} can be inputs"
        return cls(column.name, what, kind.n_missing, n_levels, problem, codes, tuple(texts.levels))

    @classmethod
    def _of_numbers(cls, column: Column, kind: ColumnKind) -> Self:
        values = column.values
        if column.storage != "boolean":
            values = fit_numbers(column, "date" if kind.kind == "date" else "number").read(column)
        values = np.where(np.isfinite(values) & (np.abs(values) <= 1e100), values, np.nan)
        n_levels = len(np.unique(values[~np.isnan(values)]))
        problem = "" if n_levels > 1 else "every number is the same" if n_levels else "no cell holds a number"
        if n_levels > 1 and not np.nanstd(values) > 1e-100:
            problem = "its numbers hardly vary"
        return cls(column.name, NUMBERS[kind.kind], int(np.isnan(values).sum()), n_levels, problem, values)

    @property
    def is_number(self) -> bool:
        """Whether it can be an axis of the plane."""
        return self.kind in NUMBERS.values() and not self.problem

    @property
    def present(self) -> list[str]:
        """The levels of a category that occur."""
        return [self.names[int(level)] for level in np.unique(self.values[~np.isnan(self.values)])]

    def filled(self) -> NDArray[np.float64]:
        """The numbers, missing ones as their median."""
        return np.asarray(np.where(np.isnan(self.values), np.nanmedian(self.values), self.values))

    def standardized(self) -> NDArray[np.float64]:
        """Numbers of mean 0 and standard deviation 1, and behind them their median; shape (n_rows + 1,)."""
        filled = self.filled()
        return np.asarray((np.append(filled, np.nanmedian(self.values)) - filled.mean()) / filled.std())

    def indicators(self) -> NDArray[np.float64]:
        """0 or 1 for each level that occurs, and behind all rows the most frequent; shape (n_rows + 1, n_levels)."""
        levels, counts = np.unique(self.values[~np.isnan(self.values)], return_counts=True)
        frequent = levels[np.argmax(counts)]
        codes = np.append(np.where(np.isnan(self.values), frequent, self.values), frequent)
        return np.asarray(codes[:, None] == levels, np.float64)

    def describe(self) -> dict[str, Any]:
        """What the page is told."""
        why = self.problem or ("" if self.is_number else f"it holds a {self.kind}")
        return {name: getattr(self, name) for name in ("name", "kind", "missing", "levels")} | {"no_axis": why}
