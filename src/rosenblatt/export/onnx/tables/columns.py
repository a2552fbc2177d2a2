"""Raw columns as inputs of an ONNX graph, and their preparation as operators.

Takes a graph and the preparation of a fitted model. Declares an input for each used column, and returns the tensors
that networks read. Never computes in float32 before a number is scaled. Hashed texts are refused: standard operators
have no hash, and a model keeps no words from which a list of them could be made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rosenblatt._suggestions import join_names
from rosenblatt.export.onnx.graph import OnnxGraph, require_unicode
from rosenblatt.export.onnx.tables.dates import days_of_integers, days_of_texts
from rosenblatt.export.onnx.tables.levels import holds_wide_integers, level_numbers
from rosenblatt.export.onnx.translations import double_cosine
from rosenblatt.tables.encoders import CategoricalEncoder, Encoder, NumericEncoder, TextEncoder
from rosenblatt.tables.encoders.base import CLIP, Scaling
from rosenblatt.tables.encoders.numeric import PERIODS
from rosenblatt.tables.preparation import Preparation
from rosenblatt.tables.table import Column

__all__ = ["ColumnInput", "add_preparation", "column_inputs"]

LARGEST = 1e100
"""What overflowed in scaling is cut here, so that its square does not."""


@dataclass(frozen=True)
class ColumnInput:
    """How a raw column enters a graph.

    Attributes
    ----------
    name : str
    dtype : {"float64", "int64", "string"}
    holds : str
        What a cell is, and which cell is missing.
    """

    name: str
    dtype: str
    holds: str


@dataclass
class Parts:
    """The tensors made of the columns so far, each in its order."""

    numbers: list[str] = field(default_factory=list)
    scalings: list[Scaling] = field(default_factory=list)
    indicators: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)


def column_inputs(preparation: Preparation, dates: str = "text") -> list[ColumnInput]:
    """The inputs that the used columns need, in their order; `dates` is "text" or "integer".

    Raises
    ------
    ValueError
        If there are columns of free text, a column without a name, or a name or level that is no Unicode; it names
        them.
    """
    texts = [encoder.name for encoder in preparation.encoders if isinstance(encoder, TextEncoder)]
    if texts:
        plural = "s" if len(texts) > 1 else ""
        raise ValueError(
            f"ONNX cannot hold the free text of column{plural} {join_names(texts)}: its words are counted by a hash, "
            f"which standard operators do not have. Fit the model with ignore={texts!r}, or say "
            f"kinds={{{texts[0]!r}: 'categorical'}} if these texts are levels."
        )
    if not all(encoder.name for encoder in preparation.encoders):
        raise ValueError(
            "a column has an empty name, which no input of an ONNX model can have: rename it, and fit again."
        )
    for encoder in preparation.encoders:
        require_texts(encoder)
    return [input_of(encoder, dates) for encoder in preparation.encoders]


def require_texts(encoder: Encoder) -> None:
    """Refuse a name or a level that ONNX cannot store."""
    require_unicode(encoder.name, f"column {encoder.name!r} has the name")
    for level in encoder.levels if isinstance(encoder, CategoricalEncoder) else ():
        require_unicode(level, f"column {encoder.name!r} has the level")


def input_of(encoder: Encoder, dates: str) -> ColumnInput:
    """How the column of an encoder enters the graph."""
    assert not isinstance(encoder, TextEncoder)
    name, storage = encoder.name, encoder.storage
    if storage == "date" and dates == "integer":
        return ColumnInput(name, "int64", "microseconds since 1970-01-01 in UTC; the smallest integer is missing")
    if storage == "date":
        return ColumnInput(name, "string", "dates such as 2020-12-31 or 2020-12-31T23:59:00Z; empty is missing")
    if storage == "boolean":
        return ColumnInput(name, "float64", "0 for false and 1 for true; NaN is missing")
    if not isinstance(encoder, CategoricalEncoder):
        return ColumnInput(name, "float64", "numbers; NaN is missing")
    if storage == "number" and holds_wide_integers(encoder.levels):
        return ColumnInput(name, "int64", "integers that are levels; any other is missing")
    if storage == "number" and not has_inexact_levels(encoder):
        return ColumnInput(name, "float64", "numbers that are levels; NaN is missing")
    return ColumnInput(name, "string", "levels; empty is missing")


def has_inexact_levels(encoder: CategoricalEncoder) -> bool:
    """Whether two levels are the same float64, such as integers of more than 64 bits."""
    values = [float(level) for level in encoder.levels]
    return len(set(values)) < len(values)


def add_preparation(graph: OnnxGraph, preparation: Preparation, dates: str = "text") -> dict[str, str]:
    """Declare the inputs, and append what makes of them the inputs of a network.

    Returns
    -------
    dict of str to str
        The tensors "numbers" and "indicators", float32 [rows, n], if there are any, and "codes0", "codes1", ..., int64
        [rows].
    """
    parts = Parts()
    for column, encoder in zip(column_inputs(preparation, dates), preparation.encoders, strict=True):
        cells = graph.input(column.name, column.dtype, 1)
        dtype = column.dtype
        if isinstance(encoder, (NumericEncoder, CategoricalEncoder)) and encoder.storage == "date":
            month_first = isinstance(encoder, NumericEncoder) and encoder.month_first
            is_text = dtype == "string"
            cells = days_of_texts(graph, cells, month_first=month_first) if is_text else days_of_integers(graph, cells)
            dtype = "float64"
        if isinstance(encoder, NumericEncoder):
            add_numbers(graph, encoder, cells, parts)
        elif isinstance(encoder, CategoricalEncoder):
            add_category(graph, encoder, level_numbers(graph, encoder, cells, dtype), parts)
    return joined(graph, parts)


def add_numbers(graph: OnnxGraph, encoder: NumericEncoder, cells: str, parts: Parts) -> None:
    """Append what is made of a column of numbers or days, float64."""
    parts.numbers.append(cells)
    for period in encoder.periods:
        days = graph.constant(np.float64(PERIODS[period]))
        rest = graph.add("Mod", cells, days, fmod=1)  # has the sign of the cell
        before = graph.add("Less", rest, graph.constant(np.float64(0)))
        place = graph.add("Where", before, graph.add("Add", rest, days), rest)
        angle = graph.add("Div", graph.add("Mul", place, graph.constant(np.float64(2 * np.pi))), days)
        parts.numbers += [graph.add("Sin", angle), double_cosine(graph, angle)]
    parts.scalings.append(encoder.scaling)
    if encoder.has_missing:
        parts.indicators.append(graph.cast(graph.add("IsNaN", cells), "float32"))


def add_category(graph: OnnxGraph, encoder: CategoricalEncoder, numbers: str, parts: Parts) -> None:
    """Append what is made of level numbers, int64 [rows, 1]: themselves, or a row of indicators for each."""
    flat = graph.add("Reshape", numbers, graph.constant(np.array([-1], np.int64)))
    if encoder.n_codes:
        parts.codes.append(flat)
    else:
        parts.indicators.append(graph.add("Gather", graph.constant(indicators_of_levels(encoder)), flat))


def indicators_of_levels(encoder: CategoricalEncoder) -> Any:
    """The indicators of a missing cell, and of each level; float32, shape (n_levels + 1, n_indicators)."""
    codes = np.arange(-1, len(encoder.levels), dtype=np.int32)
    return encoder.prepare(Column(encoder.name, "text", codes, encoder.levels), []).indicators


def joined(graph: OnnxGraph, parts: Parts) -> dict[str, str]:
    """The parts as inputs of networks."""
    found = {}
    if parts.numbers:
        found["numbers"] = scaled(graph, side_by_side(graph, parts.numbers), parts.scalings)
    if parts.indicators:
        found["indicators"] = side_by_side(graph, parts.indicators)
    return found | {f"codes{i}": codes for i, codes in enumerate(parts.codes)}


def side_by_side(graph: OnnxGraph, tensors: Sequence[str]) -> str:
    """The columns of all tensors."""
    return tensors[0] if len(tensors) == 1 else graph.add("Concat", *tensors, axis=1)


def scaled(graph: OnnxGraph, values: str, scalings: Sequence[Scaling]) -> str:
    """Numbers [rows, n] as `Scaling` makes them; float32."""
    centers, spreads = (
        graph.constant(np.array([x for scaling in scalings for x in getattr(scaling, name)]))
        for name in ("centers", "spreads")
    )
    units = graph.add("Div", graph.add("Sub", values, centers), spreads)
    present = graph.add("Where", graph.add("IsNaN", units), graph.constant(np.float64(0)), units)
    limits = (graph.constant(np.float64(limit)) for limit in (-LARGEST, LARGEST))
    limited = graph.add("Clip", present, *limits)
    part = graph.add("Div", limited, graph.constant(np.float64(CLIP)))
    root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", part, part), graph.constant(np.float64(1))))
    return graph.cast(graph.add("Div", limited, root), "float32")
