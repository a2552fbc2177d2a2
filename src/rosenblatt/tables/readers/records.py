"""Tables from JSON: lines of objects, an array of objects, or an object of columns.

Takes UTF-8. Returns ``{name: list}``; a key that an object lacks is a missing cell. Numbers keep their digits. Never
takes the last of two values for one key.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from rosenblatt.tables.readers.limits import UNLIMITED, Limits
from rosenblatt.tables.readers.rows import cells_by_column
from rosenblatt.tables.table import TableError

__all__ = ["is_json", "read_json"]

ENDINGS = (".json", ".jsonl", ".ndjson")
START = re.compile(rb"\s*(?:\{\s*\"|\[\s*\{\s*\")")
"""No header of a CSV file begins so."""


def is_json(data: bytes, suffix: str) -> bool:
    """Whether a file is JSON, by its ending or its first characters."""
    return suffix in ENDINGS or START.match(data) is not None


def read_json(data: bytes, limits: Limits = UNLIMITED) -> dict[str, list[Any]]:
    """The columns; a `TableError` names the line that cannot be read."""
    limits.require_json(data)
    text = data.decode()
    try:
        found = json.loads(text, object_pairs_hook=unique_keys)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":  # more than one value: lines
            raise not_json(error, error.lineno) from None
        return columns_of(read_lines(text), limits)
    except (ValueError, RecursionError) as error:
        raise not_json(error, 1) from None
    if isinstance(found, dict) and found and all(isinstance(column, list) for column in found.values()):
        limits.require_table(0, len(found))
        return found
    if isinstance(found, dict) and any(isinstance(value, (list, dict)) for value in found.values()):
        raise TableError(
            "this JSON object is no table. A table is one object per line, an array of objects, or an object of arrays."
        )
    return columns_of(found if isinstance(found, list) else [found], limits)


def read_lines(text: str) -> list[Any]:
    """The value of each line that is not blank."""
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                rows.append(json.loads(line, object_pairs_hook=unique_keys))
            except (ValueError, RecursionError) as error:
                raise not_json(error, number) from None
    return rows


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a `TableError` if it has a key twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise TableError(f"an object has the key {twice!r} more than once")
    return found


def columns_of(rows: list[Any], limits: Limits) -> dict[str, list[Any]]:
    """The cells of objects by their keys; a `TableError` names a row that is no object."""
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise TableError(
                f"row {number} of this JSON is no object but {json.dumps(row)[:40]}; each row must be one."
            )
    limits.require_table(len(rows), len({name for row in rows for name in row}))
    return cells_by_column(rows)


def not_json(error: Exception, line: int) -> TableError:
    """The error for text that is not JSON."""
    if isinstance(error, RecursionError):
        return TableError(f"line {line} of this JSON is nested too deeply.")
    what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
    return TableError(f"line {line} cannot be read as JSON: {what}.")
