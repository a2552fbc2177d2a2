"""The user's own table on the page.

Takes a `Table` as `rosenblatt.tables.read_table` gives it. Returns its columns as the page shows them, and as numbers,
classes and inputs of a network. Refuses in words, with a `SettingsError`, what cannot be used. Never keeps more than
10,000 rows: of a larger table it takes a sample, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rosenblatt._suggestions import join_names, suggestion
from rosenblatt.playground_page.given import SettingsError, shown
from rosenblatt.playground_page.table_columns import TableColumn
from rosenblatt.tables.table import Table, TableError, level_text
from rosenblatt.tables.targets import Target, fit_target

__all__ = ["PlaygroundTable"]

MAX_ROWS, MAX_CLASSES, MAX_INPUTS = 10_000, 10, 200
MIN_ROWS, MAX_SUGGESTED = 10, 30


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
        if table.n_rows < MIN_ROWS:
            raise SettingsError(f"the table has {table.n_rows} rows; the page needs at least {MIN_ROWS}.")
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
        made.require_task()
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

    def require_task(self) -> None:
        """Refuse a table of which no column can be predicted beside two for the plane."""
        if self.suggested is not None:
            return
        left = [name for name in self.refused if name not in self.axes] if len(self.axes) == 2 else [*self.refused]
        why = " ".join(self.refused[name] for name in left[:3])
        more = f" So it is with {len(left) - 3} more." if len(left) > 3 else ""
        raise SettingsError(f"the table has two columns for the plane, but no other that can be predicted: {why}{more}")

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
            If there are more than 10 classes, or only one; if its cells are texts that differ in most rows, or it is
            missing in all but a few.
        """
        self._column(name)
        rows = self.rows_with(name)
        if len(rows) < MIN_ROWS:
            raise SettingsError(
                f"the target {name!r} is there in {len(rows)} rows only; at least {MIN_ROWS} are needed."
            )
        try:
            target = fit_target(self.table.columns[name].take(rows))
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
        used = {name: c for name, c in self.columns.items() if not c.problem or name in self.targets}
        missing = {name: column.missing for name, column in used.items() if column.missing}
        if missing:
            cells = ", ".join(f"{n:,} in {name!r}" for name, n in list(missing.items())[:5])
            more = f" and more in {len(missing) - 5} others" if len(missing) > 5 else ""
            sentences.append(
                f"Cells that are missing ({cells}{more}) become the median or the most frequent level; rows without "
                "the value to predict are left out."
            )
        unused = [f"{name!r} ({c.problem})" for name, c in self.columns.items() if name not in used]
        if unused:
            more = f" and {len(unused) - 3} more" if len(unused) > 3 else ""
            sentences.append(f"Not used: {', '.join(unused[:3])}{more}.")
        return " ".join(sentences)

    @property
    def targets(self) -> dict[str, str]:
        """Columns that can be predicted, and whether that is classification or regression."""
        return self._tasks[0]

    @property
    def refused(self) -> dict[str, str]:
        """Columns that cannot be predicted, and why."""
        return self._tasks[1]

    @cached_property
    def _tasks(self) -> tuple[dict[str, str], dict[str, str]]:
        found, refused = dict[str, str](), dict[str, str]()
        for name in self.columns:
            try:
                found[name] = "regression" if self.target(name).classes is None else "classification"
            except SettingsError as error:
                refused[name] = str(error)
        return found, refused

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
            "columns": [
                column.describe() | {"no_target": self.refused.get(name, "")} for name, column in self.columns.items()
            ],
            "suggested": self.suggested,
        }
