"""What a report says of the columns: kinds, treatment, distributions, importance, dependence of predictions.

Takes the evidence. Returns dictionaries and lists. Never shows a cell, except for levels and the ends of a range.
"""

from __future__ import annotations

from typing import Any

from rosenblatt.estimators.tabular.explain.shortened import short_name
from rosenblatt.report.evidence import Evidence
from rosenblatt.report.text import treatment

__all__ = ["data", "dependence", "importance"]

MAX_COLUMNS = 100


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


def importance(evidence: Evidence) -> dict[str, Any] | None:
    """How much each column matters."""
    return None


def dependence(evidence: Evidence) -> list[dict[str, Any]] | None:
    """How predictions depend on the most important columns."""
    return None
