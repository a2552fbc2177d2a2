"""The history of a training, epoch by epoch.

Takes one row of numbers after each epoch. Returns columns, as lists or as a data frame. Never records times: two equal
trainings have equal histories.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from rosenblatt._frames import Framed
from rosenblatt._html import paragraph, table, view

__all__ = ["Framed", "History"]

FIRST_SHOWN, LAST_SHOWN = 5, 15
"""Epochs of a long history that a notebook shows."""


class History(Framed, Mapping[str, list[float]]):
    """Columns with one number for each epoch, such as ``history["loss"]``.

    Parameters
    ----------
    columns : mapping of str to sequence of float, optional
        Initial columns. By default there are none.
    """

    def __init__(self, columns: Mapping[str, Sequence[float]] | None = None) -> None:
        self._columns: dict[str, list[float]] = {name: list(values) for name, values in (columns or {}).items()}

    def append(self, **values: float) -> None:
        """Add the row of an epoch. A new column is NaN in earlier rows, and a missing one is NaN in this row."""
        n = self.n_epochs
        for name in values:
            self._columns.setdefault(name, [math.nan] * n)
        for name, column in self._columns.items():
            column.append(float(values.get(name, math.nan)))

    @property
    def n_epochs(self) -> int:
        """Number of epochs, which is the number of rows."""
        return max((len(column) for column in self._columns.values()), default=0)

    def __getitem__(self, column: str) -> list[float]:
        if column not in self._columns:
            raise KeyError(f"the history has no column {column!r}; it has: {', '.join(self._columns) or 'none'}")
        return self._columns[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __contains__(self, column: object) -> bool:
        return column in self._columns

    def frame_columns(self) -> dict[str, list[Any]]:
        """The columns behind a column "epoch", counted from 1."""
        return {"epoch": list(range(1, self.n_epochs + 1)), **self._columns}

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self._columns.items() if values)
        return f"<History of {self.n_epochs} epochs: {last}>"

    def _repr_html_(self) -> str:
        columns, n = self.frame_columns(), self.n_epochs
        rows = list(zip_longest(*columns.values()))
        left_out = n - FIRST_SHOWN - LAST_SHOWN
        note = ""
        if left_out > 0:
            rows[FIRST_SHOWN:-LAST_SHOWN] = [("…",) * len(columns)]
            note = f"Epochs {FIRST_SHOWN + 1} to {FIRST_SHOWN + left_out} are not shown; to_frame() has all."
        return view(f"History of {n:,} epoch{'' if n == 1 else 's'}", table(list(columns), rows), paragraph(note))
