"""Encoders of columns: training learns them, and they prepare all rows; one module for each kind.

Takes a column of training rows and its kind, or what a file holds. Returns an encoder, which is plain data. Never sees
the target.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from rosenblatt.tables.encoders.base import Mismatch, Prepared, Scaling
from rosenblatt.tables.encoders.categorical import CategoricalEncoder, fit_categories
from rosenblatt.tables.encoders.numeric import NumericEncoder, fit_numbers
from rosenblatt.tables.encoders.text import N_WORDS, TextEncoder, fit_text
from rosenblatt.tables.kinds import ColumnKind
from rosenblatt.tables.table import Column

__all__ = [
    "N_WORDS",
    "CategoricalEncoder",
    "Encoder",
    "Mismatch",
    "NumericEncoder",
    "Prepared",
    "Scaling",
    "TextEncoder",
    "encoder_from_state",
    "fit_encoder",
]

Encoder = NumericEncoder | CategoricalEncoder | TextEncoder


def fit_encoder(column: Column, kind: ColumnKind) -> Encoder:
    """Learn the encoder of a column."""
    if column.level_storage == "boolean":
        return CategoricalEncoder(column.name, "boolean", ("false", "true"), None)
    if kind.kind in ("text", "categorical") and column.unlisted is not None and not column.unlisted.hashes:
        raise ValueError(
            f"the numbers of column {column.name!r} must be counted as levels: say TableSummary(levels=...)"
        )
    if kind.kind == "text":
        return fit_text(column)
    if kind.kind == "categorical":
        return fit_categories(column)
    return fit_numbers(column, "date" if kind.kind == "date" else "number")


def encoder_from_state(entry: Any) -> Encoder:
    """The encoder whose `to_state` gave the entry; a `ValueError` for anything else."""
    for kind in (NumericEncoder, CategoricalEncoder, TextEncoder):
        if isinstance(entry, dict) and entry.get("class") == kind.__name__:
            state = {key: value for key, value in entry.items() if key != "class"}
            if set(state) == {field.name for field in fields(kind)} and isinstance(state["name"], str):
                return kind.from_state(state)
    raise ValueError("a column's encoder is not of the known form")
