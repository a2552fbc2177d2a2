"""Numbers and values as a page words them.

Takes plain data of a report. Returns texts. Never makes markup: the templates escape what these functions return.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rosenblatt.estimators.tabular.explain.shortened import counted, short

__all__ = [
    "FILTERS",
    "interval",
    "megabytes",
    "metric_name",
    "number",
    "percent",
    "plain",
    "sentence",
    "spoken",
    "starting",
]

ABSENT = "–"
LONGEST_NAME = 160
MOST_SPOKEN = 12


def number(value: Any) -> str:
    """A number with four digits, or a dash if there is none."""
    if value is None:
        return ABSENT
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if not math.isfinite(value):
        return ABSENT if math.isnan(value) else ("∞" if value > 0 else "-∞")
    if value == round(value) and abs(value) < 1e15 and (isinstance(value, int) or abs(value) >= 1000):
        return f"{int(value):,}"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"


def interval(bounds: Sequence[float] | None) -> str:
    """A lower and an upper bound."""
    return ABSENT if bounds is None else f"{number(bounds[0])} to {number(bounds[1])}"


def metric_name(score: Mapping[str, Any]) -> str:
    """The metric of a score, and the class that it is of, if it is of one."""
    positive = score.get("positive_class")
    return str(score["metric"]) if positive is None else f"{score['metric']} of {positive}"


def percent(share: float | None) -> str:
    """A share in percent, with at most one digit behind the point."""
    return ABSENT if share is None else f"{100 * share:.1f}".removesuffix(".0") + " %"


def visible(name: str) -> str:
    """A name of the data on one line: cut if it is very long, with marks for what cannot be seen or turns text."""
    return short(name, LONGEST_NAME) or '""'


def plain(value: Any) -> str:
    """A value of any kind on one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {plain(part)}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(plain, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return visible(value) if isinstance(value, str) else number(value)


def sentence(text: str) -> str:
    """A text that begins with a capital and ends with a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", ":")) else ".") if text else text


def spoken(distribution: Mapping[str, Any]) -> str:
    """A small distribution for those who do not see its bars."""
    pairs = list(zip(distribution["labels"], distribution["counts"], strict=False))
    listed = ", ".join(f"{label}: {number(count)}" for label, count in pairs[:MOST_SPOKEN])
    return f"{listed}, and {len(pairs) - MOST_SPOKEN} more" if len(pairs) > MOST_SPOKEN else listed


def starting(names: Iterable[str], *starts: str) -> list[str]:
    """The names that start so."""
    return [name for name in names if name.startswith(starts)]


def megabytes(n_bytes: int) -> str:
    """A size of a file."""
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{max(1, round(n_bytes / 1e3)):,} kB"


SHOWN = counted, interval, megabytes, metric_name, number, percent, plain, sentence, spoken, starting, visible
FILTERS = {function.__name__: function for function in SHOWN}
"""The functions that templates use."""
