"""From the target column to what a network is trained on, and back.

Goes in: the target column. Comes out: a `Target`: the task (binary, multiclass or regression), labels 0, 1, 2, ... or
standardized numbers, and predictions in the target's own terms. It never fills in a missing target.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.kinds import canonical_level, canonical_number, parse_levels, require_finite
from rosenblatt.tables.readers.cells import present_levels
from rosenblatt.tables.readers.numerals import NumberFormat
from rosenblatt.tables.table import Column, Table, TableError, suggestion

__all__ = ["TASKS", "Target", "find_target", "fit_target"]

TASKS = ("binary", "multiclass", "regression")
MAX_INTEGER_CLASSES = 20
"""Integers with more different values than this are quantities."""
Class = str | bool | int | float


@dataclass(frozen=True)
class Target:
    """What is predicted. `classes` are in the target's own type; `mean` and `scale` standardize a regression target."""

    name: str
    task: str
    classes: tuple[Class, ...] = ()
    mean: float = 0.0
    scale: float = 1.0

    def encode(self, column: Column) -> NDArray[Any]:
        """Labels (int64) or standardized numbers (float32), shape (n_rows,).

        Raises
        ------
        TableError
            For a missing target, or a class that training did not see.
        """
        require_present(column)
        if self.task == "regression":
            return np.asarray((numbers(column) - self.mean) / self.scale, dtype=np.float32)
        place = {canonical_class(value): label for label, value in enumerate(self.classes)}
        texts, codes = class_texts(column)
        labels = np.array([place.get(text, -1) for text in texts], dtype=np.int64)[codes]
        unknown = np.flatnonzero(labels < 0)
        if len(unknown):
            text, where = texts[codes[unknown[0]]], column.name_rows(unknown[:1])
            raise TableError(
                f"target {self.name!r} has the class {text!r} in {where}; training did not see it. The classes are: "
                f"{', '.join(map(repr, self.classes))}."
            )
        return labels

    def decode(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Labels as classes, standardized numbers as numbers."""
        if self.task == "regression":
            return np.asarray(outputs, dtype=np.float64) * self.scale + self.mean
        return self.class_array()[np.asarray(outputs, dtype=np.intp)]

    def class_array(self) -> NDArray[Any]:
        """The classes as an array of their own type (text as objects)."""
        return np.array(self.classes, dtype=object if isinstance(self.classes[0], str) else None)

    def to_dict(self) -> dict[str, Any]:
        """The target as JSON-able data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, entry: Any) -> Target:
        """Read what `to_dict` gave; a `ValueError` says what is not valid."""
        if not isinstance(entry, Mapping) or set(entry) != {"name", "task", "classes", "mean", "scale"}:
            raise ValueError("the target is not of the known form")
        name, task, classes, mean, scale = (entry[key] for key in ("name", "task", "classes", "mean", "scale"))
        if not isinstance(name, str) or task not in TASKS or not isinstance(classes, (list, tuple)):
            raise ValueError("the target has no valid name, task and classes")
        if not all(isinstance(number, float) and math.isfinite(number) for number in (mean, scale)) or scale <= 0:
            raise ValueError("the target has no valid mean and scale")
        allowed = {"binary": len(classes) == 2, "multiclass": len(classes) > 2, "regression": not classes}
        kinds = {type(value) for value in classes}
        if (
            not allowed[task]
            or len(kinds) > 1
            or not kinds <= {str, bool, int, float}
            or len(set(classes)) < len(classes)
        ):
            raise ValueError("the target's classes do not fit its task")
        return cls(name, task, tuple(classes), mean, scale)


def find_target(table: Table, name: str) -> Column:
    """The target column; an error that suggests the nearest name if there is none."""
    if name not in table.columns:
        raise TableError(f"there is no target column {name!r}.{suggestion(name, table.columns)}")
    return table.columns[name]


def fit_target(column: Column, task: str | None = None) -> Target:
    """Decide on the task and learn classes or scale.

    Texts, booleans and integers of at most 20 different values are classes; other numbers are regression.

    Parameters
    ----------
    column : Column
    task : {"classification", "binary", "multiclass", "regression"}, optional
        Overrides the choice.

    Raises
    ------
    TableError
        For missing or infinite targets, a single class, text to be regressed, or text that differs in most rows.
    """
    if task not in (None, "classification", *TASKS):
        raise ValueError(f"task is {task!r}; allowed: 'classification', {', '.join(map(repr, TASKS))}.")
    require_present(column)
    if column.storage != "text":
        require_finite(column)
    if task == "regression" or (task is None and is_quantity(column)):
        return fit_regression(column)
    return fit_classes(column, task)


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
    """Mean and standard deviation."""
    values = numbers(column)
    if values.min() == values.max():
        raise TableError(f"target {column.name!r} is {values[0]:.6g} in every row: there is nothing to learn.")
    with np.errstate(over="ignore", invalid="ignore"):
        mean, scale = float(values.mean()), float(values.std())
    span = f"{values.min():g} to {values.max():g}"
    if not math.isfinite(mean) or not math.isfinite(scale):
        raise TableError(f"target {column.name!r} is too large for float64: {span}. Divide it by a constant.")
    if scale == 0:
        raise TableError(f"target {column.name!r} is too small for float64: {span}. Multiply it by a constant.")
    return Target(column.name, "regression", (), mean, scale)


def fit_classes(column: Column, task: str | None) -> Target:
    """The classes, sorted."""
    if column.storage == "text":
        present = [column.levels[code] for code in np.unique(column.values)]
        classes: list[Class] = sorted({canonical_level(level): level for level in present}.values())
    else:
        convert = {"boolean": bool, "integer": int}.get(column.storage, float)
        classes = [convert(value) for value in np.unique(column.values)]
    if len(classes) == 1:
        raise TableError(
            f"target {column.name!r} has one class only, {classes[0]!r}: there is nothing to learn. Give rows of at "
            "least two classes."
        )
    if len(classes) > 20 and len(classes) > 0.5 * len(column.values):
        raise TableError(
            f"target {column.name!r} has {len(classes)} classes in {len(column.values)} rows: they name the rows. "
            "Choose another column, or task='regression' for numbers."
        )
    if task in ("binary", "multiclass") and (len(classes) == 2) != (task == "binary"):
        raise TableError(f"task is {task!r}, but target {column.name!r} has {len(classes)} classes.")
    return Target(column.name, "binary" if len(classes) == 2 else "multiclass", tuple(classes))


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


def numbers(column: Column) -> NDArray[np.float64]:
    """The target as numbers; text that is no number is named."""
    if column.storage == "text":
        return np.asarray(parse_levels(column, "A regression target must be a number in every row.").values)
    if column.storage == "date":
        raise TableError(f"target {column.name!r} holds dates. Convert them to a number, such as days since the first.")
    require_finite(column)
    return np.asarray(column.values)


def class_texts(column: Column) -> tuple[list[str], NDArray[np.intp]]:
    """The distinct values in canonical spelling, and each row's position among them."""
    if column.storage == "text":
        return [canonical_level(level) for level in column.levels], column.values.astype(np.intp)
    distinct, codes = np.unique(column.values, return_inverse=True)
    return [canonical_number(value, column.storage) for value in distinct], codes


def canonical_class(value: Class) -> str:
    """A class in the spelling by which cells are compared with it."""
    return canonical_level(value) if isinstance(value, str) else canonical_number(value, storage_of(value))


def storage_of(value: Class) -> str:
    """The storage that gives a class of this type."""
    return "boolean" if isinstance(value, bool) else "number"
