"""What a fitted tabular estimator says of itself, as text.

Takes a fitted estimator. Returns lines about rows, columns, members, score and calibration. Never computes a score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rosenblatt.diagnosis.check_record import Check
from rosenblatt.estimators.tabular.explain.shortened import counted, short, short_name
from rosenblatt.report.wording import metric_name
from rosenblatt.tables.encoders import Encoder
from rosenblatt.tables.kinds import ColumnKind
from rosenblatt.tables.preparation import Preparation

__all__ = ["model_lines", "rows_lines", "treatment"]

MAX_COLUMNS = 50
MAX_WIDE = 300
"""Largest number of characters of a sentence."""


def model_lines(model: Any) -> list[str]:
    """The lines of the report."""
    ensemble, n_rows = model.ensemble_, model.n_rows_
    lines = [
        f"{type(model).__name__}, trained on {counted(n_rows, 'row')} of {counted(model.n_features_in_, 'column')}",
        "",
    ]
    lines += scores(model)
    if n_copies := n_rows - model.n_distinct_:
        together, apart = (
            ": all copies of a row train together, or are held out",
            ", and some are held out while others train",
        )
        copies = "1 row is a copy of another" if n_copies == 1 else f"{n_copies:,} rows are copies of others"
        lines.append(f"{copies}{apart if model.divides_copies_ else together}")
    if model.n_groups_ is not None:
        lines.append(f"{model.n_groups_:,} groups: all rows of a group train together, or are held out")
    if model.n_dropped_:
        lines.append(
            f"{counted(model.n_dropped_, 'row')} without a target {'was' if model.n_dropped_ == 1 else 'were'} left out"
        )
    if hasattr(model, "temperature_"):
        change = "sharper" if model.temperature_ < 1 else "softer" if model.temperature_ > 1 else "as they were"
        lines.append(f"calibration: temperature {model.temperature_:.3f} makes probabilities {change}")
    lines += ["", "columns", *columns(model.preparation_)]
    checks = [model.target_check_, *(kind.check for kind in model.preparation_.kinds)]
    notes = [f"  {short(check, MAX_WIDE)}" for check in checks if check]
    if notes:
        lines += ["", "to check", *limited(notes)]
    lines += ["", "members"]
    lines.append(f"  {counted(len(ensemble.members), 'network')} with hidden layers {ensemble.architectures}")
    for i, member in enumerate(ensemble.members, start=1):
        n, best = len(member.curve), member.curve[member.best_epoch - 1][1]
        lines.append(
            f"  {i:3}: {n:4} {'epoch, ' if n == 1 else 'epochs,'} the best was {member.best_epoch:4}; "
            f"held-out {best:.4f}, {member.network.parameters.size:,} parameters"
        )
    return lines


def scores(model: Any) -> list[str]:
    """A line for each score beside that of the trivial guess, and whether the model is any better."""
    (name, (own, guess)), *others = model.scores_.items()
    guess_name = short(model.trivial_guess_, MAX_WIDE)
    lines = [f"{name} {own:.4f} {model.score_on_}; {guess_name}: {guess:.4f}"]
    lines += [f"{name} {own:.6g}; without a model: {guess:.6g}" for name, (own, guess) in others]
    return lines if model.beats_guess_ else [*lines, f"By {name}, the model is no better than {guess_name}."]


def columns(preparation: Preparation) -> list[str]:
    """A line for each column: its kind, and what it was encoded as."""
    encoders = {encoder.name: encoder for encoder in preparation.encoders}
    shown = [(short_name(kind.name), kind) for kind in preparation.kinds]
    width = max(len(name) for name, _ in shown[:MAX_COLUMNS])
    return limited(
        [f"  {name:{width}}  {short(treatment(kind, encoders.get(kind.name)), MAX_WIDE)}" for name, kind in shown]
    )


def limited(lines: list[str]) -> list[str]:
    """At most `MAX_COLUMNS` of the lines, and how many more there are."""
    rest = len(lines) - MAX_COLUMNS
    return [*lines[:MAX_COLUMNS], f"  and {rest:,} more"] if rest > 0 else lines


def treatment(kind: ColumnKind, encoder: Encoder | None) -> str:
    """One column's line."""
    if encoder is None:
        return f"left out: {kind.detail}"
    return encoder.describe(kind) + (f"; {kind.n_missing:,} missing" if kind.n_missing else "")


def rows_lines(scores: Sequence[Mapping[str, Any]], checks: Sequence[Check], missing: Sequence[str]) -> list[str]:
    """What the given rows add: their scores beside others, what is missing, and what to check."""
    parts = {
        "scores": [score_line(entry) for entry in scores if entry["rows"] is not None],
        "not shown": missing,
        "checks": [f"{check.severity} {check.code}: {check.message} {check.remedy}" for check in checks],
    }
    return [line for name, lines in parts.items() if lines for line in ("", name, *(f"  {line}" for line in lines))]


def score_line(entry: Mapping[str, Any]) -> str:
    """A score with its interval, beside those of others."""
    interval = " ({:.4g} to {:.4g})".format(*entry["interval"]) if entry["interval"] is not None else ""
    beside = {entry["guess_name"] or "guess": entry["guess"]}
    beside |= {"a linear model": entry["linear"]} if entry["linear"] is not None else {}
    beside |= entry["others"]
    texts = ", ".join(f"{short(name, MAX_WIDE)} {number:.4g}" for name, number in beside.items() if number is not None)
    own = "undefined" if entry["model"] is None else f"{entry['model']:.4g}"
    return f"{short(metric_name(entry), MAX_WIDE)} {own}{interval} {entry['where']}; {texts}"
