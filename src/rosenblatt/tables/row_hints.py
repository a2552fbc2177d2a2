"""Columns which suggest that rows belong together, or come one after the other.

Takes the inputs of a task with the kinds of their columns. Returns the kinds, with a note where `groups` or `time` may
be needed for an honest score. Never decides it: a model may be for the same customers, or for no particular time.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from rosenblatt.tables.kinds import ColumnKind
from rosenblatt.tables.table import Column, Table, level_column

__all__ = ["annotate_row_hints"]

MIN_GROUPS, MIN_GROUP_ROWS, MAX_GROUP_ROWS = 20, 2, 50
"""An id has at least so many values, with a mean number of rows in this range."""
SAMPLE = 200
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
NAME = re.compile(
    "guid|id|ids|key|nr|uuid|account|animal|case|client|customer|device|employee|group|household|machine|member|"
    "participant|patient|person|respondent|sensor|session|shop|store|student|subject|user|vehicle"
)
"""The last word of an id's name, which may be what has the id."""
ID_VALUE = re.compile(r"[^\W\d]{0,8}[-_#:/ ]?\d{2,}([-_/]\d+)*|[0-9a-fA-F]{8}[0-9a-fA-F-]*")
"""How ids are written: C0012, P-7731, 004217, or hexadecimal digits."""


def annotate_row_hints(table: Table, kinds: Sequence[ColumnKind], settled: Collection[str]) -> list[ColumnKind]:
    """The kinds, with a note on dates and on ids of groups; columns that the user has `settled` get none."""
    hints = {
        kind.name: hint(table.columns[kind.name], kind) for kind in kinds if kind.used and kind.name not in settled
    }
    return [replace(kind, check="; ".join(filter(None, [kind.check, hints.get(kind.name)]))) for kind in kinds]


def hint(column: Column, kind: ColumnKind) -> str:
    """What to consider about the rows, because of this column."""
    if kind.kind == "date":
        return (
            f"column {kind.name!r} holds dates: if the rows to predict will be later ones, say time={kind.name!r}, so "
            "that the score is that of later rows"
        )
    if kind.kind not in ("categorical", "numeric") or (kind.kind == "numeric" and column.storage != "integer"):
        return ""
    n_present, n_groups = column.n_rows - column.n_missing, column.n_different(len(column.distinct()[0]))
    if n_groups < MIN_GROUPS or not MIN_GROUP_ROWS <= n_present / n_groups <= MAX_GROUP_ROWS:
        return ""
    if not (names_id(kind.name) or (kind.kind == "categorical" and holds_ids(column))):
        return ""
    n_rows = n_present / n_groups
    return (
        f"column {kind.name!r} looks like an id of {n_groups:,} groups with {n_rows:.2g} rows each: if the rows to "
        f"predict will be of new groups, say groups={kind.name!r}, so that the score is that of new groups"
    )


def names_id(name: str) -> bool:
    """Whether a column is called an id, or after what usually has several rows, such as a customer."""
    words = WORD.findall(name)
    return bool(words) and NAME.fullmatch(words[-1].lower()) is not None


def holds_ids(column: Column) -> bool:
    """Whether all levels are written like ids."""
    levels = level_column(column).levels
    return all(ID_VALUE.fullmatch(level.strip()) for level in levels[:: max(1, len(levels) // SAMPLE)])
