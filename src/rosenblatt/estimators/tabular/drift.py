"""How unlike the training rows other rows are, as a fitted tabular estimator says it.

Takes a fitted estimator and a table. Returns a `Drift`. Never predicts, and never looks at a target.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from sklearn.utils.validation import check_is_fitted

from rosenblatt._checks import check_count
from rosenblatt._frames import Framed
from rosenblatt._html import paragraph, table, view
from rosenblatt.estimators.tabular.explain.shortened import short
from rosenblatt.tables.drift import ColumnDrift
from rosenblatt.tables.preparation import Preparation
from rosenblatt.tables.table import Table

__all__ = ["Drift", "Monitorable"]

MAX_SHOWN = 50
MAX_EXAMPLE = 20
HEADS = ("column", "unseen", "outside", "missing", "before", "PSI", "chance", "example")
LEGEND = """\
unseen: cells whose level (words that) training never saw; outside: cells beyond
the range of training; before: share of missing cells in training.
PSI (population stability index): by custom, little has changed below 0.1, and
much from 0.25 on. 95 % of samples of so many rows stay below "chance" if
nothing has changed: with few rows, only a PSI above it says something."""


@dataclass(frozen=True, repr=False)
class Drift(Framed):
    """How unlike the training rows other rows are.

    Attributes
    ----------
    columns : tuple of ColumnDrift
        Each used column, the most suspicious first.
    n_rows, n_training_rows : int
    """

    columns: tuple[ColumnDrift, ...]
    n_rows: int
    n_training_rows: int

    def table(self, n: int = MAX_SHOWN) -> str:
        """The `n` most suspicious columns as aligned text; long names and examples are cut.

        Raises
        ------
        TypeError, ValueError
            If n is not a positive integer.
        """
        check_count("n", n)
        rows = [HEADS, *map(cells_of, self.columns[:n])]
        widths = [max(len(row[i]) for row in rows) for i in range(len(HEADS))]
        lines = [self.heading(), ""]
        for first, *numbers, example in rows:
            aligned = (f"{cell:>{width}}" for cell, width in zip(numbers, widths[1:-1], strict=True))
            lines.append("  ".join([f"{first:{widths[0]}}", *aligned, example]).rstrip())
        if (rest := len(self.columns) - n) > 0:
            lines.append(f"and {rest:,} more")
        return "\n".join(lines)

    def __str__(self) -> str:
        return f"{self.table()}\n\n{LEGEND}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return view(
            self.heading(),
            table(HEADS, map(cells_of, self.columns), most=MAX_SHOWN),
            paragraph(LEGEND.replace("\n", " ")),
        )

    def heading(self) -> str:
        """How many rows were compared."""
        rows_now = f"{self.n_rows:,} row{'s' if self.n_rows > 1 else ''}"
        return f"{rows_now} beside {self.n_training_rows:,} training rows, the most suspicious columns first"

    def to_dict(self) -> dict[str, list[Any]]:
        """The attributes of `ColumnDrift` as lists, the most suspicious column first."""
        return {field.name: [getattr(one, field.name) for one in self.columns] for field in fields(ColumnDrift)}

    def frame_columns(self) -> dict[str, list[Any]]:
        """Those of `to_dict`, with NaN for shares that a column does not have."""
        shares, columns = ("unseen", "out_of_range"), self.to_dict()
        return columns | {name: [float("nan") if x is None else x for x in columns[name]] for name in shares}


def cells_of(column: ColumnDrift) -> tuple[str, ...]:
    """A line of the table."""
    shares = (column.unseen, column.out_of_range, column.missing, column.missing_in_training)
    texts = ("" if share is None else f"{share:.1%}" for share in shares)
    indices = (f"{index:.3f}" for index in (column.psi, column.psi_by_chance))
    return (short(column.column), *texts, *indices, short(column.example, MAX_EXAMPLE))


class Monitorable:
    """A tabular estimator that compares rows with those that it learned from."""

    preparation_: Preparation
    _read: Callable[..., Table]

    def drift(self, X: Any) -> Drift:
        """How unlike the training rows the rows of X are, column by column.

        For each column that the model uses, this gives the share of levels (of texts: words) that training never saw or
        of numbers and dates outside the training range, the shares of missing cells, and the population stability index
        (PSI): the sum over bins of (q - p) ln(q / p), where p and q are the shares of training rows and of these rows
        (Siddiqi 2006, *Credit Risk Scorecards*). Half a row is added to each bin that is not empty in both. Numbers and
        dates have bins between the deciles of the training rows (or for each of up to ten different values), texts by
        their number of words; categories have one for each of the 50 most frequent levels and one for all others;
        missing cells are a bin of their own. Weights of training rows do not count.

        The model keeps the edges of bins, the counts of training rows in them, and 32-bit hashes of up to 500 levels
        that occurred once: less than 1 kB for most columns, at most about 7 kB.

        Parameters
        ----------
        X : table, as in `fit`, which needs no target
            All its rows are compared. Cells of another kind than in training count as missing.

        Returns
        -------
        Drift
            ``columns`` has a `ColumnDrift` for each column, the most suspicious first. ``print`` shows them as a table,
            ``table(n)`` only the first n; ``to_frame()`` is a data frame.

        Raises
        ------
        ValueError
            If X has no rows, or lacks a column that training used.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from rosenblatt import TabularRegressor
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
        >>> young = X["age"] < 0  # it is standardized
        >>> model = TabularRegressor("fast").fit(X[young], y[young])
        >>> first = model.drift(X[~young]).columns[0]
        >>> first.column, first.out_of_range
        ('age', 1.0)
        """
        check_is_fitted(self, "ensemble_")
        table = self._read(X, reset=False)
        found = sorted(self.preparation_.compare(table), key=lambda one: -one.suspicion)
        return Drift(tuple(found), table.n_rows, self.preparation_.references[0].n_rows)
