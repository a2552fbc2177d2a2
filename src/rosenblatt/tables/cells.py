"""The texts of cells as what they stand for: Boolean words, dates.

Goes in: a column of texts, and what the column was in training. Comes out: float64 cells, NaN where missing. It never
guesses: a text that stands for nothing of that kind is an error that names its row.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.table import Column, TableError

__all__ = ["PLURALS", "parse_special"]

BOOLEAN_WORDS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0, "1": 1.0, "0": 0.0}
PLURALS = {"number": "numbers", "integer": "numbers", "boolean": "booleans", "date": "dates", "text": "texts"}


def parse_special(column: Column, storage: str) -> NDArray[np.float64]:
    """Text as booleans or dates, where training saw such."""
    numbers = [special_number(level, storage) for level in column.levels] + [np.nan]
    values = np.array(numbers, dtype=np.float64)[column.values]
    wrong = np.flatnonzero(np.isnan(values) & (column.values >= 0))
    if len(wrong):
        text = column.levels[int(column.values[wrong[0]])]
        where = column.name_rows(wrong[:1])
        raise TableError(
            f"column {column.name!r} holds {PLURALS[storage]}, but {where} says {text!r} (the first row is 1). Correct "
            "the cell, or empty it."
        )
    return np.asarray(values)


def special_number(text: str, storage: str) -> float:
    """A boolean word as 0 or 1, an ISO date as days since 1970, anything else as NaN."""
    if storage == "boolean":
        return BOOLEAN_WORDS.get(text.lower(), math.nan)
    try:
        return float(np.datetime64(text, "us").astype(np.int64) / 86_400e6)
    except ValueError:
        return math.nan
