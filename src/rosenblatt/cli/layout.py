"""Texts and tables of text that fit a terminal, and do nothing but appear there.

Takes cells and a width. Returns lines. Never cuts a cell but those of the column that may be cut, of which at least an
ellipsis is left, even where the lines become wider than the terminal.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from textwrap import wrap
from typing import Any

from rich.cells import cell_len, set_cell_size

__all__ = ["aligned", "counted", "cut", "visible", "wrapped"]

GAPS = (3, 2)
"""Blanks between columns, and where these are too wide for the terminal."""
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that move the cursor, end lines, turn the direction of writing, or begin commands to the terminal."""
LEAST = 12
"""Characters of a line of text, however narrow the terminal is."""


def counted(n: int, what: str) -> str:
    """How many there are, such as "1 row" and "1,200 rows"."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def visible(text: str) -> str:
    r"""The text on one line, its control characters as escapes such as ``\x1b``: it may come from anybody's table."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def aligned(
    rows: Sequence[Sequence[str]], width: int, right: Collection[int] = (), cuts: int | None = None
) -> list[str]:
    """The rows with aligned columns, those in `right` to the right; the column `cuts` is cut to fit the width."""
    rows = [[visible(cell) for cell in row] for row in rows]
    widths = [max(cell_len(cell) for cell in column) for column in zip(*rows, strict=True)]
    gap = GAPS[0] if sum(widths) + GAPS[0] * (len(widths) - 1) <= width else GAPS[1]
    if cuts is not None:
        others = sum(widths) - widths[cuts] + gap * (len(widths) - 1)
        widths[cuts] = min(widths[cuts], max(width - others, 1))
    return [line(row, widths, right, gap) for row in rows]


def line(row: Sequence[str], widths: Sequence[int], right: Collection[int], gap: int) -> str:
    """One row, without blanks at its end."""
    cells = []
    for place, (cell, size) in enumerate(zip(row, widths, strict=True)):
        text = cut(cell, size)
        blanks = " " * (size - cell_len(text))
        cells.append(blanks + text if place in right else text + blanks)
    return (" " * gap).join(cells).rstrip()


def cut(text: str, width: int) -> str:
    """The text, with an ellipsis if it is wider than `width`."""
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"


def wrapped(text: str, width: int, indent: int = 0) -> list[str]:
    """The text in lines of at most `width` characters, broken between words; a longer word has a line of its own.

    Lines that go on begin with so many blanks.
    """
    given: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False, "subsequent_indent": " " * indent}
    return [line for whole in text.split("\n") for line in wrap(whole, max(width, LEAST), **given) or [""]]
