"""The content of a report as plain data.

Takes the evidence and the checks. Returns a dictionary of texts, whole and finite numbers, lists and dictionaries:
equal evidence gives an equal one. Never holds a time or a path.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from rosenblatt.diagnosis.checks import Check
from rosenblatt.report.about_columns import data, dependence, importance, importance_of
from rosenblatt.report.about_model import cost, curves, file, model, network, reproduce, training
from rosenblatt.report.about_rows import calibration, classes, intervals, threshold, worst
from rosenblatt.report.about_scores import scores
from rosenblatt.report.evidence import Evidence
from rosenblatt.report.scored import HELD_OUT

__all__ = ["PARTLY_SEEN", "facts_of", "named_scores", "plain"]

DIGITS = 6
KNOWN_ROWS, PARTLY_SEEN = "known-rows", "partly seen in training"
SECTIONS: dict[str, Callable[[Evidence], Any]] = {
    "model": model,
    "data": data,
    "scores": scores,
    "curves": curves,
    "classes": classes,
    "threshold": threshold,
    "calibration": calibration,
    "intervals": intervals,
    "importance": importance,
    "importance_of": importance_of,
    "dependence": dependence,
    "worst": worst,
    "network": network,
    "training": training,
    "cost": cost,
    "file": file,
    "reproduce": reproduce,
}
"""The parts in their order; one that the evidence has nothing for returns None or nothing."""


def facts_of(evidence: Evidence, checks: Sequence[Check]) -> dict[str, Any]:
    """All parts that there are."""
    found = {name: plain(section(evidence)) for name, section in SECTIONS.items()}
    found["scores"] = named_scores(found["scores"], checks)
    found["checks"] = [asdict(check) for check in checks]
    found["missing"] = list(evidence.missing)
    return {name: part for name, part in found.items() if part or name == "checks"}


def named_scores(scores: list[dict[str, Any]], checks: Sequence[Check]) -> list[dict[str, Any]]:
    """Scores of given rows are not called held out where the checks found that the model was trained on them."""
    if not any(check.code == KNOWN_ROWS for check in checks):
        return scores
    return [score | {"where": PARTLY_SEEN} if score["where"] == HELD_OUT else score for score in scores]


def plain(value: Any) -> Any:
    """A value as JSON takes it: numbers rounded to six digits, None for what is not finite, texts of all else."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return str(value)
