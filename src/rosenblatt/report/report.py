"""A report on a fitted tabular estimator: one object with several forms.

Takes a model, and what a user passed to ``model.report``. Returns a `Report`, which is read as text, Markdown, a page
or plain data. Never changes the model.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import PurePath
from typing import Any

from rosenblatt.diagnosis.checks import Check, model_checks
from rosenblatt.report.evidence import Evidence, evidence_of
from rosenblatt.report.facts import facts_of
from rosenblatt.report.markdown import markdown_of
from rosenblatt.report.scored import ReportRows
from rosenblatt.report.text import model_lines, rows_lines
from rosenblatt.storage.atomic import write_atomically

__all__ = ["Report", "make_report"]


class Report:
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
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

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
        copy: dict[str, Any] = json.loads(json.dumps(self.facts, allow_nan=False))
        return copy

    def __str__(self) -> str:
        lines = model_lines(self.model)
        return "\n".join([*lines, *([] if self.evidence.given is None else rows_lines(self.facts))])

    def __repr__(self) -> str:
        rows = "" if self.rows is None else f", {len(self.rows):,} rows {self.rows.what}"
        return f"<Report on {type(self.model).__name__}{rows}: print it, or save('report.html')>"

    def to_markdown(self) -> str:
        """The content as Markdown, with tables, and without HTML: for a ticket, a chat or a terminal."""
        return markdown_of(self.facts)

    def to_html(self) -> str:
        """The content as one page, which needs no network and no other file (extra ``report``)."""
        from rosenblatt.report.html import to_html

        return to_html(self)

    def _repr_html_(self) -> str | None:
        """The page in a frame of its own; None without the extra ``report``, so that notebooks show the text."""
        from rosenblatt.report.html import to_notebook

        return to_notebook(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """The forms that a notebook chooses from; without the extra ``report`` there is no page among them."""
        forms: dict[str, Callable[[], str | None]] = {
            "text/plain": self.__str__,
            "text/markdown": self.to_markdown,
            "text/html": self._repr_html_,
        }
        chosen = [form for form in forms if (not include or form in include) and form not in (exclude or ())]
        found = {form: forms[form]() for form in chosen}
        return {form: text for form, text in found.items() if text is not None}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the report to a file: a page (.html), Markdown (.md), data (.json) or text (.txt).

        An existing file is replaced, at once and only by a complete one.

        Raises
        ------
        ValueError
            If the file's name ends in something else.
        OSError
            If the file cannot be written, such as in a folder that does not exist; an existing one is left as it was.
        ImportError
            If a page needs the extra ``report``, and it is not installed.
        """
        write_atomically(path, (content(self, path).rstrip("\n") + "\n").encode("utf-8", "backslashreplace"))


def content(report: Report, path: str | os.PathLike[str]) -> str:
    """What a file of this name holds."""
    forms: dict[str, Callable[[], str]] = {
        ".html": report.to_html,
        ".md": report.to_markdown,
        ".json": lambda: json.dumps(report.facts, allow_nan=False, ensure_ascii=False, indent=1),
        ".txt": report.__str__,
    }
    suffix = PurePath(path).suffix.lower()
    if suffix not in forms:
        known = ", ".join(forms)
        found = f"ends in {suffix!r}" if suffix else "has no ending"
        raise ValueError(f"{os.fspath(path)} {found}; a report is saved as one of {known}.")
    return forms[suffix]()


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
