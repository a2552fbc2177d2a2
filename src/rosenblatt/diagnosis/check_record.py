"""The record of a check.

Takes texts. Returns a `Check`. Never decides whether it fires.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Check"]


@dataclass(frozen=True)
class Check:
    """Something to look at before relying on a model.

    Attributes
    ----------
    code : str
        A name that programs can rely on, such as "overfitting"; docs/report.md lists all of them.
    severity : {"warning", "note"}
    message : str
        What was found, in a sentence with its numbers.
    remedy : str
        What to do about it, in a sentence.
    """

    code: str
    severity: Literal["warning", "note"]
    message: str
    remedy: str
