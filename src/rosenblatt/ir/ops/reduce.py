"""Sums, means and maxima, and their transpose: repeating a value along new axes.

Takes one float operand. Returns it with one axis, or all axes, reduced. Never takes None as `axis`: in this module -1
means all axes, as `normalize_attrs` returns it for the user's None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rosenblatt.ir.ops._record import Op, Sample
from rosenblatt.ir.ops._rules import (
    Shape,
    broadcast,
    each,
    float_dtype,
    full,
    make_sample,
    reduced,
    show,
    symbolic_size,
)
from rosenblatt.ir.types import M, ProgramError, Type, Value

if TYPE_CHECKING:
    from rosenblatt.ir.program import Builder

CASES: tuple[tuple[Shape, int | None], ...] = (
    ((), None),
    ((37,), None),
    ((37,), 0),
    ((M,), 0),
    ((M, 5), None),
    ((M, 5), 0),
    ((M, 5), 1),
    ((M, 64), 0),
    ((M, 1), 1),
    ((129, M), 0),
    ((3, 2 * M), 1),
    ((2, M, 3), 0),
    ((2, M, 3), 1),
    ((2, M, 3), -1),
    ((2, 3, M, 5), 2),
    ((2, 3, M, 5), None),
)


def _infer(x: Type, *, axis: int, keepdims: int) -> Type:
    return Type(float_dtype(x), reduced(x.shape, axis, keepdims))


def _reference(function: Callable[..., Any], **fixed: Any) -> Callable[..., Any]:
    """A NumPy function that takes -1 for all axes."""

    def reference(x: Any, *, axis: int, keepdims: int) -> Any:
        return function(x, axis=None if axis == -1 else axis, keepdims=bool(keepdims), **fixed)

    return reference


def _samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for shape, axis in CASES:
        for keepdims in (0, 1):
            yield from each(rng, dtype, n_rows, (shape,), axis=axis, keepdims=keepdims)
    values = np.array([[1.0, 2.0, 2.0], [np.inf, 1.0, 3.0], [-np.inf, 0.0, 0.0]], dtype)
    for axis in (0, 1):
        yield make_sample([values], [values.shape], n_rows, "ties and infinities", smooth=False, axis=axis)
    yield make_sample([np.array([1.0, np.nan, 3.0], dtype)], [(3,)], n_rows, "NaN", smooth=False, axis=0)


def _mean_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for sample in _samples(rng, dtype, n_rows):
        # The mean of nothing is NaN, and so is its derivative.
        yield replace(sample, smooth=sample.smooth and sample.arrays[0].size > 0)


def _kept(b: Builder, value: Value, x: Value, axis: int) -> Value:
    """A reduced value with the lost axes of `x` as ones."""
    return b.reshape(value, shape=reduced(x.type.shape, axis, 1))


def _sum_vjp(b: Builder, g: Value, out: Value, x: Value, *, axis: int, keepdims: int) -> tuple[Value]:
    g = full(b, g, out)
    if not keepdims and axis >= 0:
        g = _kept(b, g, x, axis)
    return (full(b, g, x),)


def _n_reduced(b: Builder, x: Value, axis: int) -> Value | float:
    """The number of elements in each result: a number, or a value if it depends on the rows."""
    over = x.type.shape if axis == -1 else (x.type.shape[axis],)
    factor, power = symbolic_size(over)
    if not power:
        return float(factor)
    rows = b.sum(b.fill(value=1.0, shape=(M,)))
    count = rows if factor == 1 else b.mul(rows, float(factor))
    for _ in range(power - 1):
        count = b.mul(count, rows)
    return count


def _mean_vjp(b: Builder, g: Value, out: Value, x: Value, *, axis: int, keepdims: int) -> tuple[Value]:
    count = _n_reduced(b, x, axis)
    if count == 0.0:
        return (b.broadcast_to(0.0, shape=x.shape),)
    # Multiplying by the reciprocal of a known count would round differently from NumPy's division.
    return _sum_vjp(b, b.div(g, count), out, x, axis=axis, keepdims=keepdims)


def _max_vjp(b: Builder, g: Value, out: Value, x: Value, *, axis: int, keepdims: int) -> tuple[Value]:
    top, g = _kept(b, out, x, axis), _kept(b, full(b, g, out), x, axis)
    winners = b.equal(x, top)
    ties = b.sum(winners, axis=None if axis == -1 else axis, keepdims=1)
    return (b.mul(winners, b.div(g, ties)),)


def _reduction(
    name: str, reference: Callable[..., Any], vjp: Callable[..., tuple[Value]], samples: Any = _samples
) -> Op:
    return Op(
        name,
        1,
        _infer,
        reference,
        samples,
        vjp,
        attrs={"axis": "int", "keepdims": "flag"},
        defaults={"axis": None, "keepdims": 0},
    )


def _mean(x: Any, *, axis: int, keepdims: int) -> Any:
    # Not np.mean, which warns about the mean of nothing.
    axes = None if axis == -1 else axis
    count = math.prod(x.shape) if axes is None else x.shape[axes]
    return np.divide(np.sum(x, axis=axes, keepdims=bool(keepdims)), np.asarray(count, x.dtype))


def _shape_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    return each(rng, dtype, n_rows, ((),), ((37,),), ((M,),), ((M, 5),), ((3, M, 2),), ((2, 3, M, 5),))


def _broadcast_to_infer(x: Type, *, shape: Shape) -> Type:
    dtype = float_dtype(x)
    try:
        fits = broadcast(x.shape, shape) == shape
    except ProgramError:
        fits = False
    if not fits:
        raise ProgramError(f"{show(x.shape)} does not broadcast to {show(shape)}")
    return Type(dtype, shape)


BROADCASTS: tuple[tuple[Shape, Shape], ...] = (
    ((), ()),
    ((), (M, 5)),
    ((1,), (37,)),
    ((5,), (M, 5)),
    ((M, 1), (M, 5)),
    ((1, 5), (M, 5)),
    ((M, 5), (M, 5)),
    ((M, 1, 3), (M, 2, 3)),
    ((2, 1), (3, 2, M)),
    ((1, 3, 1, 2), (M, 3, 2, 2)),
)


def _broadcast_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for shape, target in BROADCASTS:
        yield from each(rng, dtype, n_rows, (shape,), shape=target)


RECORDS = (
    _reduction("sum", _reference(np.sum), _sum_vjp),
    _reduction("mean", _mean, _mean_vjp, _mean_samples),
    _reduction("max", _reference(np.max, initial=-np.inf), _max_vjp),
    Op(
        "sum_squares",
        1,
        lambda x: Type(float_dtype(x), ()),
        lambda x: np.sum(np.square(x)),
        _shape_samples,
        lambda b, g, out, x: (b.mul(b.mul(g, 2.0), x),),
    ),
    Op(
        "broadcast_to",
        1,
        _broadcast_to_infer,
        lambda x, *, shape: np.broadcast_to(x, shape),
        _broadcast_samples,
        lambda b, g, out, x, *, shape: (g,),
        attrs={"shape": "shape"},
    ),
)
