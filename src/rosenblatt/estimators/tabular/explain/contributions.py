"""Contributions of raw columns to single predictions, which add up to what each differs from a baseline by.

Takes a fitted estimator and a table. Returns a `RowExplanation`, which says by how much the sums miss. Never takes
other rows into account: the baseline is the prediction for the mean training row, which the model keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from rosenblatt._checks import check_count
from rosenblatt._html import Markup, bar, folded, paragraph, table, view
from rosenblatt.estimators.tabular.explain.column_substitution import column_slices, sample_rows
from rosenblatt.estimators.tabular.explain.importance import MAX_SHOWN, Explanation, note_on, read_rows
from rosenblatt.estimators.tabular.explain.integrated_gradients import integrated_gradients
from rosenblatt.estimators.tabular.explain.mixtures import Mixtures
from rosenblatt.estimators.tabular.explain.quantities import Quantity, quantity_of
from rosenblatt.estimators.tabular.explain.shapley import EXACT_COLUMNS, exact_values, sampled_values
from rosenblatt.estimators.tabular.explain.shortened import short_name
from rosenblatt.tables.table import Table, level_column

__all__ = ["ROW_METHODS", "RowExplanation", "explain_rows"]

Array = NDArray[Any]
ROW_METHODS = ("integrated_gradients", "shapley")
DEFAULT_ROWS, DEFAULT_ORDERS = 200, 25
ROWS_AT_ONCE = 256
LONGEST_CELL = 24
MAX_ROWS_SHOWN = 20
"""Rows whose contributions a notebook shows."""
MISSING, LEFT_OUT = "(missing)", "(left out)"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class RowExplanation(Explanation):
    """What each column contributes to the predictions of single rows, beside what an `Explanation` has.

    `contributions` of a row, added to its `baseline`, give its `predictions` but for `error`. `importance` is the mean
    absolute contribution, and `deviation` its standard deviation over the rows.

    Attributes
    ----------
    contributions : ndarray of shape (n_rows, n_columns) or (n_rows, n_columns, n_outputs)
        The share of each of `columns` in what the row's prediction differs from its baseline by.
    predictions, baseline : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        The explained quantity for the rows, and for the mean training row.
    what : str
        The explained quantity in words: "the prediction" in the target's units, or log odds.
    classes : tuple of str
        The class whose log odds are explained, for each row; empty if there are none.
    error : ndarray of shape (n_rows,)
        The largest absolute difference between prediction and baseline + sum of contributions over the outputs.
    standard_error : ndarray of the shape of `contributions`, or None
        What contributions are uncertain by, if they were estimated from random orders.
    effort : str
        How they were computed: exactly, from how many orders, or with how many steps.
    efforts : tuple of str
        The same for each row.
    cells : tuple of tuple of str
        The cells of each row, in the order of `columns`; "(missing)" where there is none, and "(left out)" in columns
        that the model leaves out.
    outputs : tuple of str
        Each output in words, such as "the prediction of rent, quantile 0.5".
    """

    contributions: NDArray[np.float64]
    predictions: NDArray[np.float64]
    what: str
    classes: tuple[str, ...]
    error: NDArray[np.float64]
    standard_error: NDArray[np.float64] | None
    effort: str
    cells: tuple[tuple[str, ...], ...]
    efforts: tuple[str, ...]
    outputs: tuple[str, ...]

    def place_of(self, row: int) -> int:
        """Where a row of X, by its number from 0, stands among the explained ones; a `ValueError` if it does not."""
        check_count("row", row, 0)
        found = np.flatnonzero(self.rows == row)
        if not len(found):
            known = ", ".join(map(str, self.rows[:5])) + (", ..." if len(self.rows) > 5 else "")
            raise ValueError(
                f"row is {row}, which is not among the {len(self.rows):,} explained rows, counted from 0: {known}"
            )
        return int(found[0])

    def ranked_in(self, row: int) -> list[int]:
        """The numbers of the columns, those with the largest absolute contributions to a row first."""
        return [int(j) for j in np.argsort(-self._sizes(self.place_of(row)), kind="stable")]

    def row_table(self, row: int = 0, most: int = MAX_SHOWN) -> str:
        """The contributions to one row, which is named by its number in X from 0, as aligned text."""
        check_count("most", most)
        at = self.place_of(row)
        order, own = self.ranked_in(row), self.contributions[at]
        lines = [*self._headings_of(at), ""]
        names = [short_name(self.columns[j]) for j in order[:most]]
        cells = [[short_cell(self.cells[at][j]), short_numbers(own[j])] for j in order[:most]]
        texts = [[name, *cell] for name, cell in zip(names, cells, strict=True)]
        heads = ["column", "value", "contribution"]
        if self.standard_error is not None and not np.isnan(self.standard_error).all():  # one order has none
            heads.append("standard error")
            for text, j in zip(texts, order, strict=False):
                text.append(short_numbers(self.standard_error[at, j], ""))
        lines += aligned([heads, *texts])
        if rest := len(order) - most:
            lines += (
                [f"and {rest:,} more, of {short_numbers(own[order[most:]].sum(axis=0))} together"] if rest > 0 else []
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        first = [self._html_of_row(int(row)) for row in self.rows[:MAX_ROWS_SHOWN]]
        if len(self.rows) == 1:
            return first[0]
        rest = len(self.rows) - len(first)
        more = paragraph(f"and {rest:,} more: row_table(row) shows each" if rest else "")
        return super()._repr_html_() + view("", folded("Single rows", *first, more))

    def _html_of_row(self, row: int) -> str:
        """The contributions to one row."""
        at, order = self.place_of(row), self.ranked_in(row)
        title, total, own = *self._headings_of(at), self.contributions[at]
        largest = float(np.abs(own).max(initial=0.0)) or 1.0
        rows = [
            (
                self.columns[j] or '""',
                self.cells[at][j],
                short_numbers(own[j]),
                Markup("<br>".join(bar(float(part) / largest) for part in np.atleast_1d(own[j]))),
            )
            for j in order
        ]
        return view(title, paragraph(total), table(("column", "value", "contribution", ""), rows, most=MAX_SHOWN))

    def _headings_of(self, at: int) -> tuple[str, str]:
        """What is explained of a row, by its place among the explained ones, and the sentence that it adds up."""
        class_name = f" {self.classes[at]!r}" if self.classes else ""
        title = f"{self.method}, row {self.rows[at]}: {self.what}{class_name}"
        return title, f"{self._sum_of(at)} ({self.efforts[at]})"

    def table(self, most: int = MAX_SHOWN) -> str:
        """The `most` important columns as aligned text; the contributions if there is one row."""
        if len(self.rows) == 1:
            return self.row_table(int(self.rows[0]), most)
        return super().table(most)

    def headings(self) -> list[str]:
        """What is explained, and how far contributions are from adding up to it."""
        gap = f"contributions add up to prediction - baseline to within {self.error.max():.2g} ({self.effort})"
        return [f"{self.method}, {len(self.rows):,} rows: {self.quantity}", gap]

    def _sizes(self, at: int) -> Array:
        """Absolute contributions to a row, the means over outputs."""
        own = np.abs(self.contributions[at])
        return np.asarray(own if own.ndim == 1 else own.mean(axis=1))

    def _sum_of(self, at: int) -> str:
        """The sentence that contributions add up."""
        prediction, baseline = (short_numbers(part[at], "") for part in (self.predictions, self.baseline))
        if self.classes:
            prediction += f" (probability {1 / (1 + np.exp(-self.predictions[at])):.3f})"
        return f"prediction {prediction} = baseline {baseline} + contributions, to within {self.error[at]:.2g}"


def explain_rows(
    model: Any, X: Any, y: Any, method: str, n_repeats: int | None, n_rows: int | None, random_state: Any
) -> RowExplanation:
    """See `TabularEstimator.explain`."""
    n_orders = DEFAULT_ORDERS if n_repeats is None else n_repeats
    most = DEFAULT_ROWS if n_rows is None else n_rows
    check_count("n_repeats", n_orders)
    check_count("n_rows", most)
    rng = check_random_state(random_state)
    table, _ = read_rows(model, X, y)
    rows = sample_rows(table.n_rows, most, rng)
    seed = int(rng.randint(2**31))
    parts = [rows[i : i + ROWS_AT_ONCE] for i in range(0, len(rows), ROWS_AT_ONCE)]
    blocks = [attribute(model, table.take(part), method, n_orders, seed) for part in parts]
    return explanation_of(model, blocks, method, rows, table.take(rows))


@dataclass(frozen=True)
class Attribution:
    """The contributions of the columns that a model uses to some rows, and what they add up to."""

    quantity: Quantity
    predictions: Array  # [n_rows, n_quantities], as are those of the mean training row
    baseline: Array
    contributions: Array  # [n_rows, n_columns, n_quantities], as are their standard errors
    standard_error: Array | None
    effort: tuple[str, NDArray[np.int64]]  # a sentence with a place for a number, and this number for each row


def attribute(model: Any, table: Table, method: str, n_orders: int, seed: int) -> Attribution:
    """Contributions to the rows of a table."""
    prepared = model.preparation_.transform(table)
    quantity, mixtures = quantity_of(model, prepared), Mixtures(model, prepared)
    rows, n, errors = np.arange(table.n_rows), mixtures.n_columns, None
    if method == "integrated_gradients":
        found, steps = integrated_gradients(mixtures, quantity)
        effort = "{} steps", steps
    elif n <= EXACT_COLUMNS:
        found = exact_values(mixtures, quantity)
        effort = f"exact, from all {{}} combinations of {n} column{'s' if n > 1 else ''}", 2**n + 0 * rows
    else:
        found, errors = sampled_values(mixtures, quantity, n_orders, seed)
        effort = orders_in_words(n_orders), n_orders + 0 * rows
    baseline = mixtures.values(quantity, rows, np.zeros(1))[0]
    return Attribution(quantity, quantity.values(mixtures.raw, rows), baseline, found, errors, effort)


def orders_in_words(n_orders: int) -> str:
    """How contributions were estimated, with a place for the number of orders."""
    return (
        "{} random orders, each forwards and backwards" if n_orders > 1 else "{} random order, forwards and backwards"
    )


def explanation_of(
    model: Any, blocks: Sequence[Attribution], method: str, rows: NDArray[np.int64], table: Table
) -> RowExplanation:
    """The attributions of all blocks of rows as one record."""
    names = tuple(kind.name for kind in model.preparation_.kinds)
    used = [names.index(place.name) for place in column_slices(model.preparation_)]

    def joined(name: str) -> Array:
        """What the blocks hold under a name, one below the other; for all columns, and without an only quantity."""
        array = np.concatenate([getattr(block, name) for block in blocks])
        if array.ndim == 3:
            every = np.zeros((len(array), len(names), array.shape[2]))
            every[:, used] = array
            array = every
        return array[..., 0] if array.shape[-1] == 1 else array

    contributions, predictions, baseline = joined("contributions"), joined("predictions"), joined("baseline")
    errors = None if blocks[0].standard_error is None else joined("standard_error")
    quantity, classes = blocks[0].quantity, [model.classes_[k] for block in blocks for k in block.quantity.classes]
    sizes = np.abs(contributions)
    sizes = sizes if sizes.ndim == 2 else (sizes / quantity.scales).mean(axis=2)
    gaps = np.abs(baseline + contributions.sum(axis=1) - predictions).reshape(len(rows), -1).max(axis=1)
    words, numbers = blocks[0].effort[0], np.concatenate([block.effort[1] for block in blocks])
    return RowExplanation(
        columns=names,
        importance=sizes.mean(axis=0),
        deviation=sizes.std(axis=0),
        baseline=baseline,
        score_name="",
        method=method,
        quantity=f"mean absolute contribution to {quantity.what}",
        rows=rows,
        contributions=contributions,
        note=note_on(model, model.preparation_.transform(table)),
        predictions=predictions,
        what=quantity.what,
        classes=tuple(map(str, classes)),
        error=gaps,
        standard_error=errors,
        effort=words.format(range_in_words(numbers)),
        efforts=tuple(words.format(f"{number:,}") for number in numbers),
        cells=cells_of(model, table),
        outputs=quantity.outputs,
    )


def range_in_words(numbers: NDArray[np.int64]) -> str:
    """The smallest and the largest of numbers, or the only one."""
    low, high = f"{numbers.min():,}", f"{numbers.max():,}"
    return low if low == high else f"{low} to {high}"


def cells_of(model: Any, table: Table) -> tuple[tuple[str, ...], ...]:
    """The cells of all columns as texts, row by row; numbers to six digits."""
    columns = []
    for kind in model.preparation_.kinds:
        if not kind.used:
            columns.append([LEFT_OUT] * table.n_rows)
            continue
        column = table[kind.name]
        levels = level_column(column)
        texts = [short_number(text) for text in levels.levels] if column.storage == "number" else levels.levels
        columns.append([texts[code] if code >= 0 else MISSING for code in levels.values])
    return tuple(zip(*columns, strict=True))


def short_number(text: str) -> str:
    """A number as a table shows it: to six digits if it has more of them behind the point."""
    return min(text, f"{float(text):.6g}", key=len) if "." in text else text


def short_cell(text: str) -> str:
    """A cell on one line, cut if it is long."""
    line = "".join(c if c.isprintable() else " " for c in text[: LONGEST_CELL + 1])
    return line if len(line) <= LONGEST_CELL else f"{line[: LONGEST_CELL - 1]}…"


def short_numbers(values: Any, sign: str = "+") -> str:
    """A number, or the numbers of several outputs, to four digits."""
    return ", ".join(f"{value:{sign}.4g}" for value in np.atleast_1d(values))


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines whose first two cells are aligned on the left, and the others on the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = ["<", "<", *[">"] * (len(widths) - 2)]
    return [
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)) for row in rows
    ]
