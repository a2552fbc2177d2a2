"""Known levels as ONNX operators: from a cell to the number of its level.

Takes the tensor of a raw column and a category's encoder. Returns a tensor of level numbers, 0 for missing and unknown
cells, as `rosenblatt.tables.levels.place_levels` finds them. Never learns a level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rosenblatt.export.onnx.graph import ML, OnnxGraph
from rosenblatt.tables.levels import values_of
from rosenblatt.tables.table import MAX_EXACT, level_text

if TYPE_CHECKING:
    from rosenblatt.tables.encoders import CategoricalEncoder

__all__ = ["holds_wide_integers", "level_numbers"]

BLANKS = ("{}", " {}", "{} ", " {} ")
"""How a text may be written that is equal to a level but for blanks around it. ONNX cannot take off any number."""
BOOLEANS = {0.0: 1, 1.0: 2}


def level_numbers(graph: OnnxGraph, encoder: CategoricalEncoder, cells: str, dtype: str) -> str:
    """The number of each cell's level, from 1; int64, [rows, 1].

    `cells` are texts, integers (`dtype` "int64"), or float64: numbers, booleans as 0 and 1, or days since 1970.
    """
    if dtype == "string":
        return lookup(graph, cells, numbers_of_texts(encoder))
    if encoder.storage == "boolean":
        return lookup(graph, cells, BOOLEANS)
    if dtype == "int64":  # a float64 would not tell them apart; where it is no level, the nearest float64 may be
        exact = lookup(graph, cells, {int(level): i for i, level in enumerate(encoder.levels, start=1)})
        if not (numbers := numbers_of_values(encoder)):
            return exact
        nearest = lookup(graph, graph.cast(cells, "float64"), numbers)
        unknown = graph.add("Equal", exact, graph.constant(np.int64(0)))
        return graph.add("Where", unknown, nearest, exact)
    return lookup(graph, cells, numbers_of_values(encoder))


def holds_wide_integers(levels: Sequence[str]) -> bool:
    """Whether all levels are integers of 64 bits, and float64 cannot hold one of them."""
    try:
        numbers = [int(level) for level in levels]
    except ValueError:
        return False
    widest = max(abs(number) for number in numbers)
    return MAX_EXACT < widest < 2**63 and [str(number) for number in numbers] == list(levels)


def numbers_of_texts(encoder: CategoricalEncoder) -> dict[str, int]:
    """The number of each text that is a level, or is one but for a blank before or after it."""
    found = {level: i for i, level in enumerate(encoder.levels, start=1)}
    for bare, i in unique_values(encoder, "text").items():
        for form in BLANKS:
            found.setdefault(form.format(bare), i)
    return found


def numbers_of_values(encoder: CategoricalEncoder) -> dict[float, int]:
    """The number of each float64 that is written as a level, or is what a single level stands for."""
    place = {level: i for i, level in enumerate(encoder.levels, start=1)}
    found = unique_values(encoder, encoder.storage)
    values = {value for value in values_of(encoder.levels, encoder.storage) if value is not None}
    written = {value: place[text] for value in values if (text := level_text(value)) in place}
    return found if encoder.storage == "date" else found | written


def unique_values(encoder: CategoricalEncoder, storage: str) -> dict[Any, int]:
    """What levels stand for, with the level's number, where it is a single one."""
    found: dict[Any, list[int]] = {}
    for i, value in enumerate(values_of(encoder.levels, storage), start=1):
        if value is not None:
            found.setdefault(value, []).append(i)
    return {value: numbers[0] for value, numbers in found.items() if len(numbers) == 1}


def lookup(graph: OnnxGraph, cells: str, numbers: Mapping[Any, int]) -> str:
    """The number of each cell, 0 for those that have none; int64."""
    keys, values = list(numbers), np.array(list(numbers.values()), np.int64)
    if isinstance(keys[0], str):
        return graph.add(
            "LabelEncoder", cells, domain=ML, keys_strings=keys, values_int64s=values.tolist(), default_int64=0
        )
    if isinstance(keys[0], int):
        return graph.add(
            "LabelEncoder", cells, domain=ML, keys_int64s=keys, values_int64s=values.tolist(), default_int64=0
        )
    nothing = np.zeros(1, np.int64)
    return graph.add(
        "LabelEncoder", cells, domain=ML, keys_tensor=np.array(keys), values_tensor=values, default_tensor=nothing
    )
