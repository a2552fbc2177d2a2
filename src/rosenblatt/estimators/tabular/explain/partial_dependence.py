"""How the prediction of a fitted tabular estimator depends on one column, on the mean over rows.

Goes in: a fitted estimator, a table, a column, perhaps values for it. Comes out: a `PartialDependence`. The other
columns stay as they are in each row, so values may meet that never occur together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from rosenblatt.estimators.tabular.explain.column_substitution import (
    Substitution,
    places_of,
    predict_variants,
    require_count,
    sample_rows,
)
from rosenblatt.tables.encoders import CategoricalEncoder, NumericEncoder, Rule, TextEncoder
from rosenblatt.tables.preparation import Preparation, Prepared
from rosenblatt.tables.readers.frames import table_from_mapping
from rosenblatt.tables.table import Column, Table, TableError, suggestion

__all__ = ["PartialDependence", "partial_dependence"]

Array = NDArray[Any]
LOWEST, HIGHEST = 0.05, 0.95
"""Quantiles that the default grid lies between: beyond them there are few rows to tell."""
MAX_SHOWN = 6
"""Outputs in the printed table."""
MICROSECONDS_PER_DAY = 86_400e6
PLURALS = {"number": "a number", "date": "a date", "boolean": "true or false"}


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
    of_classes : bool
        Whether outputs are probabilities of classes.
    """

    column: str
    kind: str
    grid: Array
    outputs: tuple[str, ...]
    values: NDArray[np.float64]
    spread: NDArray[np.float64]
    n_rows: int
    of_classes: bool

    def varying(self, most: int) -> list[int]:
        """Numbers of the outputs that vary most over the grid, at most so many, in their order."""
        ranges = np.ptp(self.values, axis=0)
        return sorted(np.argsort(-ranges, kind="stable")[:most].tolist())

    def __str__(self) -> str:
        shown = self.varying(MAX_SHOWN)
        heads = [self.column, *(self.outputs[k] for k in shown)]
        rows = [
            [text, *(f"{self.values[i, k]:.4g} ± {self.spread[i, k]:.2g}" for k in shown)]
            for i, text in enumerate(self.labels())
        ]
        widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
        lines = [f"mean prediction ± standard deviation over {self.n_rows:,} rows", ""]
        for row in (heads, *rows):
            cells = [
                f"{row[0]:{widths[0]}}",
                *(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
            lines.append("  ".join(cells))
        rest = len(self.outputs) - len(shown)
        return "\n".join([*lines, f"and {rest} more outputs, which vary less"] if rest else lines)

    __repr__ = __str__

    def labels(self) -> list[str]:
        """The grid as texts."""
        return [f"{value:.6g}" if self.kind == "number" else str(value) for value in self.grid]


def partial_dependence(
    model: Any, X: Any, column: str | int, grid: Any, n_grid: int, n_rows: int, random_state: Any
) -> PartialDependence:
    """See `TabularEstimator.partial_dependence`."""
    require_count("n_grid", n_grid)
    require_count("n_rows", n_rows)
    rule = rule_of(model, column)
    table = model._read(X, reset=False)
    table = table.take(sample_rows(table.n_rows, n_rows, check_random_state(random_state)))
    prepared = model.preparation_.transform(table)
    cells = default_grid(rule, table[rule.name], n_grid) if grid is None else given_grid(rule, grid)
    n, part = table.n_rows, prepare_alone(model.preparation_, rule, cells)
    place = next(place for place in places_of(model.preparation_) if place.name == rule.name)
    variants = [Substitution(place, part, np.full(n, i)) for i in range(len(cells.values))]
    found = [(p.mean(axis=0), p.std(axis=0)) for p in predict_variants(model, prepared, variants)]
    values, spread = (np.array(list(numbers)) for numbers in zip(*found, strict=True))
    names, of_classes = output_names(model), hasattr(model, "classes_")
    return PartialDependence(rule.name, kind_of(rule), shown_grid(rule, cells), names, values, spread, n, of_classes)


def rule_of(model: Any, column: str | int) -> Rule:
    """The rule of a column that the model uses, by name or number."""
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
    rules: dict[str, Rule] = {rule.name: rule for rule in model.preparation_.rules}
    return rules[name]


def kind_of(rule: Rule) -> str:
    """What a rule's cells are."""
    if isinstance(rule, TextEncoder):
        return "text"
    return "category" if rule.storage == "text" else rule.storage


def default_grid(rule: Rule, column: Column, most: int) -> Column:
    """Values that occur in the rows."""
    if isinstance(rule, TextEncoder):
        raise TableError(f"column {rule.name!r} holds free text: give texts as grid.")
    if isinstance(rule, CategoricalEncoder):
        counts = np.bincount(rule.codes(column, []), minlength=len(rule.levels) + 1)[1:]
        order = np.arange(2) if rule.storage == "boolean" else np.argsort(-counts, kind="stable")
        levels = [rule.levels[i] for i in order if counts[i]][:most]
        require_values(rule.name, levels)
        return Column(rule.name, "text", np.arange(len(levels), dtype=np.int32), tuple(levels))
    values = rule.read(column)
    values = values[np.isfinite(values)]
    require_values(rule.name, values)
    distinct = np.unique(values)
    if len(distinct) > most:
        distinct = np.unique(np.quantile(values, np.linspace(LOWEST, HIGHEST, most), method="inverted_cdf"))
    return Column(rule.name, "date" if rule.storage == "date" else "number", distinct)


def require_values(name: str, values: Sequence[Any] | Array) -> None:
    """Refuse a column in which no cell tells."""
    if not len(values):
        raise TableError(f"column {name!r} has no value in these rows that training saw: give a grid, or other rows.")


def given_grid(rule: Rule, grid: Any) -> Column:
    """The user's values; refuses those that are not of the column's kind."""
    given = [grid] if isinstance(grid, str) or not np.iterable(grid) else list(grid)
    if not given:
        raise ValueError(f"grid is empty; give at least one value for column {rule.name!r}.")
    cells = table_from_mapping({rule.name: given})[rule.name]
    if cells.missing.any():
        raise ValueError(f"value {int(np.argmax(cells.missing)) + 1} of grid is missing; give values.")
    if isinstance(rule, TextEncoder):
        return cells
    known = ""
    if isinstance(rule, NumericEncoder):
        wrong, allowed = ~np.isfinite(rule.read(cells)), PLURALS[rule.storage]
    else:
        wrong, allowed = rule.codes(cells, []) == 0, PLURALS.get(rule.storage, "a level that the model knows")
    if wrong.any():
        place = int(np.argmax(wrong))
        if isinstance(rule, CategoricalEncoder) and rule.storage == "text":
            known = suggestion(str(given[place]), rule.levels, "levels")
        where = f"value {place + 1} of grid is {given[place]!r}"
        raise ValueError(f"{where}; for column {rule.name!r} it must be {allowed}.{known}")
    return cells


def prepare_alone(preparation: Preparation, rule: Rule, cells: Column) -> Prepared:
    """Cells of one column as networks read them."""
    kinds = tuple(kind for kind in preparation.kinds if kind.name == rule.name)
    return Preparation((rule,), kinds).transform(Table({rule.name: cells}, len(cells.values)))


def shown_grid(rule: Rule, cells: Column) -> Array:
    """Cells in the column's own units."""
    if isinstance(rule, NumericEncoder):
        values = rule.read(cells)
        if rule.storage != "date":
            return values
        times = np.round(values * MICROSECONDS_PER_DAY).astype("datetime64[us]")
        days = times.astype("datetime64[D]")
        return days if (days == times).all() else times
    if isinstance(rule, CategoricalEncoder):
        return np.array([rule.levels[code - 1] for code in rule.codes(cells, [])], dtype=object)
    return np.array([cells.levels[code] for code in cells.values], dtype=object)


def output_names(model: Any) -> tuple[str, ...]:
    """What the columns of predictions are."""
    if hasattr(model, "classes_"):
        return tuple(map(str, model.classes_))
    if model.quantiles is not None:
        return tuple(f"quantile {q:g}" for q in model.quantiles)
    n_targets = len(model.target_scaler_.center)
    return ("prediction",) if n_targets == 1 else tuple(f"target {i}" for i in range(1, n_targets + 1))
