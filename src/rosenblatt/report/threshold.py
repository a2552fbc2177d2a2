"""What a threshold of two classes costs and gains: rates from the numbers of right and wrong rows.

Takes the facts of a report. Returns rates and points on curves. Never predicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["default_point", "default_threshold", "rates", "threshold_data"]

Counts = Mapping[str, Any]


def rates(counts: Counts) -> dict[str, float]:
    """Precision, recall, false positive rate, accuracy and F1 of numbers of rows.

    Without any row that is predicted to be positive, the precision is 1, where the curve of precision ends.
    """
    tp, fp, fn, tn = (float(counts[name]) for name in ("tp", "fp", "fn", "tn"))
    return {
        "precision": tp / (tp + fp) if tp + fp else 1.0,
        "recall": tp / (tp + fn) if tp + fn else 0.0,
        "false_positive_rate": fp / (fp + tn) if fp + tn else 0.0,
        "accuracy": (tp + tn) / (tp + fp + fn + tn),
        "f1": 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0,
    }


def default_threshold(report: Any) -> int:
    """The number of the threshold in the report's facts that is nearest to that by which the model decides."""
    low, high = np.asarray(report.model.decision_weights_, dtype=float).tolist()
    rows = report.facts["threshold"]
    return min(range(len(rows)), key=lambda i: abs(rows[i]["threshold"] - low / (low + high)))


def default_point(report: Any, picture: str) -> tuple[float, float] | None:
    """Where the model's own threshold lies in a picture, if that has thresholds."""
    if not report.facts.get("threshold") or picture not in ("roc", "precision_recall"):
        return None
    found = rates(report.facts["threshold"][default_threshold(report)])
    if picture == "roc":
        return found["false_positive_rate"], found["recall"]
    return found["recall"], found["precision"]


def threshold_data(facts: Mapping[str, Any]) -> list[list[float]]:
    """Threshold, true and false positives, false and true negatives of each step of the slider."""
    return [[row[name] for name in ("threshold", "tp", "fp", "fn", "tn")] for row in facts["threshold"]]
