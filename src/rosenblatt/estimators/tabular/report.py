"""What a fitted tabular estimator did, as text.

Goes in: a fitted estimator. Comes out: lines on rows, columns, members, score and calibration. It computes nothing new.
"""

from __future__ import annotations

from typing import Any

from rosenblatt.tables.kinds import ColumnKind
from rosenblatt.tables.preparation import CategoryRule, NumberRule, Preparation

__all__ = ["report"]

MOST_COLUMNS = 50


def report(model: Any, score: str) -> str:
    """The report; `score` is the name of ``model.score_``."""
    ensemble, n_rows = model._ensemble, len(model.out_of_fold_)
    lines = [f"{type(model).__name__}, trained on {n_rows:,} rows of {model.n_features_in_:,} columns", ""]
    lines.append(f"{score} {model.score_:.4f}, of rows by members that did not train on them")
    if hasattr(model, "temperature_"):
        change = "sharper" if model.temperature_ < 1 else "softer" if model.temperature_ > 1 else "as they were"
        lines.append(f"calibration: temperature {model.temperature_:.3f} makes probabilities {change}")
    lines += ["", "columns", *columns(model._preparation), "", "members"]
    hidden = "-".join(map(str, ensemble.settings.hidden))
    lines.append(f"  {len(ensemble.members)} networks with hidden layers {hidden}, {ensemble.settings.activation}")
    for i, member in enumerate(ensemble.members, start=1):
        best = member.curve[member.best_epoch - 1][1]
        lines.append(
            f"  {i:3}: {len(member.curve):4} epochs, the best was {member.best_epoch:4}; held-out {best:.4f}"
            f", {member.network.parameters.size:,} parameters"
        )
    return "\n".join(lines)


def columns(preparation: Preparation) -> list[str]:
    """A line for each column: what it was taken for, and what became of it."""
    rules = {rule.name: rule for rule in preparation.rules}
    width = max(len(kind.name) for kind in preparation.kinds[:MOST_COLUMNS])
    lines = [f"  {kind.name:{width}}  {treatment(kind, rules.get(kind.name))}" for kind in preparation.kinds]
    rest = len(lines) - MOST_COLUMNS
    return [*lines[:MOST_COLUMNS], f"  and {rest:,} more"] if rest > 0 else lines


def treatment(kind: ColumnKind, rule: NumberRule | CategoryRule | None) -> str:
    """One column's line."""
    missing = f"; {kind.n_missing:,} missing" if kind.n_missing and rule is not None else ""
    if rule is None:
        return f"left out: {kind.detail}"
    if isinstance(rule, NumberRule):
        center, spread = rule.scaling.centers[0], rule.scaling.spreads[0]
        if rule.storage == "date":
            return f"date: the day{''.join(f', place in the {circle}' for circle in rule.circles)}{missing}"
        return f"number: ({center:.6g} ± {spread:.6g}) scaled and softly cut{missing}"
    if rule.coded:
        return f"category: {len(rule.levels):,} levels, embedded{missing}"
    shown = ", ".join(rule.levels[:5]) + (", ..." if len(rule.levels) > 5 else "")
    return f"category: {shown}{missing}"
