"""How the prediction of a fitted tabular estimator depends on one column, averaged over rows.

Takes a fitted estimator, a table, a column and perhaps values for it. Returns a `PartialDependence`. Never changes the
other columns of a row, so it may combine values that never occur together.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from rosenblatt._checks import check_count
from rosenblatt._html import paragraph, table, view
from rosenblatt._suggestions import suggestion
from rosenblatt.estimators.tabular.explain.column_substitution import (
    Substitution,
    column_slices,
    predict_variants,
    sample_rows,
)
from rosenblatt.estimators.tabular.explain.output_names import output_names
from rosenblatt.estimators.tabular.explain.shortened import short_name
from rosenblatt.tables.encoders import Encoder
from rosenblatt.tables.readers.frames import table_from_mapping
from rosenblatt.tables.table import Column, TableError

__all__ = ["PartialDependence", "partial_dependence"]

Array = NDArray[Any]
MAX_SHOWN = 6
"""Outputs in the printed table."""
MAX_SINGLE = 50


@dataclass(frozen=True, eq=False, repr=False)
class PartialDependence:
    """Predictions by the values of one column.

    Attributes
    ----------
    column : str
    kind : {"number", "date", "boolean", "category", "text"}
    grid : ndarray of shape (n_grid,)
        Values in the column's own units: float64, datetime64, or texts (of booleans "false" and "true").
    outputs : tuple of str
        Names of the classes, or of the outputs of a regression.
    values, spread : ndarray of shape (n_grid, n_outputs)
        Mean and standard deviation over the rows, of the predicted probability or target.
    n_rows : int
    single_rows : ndarray of shape (n_shown, n_grid, n_outputs)
        The predictions for the first 50 of the rows, for lines of single rows (Goldstein et al. 2015).
    of_classes : bool
        Whether outputs are probabilities of classes.
    target : str
        Name of the target, or nothing.
    """

    column: str
    kind: str
    grid: Array
    outputs: tuple[str, ...]
    values: NDArray[np.float64]
    spread: NDArray[np.float64]
    n_rows: int
    single_rows: NDArray[np.float64]
    of_classes: bool
    target: str = ""

    def varying(self, most: int) -> list[int]:
        """The indices of the `most` outputs that vary most over the grid, in their order."""
        ranges = np.ptp(self.values, axis=0)
        return sorted(np.argsort(-ranges, kind="stable")[:most].tolist())

    def __str__(self) -> str:
        heads, rows = self.text_cells()
        heads, rows = [*map(short_name, heads)], [[short_name(text), *cells] for text, *cells in rows]
        widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
        lines = [self.heading(), ""]
        for row in (heads, *rows):
            cells = (f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
            lines.append("  ".join([f"{row[0]:{widths[0]}}", *cells]))
        return "\n".join([*lines, *self.omission()])

    def _repr_html_(self) -> str:
        return view(self.heading(), table(*self.text_cells()), *map(paragraph, self.omission()))

    def heading(self) -> str:
        """What the numbers are."""
        return f"mean prediction ± standard deviation over {self.n_rows:,} rows"

    def text_cells(self) -> tuple[list[str], list[list[str]]]:
        """Headings, and a row for each value, of the outputs that vary most."""
        shown = self.varying(MAX_SHOWN)
        cells = [[f"{self.values[i, k]:.4g} ± {self.spread[i, k]:.2g}" for k in shown] for i in range(len(self.grid))]
        rows = [[text, *row] for text, row in zip(self.labels(), cells, strict=True)]
        return [self.column, *(self.outputs[k] for k in shown)], rows

    def omission(self) -> list[str]:
        """A line about outputs that are not shown, if there are any."""
        rest = len(self.outputs) - MAX_SHOWN
        return [f"and {rest} more outputs, which vary less"] if rest > 0 else []

    __repr__ = __str__

    def labels(self) -> list[str]:
        """The grid as texts."""
        return [f"{value:.6g}" if self.kind == "number" else str(value) for value in self.grid]


def partial_dependence(
    model: Any, X: Any, column: str | int, grid: Any, n_grid: int, n_rows: int, random_state: Any
) -> PartialDependence:
    """See `TabularEstimator.partial_dependence`."""
    check_count("n_grid", n_grid)
    check_count("n_rows", n_rows)
    encoder = encoder_of(model, column)
    table = model._read(X, reset=False)
    table = table.take(sample_rows(table.n_rows, n_rows, check_random_state(random_state)))
    cells = grid_cells(encoder, table[encoder.name], grid, n_grid)
    n, part, prepared = table.n_rows, encoder.prepare(cells, []), model.preparation_.transform(table)
    place = next(place for place in column_slices(model.preparation_) if place.name == encoder.name)
    variants = [Substitution(place, part, np.full(n, i)) for i in range(len(cells.values))]
    predicted = predict_variants(model, prepared, variants)
    found = [(p.mean(axis=0), p.std(axis=0), p[:MAX_SINGLE].copy()) for p in predicted]
    values, spread, single = (np.array(list(numbers)) for numbers in zip(*found, strict=True))
    of_classes, names = hasattr(model, "classes_"), output_names(model)
    grid = encoder.decode(cells)
    single = single.swapaxes(0, 1)
    found_for = grid, names, values, spread, n, single, of_classes, model.target_name_ or ""
    return PartialDependence(encoder.name, encoder.cell_kind, *found_for)


def encoder_of(model: Any, column: str | int) -> Encoder:
    """The encoder of a column that the model uses, by name or number."""
    kinds = {kind.name: kind for kind in model.preparation_.kinds}
    name = str(column)
    if isinstance(column, Integral) and name not in kinds:
        if not 0 <= column < len(kinds):
            raise TableError(f"there is no column number {column}: there are {len(kinds)}, counted from 0.")
        name = list(kinds)[int(column)]
    if name not in kinds:
        raise TableError(f"there is no column {name!r}.{suggestion(name, kinds)}")
    if not kinds[name].used:
        raise TableError(
            f"predictions do not depend on column {name!r}: the model leaves it out ({kinds[name].detail})."
        )
    found: Encoder = next(encoder for encoder in model.preparation_.encoders if encoder.name == name)
    return found


def grid_cells(encoder: Encoder, column: Column, grid: Any, n_grid: int) -> Column:
    """Values that occur in the rows, or those of the user, which must be of the column's kind."""
    if grid is None:
        cells = encoder.typical_cells(column, n_grid)
        if not len(cells.values):
            raise TableError(
                f"column {encoder.name!r} has no value in these rows that training saw: give a grid, or other rows."
            )
        return cells
    given = [grid] if isinstance(grid, str) or not np.iterable(grid) else list(grid)
    if not given:
        raise ValueError(f"grid is empty; give at least one value for column {encoder.name!r}.")
    cells = table_from_mapping({encoder.name: given})[encoder.name]
    if cells.missing.any():
        raise ValueError(f"value {int(np.argmax(cells.missing)) + 1} of grid is missing; give values.")
    known = encoder.is_known(cells)
    if not known.all():
        place = int(np.argmin(known))
        where = f"value {place + 1} of grid is {given[place]!r}"
        raise ValueError(f"{where}; for column {encoder.name!r} it must be {encoder.allowed(str(given[place]))}")
    return cells
