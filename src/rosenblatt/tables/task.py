"""A table with its target: what is to be learned from what.

Takes a table, the name of a column, and what the user knows of columns and rows. Returns a `TabularTask`, which the
command line shows and estimators fit. Never changes a cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import check_weights
from rosenblatt.tables.kinds import ColumnKind, infer_kinds
from rosenblatt.tables.leakage import annotate_leakage
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.splits import copies_of, first_rows, split_rows
from rosenblatt.tables.table import Table, TableError
from rosenblatt.tables.targets import Target, find_target, fit_target

__all__ = ["TabularTask"]


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
        target: str,
        task: str | None = None,
        kinds: Mapping[str, str] | None = None,
        weights: Any = None,
    ) -> TabularTask:
        """The task to predict a column of a table from the others.

        Parameters
        ----------
        table : whatever `read_table` takes
        target : str
            Name of the column.
        task : {"classification", "binary", "multiclass", "regression"}, optional
            Default: what the column holds decides; see `fit_target`.
        kinds : mapping of str to {"numeric", "categorical", "text", "ignored"}, optional
            What columns are, where the guess is wrong.
        weights : array-like of shape (n_rows,), optional

        Raises
        ------
        TableError
            For a table or target that cannot be used.
        """
        table = read_table(table)
        column, inputs = find_target(table, target), table.drop([target])
        if not inputs.columns:
            raise TableError(f"the table has no column but the target {target!r}.")
        if target in (kinds or {}):
            raise TableError(f"kinds names the target {target!r}; it only says what other columns are. Leave it out.")
        return cls(inputs, fit_target(column, task), kinds or {}, weights)

    @cached_property
    def kinds(self) -> tuple[ColumnKind, ...]:
        """The kind of each column of `inputs`, with notes; a `TableWarning` names columns that leak the target."""
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
