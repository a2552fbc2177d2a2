"""A report on a fitted tabular estimator: one object with several forms.

Takes a model, and what a user passed to ``model.report``. Returns a `Report`, which is read as text, Markdown, a page
or plain data. Never changes the model.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from rosenblatt.diagnosis.checks import Check, model_checks
from rosenblatt.estimators.tabular.explain.shortened import counted
from rosenblatt.report.about_scores import scores
from rosenblatt.report.evidence import Evidence, evidence_of
from rosenblatt.report.faces import Faces
from rosenblatt.report.facts import facts_of, named_scores, plain
from rosenblatt.report.markdown import markdown_of
from rosenblatt.report.scored import ReportRows
from rosenblatt.report.text import model_lines, rows_lines

__all__ = ["Report", "make_report"]


class Report(Faces):
    """What a model knows, how good it is, and what to check; ``model.report()`` makes it.

    ``print`` shows a text, a notebook a page.

    Attributes
    ----------
    model : TabularClassifier or TabularRegressor
        The fitted model.
    rows : ReportRows or None
        The rows that score it, with its predictions; None if none were given, or none of them can score it.
    evidence : Evidence
        Everything that the report is made of.
    source : str
        The names of the files that model and rows come from, for the head of the page; empty if it is not known.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.source = ""

    @property
    def model(self) -> Any:
        """The fitted model."""
        return self.evidence.model

    @property
    def rows(self) -> ReportRows | None:
        """The rows that score it."""
        return self.evidence.rows

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """What to look at, warnings first; each with a code, a message and a remedy."""
        return model_checks(self.evidence)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The content of all forms as plain data: what `to_dict` returns. It is computed when it is first read."""
        return facts_of(self.evidence, self.checks)

    def to_dict(self) -> dict[str, Any]:
        """The content as texts, whole numbers, finite numbers, lists and dictionaries, as JSON takes them.

        Equal reports give equal dictionaries. Numbers are rounded to six digits. Parts that the report lacks are left
        out; docs/report.md lists all of them.
        """
        return super().to_dict()

    def __str__(self) -> str:
        lines = model_lines(self.model)
        if self.evidence.given is not None or self.evidence.missing:
            found = named_scores(plain(scores(self.evidence)), self.checks)
            lines += rows_lines(found, self.checks, self.evidence.missing)
        return "\n".join(lines)

    def __repr__(self) -> str:
        rows = "" if self.rows is None else f", {counted(len(self.rows), 'row')} {self.rows.what}"
        return f"<Report on {type(self.model).__name__}{rows}: print it, or save('report.html')>"

    def to_markdown(self) -> str:
        """The content as Markdown, with tables, and without HTML: for a ticket, a chat or a terminal."""
        return markdown_of(self.facts)

    def to_html(self) -> str:
        """The content as one page, which needs no network and no other file (extra ``report``)."""
        from rosenblatt.report.html import to_html

        return to_html(self)


def make_report(
    model: Any, X: Any = None, y: Any = None, *, sample_weight: Any = None, training: Any = None, others: Any = None
) -> Report:
    """The report on a fitted tabular estimator; see its method `report`.

    Raises
    ------
    TypeError
        If it is another kind of model.
    """
    return Report(evidence_of(model, X, y, sample_weight, training, others))
