"""From a column, or numbers and labels, to what is predicted.

Takes the target column. Returns a `Target`: labels 0, 1, 2, ... with their classes, or numbers. Never fills in a
missing target.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.kinds import canonical_level, canonical_number, level_column, parse_levels, require_finite
from rosenblatt.tables.readers.cells import present_levels
from rosenblatt.tables.readers.numerals import NumberFormat
from rosenblatt.tables.table import Column, Table, TableError, join_names, suggestion

__all__ = ["TASKS", "Target", "find_target", "fit_target", "labels_of_column", "numbers_of_column", "require_spread"]

TASKS = ("binary", "multiclass", "regression")
MAX_INTEGER_CLASSES = 20
"""Integers with more different values are quantities."""


@dataclass(frozen=True, eq=False)
class Target:
    """What is predicted, for each row.

    `values` are labels (integers from 0, shape (n_rows,)) or numbers (float64, shape (n_rows,) or (n_rows, n_targets)).
    Label i stands for `classes[i]`, which has the target's own type; for a regression, `classes` is None.
    """

    name: str | None
    values: NDArray[Any]
    classes: NDArray[Any] | None = None

    @property
    def task(self) -> str:
        """One of `TASKS`."""
        if self.classes is None:
            return "regression"
        return "binary" if len(self.classes) == 2 else "multiclass"

    def take(self, rows: NDArray[np.int64]) -> Target:
        """The target of these rows; the classes stay."""
        return replace(self, values=self.values[rows])

    def decoded(self) -> NDArray[Any]:
        """The classes or numbers of the rows in their own type."""
        return np.asarray(self.values if self.classes is None else self.classes[self.values])


def find_target(table: Table, name: str) -> Column:
    """The target column; an error that suggests the nearest name if there is none."""
    if name not in table.columns:
        raise TableError(f"there is no target column {name!r}.{suggestion(name, table.columns)}")
    return table.columns[name]


def fit_target(column: Column, task: str | None = None) -> Target:
    """Decide on the task; the classes and labels, or the numbers.

    Texts, booleans and integers of at most 20 different values are classes; other numbers are regression. `task`
    ("classification" or one of `TASKS`) overrides this choice. A `TableError` refuses missing or infinite targets, a
    single class, text in a regression, and text that differs in most rows.
    """
    if task not in (None, "classification", *TASKS):
        raise ValueError(f"task is {task!r}; allowed: 'classification', {', '.join(map(repr, TASKS))}.")
    require_present(column)
    if column.storage != "text":
        require_finite(column)
    is_regression = task == "regression" or (task is None and is_quantity(column))
    return fit_regression(column) if is_regression else fit_classes(column, task)


def is_quantity(column: Column) -> bool:
    """Numbers with decimals, and integers (or numbers written as text) of many different values."""
    if column.storage == "text" and not column.categorical:
        levels = present_levels(column)
        form = NumberFormat.of(levels)
        return len(levels) > MAX_INTEGER_CLASSES and all(form.read(level) is not None for level in levels)
    if column.storage == "integer":
        return len(np.unique(column.values)) > MAX_INTEGER_CLASSES
    return column.storage in ("number", "date")


def fit_regression(column: Column) -> Target:
    """The numbers, if a mean and a standard deviation can be computed from them."""
    values = numbers_of_column(column)
    if values.min() == values.max():
        raise TableError(f"target {column.name!r} is {values[0]:.6g} in every row: there is nothing to learn.")
    require_spread(values, f"target {column.name!r}")
    return Target(column.name, values)


def require_spread(values: NDArray[Any], what: str) -> None:
    """Refuse numbers [n_rows(, k)] that differ, but whose mean or standard deviation float64 cannot represent."""
    for column in values.reshape(len(values), -1).T:
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = float(column.mean()), float(column.std())
        span = f"{column.min():g} to {column.max():g}"
        if not math.isfinite(mean) or not math.isfinite(scale):
            raise TableError(f"{what} is too large for float64: {span}. Divide it by a constant.")
        if scale == 0 and column.min() != column.max():
            raise TableError(f"{what} is too small for float64: {span}. Multiply it by a constant.")


def fit_classes(column: Column, task: str | None) -> Target:
    """The classes, sorted, and the labels of the rows."""
    if column.storage == "text":
        classes: list[Any] = sorted({canonical_level(level): level for level in present_levels(column)}.values())
    else:
        convert = {"boolean": bool, "integer": int}.get(column.storage, float)
        classes = [convert(value) for value in np.unique(column.values)]
    if len(classes) == 1:
        raise TableError(
            f"target {column.name!r} has a single class, {classes[0]!r}; classification needs at least two. Add rows."
        )
    if len(classes) > 20 and len(classes) > 0.5 * len(column.values):
        raise TableError(
            f"target {column.name!r} has {len(classes)} classes in {len(column.values)} rows: they identify the rows. "
            "Choose another column, or task='regression' for numbers."
        )
    if task in ("binary", "multiclass") and (len(classes) == 2) != (task == "binary"):
        raise TableError(f"task is {task!r}, but target {column.name!r} has {len(classes)} classes.")
    found = np.array(classes, dtype=object if column.storage == "text" else None)
    return Target(column.name, labels_of_column(column, found), found)


def labels_of_column(column: Column, classes: NDArray[Any]) -> NDArray[np.int64]:
    """The index of each cell's class among the classes; a `TableError` for a missing or an unknown class."""
    require_present(column)
    place = {}
    for label, value in enumerate(classes.tolist()):
        storage = "boolean" if isinstance(value, bool) else "number"
        place[canonical_level(value) if isinstance(value, str) else canonical_number(value, storage)] = label
    texts = level_column(replace(column, storage="number") if column.storage == "date" else column)
    labels = np.array([place.get(text, -1) for text in texts.levels], dtype=np.int64)[texts.values]
    unknown = np.flatnonzero(labels < 0)
    if len(unknown):
        text, where = texts.levels[texts.values[unknown[0]]], column.name_rows(unknown[:1])
        raise TableError(
            f"target {column.name!r} has the class {text!r} in {where}; training did not see it. The classes are: "
            f"{join_names(classes.tolist())}."
        )
    return np.asarray(labels)


def require_present(column: Column) -> None:
    """Refuse rows without a target."""
    missing = np.flatnonzero(column.missing)
    if len(missing) == len(column.values):
        raise TableError(f"target {column.name!r} is missing in every row.")
    if len(missing):
        where = column.name_rows(missing)
        raise TableError(
            f"target {column.name!r} is missing in {where} (the first row is 1). Fill it in, or remove the rows."
        )


def numbers_of_column(column: Column) -> NDArray[np.float64]:
    """The cells as numbers; an error names text that is no number."""
    require_present(column)
    if column.storage == "text":
        return np.asarray(parse_levels(column, "A regression target must be a number in every row.").values)
    if column.storage == "date":
        raise TableError(f"target {column.name!r} holds dates. Convert them to a number, such as days since the first.")
    require_finite(column)
    return np.asarray(column.values)
