"""The user's own table on the page.

Takes a `Table` as `rosenblatt.tables.read_table` gives it. Returns its columns as the page shows them, and as numbers,
classes and inputs of a network. Refuses in words, with a `SettingsError`, what cannot be used. Never keeps more than
10,000 rows: of a larger table it takes a sample, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rosenblatt._suggestions import join_names, suggestion
from rosenblatt.playground_page.given import SettingsError, shown
from rosenblatt.tables.encoders.numeric import fit_numbers
from rosenblatt.tables.kinds import ColumnKind, infer_kind
from rosenblatt.tables.table import Column, Table, TableError, level_column, level_text
from rosenblatt.tables.targets import Target, fit_target

__all__ = ["PlaygroundTable", "TableColumn"]

MAX_ROWS, MAX_CLASSES, MAX_LEVELS, MAX_INPUTS = 10_000, 10, 20, 200
MAX_SUGGESTED = 30
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
        return {name: getattr(self, name) for name in ("name", "kind", "missing", "levels")}


@dataclass(frozen=True, eq=False)
class PlaygroundTable:
    """A table for the page: `of` makes it, `describe` tells the page about it.

    Attributes
    ----------
    name : str
        Of the file, or what the user calls it.
    table : Table
        The rows that are kept, at most 10,000.
    n_rows : int
        Rows of the whole table.
    wanted : str, optional
        The column that the user wants to predict, which is then the one to suggest.
    """

    name: str
    table: Table
    n_rows: int
    wanted: str | None = None

    @classmethod
    def of(cls, table: Table, name: str = "table", target: str | None = None) -> Self:
        """Keep a table, or a sample of 10,000 rows, which depends on nothing but the number of rows.

        Raises
        ------
        SettingsError
            If it has fewer than 10 rows, or fewer than three columns.
        """
        if table.n_rows < 10:
            raise SettingsError(f"the table has {table.n_rows} rows; the page needs at least 10.")
        if len(table.columns) < 3:
            raise SettingsError(
                f"the table has {len(table.columns)} column{'s' * (len(table.columns) != 1)}; the page needs three: "
                "two of numbers for the plane, and the one to predict."
            )
        kept = table
        if table.n_rows > MAX_ROWS:
            rows = np.sort(np.random.default_rng(0).choice(table.n_rows, MAX_ROWS, replace=False))
            kept = table.take(rows)
        made = cls(name, kept, table.n_rows, target)
        if target is not None:
            made.require_target(target)
        made.require_axes(target)
        return made

    @property
    def sampled(self) -> bool:
        """Whether not all rows are kept."""
        return self.n_rows > self.table.n_rows

    @cached_property
    def columns(self) -> dict[str, TableColumn]:
        """What each column holds, by name."""
        return {name: TableColumn.of(column) for name, column in self.table.columns.items()}

    @property
    def axes(self) -> list[str]:
        """Columns that can be an axis of the plane."""
        return [name for name, column in self.columns.items() if column.is_number]

    def require_axes(self, target: str | None = None) -> None:
        """Refuse a table without two columns of numbers beside the target."""
        axes = [name for name in self.axes if name != target]
        if len(axes) >= 2:
            return
        found = f"only {axes[0]!r}" if axes else "none"
        found = found if target is None else f"{found} beside the target {target!r}"
        raise SettingsError(
            f"the plane needs two columns of numbers, dates or booleans that vary; the table has {found} among "
            f"{join_names(list(self.columns))}."
        )

    def _column(self, name: str) -> TableColumn:
        if name not in self.columns:
            hint = suggestion(name[:60], self.columns)
            raise SettingsError(f"the table has no column {shown(name)}.{hint}")
        return self.columns[name]

    def require_number(self, name: str) -> None:
        """Refuse a column that cannot be an axis of the plane."""
        column = self._column(name)
        if not column.is_number:
            why = column.problem or f"it holds a {column.kind}"
            raise SettingsError(
                f"column {name!r} cannot be an axis of the plane: {why}. Choose of {join_names(self.axes)}."
            )

    def require_target(self, name: str) -> None:
        """Refuse a column that cannot be predicted."""
        self.target(name)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A column of numbers, shape (n_rows,); missing cells have the median."""
        return self._column(name).filled()

    def target(self, name: str) -> Target:
        """The column to predict, of the rows that have it: class numbers with their classes, or numbers.

        Raises
        ------
        SettingsError
            If there are more than 10 classes, or only one; or if its cells are texts that differ in most rows.
        """
        self._column(name)
        try:
            target = fit_target(self.table.columns[name].take(self.rows_with(name)))
        except TableError as error:
            raise SettingsError(str(error)) from None
        if target.classes is not None and len(target.classes) > MAX_CLASSES:
            raise SettingsError(
                f"column {name!r} holds {len(target.classes)} classes; at most {MAX_CLASSES} can be shown. Choose "
                "another column to predict."
            )
        if target.classes is None and np.ptp(target.values) > 1e100:
            raise SettingsError(f"column {name!r} holds numbers that are too large to learn; scale them.")
        return target

    def rows_with(self, name: str) -> NDArray[np.int64]:
        """Numbers of the rows in which this column is not missing."""
        column = self.table.columns[name]
        if column.problem:
            raise SettingsError(column.problem)
        present = ~column.missing
        if column.storage != "text":
            present &= np.isfinite(column.values)
        return np.flatnonzero(present)

    def class_names(self, name: str) -> list[str] | None:
        """The classes of a target as texts; None for numbers."""
        classes = self.target(name).classes
        return None if classes is None else [level_text(value)[:60] for value in classes]

    def others(self, columns: Sequence[str], target: str) -> list[str]:
        """Columns that can be inputs beside those of the plane: none of texts, and none that only numbers the rows."""
        taken = {*columns, target}
        usable = (name for name, column in self.columns.items() if not column.problem and not column.running)
        return [name for name in usable if name not in taken]

    def inputs(self, names: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
        """Columns as inputs of a network, a typical row of them, and a name for each input.

        Numbers have mean 0 and standard deviation 1, missing ones are the median; of a category each level has an input
        of 0 and 1, and missing cells are the most frequent level. The typical row has medians and most frequent levels.
        Shapes (n_rows, n_inputs) and (n_inputs,).
        """
        parts, labels = [np.empty((self.table.n_rows + 1, 0))], list[str]()
        for name in names:
            column = self._column(name)
            if column.kind == "category":
                parts.append(column.indicators())
                labels += [f"{name}={level}"[:60] for level in column.present]
            else:
                parts.append(column.standardized()[:, None])
                labels.append(name)
        if len(labels) > MAX_INPUTS:
            raise SettingsError(f"the other columns would be {len(labels)} inputs; at most {MAX_INPUTS} are allowed.")
        matrix = np.hstack(parts)
        return matrix[:-1], matrix[-1], labels

    @cached_property
    def note(self) -> str:
        """What a user should know, in sentences; empty if there is nothing."""
        sentences = []
        if self.sampled:
            sentences.append(f"A sample of {self.table.n_rows:,} of {self.n_rows:,} rows.")
        missing = {name: column.missing for name, column in self.columns.items() if column.missing}
        if missing:
            cells = ", ".join(f"{n:,} in {name!r}" for name, n in list(missing.items())[:5])
            sentences.append(f"Missing cells ({cells}) become the median or the most frequent level.")
        unused = [
            f"{name!r} ({c.problem})" for name, c in self.columns.items() if c.problem and name not in self.targets
        ]
        if unused:
            more = f" and {len(unused) - 3} more" if len(unused) > 3 else ""
            sentences.append(f"Not used: {', '.join(unused[:3])}{more}.")
        return " ".join(sentences)

    @cached_property
    def targets(self) -> dict[str, str]:
        """Columns that can be predicted, and whether that is classification or regression."""
        found = {}
        for name in self.columns:
            try:
                found[name] = "regression" if self.target(name).classes is None else "classification"
            except SettingsError:
                continue
        return found

    @cached_property
    def suggested(self) -> dict[str, Any] | None:
        """A target, and the two columns that tell most about it; None if there is none.

        The target is the one that the user wants. Otherwise, it is the column of classes about which two columns tell
        most, or without classes the last column for which two others are left.
        """
        best, found = -1.0, None
        for target in self._candidates():
            columns, told = self._telling(target)
            if len(columns) == 2 and told > best:
                best, found = told, {"columns": columns, "target": target, "task": self.targets[target]}
            if found and self.targets[target] == "regression":
                break
        return found

    def _candidates(self) -> list[str]:
        """Columns of which one is suggested as the target."""
        if self.wanted is not None:
            return [self.wanted]
        classes = [name for name, task in self.targets.items() if task == "classification"]
        return classes[-MAX_SUGGESTED:] or [*self.targets][::-1]

    def _telling(self, target: str) -> tuple[list[str], float]:
        """The two columns of numbers that tell most about a target, and how much in all."""
        others = [name for name in self.axes if name != target]
        axes = [name for name in others if not self.columns[name].running]
        y = self._as_numbers(target)
        axes = (axes if len(axes) > 1 else others)[:MAX_SUGGESTED]
        strength = {name: self._strength(name, target, y) for name in axes}
        columns = sorted(strength, key=lambda name: -strength[name])[:2]
        return columns, sum(strength[name] for name in columns)

    def _as_numbers(self, target: str) -> NDArray[np.float64]:
        found = self.target(target)
        if found.classes is None:
            return np.asarray(found.values, np.float64)[:, None]
        return np.asarray(found.values[:, None] == np.arange(len(found.classes)), np.float64)

    def _strength(self, name: str, target: str, y: NDArray[np.float64]) -> float:
        """How closely a column is correlated with the target, or with the class of it that it tells best."""
        x = self.numbers(name)[self.rows_with(target)]
        x = (x - x.mean()) / (x.std() or 1.0)
        return float(np.abs(x @ (y - y.mean(axis=0)) / (len(x) * np.maximum(y.std(axis=0), 1e-12))).max())

    def describe(self) -> dict[str, Any]:
        """The `table` message of the page."""
        return {
            "name": self.name,
            "rows": self.n_rows,
            "sampled": self.sampled,
            "note": self.note,
            "columns": [column.describe() for column in self.columns.values()],
            "suggested": self.suggested,
        }
