"""What `rosenblatt train` and `rosenblatt tune` are asked for.

Takes the options of a command. Returns a `Request`, whose parameters are those of the estimators. Never reads a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rosenblatt.cli.messages import OPTIONS
from rosenblatt.tables.kinds import column_overrides

__all__ = ["PARAMETERS", "ROLES", "Request", "request_of"]

ROLES = {
    "weight": "weights",
    "group": "groups",
    "time_column": "time",
    "id": "id",
    "drop_missing_target": "drop_missing_target",
}
"""The parameter of `TabularTask.of` that each option sets."""
OF_OTHERS = ("encoding", "ignore", "kinds", "target", "task", "X_val", "sample_weight", *ROLES.values())
OF_EXPLANATIONS = ("method", "n_repeats", "n_rows")
OF_EXPORTS = ("name", "overwrite")
PARAMETERS = {
    option.removeprefix("--").replace("-", "_"): name
    for name, option in OPTIONS.items()
    if name not in (*OF_OTHERS, *OF_EXPLANATIONS, *OF_EXPORTS)
}
"""The estimator's parameter that each option sets."""


@dataclass(frozen=True)
class Request:
    """The arguments of ``rosenblatt train`` and ``rosenblatt tune``.

    `roles` are those of rows and columns, named as by `TabularTask.of`; `parameters` are the estimator's.
    """

    file: Path | None = None
    target: str | None = None
    out: Path | None = None
    task: str | None = None
    kinds: dict[str, str] = field(default_factory=dict)
    test_share: float | None = None
    test: Path | None = None
    validation: Path | None = None
    encoding: str = "utf-8"
    roles: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    force: bool = False
    report: Path | None = None
    keep_predictions: bool = False


def request_of(given: Any, without: tuple[str, ...] = ()) -> Request:
    """The request that options make; those that were left out, or are named in `without`, set no parameter."""

    def values(names: dict[str, str]) -> dict[str, Any]:
        found = {names[option]: getattr(given, option, None) for option in names if option not in without}
        return {name: value for name, value in found.items() if value is not False and value not in (None, [])}

    if given.test is not None and given.test_share is not None:
        raise ValueError("--test and --test-share both say which rows are scored; leave one of them out.")
    return Request(
        file=given.file,
        target=given.target,
        out=given.out,
        task=given.task,
        kinds=column_overrides(given.kind or {}, given.ignore),
        test_share=given.test_share,
        test=given.test,
        validation=getattr(given, "validation", None),
        encoding=given.encoding,
        roles=values(ROLES),
        parameters=values(PARAMETERS),
        force=given.force,
        report=given.report,
        keep_predictions=given.keep_predictions,
    )
