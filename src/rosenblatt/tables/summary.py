"""A table that is too large for memory, summarized block by block.

Takes tables with the same columns: blocks of one, in any order. Returns a table of counted columns, from which kinds,
encoders, reference distributions and classes are learned as from the table itself; they are the same, to the last bit,
while no column has more different cells than the summary keeps. Never keeps a row: what belongs together in a row is
lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rosenblatt._suggestions import join_names
from rosenblatt.tables.column_summary import ColumnSummary
from rosenblatt.tables.states import arrays_of, require_counts, require_state
from rosenblatt.tables.table import Table, TableError

__all__ = ["TableSummary"]


class TableSummary:
    """What is known of the columns of all blocks that were added.

    Parameters
    ----------
    levels : collection of str
        Columns whose cells are levels even if they are numbers or dates, because the user says that they are
        categories or classes: each different one is counted, while other numbers are only sketched if there are more
        than 65,536.
    ignored : collection of str
        Columns that are left out: only their empty cells are counted, and their cells may be of any kind.

    Attributes
    ----------
    n_rows : int
        Rows that were added.
    """

    def __init__(self, levels: Collection[str] = (), ignored: Collection[str] = ()) -> None:
        self.n_rows = 0
        self._uses = dict.fromkeys(levels, "levels") | dict.fromkeys(ignored, "missing")
        self._columns: dict[str, ColumnSummary] = {}

    def add(self, table: Table) -> None:
        """Add the rows of a block.

        Rows are numbered by `Column.rows`; columns without them go on where the block before ended. A `TableError` is
        raised if the block has other columns, or cells of another kind.
        """
        if not self._columns:
            self._columns = {name: ColumnSummary(name, self._uses.get(name, "cells")) for name in table.columns}
        self._require_columns(table.columns)
        here = np.arange(self.n_rows, self.n_rows + table.n_rows)
        for name, column in table.columns.items():
            self._columns[name].add(column, here if column.rows is None else column.rows)
        self.n_rows += table.n_rows

    def merge(self, other: TableSummary) -> None:
        """Add all that a summary of other rows of the same table has seen; the other stays as it is.

        Row numbers are taken as they are, so blocks that are summarized apart need `Column.rows`.
        """
        if other._uses != self._uses:
            raise ValueError("the two summaries do not count the same columns as levels, or ignore others")
        if not other._columns:
            return
        if not self._columns:
            self._columns = {name: ColumnSummary(name, column.use) for name, column in other._columns.items()}
        self._require_columns(other._columns)
        for name, column in self._columns.items():
            column.merge(other._columns[name])
        self.n_rows += other.n_rows

    def _require_columns(self, names: Collection[str]) -> None:
        if set(names) != set(self._columns):
            raise TableError(
                f"a part of the table has the columns {join_names(list(names))}; the parts before have "
                f"{join_names(list(self._columns))}. All parts must have the same columns."
            )

    def counted(self) -> Table:
        """The columns with different cells and their counts; `Table.n_rows` is the number of rows that they stand for.

        Columns do not have the same number of cells, and equal places in two of them are no row.
        """
        return Table({name: column.counted() for name, column in self._columns.items()}, self.n_rows)

    @property
    def errors(self) -> dict[str, float]:
        """By which share of its rows the ranks of a column's numbers may be wrong; 0 where all are known."""
        return {name: column.sketch.error for name, column in self._columns.items()}

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The summary as JSON-able data and arrays by name, to be sent to another process."""
        states = [column.to_state() for column in self._columns.values()]
        plain = {"n_rows": self.n_rows, "uses": self._uses, "columns": [state[0] for state in states]}
        return plain, {f"{i}_{name}": array for i, state in enumerate(states) for name, array in state[1].items()}

    @classmethod
    def from_state(cls, plain: Any, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `to_state` gave; a `ValueError` for anything else."""
        valid = isinstance(plain, dict) and isinstance(plain.get("columns"), list)
        require_state(valid and isinstance(plain.get("uses"), dict), "a table")
        made = cls()
        made._uses = dict(plain["uses"])
        (made.n_rows,) = require_counts(plain, "n_rows")
        for i, entry in enumerate(plain["columns"]):
            column = ColumnSummary.from_state(entry, arrays_of(f"{i}_", arrays))
            require_state(column.n_rows == made.n_rows and column.name not in made._columns, "the rows of a table")
            require_state(column.use == made._uses.get(column.name, "cells"), "what is wanted of a column")
            made._columns[column.name] = column
        return made
