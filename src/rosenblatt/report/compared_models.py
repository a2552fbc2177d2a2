"""How two fitted models themselves differ: size, columns, parameters, and what to check in each.

Takes reports, or fitted tabular estimators. Returns plain values that JSON can hold. Never looks at a prediction.
"""

from __future__ import annotations

from typing import Any

from rosenblatt.report.report import Report

from rosenblatt.storage.plain import plain

__all__ = ["checks_of", "columns_that_differ", "model_facts"]

KNOWN_SHARE = 0.5
"""Of rows that equal rows which a model was trained on, from which on its score is too good."""


def model_facts(report: Report, name: str) -> dict[str, Any]:
    """What a model is, and how its predictions of the rows were made: "held out" or "out of fold"."""
    model, rows = report.model, report.rows
    ensemble = model.ensemble_
    return {
        "name": name,
        "kind": type(model).__name__,
        "predictions": None if rows is None else rows.what,
        "training_rows": int(model.n_rows_),
        "columns": sum(kind.used for kind in model.preparation_.kinds),
        "networks": len(ensemble.members),
        "architecture": ensemble.architectures,
        "parameters": sum(int(network.parameters.size) for network in ensemble.networks),
        "own_score": {"metric": model.score_name, "value": plain(model.score_), "measured": model.score_on_},
    }


def columns_that_differ(a: Any, b: Any) -> dict[str, Any]:
    """The used columns that only one has, and those that both use as different kinds."""
    kinds = [{kind.name: kind.kind for kind in model.preparation_.kinds if kind.used} for model in (a, b)]
    other = [name for name, kind in kinds[0].items() if kinds[1].get(name, kind) != kind]
    return {
        "only_a": [name for name in kinds[0] if name not in kinds[1]],
        "only_b": [name for name in kinds[1] if name not in kinds[0]],
        "kinds": [{"name": name, "a": kinds[0][name], "b": kinds[1][name]} for name in other],
    }


def checks_of(report: Report, name: str) -> list[dict[str, Any]]:
    """The checks of a report, behind one on rows that the model was trained on."""
    found = [{"model": name, **check} for check in report.facts.get("checks", ())]
    known = known_rows(report, name)
    return found if known is None else [known, *found]


def known_rows(report: Report, name: str) -> dict[str, Any] | None:
    """A warning if most rows equal training rows, and the predictions are not out of fold."""
    rows, model = report.rows, report.model
    if rows is None or rows.what == "out of fold":
        return None
    share = model.background_.share_of_known(model.preparation_.transform(rows.table))
    if share < KNOWN_SHARE:
        return None
    most = "All" if share == 1 else f"About {share:.0%}"
    return {
        "model": name,
        "code": "known_rows",
        "severity": "warning",
        "message": f"{most} of these rows equal rows that {name} was trained on, so that its scores are too good.",
        "remedy": "Compare the models on rows that neither was trained on.",
    }
