"""Names and sentences as they are printed: on one line, and no longer than a table is wide.

Takes texts of any kind. Returns printable ones. Never changes a text that fits.
"""

from __future__ import annotations

__all__ = ["counted", "short", "short_name"]

MAX_NAME = 40
"""Largest number of characters of a name."""


def counted(n: int, what: str) -> str:
    """A number of things in words."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def short(text: str, most: int = MAX_NAME) -> str:
    """A text on one line, cut if it is long."""
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: most + 1])
    return line if len(line) <= most else f"{line[: most - 1]}…"


def short_name(name: str) -> str:
    """A name in a printed table: on one line, cut if it is long, and visible if it is empty."""
    return short(name) or '""'
