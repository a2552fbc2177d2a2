"""Names and sentences as they are printed: on one line, and no longer than a table is wide.

Takes texts of any kind. Returns printable ones. Never changes a text that fits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

__all__ = ["counted", "readable", "short", "short_name", "visible"]

JOINERS = "\u200c\u200d"
MAX_NAME = 40
"""Largest number of characters of a name."""
MAX_SENTENCE = 2000


def counted(n: int, what: str) -> str:
    """A number of things in words."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def visible(text: str, replace: Callable[[str], str]) -> str:
    """A text in which signs that cannot be seen are replaced, but for those that join others than ASCII's.

    Persian and Indic words need these, and so do emoji of several parts.
    """
    pairs = zip(f" {text}", text, strict=False)
    return "".join(c if c.isprintable() or (c in JOINERS and before > "\x7f") else replace(c) for before, c in pairs)


def short(text: str, most: int = MAX_NAME) -> str:
    """A text on one line, cut if it is long, with escapes for signs that cannot be seen or turn the text around."""
    line = visible(text[: most + 1], lambda c: repr(c)[1:-1])
    return line if len(line) <= most else f"{line[: most - 1]}…"


def short_name(name: str) -> str:
    """A name in a printed table: on one line, cut if it is long, and visible if it is empty."""
    return short(name) or '""'


def readable(value: Any, most: int = MAX_NAME, sentences: Collection[str] = ()) -> Any:
    """Plain data in which each text is on one line and visible, and as short as a name but for those of `sentences`.

    `sentences` are keys of dictionaries.
    """
    if isinstance(value, Mapping):
        return {key: readable(one, MAX_SENTENCE if key in sentences else most, sentences) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [readable(one, most, sentences) for one in value]
    return (short(value, most) or '""') if isinstance(value, str) else value
