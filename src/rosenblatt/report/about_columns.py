"""What a report says of the columns: kinds, treatment, distributions, importance, dependence of predictions.

Takes the evidence. Returns dictionaries and lists. Never shows a cell, except for levels and the ends of a range.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from rosenblatt.estimators.tabular.explain.shortened import short_name
from rosenblatt.report.evidence import Evidence, unheard_warnings
from rosenblatt.report.text import treatment
from rosenblatt.tables.table import TableError

__all__ = ["data", "dependence", "importance", "importance_of"]

MAX_COLUMNS = 100
N_ROWS, MAX_CURVES = 200, 4
N_GRID, MAX_OUTPUTS = 12, 3


def data(evidence: Evidence) -> dict[str, Any]:
    """The training table: rows, and each column with its kind, treatment, missing cells and distribution."""
    model = evidence.model
    preparation = model.preparation_
    pairs = zip(preparation.encoders, preparation.references, strict=True)
    known = {encoder.name: (encoder, reference) for encoder, reference in pairs}
    columns = []
    for kind in preparation.kinds[:MAX_COLUMNS]:
        encoder, reference = known.get(kind.name, (None, None))
        entry = {"name": kind.name, "kind": kind.kind, "treatment": treatment(kind, encoder), "missing": kind.n_missing}
        if kind.check:
            entry["check"] = kind.check
        if reference is not None:
            labels, counts = reference.histogram(encoder)
            entry["distribution"] = {"labels": [short_name(label) for label in labels], "counts": counts}
        columns.append(entry)
    found = {"rows": model.n_rows_, "n_columns": len(preparation.kinds), "columns": columns}
    return found | ({"target_check": model.target_check_} if model.target_check_ else {})


def importance(evidence: Evidence) -> list[dict[str, Any]]:
    """How much each column matters, the most important first; `importance_of` says by what measure."""
    found = evidence.explanation
    parts = {"importance": found.importance, "error": found.deviation}
    return [
        {"name": found.columns[i]} | {name: values[i] for name, values in parts.items()}
        for i in found.order[:MAX_COLUMNS]
    ]


def importance_of(evidence: Evidence) -> dict[str, Any]:
    """What the importances are: method, quantity, and the rows that they were measured in."""
    found = evidence.explanation
    where = "rows drawn from the training distribution of each column"
    if evidence.given is not None or evidence.training is not None:
        where = "training rows" if evidence.rows is None else "the rows that were given"
    entry = {"method": found.method, "quantity": found.quantity, "rows": len(found.rows), "of": where}
    return entry | ({"note": found.note} if found.note and evidence.rows is not None else {})


def dependence(evidence: Evidence) -> list[dict[str, Any]]:
    """Mean predictions by the values of the most important columns; of many outputs those that vary most."""
    model = evidence.model
    kinds = {encoder.name: encoder.cell_kind for encoder in model.preparation_.encoders}
    ranked = [name for name in evidence.explanation.ranked if kinds.get(name, "text") != "text"]
    curves = []
    for name in ranked[:MAX_CURVES]:
        with unheard_warnings(), suppress(TableError):  # no cell of these rows is known
            one = model.partial_dependence(evidence.inputs, name, n_grid=N_GRID, n_rows=N_ROWS)
            shown = [1] if one.of_classes and len(one.outputs) == 2 else one.varying(MAX_OUTPUTS)
            names = [short_name(one.outputs[k]) for k in shown]
            grid = one.grid if one.kind == "number" else [short_name(text) for text in one.labels()]
            curves.append({"column": name, "kind": one.kind, "grid": grid, "outputs": names})
            curves[-1]["values"] = one.values[:, shown].T
    return curves
