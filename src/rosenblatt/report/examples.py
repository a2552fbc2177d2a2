"""Rows of a report that a reader should find again: their numbers in the table, what names them, and some cells.

Takes a fitted estimator, a table and places of rows in it. Returns plain values. Never predicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from rosenblatt.estimators.tabular.explain.contributions import cells_of
from rosenblatt.estimators.tabular.explain.shortened import short
from rosenblatt.tables.table import Column, Table, level_column

__all__ = ["examples_of"]

MOST_SHOWN = 5
"""Columns whose cells are shown."""


def examples_of(model: Any, table: Table, places: Iterable[int], ranked: Sequence[str]) -> list[dict[str, Any]]:
    """For each place of a row its number, its ids, and its cells in the first of the `ranked` columns.

    The number counts the rows of the table that was read from 1, without a header, also where other rows were left out
    or split off since. Ids are the columns that `fit` was told of by ``id=``, as far as the table has them.
    """
    rows = np.asarray(list(places), np.int64)
    if not len(rows):
        return []
    taken = table.take(rows)
    kinds = model.preparation_.kinds
    used = [kind.name for kind in kinds if kind.used]
    ids = {name: texts_of(taken.columns[name]) for name in model.id_columns_ if name in table.columns}
    cells = dict(zip((kind.name for kind in kinds), zip(*cells_of(model, taken), strict=True), strict=True))
    shown = {name: cells[name] for name in ranked if name in used}
    shown = dict(list(shown.items())[:MOST_SHOWN])
    read = taken.columns[used[0]].rows
    found = []
    for i, number in enumerate(rows if read is None else read):
        entry: dict[str, Any] = {"row": int(number) + 1}
        if ids:
            entry["id"] = {name: texts[i] for name, texts in ids.items()}
        found.append(entry | {"cells": {name: short(texts[i]) for name, texts in shown.items()}})
    return found


def texts_of(column: Column) -> list[str]:
    """Cells as texts on one line; nothing where they are missing."""
    cells = level_column(column)
    return ["" if code < 0 else short(cells.levels[code]) for code in cells.values]
