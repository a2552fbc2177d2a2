"""Rules as JSON-able data, and back.

Goes in: a rule, or what a file holds. Comes out: a dictionary, or a rule whose every field was checked.
"""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from typing import Any

from rosenblatt.tables.encoders import CIRCLES, N_WORDS, CategoricalEncoder, NumericEncoder, Rule, Scaling, TextEncoder
from rosenblatt.tables.readers.numerals import NumberFormat

__all__ = ["rule_from_dict", "rule_to_dict"]


def rule_to_dict(rule: Rule) -> dict[str, Any]:
    """A rule as JSON-able data."""
    return asdict(rule)


def rule_from_dict(entry: Any) -> Rule:
    """The rule that `rule_to_dict` was given.

    Raises
    ------
    ValueError
        If the entry is not of that form.
    """
    names = {kind: {field.name for field in fields(kind)} for kind in (NumericEncoder, CategoricalEncoder, TextEncoder)}
    if not isinstance(entry, dict) or set(entry) not in names.values() or not isinstance(entry["name"], str):
        raise ValueError("a column's rule is not of the known form")
    if set(entry) == names[TextEncoder]:
        return TextEncoder(entry["name"], rarity_of(entry["idf"], entry["name"]))
    name, storage, scaling = entry["name"], entry["storage"], scaling_from_dict(entry["scaling"])
    if set(entry) == names[NumericEncoder]:
        circles = texts_of(entry["circles"], name)
        known = storage in ("number", "date") and set(circles) <= set(CIRCLES) and type(entry["indicator"]) is bool
        if not known or scaling is None or len(scaling.centers) != 1 + 2 * len(circles):
            raise ValueError(f"the rule of column {name!r} does not fit together")
        written = entry["format"]
        if not isinstance(written, dict) or set(written) != {"thousands", "decimal", "currency"}:
            raise ValueError(f"the rule of column {name!r} does not say how numbers are written")
        number_format, texts = NumberFormat(**written), texts_of(entry["texts"], name)
        if type(entry["month_first"]) is not bool:
            raise ValueError(f"the rule of column {name!r} does not say how dates are written")
        return NumericEncoder(
            name, storage, circles, scaling, entry["indicator"], number_format, entry["month_first"], texts
        )
    levels = texts_of(entry["levels"], name)
    if storage not in ("text", "boolean") or not levels or (storage == "boolean" and len(levels) != 2):
        raise ValueError(f"the rule of column {name!r} does not fit together")
    if scaling is not None and len(scaling.centers) != len(levels):
        raise ValueError(f"the rule of column {name!r} does not scale each level")
    return CategoricalEncoder(name, storage, levels, scaling)


def scaling_from_dict(entry: Any) -> Scaling | None:
    """Centers and spreads, or None."""
    if entry is None:
        return None
    if not isinstance(entry, dict) or set(entry) != {"centers", "spreads"}:
        raise ValueError("a column's scaling is not of the known form")
    columns = [entry["centers"], entry["spreads"]]
    numbers = all(
        isinstance(c, (list, tuple)) and all(type(x) is float and math.isfinite(x) for x in c) for c in columns
    )
    if not numbers or len(columns[0]) != len(columns[1]) or not all(x > 0 for x in columns[1]):
        raise ValueError("a column's scaling does not hold finite centers and positive spreads")
    return Scaling(tuple(columns[0]), tuple(columns[1]))


def texts_of(entry: Any, name: str) -> tuple[str, ...]:
    """Different texts."""
    valid = isinstance(entry, (list, tuple)) and all(isinstance(text, str) for text in entry)
    if not valid or len(set(entry)) < len(entry):
        raise ValueError(f"the rule of column {name!r} does not list different texts")
    return tuple(entry)


def rarity_of(entry: Any, name: str) -> tuple[float, ...]:
    """A finite number for each column of words."""
    valid = isinstance(entry, (list, tuple)) and len(entry) == N_WORDS
    if not valid or not all(type(x) is float and math.isfinite(x) for x in entry):
        raise ValueError(f"the rule of column {name!r} does not say how rare words are")
    return tuple(entry)
