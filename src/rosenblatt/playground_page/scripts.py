"""A run as a Python script.

Takes a `Run`. Returns the text of a script that does the same with NumPy and rosenblatt, and prints the final losses,
equal to the page's to the last bit. Never runs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rosenblatt.playground_page.runs import Run

__all__ = ["script_of"]


def script_of(run: Run) -> str:
    """The script of a run, up to its present step."""
    raise NotImplementedError
