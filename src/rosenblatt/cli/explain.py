"""``rosenblatt explain``: how much each column matters to a stored model, or to one prediction.

Takes a model file and a table. Returns nothing: it shows the columns, the most important first. Never changes the
model.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rosenblatt.cli.display import Display
from rosenblatt.cli.models import load_tabular
from rosenblatt.cli.scored import inputs_of_model, of_model
from rosenblatt.cli.session import named
from rosenblatt.estimators.tabular.explain.output_names import target_columns
from rosenblatt.storage.plain import plain
from rosenblatt.tables.table import Table, TableError

__all__ = ["explain"]

OF_ROWS = ("integrated_gradients", "shapley")
"""Methods that explain single predictions."""


def explain(given: Any, display: Display) -> None:
    """Load, read, examine columns, show."""
    method = given.method or ("permutation" if given.row is None else "shapley")
    if given.row is not None and method not in OF_ROWS:
        raise ValueError(f"--method {method} compares rows; to explain a single one, choose {' or '.join(OF_ROWS)}.")
    require_used(given, method)
    model = load_tabular(given.model)
    table, target, n_columns = inputs_and_target(model, given, method)
    display.data |= {"command": "explain", "model": str(given.model)}
    display.table(named(given.file), table.n_rows, n_columns)
    options = {"method": method, "n_repeats": given.repeats, "n_rows": given.rows, "random_state": given.seed}
    options = {name: value for name, value in options.items() if value is not None}
    with display.warnings():
        if given.row is None:
            display.importance(importance_data(model.explain(table, target, **options)))
        else:
            found = model.explain(one_row(table, given.row), **options)
            display.contributions(contribution_data(found, given.row))
    display.complete()


def require_used(given: Any, method: str) -> None:
    """Refuse options that would change nothing."""
    if given.row is not None and given.rows is not None:
        raise ValueError("--row explains a single row, so that --rows chooses none; leave one of them out.")
    if given.repeats is not None and method not in ("permutation", "shapley"):
        raise ValueError(f"--method {method} shuffles nothing; leave --repeats out.")


def inputs_and_target(model: Any, given: Any, method: str) -> tuple[Table, Any, int]:
    """The rows of the file, their target, which only shuffling needs, and how many columns there are."""
    if method != "permutation":
        table = inputs_of_model(model, given.file, given.encoding)
        targets = [name for name in table.columns if name in target_columns(model)]
        return table.drop(targets), None, len(table.columns)
    rows = of_model(model, given.file, given.encoding)
    return rows.inputs, rows.target.decoded(), len(rows.inputs.columns) + 1


def one_row(table: Table, number: int) -> Table:
    """The row of a table, counted from 1."""
    if number > table.n_rows:
        raise TableError(f"--row is {number}, but the table has {table.n_rows:,} rows; the first is 1.")
    return table.take(np.array([number - 1]))


def contribution_data(found: Any, row: int) -> dict[str, Any]:
    """The explanation of one row as plain values, the largest contribution first."""
    errors = found.standard_error
    columns = [
        {
            "name": found.columns[j],
            "value": found.cells[0][j],
            "contribution": plain(found.contributions[0, j]),
            "standard_error": None if errors is None else plain(errors[0, j]),
        }
        for j in found.ranked_in(int(found.rows[0]))
    ]
    return {
        "method": found.method,
        "row": row,
        "quantity": found.what,
        "class": found.classes[0] if found.classes else None,
        "prediction": plain(found.predictions[0]),
        "baseline": plain(found.baseline[0]),
        "error": plain(found.error[0]),
        "effort": found.effort,
        "columns": columns,
    }


def importance_data(found: Any) -> dict[str, Any]:
    """An `Explanation` as plain values, the most important column first."""
    columns = [
        {"name": found.columns[i], "importance": plain(found.importance[i]), "deviation": plain(found.deviation[i])}
        for i in found.order
    ]
    score = None if found.method in OF_ROWS else plain(found.baseline)
    return {
        "method": found.method,
        "rows": len(found.rows),
        "quantity": found.quantity,
        "score_name": None if score is None else found.score_name,
        "score": score,
        "columns": columns,
        "note": found.note,
    }
