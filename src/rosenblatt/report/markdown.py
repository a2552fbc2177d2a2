"""A report as Markdown.

Takes the facts of a report. Returns headings, sentences and tables. Never writes HTML: cells are escaped, so that a
name with a bar or a line break stays in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["markdown_of"]


def markdown_of(facts: Mapping[str, Any]) -> str:
    """All parts, those for most readers first."""
    return f"# {facts['model']['kind']}\n"
