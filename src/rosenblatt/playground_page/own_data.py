"""A user's table, as the page takes it.

Takes what `read_table` takes, and the target. Returns a `PlaygroundTable`. Never guesses a target that was named.
"""

from __future__ import annotations

from typing import Any

from rosenblatt.playground_page.backend import PlaygroundTable
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.targets import find_target

__all__ = ["given_table", "table_of"]


def table_of(source: Any, target: str | None, name: str, encoding: str = "utf-8") -> Any:
    """The table, of which the page suggests to predict the column `target`."""
    table = read_table(source, encoding=encoding)
    if target is not None:
        find_target(table, target)
    return PlaygroundTable.of(table, name)


def given_table(X: Any, y: Any) -> Any:
    """The table of the arguments of `rosenblatt.playground`; None without data."""
    if X is None:
        if y is not None:
            raise TypeError("y is given without X; give the table or the inputs as X.")
        return None
    raise NotImplementedError
