"""A table with its target: what is to be learned from what.

Takes a table, the name of a column, and what the user knows of columns and rows. Returns a `TabularTask`, which the
command line shows and estimators fit. Never changes a cell.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import check_weights
from rosenblatt.tables.kinds import ColumnKind, column_overrides, infer_kinds
from rosenblatt.tables.leakage import annotate_leakage
from rosenblatt.tables.readers.cells import present_levels
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.splits import copies_of, first_rows, split_rows
from rosenblatt.tables.table import Column, Table, TableError, warn_of_columns
from rosenblatt.tables.targets import MAX_INTEGER_CLASSES, Target, find_target, fit_target, fit_targets

__all__ = ["MIN_ROWS", "TabularTask", "require_rows"]

MIN_ROWS = 2
"""Fewest rows to learn from."""


@dataclass(frozen=True, eq=False)
class TabularTask:
    """Rows to learn from.

    Attributes
    ----------
    inputs : Table
        Without the target.
    target : Target
    overrides : mapping of str to {"numeric", "categorical", "text", "ignored"}
        Kinds of columns that the user knows better.
    weights : ndarray of shape (n_rows,) or None
    """

    inputs: Table
    target: Target
    overrides: Mapping[str, str] = field(default_factory=dict)
    weights: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        n_rows, n_targets = self.inputs.n_rows, len(self.target.values)
        if n_rows != n_targets:
            raise TableError(f"inputs has {n_rows} rows, but target has {n_targets}: each row needs a target.")
        if self.weights is not None:
            object.__setattr__(self, "weights", check_weights(self.weights, n_rows))

    @classmethod
    def of(
        cls,
        table: Any,
        target: Any,
        task: str | None = None,
        kinds: Mapping[Any, str] | None = None,
        weights: Any = None,
        ignore: Iterable[Any] | str | None = None,
        encoding: str = "utf-8",
    ) -> TabularTask:
        """The task to predict a column of a table from the others.

        Parameters
        ----------
        table : whatever `read_table` takes
        target : str or list of str
            Name of the column, or of several columns of numbers. Other names, such as 3, are turned into texts.
        task : {"classification", "binary", "multiclass", "regression"}, optional
            Default: what the column holds decides; see `fit_target`.
        kinds : mapping of str to {"numeric", "categorical", "text", "ignored"}, optional
            What columns are, where the guess is wrong.
        weights : array-like of shape (n_rows,), optional
        ignore : list of str, optional
            Columns to leave out, which may be of any type: short for the kind "ignored".
        encoding : str
            Of a text file.

        Raises
        ------
        TableError
            For a table or target that cannot be used.
        """
        names = list(dict.fromkeys(map(str, target))) if isinstance(target, list) else [str(target)]
        overrides = column_overrides(kinds, ignore)
        if given := [name for name in names if name in overrides]:
            raise TableError(
                f"kinds or ignore names the target {given[0]!r}; they only say what other columns are. Leave it out."
            )
        texts = {name for name, kind in overrides.items() if kind in ("categorical", "text")}
        source, table = table, read_table(table, encoding=encoding, text=texts)
        is_file = isinstance(source, (str, os.PathLike)) and os.path.isfile(source)
        if is_file and task != "regression" and may_be_classes(table.columns.get(names[0]), task):
            table = with_written_target(table, names[0], read_table(source, encoding=encoding, text=names))
        columns, inputs = [find_target(table, name) for name in names], table.drop(names)
        if not columns:
            raise TableError("target is an empty list; name the column to predict.")
        if not inputs.columns:
            raise TableError(f"the table has no column but the target {', '.join(map(repr, names))}.")
        require_rows(table.n_rows)
        found = fit_target(columns[0], task) if len(columns) == 1 else fit_targets(columns, task)
        return cls(inputs, found, overrides, weights)

    @cached_property
    def kinds(self) -> tuple[ColumnKind, ...]:
        """The kind of each column of `inputs`, with notes.

        A `TableWarning` says what else the target may be, and names columns that leak it.
        """
        warn_of_columns([f"{self.target.check}."] if self.target.check else [], "")
        kinds, y, table = self._inferred, self.target.values, self.inputs
        if self.copies is not None:  # their targets are known from each other, not from a column
            rows = first_rows(self.copies)
            y, table = y[rows], table.take(rows)
        if y.size == len(y):
            kinds = annotate_leakage(table, kinds, y.ravel(), self.target.classes is not None)
        return tuple(kinds)

    @cached_property
    def _inferred(self) -> list[ColumnKind]:
        return infer_kinds(self.inputs, self.overrides)

    @cached_property
    def copies(self) -> NDArray[np.int64] | None:
        """Groups of rows that are equal in all used columns, which every split keeps together; None without copies."""
        used = (self.inputs.columns[kind.name].values for kind in self._inferred if kind.used)
        return copies_of(used, self.inputs.n_rows)

    def take(self, rows: NDArray[np.int64]) -> TabularTask:
        """The task with these rows only; kinds are inferred from them."""
        weights = None if self.weights is None else self.weights[rows]
        return replace(self, inputs=self.inputs.take(rows), target=self.target.take(rows), weights=weights)

    def split(self, share: float, seed: int) -> tuple[TabularTask, TabularTask]:
        """Rows to train on and this share of rows to hold out; each class gives its share, and copies stay together."""
        labels = None if self.target.classes is None else self.target.values
        training, held_out = split_rows(self.inputs.n_rows, share, seed, labels, self.copies)
        return self.take(training), self.take(held_out)


def may_be_classes(column: Column | None, task: str | None) -> bool:
    """Whether a column of decimal numbers may hold classes: it does if `task` says so, else if it has few values."""
    if column is None or column.storage != "number" or column.problem:
        return False
    return task is not None or len(np.unique(column.values[~column.missing])) <= MAX_INTEGER_CLASSES


def with_written_target(table: Table, name: str, written: Table) -> Table:
    """The table, with the target as text if a file writes equal numbers in different ways, such as 1.1 and 1.10."""
    column, texts = table.columns[name], written.columns[name]
    merges = texts.storage == "text" and len(present_levels(texts)) > len(np.unique(column.values[~column.missing]))
    return Table({**table.columns, name: texts}, table.n_rows) if merges else table


def require_rows(n_rows: int) -> None:
    """Refuse a table from which nothing can be learned."""
    if n_rows < MIN_ROWS:
        raise TableError(f"there is {n_rows} sample, a single row to learn from; at least {MIN_ROWS} are needed.")
