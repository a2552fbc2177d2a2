"""What a model knows, how good it is, and what to check, as one object with several forms.

Takes a fitted tabular estimator and perhaps rows. Returns a `Report`: text, Markdown, HTML, or plain data. Takes two
and rows, and returns a `Comparison`. Never changes a model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rosenblatt._lazy import lazy_names

if TYPE_CHECKING:
    from rosenblatt.report.comparison import Comparison as Comparison
    from rosenblatt.report.comparison import compare as compare
    from rosenblatt.report.report import Report as Report
    from rosenblatt.report.scored import ReportRows as ReportRows

_NAMES = {"comparison": ("Comparison", "compare"), "report": ("Report",), "scored": ("ReportRows",)}
__all__ = [name for names in _NAMES.values() for name in names]
__getattr__, __dir__ = lazy_names(__name__, _NAMES)
