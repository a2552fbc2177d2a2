"""``rosenblatt explain``: how much each column matters to a stored model.

Takes a model file and a table. Returns nothing: it shows the columns, the most important first. Never changes the
model.
"""

from __future__ import annotations

from typing import Any

from rosenblatt.cli.display import Display
from rosenblatt.cli.models import load_tabular
from rosenblatt.cli.results import plain
from rosenblatt.cli.scored import of_model

__all__ = ["explain"]


def explain(given: Any, display: Display) -> None:
    """Load, read, shuffle columns, show."""
    model = load_tabular(given.model)
    rows = of_model(model, given.file, given.encoding)
    display.data |= {"command": "explain", "model": str(given.model)}
    display.table(rows.file, rows.inputs.n_rows, len(rows.inputs.columns) + 1)
    target = rows.target.decoded()
    found = model.explain(
        rows.inputs, target, method=given.method, n_repeats=given.repeats, n_rows=given.rows, random_state=given.seed
    )
    display.importance(importance_data(found))
    display.complete()


def importance_data(found: Any) -> dict[str, Any]:
    """An `Explanation` as plain values, the most important column first."""
    columns = [
        {"name": found.columns[i], "importance": plain(found.importance[i]), "deviation": plain(found.deviation[i])}
        for i in found.order
    ]
    return {
        "method": found.method,
        "rows": len(found.rows),
        "quantity": found.quantity,
        "score_name": found.score_name,
        "score": plain(found.baseline),
        "columns": columns,
        "note": found.note,
    }
