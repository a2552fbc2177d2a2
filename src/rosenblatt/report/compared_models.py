"""How two fitted models themselves differ: size, columns, parameters, and what to check in each.

Takes reports, or fitted tabular estimators. Returns plain values that JSON can hold. Never looks at a prediction.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rosenblatt.report.facts import named_scores
from rosenblatt.report.report import Report
from rosenblatt.report.scored import ReportRows, held_out_rows

__all__ = ["checks_of", "columns_that_differ", "model_facts", "rows_of"]

SEEN = "seen in training"
"""Of predictions by networks that were trained on the rows."""


def rows_of(report: Report, name: str) -> ReportRows:
    """The rows with the model's predictions: of training rows those of networks that saw them, if it has no others."""
    if report.evidence.given is None:
        raise ValueError(f"the report of {name} has no rows to compare by. Give rows that have the target.")
    return held_out_rows(report.model, report.evidence.given) if report.rows is None else report.rows


def model_facts(report: Report, name: str) -> dict[str, Any]:
    """What a model is, and how its predictions of the rows were made: "held out" or "out of fold"."""
    model, ensemble = report.model, report.model.ensemble_
    return {
        "name": name,
        "kind": type(model).__name__,
        "predictions": what_of(report),
        "training_rows": int(model.n_rows_),
        "columns": sum(kind.used for kind in model.preparation_.kinds),
        "networks": len(ensemble.members),
        "architecture": ensemble.architectures,
        "parameters": sum(int(network.parameters.size) for network in ensemble.networks),
        "own_score": {"metric": model.score_name, "value": model.score_, "measured": model.score_on_},
    }


def what_of(report: Report) -> str:
    """How the predictions of the rows were made."""
    if report.rows is None:
        return SEEN
    return str(named_scores([{"where": report.rows.what}], report.checks)[0]["where"])


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
    return [*seen_rows(report, name), *({"model": name, **asdict(check)} for check in report.checks)]


def seen_rows(report: Report, name: str) -> list[dict[str, Any]]:
    """A warning if the networks that predicted the rows were trained on all of them; the report knows of fewer."""
    if report.rows is not None:
        return []
    return [
        {
            "model": name,
            "code": "known-rows",
            "severity": "warning",
            "message": f"{name} was trained on these rows, so that its scores are too good.",
            "remedy": "Compare the models on rows that neither was trained on.",
        }
    ]
