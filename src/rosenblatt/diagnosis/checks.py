"""Checks of a fitted tabular estimator: what a user should look at before relying on it.

Takes the evidence of a report. Returns a list of `Check`, each with a code and a remedy. Never changes the model, and
never trains one: that is what `diagnose` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Check", "model_checks"]


@dataclass(frozen=True)
class Check:
    """Something to look at.

    Attributes
    ----------
    code : str
        A name that programs can rely on, such as "overfitting".
    severity : {"warning", "note"}
    message : str
        What was found, in a sentence with its numbers.
    remedy : str
        What to do about it.
    """

    code: str
    severity: Literal["warning", "note"]
    message: str
    remedy: str


def model_checks(evidence: Any) -> tuple[Check, ...]:
    """All checks that fire, warnings first."""
    return ()
