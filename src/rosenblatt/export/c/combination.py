"""From the outputs of a tabular model's networks to its predictions, as a program.

Takes a fitted tabular estimator. Returns a float64 program of the outputs of all networks, which does what
`Ensemble.predict` and the estimator do. Never runs it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import M, Program, Value

__all__ = ["combination"]

SMALLEST = 1e-12
"""Probabilities below this count as this when their logarithm is taken."""


def combination(model: Any, n_members: int) -> tuple[Program, int]:
    """The program with inputs ``member1``, ``member2``, ... [m, n_outputs] and the output ``prediction``; its width."""
    b, n_raw = Builder("float64"), model.ensemble_.networks[0].graph.n_outputs
    outputs = [b.input(f"member{i}", (M, n_raw)) for i in range(1, n_members + 1)]
    if hasattr(model, "classes_"):
        ordered = model.fitted_parameter("ordered") is not False
        members = [from_cumulative(b, out) if ordered else out for out in outputs]
        mean = mean_of(b, [with_temperature(b, p, model.ensemble_.temperature) for p in members])
        result = b.div(mean, b.sum(mean, axis=1, keepdims=1))
    else:
        result = decoded(b, mean_of(b, outputs), model.target_scaler_)
    return b.build(prediction=result), result.type.shape[1]


def mean_of(b: Builder, values: Sequence[Value]) -> Value:
    """Their mean, added up in their order."""
    return values[0] if len(values) == 1 else b.div(functools.reduce(b.add, values), float(len(values)))


def with_temperature(b: Builder, p: Value, temperature: float) -> Value:
    """p**(1 / temperature), normalized."""
    return p if temperature == 1.0 else b.softmax(b.div(b.log(b.maximum(p, SMALLEST)), temperature))


def from_cumulative(b: Builder, above: Value) -> Value:
    """Probabilities of ordered classes from those of lying above each but the last; these must not rise."""
    columns = [b.slice(above, axis=1, start=i, stop=i + 1) for i in range(above.type.shape[1])]
    falling = columns[:1]
    for column in columns[1:]:
        falling.append(b.minimum(falling[-1], column))
    middle = [b.sub(one, following) for one, following in zip(falling, falling[1:], strict=False)]
    return b.concat(b.sub(1.0, falling[0]), *middle, falling[-1], axis=1)


def decoded(b: Builder, outputs: Value, scaler: Any) -> Value:
    """Numbers in the units of the targets, within the range of the training targets."""
    values = columnwise(b, b.add, outputs, scaler.shifts) if scaler.shifts else outputs
    values = columnwise(b, b.add, columnwise(b, b.mul, values, scaler.scale), scaler.center)
    if scaler.kind == "log":
        limit = math.log(scaler.highest[0] + scaler.offset) + 1.0
        values = b.sub(b.mul(b.exp(b.minimum(values, limit)), scaler.factor), scaler.offset)
    return columnwise(b, b.minimum, columnwise(b, b.maximum, values, scaler.lowest), scaler.highest)


def columnwise(b: Builder, op: Any, values: Value, numbers: Sequence[float]) -> Value:
    """An op between each column and its number; one number is for all columns."""
    row = [b.reshape(b.constant(x), shape=(1, 1)) for x in numbers]
    result: Value = op(values, row[0] if len(row) == 1 else b.concat(*row, axis=1))
    return result
