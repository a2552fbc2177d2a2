"""What a model knows, how good it is, and what to check, as one object with several forms.

Takes a fitted tabular estimator and perhaps rows. Returns a `Report`: text, Markdown, HTML, or plain data. Never
changes a model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rosenblatt._lazy import lazy_names

if TYPE_CHECKING:
    from rosenblatt.report.report import Report
    from rosenblatt.report.scored import ReportRows

__all__ = ["Report", "ReportRows"]

__getattr__, __dir__ = lazy_names(__name__, {"report": ("Report",), "scored": ("ReportRows",)})
