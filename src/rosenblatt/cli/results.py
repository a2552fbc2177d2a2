"""What a command found, as plain values: what ``--json`` writes and what the display shows are made from the same.

Takes records of the library. Returns dictionaries, lists, texts, numbers and None, whose keys docs/command-line.md
describes. A number that is not finite is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rosenblatt.cli.messages import in_options
from rosenblatt.storage.plain import plain
from rosenblatt.tables.evaluation import QUANTILES, Evaluation
from rosenblatt.tables.kinds import ColumnKind
from rosenblatt.tables.targets import Target

__all__ = ["column_data", "score_data", "target_data"]


def target_data(target: Target) -> dict[str, Any]:
    """The target, and its classes, or the mean and standard deviation of its numbers."""
    found = {"name": target.name, "task": target.task}
    if target.classes is not None:
        return {**found, "classes": plain(target.classes)}
    return {**found, "mean": plain(target.values.mean()), "standard_deviation": plain(target.values.std())}


def column_data(kinds: Sequence[ColumnKind]) -> list[dict[str, Any]]:
    """What each column was taken for."""
    return [
        {
            "name": kind.name,
            "kind": kind.kind,
            "used": kind.used,
            "missing": int(kind.n_missing),
            "detail": in_options(kind.detail),
            "check": in_options(kind.check),
        }
        for kind in kinds
    ]


def score_data(evaluation: Evaluation, classes: Any, rows: str, measured: str = "") -> dict[str, Any]:
    """Scores beside those of the guess, and where the errors are.

    `rows` says which rows were scored, and `measured` what such a score means, such as "on later rows".
    """
    scores = {name: {"model": plain(own), "guess": plain(guess)} for name, (own, guess) in evaluation.scores.items()}
    found = {
        "rows": evaluation.n_rows,
        "scored": rows,
        "measured": measured,
        "guess": evaluation.guess_name,
        "beats_guess": evaluation.beats_guess,
        "verdict": evaluation.verdict,
        "metrics": scores,
    }
    if evaluation.confusion is not None:
        found["confusion"] = {"classes": [str(name) for name in classes], "counts": plain(evaluation.confusion)}
    if evaluation.residuals is not None:
        found["residuals"] = {
            f"{level:g}": plain(value) for level, value in zip(QUANTILES, evaluation.residuals, strict=True)
        }
    return found
