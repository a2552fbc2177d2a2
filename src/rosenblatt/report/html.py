"""A report as one page of HTML, which loads nothing from elsewhere.

Takes a `Report`. Returns the page, or a frame around it for notebooks. Never lets a text of the data become markup: the
templates escape all of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

from rosenblatt._extras import needed
from rosenblatt._version import __version__
from rosenblatt.report.pictures import Picture, pictures
from rosenblatt.report.svg import HUES, INKS
from rosenblatt.report.threshold import default_threshold, rates, threshold_data
from rosenblatt.report.verdict import cards, n_columns, network_pairs, training_time, verdict, what_matters
from rosenblatt.report.wording import FILTERS

__all__ = ["framed", "render_page", "report_view", "templates", "to_html"]

LIGHT = {
    "page": "#f5f6f8", "paper": "#ffffff", "text": "#1c2128", "muted": "#59636e", "line": "#dfe3e8",
    "accent": "#0a5cad", "bar": "#4a90c4", "warn": "#8a5000", "warn-paper": "#fff7e8", "good": "#116329",
}  # fmt: skip
DARK = {
    "page": "#0f1216", "paper": "#171b21", "text": "#e6e9ed", "muted": "#9ea8b3", "line": "#2d333b",
    "accent": "#74b6ff", "bar": "#4a90c4", "warn": "#f2b866", "warn-paper": "#292216", "good": "#6fd08c",
}  # fmt: skip
BRIGHTER = {"#0072b2": "#3f9fe0", "#d55e00": "#f0813a", "#009e73": "#2cbd92", "#808080": "#9a9a9a"}
"""Colours of plots that are too dark on a dark page."""
FRAME_HEIGHT = "min(46rem, 85vh)"


@dataclass(frozen=True)
class Section:
    """A part of the page: its place in the address, heading and template, and what facts or pictures it needs."""

    id: str
    heading: str
    needs: tuple[str, ...]
    how: str = ""

    @property
    def template(self) -> str:
        """The file that shows it."""
        return f"sections/{self.id}.jinja"


WITH_ROWS = "Pass labelled rows: model.report(X, y)."
SECTIONS = (
    Section("score", "Score", ("scores",), f"The score. {WITH_ROWS}"),
    Section("checks", "Checks", ("checks",)),
    Section("data", "Data", ("data",)),
    Section("curves", "Learning curves", ("curves",)),
    Section("errors", "Errors", ("confusion", "predictions"), f"Errors row by row. {WITH_ROWS}"),
    Section("threshold", "ROC and precision-recall", ("roc", "threshold")),
    Section("calibration", "Calibration", ("calibration",)),
    Section("intervals", "Intervals", ("intervals",)),
    Section("importance", "Columns' effect", ("importance", "dependence"), f"The importance of columns. {WITH_ROWS}"),
    Section("worst", "Worst rows", ("worst",), f"The rows that are predicted worst. {WITH_ROWS}"),
    Section("network", "Network and cost", ("network",)),
    Section("reproduce", "Reproduce", ("reproduce",)),
)
"""All sections, in their order."""


def to_html(report: Any) -> str:
    """The report as one HTML page, which loads nothing, follows light and dark, and can be printed.

    Raises
    ------
    ImportError
        If jinja2 or matplotlib is not installed (extra ``report``).
    """
    templates()
    return render_page("report.jinja", report_view(report))


def framed(page: str, title: str) -> str:
    """A page inside a frame, which keeps its styles and scripts apart from those of a notebook."""
    style = f"width: 100%; height: {FRAME_HEIGHT}; border: 1px solid #8886; border-radius: 8px; resize: vertical"
    return f'<iframe title="{escape(title)}" sandbox="allow-scripts" style="{style}" srcdoc="{escape(page)}"></iframe>'


def report_view(report: Any, prefix: str = "") -> dict[str, Any]:
    """What the templates of a report show."""
    facts = report.facts
    drawn = pictures(report, prefix)
    shown = [section for section in SECTIONS if is_shown(section, facts, drawn)]
    scores = facts.get("scores") or []
    title, words = verdict(facts)
    return {
        "facts": facts,
        "pictures": drawn,
        "prefix": prefix,
        "sections": shown,
        "left_out": left_out(facts, shown),
        "title": title,
        "verdict": words,
        "matters": what_matters(facts),
        "source": report.source,
        "cards": cards(facts),
        "pairs": network_pairs(facts) | training_time(report.model),
        "importance": sorted(facts.get("importance") or (), key=lambda row: -row["importance"]),
        "n_classes": facts["model"].get("n_classes", 0),
        "n_columns": n_columns(facts),
        "has_linear": any(score.get("linear") is not None for score in scores),
        "others": list(dict.fromkeys(name for score in scores for name in score.get("others") or ())),
        **threshold_view(report),
    }


def is_shown(section: Section, facts: Mapping[str, Any], drawn: Mapping[str, Picture]) -> bool:
    """Whether there is anything to show: a part of the facts, or a picture of this name, perhaps with a number behind
    it. Checks that found nothing are shown, too.
    """
    names = {re.sub(r"-\d+$", "", name) for name in drawn}
    found = any(name in names or facts.get(name) for name in section.needs)
    return found or (section.id == "checks" and "checks" in facts)


def left_out(facts: Mapping[str, Any], shown: Sequence[Section]) -> list[str]:
    """Sentences on what the page lacks, and how to get it."""
    reasons = [f"{reason[:1].upper()}{reason[1:]}." for reason in facts.get("missing", ())]
    return reasons + [section.how for section in SECTIONS if section.how and section not in shown]


def threshold_view(report: Any) -> dict[str, Any]:
    """The threshold by which the model predicts, and all others that a reader may choose."""
    facts = report.facts
    if not facts.get("threshold"):
        return {}
    at = default_threshold(report)
    row = facts["threshold"][at]
    negative, positive = map(str, facts["model"]["classes"])
    threshold = {"steps": threshold_data(facts), "default": at, "row": row, "rates": rates(row)}
    return {"threshold": threshold, "positive": positive, "negative": negative}


def render_page(template: str, view: Mapping[str, Any]) -> str:
    """A template with what it shows."""
    page: str = templates().get_template(template).render(view, version=__version__, colours=colours())
    return page


@cache
def templates() -> Any:
    """The templates of this package, which escape everything; ImportError without the extra ``report``."""
    with needed("a report as HTML needs", "jinja2", "matplotlib", extra="report"):
        import jinja2
        import matplotlib.figure  # noqa: F401
    found = jinja2.Environment(
        loader=jinja2.PackageLoader("rosenblatt.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(FILTERS)
    return found


def colours() -> str:
    """The page's colours for light and dark, with the greys of pictures, and the light ones for paper."""
    hues = {f"hue-{i}": hue for i, hue in enumerate(HUES)}
    bright = {name: BRIGHTER.get(hue, hue) for name, hue in hues.items()}
    light, dark = (
        "; ".join(f"--{name}: {value}" for name, value in (theme | inks(theme) | shown).items())
        for theme, shown in ((LIGHT, hues), (DARK, bright))
    )
    return (
        f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
        "@media print { :root { color-scheme: light } }"
    )


def inks(theme: Mapping[str, str]) -> dict[str, str]:
    """Greys between the paper and the text of a theme."""
    paper, text = ([int(theme[name][i : i + 2], 16) for i in (1, 3, 5)] for name in ("paper", "text"))
    mixed = {n: [round(p + n / 100 * (t - p)) for p, t in zip(paper, text, strict=True)] for n in INKS}
    return {f"ink-{n}": "#" + "".join(f"{value:02x}" for value in parts) for n, parts in mixed.items()}
