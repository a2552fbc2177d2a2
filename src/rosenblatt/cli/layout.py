"""Tables of text that fit a terminal.

Takes cells and a width. Returns lines. Never cuts a cell but those of the column that may be cut, of which at least an
ellipsis is left, even where the lines become wider than the terminal.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from textwrap import wrap

from rich.cells import cell_len, set_cell_size

__all__ = ["aligned", "cut", "wrapped"]

GAP = 3
LEAST = 12
"""Characters of a line of text, however narrow the terminal is."""


def aligned(
    rows: Sequence[Sequence[str]], width: int, right: Collection[int] = (), cuts: int | None = None
) -> list[str]:
    """The rows with aligned columns, those in `right` to the right; the column `cuts` is cut to fit the width."""
    widths = [max(cell_len(cell) for cell in column) for column in zip(*rows, strict=True)]
    if cuts is not None:
        others = sum(widths) - widths[cuts] + GAP * (len(widths) - 1)
        widths[cuts] = min(widths[cuts], max(width - others, 1))
    return [line(row, widths, right) for row in rows]


def line(row: Sequence[str], widths: Sequence[int], right: Collection[int]) -> str:
    """One row, without blanks at its end."""
    cells = []
    for place, (cell, size) in enumerate(zip(row, widths, strict=True)):
        text = cut(cell, size)
        blanks = " " * (size - cell_len(text))
        cells.append(blanks + text if place in right else text + blanks)
    return (" " * GAP).join(cells).rstrip()


def cut(text: str, width: int) -> str:
    """The text on one line, and with an ellipsis if it is wider than `width`."""
    text = " ".join(text.splitlines())
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` characters, broken between words; a longer word has a line of its own."""
    lines = [wrap(line, max(width, LEAST), break_long_words=False, break_on_hyphens=False) for line in text.split("\n")]
    return [line for some in lines for line in some or [""]]
