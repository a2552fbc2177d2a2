"""The texts of cells as what they stand for: numbers, dates, Boolean words.

Takes a column of texts, and what is looked for. Returns what each level stands for, and which levels stand for nothing
of that kind. Never decides by a single cell what a comma or the first of two numbers means: all levels decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.readers.dates import DateOrder, date_order, read_date
from rosenblatt.tables.readers.numerals import NumberFormat
from rosenblatt.tables.table import Column

__all__ = ["PLAIN_NUMBERS", "PLURALS", "TextReading", "present_levels", "read_cells", "read_texts"]

BOOLEAN_WORDS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0, "1": 1.0, "0": 0.0}
PLURALS = {"number": "numbers", "integer": "numbers", "boolean": "booleans", "date": "dates", "text": "texts"}
MAX_TEXTS = 20
"""At most this many different texts among numbers or dates may stand for missing cells."""
MIN_QUANTITIES = 20
"""At most this many different numbers, with texts among them, are levels."""
SAMPLE = 100
PLAIN_NUMBERS = NumberFormat()


@dataclass(frozen=True)
class TextReading:
    """How a column's texts are read as numbers or dates: `levels` can be read, `others` (sorted) cannot."""

    storage: str
    levels: tuple[str, ...]
    others: tuple[str, ...]
    format: NumberFormat
    order: DateOrder

    def is_other(self, column: Column) -> NDArray[np.bool_]:
        """True for the cells that are neither of the kind looked for nor missing."""
        others = set(self.others)
        lookup: NDArray[np.bool_] = np.array([*(level in others for level in column.levels), False])
        return np.asarray(lookup[column.values])

    def describe(self) -> str:
        """How the texts are written, as the end of a sentence."""
        if self.storage == "number":
            percent = any("%" in level for level in self.levels)
            return self.format.describe() + ', "%" as hundredths' * percent
        if self.order.settled and not self.order.month_first:
            return ""
        return f", {'month' if self.order.month_first else 'day'} first{', by convention' * (not self.order.settled)}"


def read_texts(column: Column, storage: str) -> TextReading | None:
    """How the levels that occur are read as numbers or dates (`storage`); None if hardly any can be."""
    levels = present_levels(column)
    sample = levels[:SAMPLE]
    number_format = NumberFormat.of(sample) if storage == "number" else PLAIN_NUMBERS
    if np.isnan(read_levels(sample, storage, number_format, False)).sum() > 2 * MAX_TEXTS:
        return None
    number_format = NumberFormat.of(levels) if storage == "number" else PLAIN_NUMBERS
    order = date_order(levels) if storage == "date" else DateOrder()
    values = read_levels(levels, storage, number_format, order.month_first)
    read = tuple(level for level, value in zip(levels, values, strict=True) if not math.isnan(value))
    others = tuple(sorted(level for level, value in zip(levels, values, strict=True) if math.isnan(value)))
    return TextReading(storage, read, others, number_format, order) if read else None


def read_cells(
    column: Column, storage: str, number_format: NumberFormat = PLAIN_NUMBERS, month_first: bool = False
) -> NDArray[np.float64]:
    """What the cells of a column of text stand for, NaN for missing cells and for nothing of that kind."""
    of_levels = read_levels(column.levels, storage, number_format, month_first)
    return np.asarray(np.append(of_levels, np.nan)[column.values])  # code -1 is the NaN at the end


def read_levels(
    levels: Iterable[str], storage: str, number_format: NumberFormat, month_first: bool
) -> NDArray[np.float64]:
    """What levels stand for, blanks around them aside; NaN for nothing of that kind."""
    levels = map(str.strip, levels)
    found: Iterable[float | None]
    if storage == "date":
        found = (read_date(level, month_first) for level in levels)
    elif storage == "boolean":
        found = (BOOLEAN_WORDS.get(level.lower()) for level in levels)
    else:
        found = (number_format.read(level) for level in levels)
    return np.array([math.nan if value is None else value for value in found], dtype=np.float64)


def present_levels(column: Column) -> list[str]:
    """The levels of a column of text that occur in its rows."""
    return [column.levels[code] for code in np.unique(column.values[column.values >= 0])]
