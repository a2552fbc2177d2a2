"""From a column, or numbers and labels, to what is predicted.

Takes the target column. Returns a `Target`: labels 0, 1, 2, ... with their classes, or numbers. Never fills in a
missing target.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._suggestions import join_names, suggestion
from rosenblatt.tables.kinds import (
    alike_levels,
    has_leading_zeros,
    is_quantity,
    parse_levels,
    wrong_cells,
)
from rosenblatt.tables.levels import place_levels
from rosenblatt.tables.readers.cells import PLAIN_NUMBERS, present_levels, read_texts
from rosenblatt.tables.readers.numerals import NumberFormat
from rosenblatt.tables.table import Column, Table, TableError, level_column, level_text

__all__ = [
    *("TASKS", "Target", "check_target_range", "doubts_of_classes", "find_target", "fit_target", "fit_targets"),
    *("known_labels", "labels_of_column", "numbers_of_column", "rows_with_target"),
]

TASKS = ("binary", "multiclass", "regression")
MAX_INTEGER_CLASSES = 20
"""Integers with more different values are quantities."""
MAX_SHARE_OF_CLASSES = 0.5
"""More classes than this share of the rows, if they are many, identify the rows."""
MAX_CERTAIN_CLASSES = 3
"""Integers of more different values may be counts."""
MAX_CODED_CLASSES, ROWS_PER_CLASS = 100, 5
"""Numbers of at most so many values, with on average so many rows each, may be classes."""


@dataclass(frozen=True, eq=False)
class Target:
    """What is predicted, for each row.

    `values` are labels (integers from 0, shape (n_rows,)) or numbers (float64, shape (n_rows,) or (n_rows, n_targets)).
    Label i stands for `classes[i]`, which has the target's own type; for a regression, `classes` is None. `check` is
    what a user should look at, if anything. `formats` says how the numbers of each column are written.

    Of a counted column, `values` are those of its cells, and `counts` says how many rows each stands for; of several
    there are no values. `read` gives those of the rows themselves, block by block.
    """

    name: str | None
    values: NDArray[Any]
    classes: NDArray[Any] | None = None
    check: str = ""
    formats: tuple[NumberFormat, ...] = ()
    counts: NDArray[np.int64] | None = None

    @property
    def n_rows(self) -> int:
        """How many rows have the target."""
        return len(self.values) if self.counts is None else int(self.counts.sum())

    @property
    def task(self) -> str:
        """One of `TASKS`."""
        if self.classes is None:
            return "regression"
        return "binary" if len(self.classes) == 2 else "multiclass"

    def take(self, rows: NDArray[np.int64]) -> Target:
        """The target of these rows; the classes stay."""
        return replace(self, values=self.values[rows])

    def read(self, columns: Sequence[Column]) -> NDArray[Any]:
        """The labels or numbers of other rows, whose target columns these are, in the form of `values`.

        Numbers are read as the target was; a `TableError` names a row without one, or with an unknown class.
        """
        if self.classes is not None:
            return labels_of_column(columns[0], self.classes)
        numbers = [numbers_of_column(*pair) for pair in zip(columns, self.formats, strict=True)]
        return numbers[0] if len(numbers) == 1 else np.column_stack(numbers)

    def decoded(self) -> NDArray[Any]:
        """The classes or numbers of the rows in their own type."""
        return np.asarray(self.values if self.classes is None else self.classes[self.values])


def find_target(table: Table, name: str) -> Column:
    """The target column; an error that suggests the nearest name if there is none."""
    if name not in table.columns:
        raise TableError(f"there is no target column {name!r}.{suggestion(name, table.columns)}")
    table.columns[name].require_readable()
    return table.columns[name]


def fit_target(column: Column, task: str | None = None) -> Target:
    """Decide on the task; the classes and labels, or the numbers.

    Texts, booleans, integers of at most 20 different values and two whole numbers are classes; other numbers are
    regression. `task` ("classification" or one of `TASKS`) overrides this choice; without it, `check` says what else
    the target may be. A `TableError` refuses missing or infinite targets, a single class, text among numbers, and text
    that differs in most rows.
    """
    if task not in (None, "classification", *TASKS):
        raise ValueError(f"task is {task!r}; allowed: 'classification', {', '.join(map(repr, TASKS))}.")
    require_present(column)
    if column.storage != "text":
        require_finite(column)
    is_regression = task == "regression" or (task is None and holds_quantities(column))
    target = fit_regression(column) if is_regression else fit_classes(column, task)
    checks = [doubtful_task(column, target) if task is None else "", target.check]
    return replace(target, check="; ".join(filter(None, checks)))


def fit_targets(columns: Sequence[Column], task: str | None = None) -> Target:
    """Several columns of numbers as one target, with a name that lists them; a `TableError` for other columns."""
    names = ", ".join(repr(column.name) for column in columns)
    if task not in (None, "regression"):
        raise TableError(f"task is {task!r}, but several targets ({names}) are learned as numbers only. Choose one.")
    for column in columns:
        if column.categorical or (column.storage == "text" and not holds_quantities(column)):
            raise TableError(
                f"target {column.name!r} holds no numbers, and several targets must all be numbers. Learn a model for "
                "each target."
            )
    found = [fit_regression(column) for column in columns]
    formats = tuple(target.formats[0] for target in found)
    is_counted = any(column.counts is not None for column in columns)  # cells of two columns are not of one row
    values = np.empty((0, len(found))) if is_counted else np.column_stack([target.values for target in found])
    return Target(", ".join(column.name for column in columns), values, formats=formats)


def holds_quantities(column: Column) -> bool:
    """Numbers with decimals, and integers (or numbers written as text) of many different values."""
    if column.storage == "integer":
        return len(np.unique(column.values)) > MAX_INTEGER_CLASSES
    if column.storage == "number":
        return len(np.unique(column.values)) != 2 or not is_whole(column.values)
    if column.storage != "text" or column.categorical or has_leading_zeros(present_levels(column)):
        return column.storage == "date"
    reading = read_texts(column, "number")
    if reading is None or len(reading.levels) <= MAX_INTEGER_CLASSES or not is_quantity(reading, None):
        return False
    if reading.others:
        advice = "Correct these cells, or remove the rows."
        if column.n_different(len(present_levels(column))) <= MAX_SHARE_OF_CLASSES * column.n_rows:
            advice += " If all cells are classes, say task='classification'."
        raise wrong_cells(column, reading.is_other(column), "numbers", advice)
    return True


def doubtful_task(column: Column, target: Target) -> str:
    """A note on numbers that may be the other of classes and quantities."""
    if column.categorical or column.storage in ("boolean", "date"):
        return ""
    distinct = np.unique(target.values)
    if target.classes is not None:
        texts = column.storage == "text" and column.level_values is None
        if texts and has_leading_zeros(column.levels):
            return ""
        numbers = parsed(column) if texts else np.unique(column.values)
        if numbers is None or (column.storage != "number" and len(numbers) <= MAX_CERTAIN_CLASSES):
            return ""
        taken, otherwise, task = "classes", "quantities, such as counts", "regression"
    else:
        few = len(distinct) <= MAX_CODED_CLASSES and target.n_rows >= ROWS_PER_CLASS * len(distinct)
        coded = distinct[0] in (0, 1) and distinct[-1] - distinct[0] == len(distinct) - 1
        coded = is_whole(distinct) and (coded or len(distinct) <= MAX_INTEGER_CLASSES)
        if not few or not (coded or len(distinct) == 2):
            return ""
        taken, otherwise, task = "quantities", "classes", "classification"
    found = f"target {column.name!r} holds numbers of {len(distinct)} values, taken for {taken}"
    return f"{found}: if they are {otherwise}, say task={task!r}"


def parsed(column: Column) -> NDArray[np.float64] | None:
    """The levels of a column of text as numbers, or None if one of them is no number."""
    reading = read_texts(column, "number")
    return None if reading is None or reading.others else np.arange(len(reading.levels), dtype=np.float64)


def is_whole(values: NDArray[np.float64]) -> bool:
    """Whether all numbers are whole."""
    return bool((values == np.floor(values)).all())


def fit_regression(column: Column) -> Target:
    """The numbers, if a mean and a standard deviation can be computed from them."""
    number_format = NumberFormat.of(present_levels(column)) if column.storage == "text" else PLAIN_NUMBERS
    values = numbers_of_column(column, number_format)
    if values.min() == values.max():
        raise TableError(f"target {column.name!r} is {values[0]:.6g} in every row: there is nothing to learn.")
    check_target_range(values, f"target {column.name!r}", column.counts)
    return Target(column.name, values, formats=(number_format,), counts=column.counts)


def check_target_range(values: NDArray[np.float64], name: str, counts: NDArray[np.int64] | None = None) -> None:
    """Refuse targets [n] or [n, k] whose squares overflow float64, or vanish in it though the targets differ.

    `counts`, shape (n,), says for how many rows each stands.
    """
    for column in values.reshape(len(values), -1).T:
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            mean, scale = mean_and_spread(column, counts)
        span = f"{column.min():g} to {column.max():g}"
        if not math.isfinite(mean) or not math.isfinite(scale):
            raise TableError(f"{name} is too large for float64: {span}. Divide it by a constant.")
        if scale == 0 and column.min() < column.max():
            raise TableError(f"{name} is too small for float64: {span}. Multiply it by a constant.")


def mean_and_spread(values: NDArray[np.float64], counts: NDArray[np.int64] | None) -> tuple[float, float]:
    """The mean and the standard deviation of numbers that stand for so many rows each."""
    if counts is None:
        return float(values.mean()), float(values.std())
    mean = values @ counts / counts.sum()
    return float(mean), math.sqrt(np.square(values - mean) @ counts / counts.sum())


def fit_classes(column: Column, task: str | None) -> Target:
    """The classes, sorted, and the labels of the rows."""
    texts = level_column(column)
    present = np.unique(texts.values)
    order = sorted(present, key=lambda code: texts.levels[code])
    classes = np.array([texts.levels[code] for code in order], dtype=object)
    if texts.level_values is not None:
        classes = np.sort(texts.level_values[present])
    if len(classes) == 1:
        raise TableError(
            f"target {column.name!r} has a single class, {texts.levels[present[0]]!r}; classification needs at least "
            "two. Add rows."
        )
    n_classes = column.n_different(len(classes))
    if n_classes > MAX_INTEGER_CLASSES and n_classes > MAX_SHARE_OF_CLASSES * column.n_rows:
        raise TableError(
            f"target {column.name!r} has {n_classes} classes in {column.n_rows} rows: they identify the rows. "
            "Choose another column, or task='regression' for numbers."
        )
    if column.unlisted is not None:
        raise TableError(
            f"target {column.name!r} has about {n_classes:,} classes, more than are counted in a table that is read "
            "block by block. Choose another column, or task='regression' for numbers."
        )
    if task in ("binary", "multiclass") and (len(classes) == 2) != (task == "binary"):
        raise TableError(f"task is {task!r}, but target {column.name!r} has {len(classes)} classes.")
    labels, check = labels_of_column(column, classes), doubts_of_classes(column.name, classes)
    return Target(column.name, labels, classes, check, counts=column.counts)


def doubts_of_classes(name: str | None, classes: NDArray[Any]) -> str:
    """A note on classes that may be meant to be one."""
    texts = [value for value in classes.tolist() if isinstance(value, str)]
    return alike_levels(f"target {name!r} holds classes" if name else "y holds classes", texts)


def labels_of_column(column: Column, classes: NDArray[Any]) -> NDArray[np.int64]:
    """The index of each cell's class among the classes; a `TableError` for a missing or an unknown class."""
    labels = known_labels(column, classes)
    unknown = np.flatnonzero(labels < 0)
    if len(unknown):
        cell, where = level_column(column.take(unknown[:1])), column.name_row(unknown[0])
        text = cell.levels[cell.values[0]]
        raise TableError(
            f"target {column.name!r} has the class {text!r} in {where}; training did not see it. "
            f"The classes are: {join_names([level_text(value) for value in classes])}."
        )
    return labels


def known_labels(column: Column, classes: NDArray[Any]) -> NDArray[np.int64]:
    """The index of each cell's class among the classes, -1 if it is none; a `TableError` for a missing class."""
    require_present(column)
    known = [level_text(value) for value in classes]
    storage = Column(
        "", "text", np.empty(0), level_values=None if classes.dtype.kind in "OUT" else classes
    ).level_storage
    return place_levels(known, storage, column).astype(np.int64)


def rows_with_target(columns: Sequence[Column], drop_missing: bool) -> NDArray[np.int64] | None:
    """The rows in which no target is missing, if others are to be dropped; None if there are no others.

    Without `drop_missing` a `TableError` says in which rows a target is missing.
    """
    if not drop_missing:
        for column in columns:
            require_present(
                column, "Fill it in, remove the rows, or say drop_missing_target=True, which leaves them out."
            )
        return None
    missing = np.any([column.missing for column in columns], axis=0)
    if missing.all():
        names = ", ".join(repr(column.name) for column in columns)
        raise TableError(f"target {names} is missing in every row.")
    return np.flatnonzero(~missing) if missing.any() else None


def require_present(column: Column, advice: str = "Fill it in, or remove the rows.") -> None:
    """Refuse rows without a target."""
    missing, n_missing = np.flatnonzero(column.missing), column.n_missing
    if n_missing == column.n_rows:
        raise TableError(f"target {column.name!r} is missing in every row.")
    if len(missing):
        where = column.name_rows(missing)
        share = "" if "in all" in where else f"; {n_missing:,} of {column.n_rows:,} rows"
        texts = (
            " Empty cells and texts such as 'NA', 'nan', 'null' and '?' count as missing."
            if column.storage == "text"
            else ""
        )
        raise TableError(f"target {column.name!r} is missing in {where} (the first row is 1{share}).{texts} {advice}")


def require_finite(column: Column) -> None:
    """Refuse infinite targets."""
    infinite = np.flatnonzero(np.isinf(column.values))
    if len(infinite):
        where = column.name_rows(infinite)
        raise TableError(
            f"target {column.name!r} is infinite in {where} (the first row is 1). Put a finite number there, or remove "
            "the rows."
        )


def numbers_of_column(column: Column, number_format: NumberFormat | None = None) -> NDArray[np.float64]:
    """The cells as numbers; an error names text that is no number, and infinite numbers.

    Text is read in the given format or, without one, in that which reads most of it.
    """
    require_present(column)
    if column.storage == "date":
        raise TableError(
            f"target {column.name!r} holds dates. Convert them to a number, such as days since the first. If a few "
            "dates are classes, say task='classification'."
        )
    if column.storage == "text":
        column = parse_levels(column, "A regression target must be a number in every row.", number_format)
    require_finite(column)
    return np.asarray(column.values)
