"""The forms that a report and a comparison share: text, Markdown, data and a page, shown in a notebook or in a file.

Takes an object that makes these forms. Returns them under the names that notebooks look for, and writes them to files.
Never imports what pages need before one is asked for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from rosenblatt._checks import check_path
from rosenblatt.storage.atomic import write_atomically

__all__ = ["PAGES", "SUFFIXES", "Faces"]

PAGES = (".html", ".htm")
SUFFIXES = (*PAGES, ".md", ".json", ".txt")
"""The endings of files that it can be saved to."""


class Faces:
    """What has `__str__`, `to_markdown`, `to_html` and `facts`, a dictionary of plain values."""

    @property
    def facts(self) -> dict[str, Any]:
        """The content of all forms as plain data."""
        raise NotImplementedError

    def to_markdown(self) -> str:
        """The content as Markdown."""
        raise NotImplementedError

    def to_html(self) -> str:
        """The content as one page."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """The content as texts, whole numbers, finite numbers, lists and dictionaries, as JSON takes them."""
        copy: dict[str, Any] = json.loads(json.dumps(self.facts, allow_nan=False))
        return copy

    def _repr_html_(self) -> str | None:
        """The page in a frame of its own; None without the extra ``report``, so that notebooks show the text."""
        from rosenblatt.report.html import framed

        try:
            return framed(self.to_html(), type(self).__name__)
        except ImportError:
            return None

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
        """Write it to a file: a page (.html, .htm), Markdown (.md), data (.json) or text (.txt).

        An existing file of that name is replaced, whatever it holds, at once and only by a complete one.

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


def content(one: Faces, path: str | os.PathLike[str]) -> str:
    """What a file of this name holds."""
    _, _, markdown, data, text = SUFFIXES
    forms: dict[str, Callable[[], str]] = {
        **dict.fromkeys(PAGES, one.to_html),
        markdown: one.to_markdown,
        data: lambda: json.dumps(one.facts, allow_nan=False, ensure_ascii=False, indent=1),
        text: one.__str__,
    }
    suffix = PurePath(check_path("path", path)).suffix.lower()
    if suffix not in forms:
        found = f"ends in {suffix!r}" if suffix else "has no ending"
        raise ValueError(f"{path} {found}; a report is saved as one of {', '.join(SUFFIXES)}.")
    return forms[suffix]()
