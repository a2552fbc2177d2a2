"""A comparison of two models as one page of HTML, with their pictures side by side.

Takes a `Comparison`. Returns the page. Never scores: what it says is what the comparison's text says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rosenblatt.estimators.tabular.explain.shortened import counted
from rosenblatt.report.compared_text import interval_text, sections, shown_facts, title
from rosenblatt.report.compared_text import number as score_number
from rosenblatt.report.html import render_page, templates
from rosenblatt.report.pictures import Picture, pictures_of_two

__all__ = ["comparison_to_html"]

SIDE_BY_SIDE = (
    "curves",
    "confusion",
    "roc",
    "precision_recall",
    "predictions",
    "residuals",
    "calibration",
    "importance",
)
"""Pictures of both models; those of several outputs have a number behind their name."""


@dataclass(frozen=True)
class Part:
    """A section of the page."""

    id: str
    heading: str
    template: str
    rows: Sequence[Sequence[str]] = ()
    texts: Sequence[str] = ()


def comparison_to_html(comparison: Any) -> str:
    """The comparison as one HTML page, which loads nothing from elsewhere.

    Raises
    ------
    ImportError
        If jinja2 or matplotlib is not installed (extra ``report``).
    """
    templates()
    return render_page("comparison.jinja", comparison_view(comparison))


def comparison_view(comparison: Any) -> dict[str, Any]:
    """What the template shows."""
    facts = shown_facts(comparison.facts)
    pairs = paired(*pictures_of_two(*comparison.reports))
    parts = [table_part(name, rows, texts) for name, rows, texts in sections(facts) if name != "To check"]
    checks = Part("checks", "Checks", "sections/compared_checks.jinja")
    shown = [parts[0], checks, *([Part("pictures", "Pictures", "sections/side_by_side.jinja")] if pairs else [])]
    return {
        "facts": facts,
        "title": title(facts),
        "verdict": facts["verdict"],
        "cards": cards(facts),
        "pairs": pairs,
        "sections": [*shown, *parts[1:]],
        "left_out": [],
    }


def table_part(name: str, rows: Sequence[Sequence[str]], texts: Sequence[str]) -> Part:
    """A section with sentences and a table."""
    return Part(re.sub(r"\W+", "-", name.lower()), name, "sections/table.jinja", rows, texts)


def paired(a: Mapping[str, Picture], b: Mapping[str, Picture]) -> list[tuple[str, Picture, Picture]]:
    """The pictures that both models have, in the order of the report."""
    names = [name for start in SIDE_BY_SIDE for name in a if name in b and re.fullmatch(rf"{start}(-\d+)?", name)]
    return [(name, a[name], b[name]) for name in names if a[name].svg or b[name].svg]


def cards(facts: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Name, figure and note of each card."""
    score, (first, second) = facts["scores"][0], facts["names"]
    found = [
        (name, score_number(score[key], score, facts), score["metric"]) for name, key in ((first, "a"), (second, "b"))
    ]
    interval = f"{interval_text(score, facts)} (95 %)" if score["interval"] else "no interval"
    found.append((f"{second} minus {first}", score_number(score["difference"], score, facts, "+"), interval))
    return [*found, ("rows", f"{facts['rows']:,}", counted(len(facts["checks"]), "check"))]
