"""``rosenblatt drift``: how unlike the training rows of a stored model other rows are.

Takes a model file and a table, which needs no target. Returns nothing: it shows a line for each column, the most
suspicious first. Never predicts.
"""

from __future__ import annotations

from typing import Any

from rosenblatt.cli.display import Display
from rosenblatt.cli.models import load_tabular
from rosenblatt.cli.scored import inputs_of_model
from rosenblatt.cli.session import named
from rosenblatt.storage.plain import plain

__all__ = ["drift"]


def drift(given: Any, display: Display) -> None:
    """Load, read, compare, show."""
    model = load_tabular(given.model)
    table = inputs_of_model(model, given.file, given.encoding)
    display.data |= {"command": "drift", "model": str(given.model)}
    display.table(named(given.file), table.n_rows, len(table.columns))
    found = model.drift(table)
    columns = found.to_dict()
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    display.drift({"rows": found.n_rows, "training_rows": found.n_training_rows, "columns": plain(rows)})
    display.complete()
