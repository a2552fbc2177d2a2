"""Where a report is written, and what it may replace there.

Takes the path that was asked for. Returns how many bytes were written. Never replaces a file that holds no report.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from rosenblatt.cli.destination import first_bytes, require_other, require_place
from rosenblatt.report.faces import PAGES, SUFFIXES

__all__ = ["ReportFile"]

PAGE = re.compile(rb'<meta name="generator" content="rosenblatt')
FIRST_LINE = re.compile(r"(# )?.*(Tabular(Classifier|Regressor)\b|: two models of )")
"""How the text and the Markdown of a report, or of a comparison, begin."""
KEYS = ({"model", "checks"}, {"names", "verdict"})
"""Some of what the dictionary of a report, or of a comparison, has."""


class ReportFile:
    """The file that a command will write a report to; an error before anything is read if it cannot be written.

    Parameters
    ----------
    path : Path
    option : str
        The option that named it.
    inputs : Path or None
        The files that the command reads, or writes, too.
    """

    def __init__(self, path: Path, option: str, *inputs: Path | None) -> None:
        self.path, self.option = path, option
        if path.suffix.lower() not in SUFFIXES:
            raise ValueError(f"{option} {path}: reports are written as {', '.join(SUFFIXES)}; choose such an ending.")
        require_place(path, option)
        require_other(path, *inputs, option=option)
        if path.suffix.lower() in PAGES:
            require_page()
        self.require_replaceable()

    def require_replaceable(self) -> None:
        """Refuse to write over a file that holds no report."""
        if self.path.is_file() and self.path.stat().st_size and not holds_report(self.path):
            raise FileExistsError(f"{self.path} exists and holds no report; choose another name with {self.option}.")

    def write(self, report: Any) -> int:
        """Save a report, or a comparison, in the format that the file's ending says."""
        self.require_replaceable()
        report.save(self.path)
        return self.path.stat().st_size


def require_page() -> None:
    """Find out before any work that a library is missing which pages need."""
    from rosenblatt.report.html import templates

    templates()


def holds_report(path: Path) -> bool:
    """Whether a file begins as reports in the format of its ending do; of JSON, whether it has what reports have."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".json":
            found = json.loads(path.read_bytes())
            return isinstance(found, dict) and any(keys <= set(found) for keys in KEYS)
        if suffix in PAGES:
            return PAGE.search(first_bytes(path)) is not None
        return FIRST_LINE.match(first_bytes(path).decode(errors="replace").partition("\n")[0]) is not None
    except (OSError, ValueError):
        return False
