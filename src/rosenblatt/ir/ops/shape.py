"""Ops that move or repeat elements.

Takes values, and shapes as attributes. Returns the same numbers in another arrangement. Never computes anything.
`reshape` and `view` are aliases: other names for existing memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from rosenblatt.ir.ops._record import Op, Sample
from rosenblatt.ir.ops._rules import (
    Shape,
    each,
    float_dtype,
    full,
    require_axis,
    require_fixed,
    require_rank,
    show,
    symbolic_size,
)
from rosenblatt.ir.types import M, Piece, ProgramError, Type, Value

if TYPE_CHECKING:
    from rosenblatt.ir.program import Builder

# fill ------------------------------------------------------------------------------------------------------------


def _fill_infer(*, value: float, shape: Shape, dtype: str) -> Type:
    return Type(dtype, shape)


def _fill_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    shapes: tuple[Shape, ...] = ((), (37,), (M, 5), (2, 3, M, 1))
    for value, shape in zip((1.5, -0.0, math.inf, 0.1), shapes, strict=True):
        yield Sample((), (), {"value": value, "shape": shape}, n_rows, f"{value} {show(shape)}")


# reshape and view: aliases ---------------------------------------------------------------------------------------


def _reshape_infer(x: Type, *, shape: Shape) -> Type:
    if x.sparse:
        raise ProgramError(f"given {x}; a sparse operand cannot be reshaped")
    if symbolic_size(x.shape) != symbolic_size(shape):
        raise ProgramError(f"{show(x.shape)} cannot become {show(shape)}: the numbers of elements differ")
    return Type(x.dtype, shape)


RESHAPES: tuple[tuple[Shape, Shape], ...] = (
    ((), (1, 1)),
    ((1,), ()),
    ((6,), (2, 3)),
    ((M,), (M, 1)),
    ((M, 6), (2 * M, 3)),
    ((M, 6), (6 * M,)),
    ((3, M, 2), (M, 3, 2, 1)),
)


def _reshape_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for shape, target in RESHAPES:
        yield from each(rng, dtype, n_rows, (shape,), shape=target)


def _view_infer(block: Type, *, offset: int, shape: Shape) -> Type:
    dtype = float_dtype(block)
    require_rank("the block", block, 1)
    require_fixed("the block's length", block.shape[0])
    for dim in shape:
        require_fixed("a dimension of the view", dim)
    end = offset + math.prod(shape)
    if offset < 0 or end > block.shape[0]:
        raise ProgramError(f"elements {offset} to {end} are outside the block, which has {block.shape[0]}")
    return Type(dtype, shape)


def _view_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    cases: tuple[tuple[int, Shape], ...] = ((0, (13,)), (3, (2, 5)), (13, (0,)), (12, ()), (1, (1, 2, 3, 2)))
    for offset, shape in cases:
        yield from each(rng, dtype, n_rows, ((13,),), offset=offset, shape=shape)


# pack and concat -------------------------------------------------------------------------------------------------


def _pack_infer(*xs: Type) -> Type:
    dtype = float_dtype(*xs)
    for x in xs:
        for dim in x.shape:
            require_fixed(f"a dimension of {x}", dim)
    return Type(dtype, (sum(math.prod(x.shape) for x in xs),))


def _pack(*xs: Any) -> Any:
    return np.concatenate([np.reshape(x, (-1,)) for x in xs])


def _pack_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    return each(rng, dtype, n_rows, ((),), ((3, 2), (0,), (), (7,)), ((2, 1, 3, 1), (5,)))


def _pack_vjp(b: Builder, g: Value, out: Value, *xs: Value) -> tuple[Value, ...]:
    g = full(b, g, out)
    sizes = [math.prod(x.shape) for x in xs]
    return tuple(b.view(g, offset=sum(sizes[:i]), shape=x.shape) for i, x in enumerate(xs))


def _concat_infer(*xs: Type, axis: int) -> Type:
    dtype = float_dtype(*xs)
    require_axis(axis)
    first = xs[0].shape
    for x in xs:
        if len(x.shape) != len(first) or x.shape[:axis] != first[:axis] or x.shape[axis + 1 :] != first[axis + 1 :]:
            shapes = ", ".join(show(t.shape) for t in xs)
            raise ProgramError(f"the shapes are {shapes}; they must be equal but for axis {axis}")
        require_fixed(f"axis {axis} of {x}", x.shape[axis])
    return Type(dtype, (*first[:axis], sum(x.shape[axis] for x in xs), *first[axis + 1 :]))


def _concat(*xs: Any, axis: int) -> Any:
    return np.concatenate(xs, axis=axis)


def _concat_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    yield from each(rng, dtype, n_rows, ((3,),), ((3,), (0,), (5,)), axis=0)
    yield from each(rng, dtype, n_rows, ((M, 2), (M, 3), (M, 1)), axis=1)
    yield from each(rng, dtype, n_rows, ((2, M), (1, M)), axis=-2)
    yield from each(rng, dtype, n_rows, ((M, 2, 3), (M, 4, 3)), axis=1)
    yield from each(rng, dtype, n_rows, ((2, M, 3, 2), (2, M, 3, 5)), axis=3)


def _concat_vjp(b: Builder, g: Value, out: Value, *xs: Value, axis: int) -> tuple[Value, ...]:
    g, start, parts = full(b, g, out), 0, []
    for x in xs:
        stop = start + x.shape[axis]
        parts.append(b.slice(g, axis=axis, start=start, stop=stop))
        start = stop
    return tuple(parts)


# slice and pad: each other's transpose ---------------------------------------------------------------------------


def _slice_infer(x: Type, *, axis: int, start: int, stop: int) -> Type:
    dtype = float_dtype(x)
    require_axis(axis)
    n = x.shape[axis]
    require_fixed(f"axis {axis}", n)
    if not 0 <= start <= stop <= n:
        raise ProgramError(f"start is {start} and stop {stop}; 0 <= start <= stop <= {n} is allowed")
    return Type(dtype, (*x.shape[:axis], stop - start, *x.shape[axis + 1 :]))


AXES: tuple[tuple[Shape, int], ...] = (((9,), 0), ((M, 9), 1), ((9, M), 0), ((2, 9, M), 1), ((M, 2, 3, 9), -1))


def _slice_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for shape, axis in AXES:
        for start, stop in ((0, 9), (2, 7), (4, 5), (9, 9)):
            yield from each(rng, dtype, n_rows, (shape,), axis=axis, start=start, stop=stop)


def _slice_vjp(b: Builder, g: Value, out: Value, x: Value, *, axis: int, start: int, stop: int) -> tuple[Value]:
    return (b.pad(full(b, g, out), axis=axis, before=start, after=x.shape[axis] - stop),)


def _pad_infer(x: Type, *, axis: int, before: int, after: int) -> Type:
    dtype = float_dtype(x)
    require_axis(axis)
    require_fixed(f"axis {axis}", x.shape[axis])
    if before < 0 or after < 0:
        raise ProgramError(f"before is {before} and after {after}; neither may be negative")
    return Type(dtype, (*x.shape[:axis], before + x.shape[axis] + after, *x.shape[axis + 1 :]))


def _pad_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for shape, axis in AXES:
        for before, after in ((0, 0), (2, 3), (1, 0)):
            yield from each(rng, dtype, n_rows, (shape,), axis=axis, before=before, after=after)


def _pad_vjp(b: Builder, g: Value, out: Value, x: Value, *, axis: int, before: int, after: int) -> tuple[Value]:
    return (b.slice(full(b, g, out), axis=axis, start=before, stop=before + x.shape[axis]),)


# transpose -------------------------------------------------------------------------------------------------------


def _transpose_infer(x: Type, *, axes: tuple[int, ...]) -> Type:
    dtype = float_dtype(x)
    if sorted(axes) != list(range(len(x.shape))):
        raise ProgramError(f"axes are {axes}; they must be a permutation of the {len(x.shape)} axes of {x}")
    return Type(dtype, tuple(x.shape[axis] for axis in axes))


TRANSPOSES: tuple[tuple[Shape, tuple[int, ...]], ...] = (
    ((), ()),
    ((M,), (0,)),
    ((M, 5), (1, 0)),
    ((M, 5), (0, 1)),
    ((33, M), (1, 0)),
    ((37, 70), (1, 0)),
    ((2, M, 3), (2, 0, 1)),
    ((2, M, 3), (0, 2, 1)),
    ((2, 3, M, 5), (3, 1, 0, 2)),
    ((2, 3, M, 5), (0, 2, 1, 3)),
)


def _transpose_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for shape, axes in TRANSPOSES:
        yield from each(rng, dtype, n_rows, (shape,), axes=axes)


def _transpose_vjp(b: Builder, g: Value, out: Value, x: Value, *, axes: tuple[int, ...]) -> tuple[Value]:
    inverse = tuple(axes.index(i) for i in range(len(axes)))
    return (b.transpose(full(b, g, out), axes=inverse),)


RECORDS = (
    Op(
        "fill",
        0,
        _fill_infer,
        lambda *, value, shape, dtype: np.full(shape, value, dtype),
        _fill_samples,
        attrs={"value": "float", "shape": "shape"},
    ),
    Op(
        "reshape",
        1,
        _reshape_infer,
        lambda x, *, shape: np.reshape(x, shape),
        _reshape_samples,
        lambda b, g, out, x, *, shape: (b.reshape(full(b, g, out), shape=x.shape),),
        attrs={"shape": "shape"},
        alias=True,
    ),
    Op(
        "view",
        1,
        _view_infer,
        lambda block, *, offset, shape: np.reshape(block[offset : offset + math.prod(shape)], shape),
        _view_samples,
        # The reverse walk joins the pieces of a block with one `pack`, instead of adding padded blocks.
        lambda b, g, out, block, *, offset, shape: (Piece(offset, full(b, g, out)),),
        attrs={"offset": "int", "shape": "shape"},
        alias=True,
    ),
    Op("pack", None, _pack_infer, _pack, _pack_samples, _pack_vjp),
    Op("concat", None, _concat_infer, _concat, _concat_samples, _concat_vjp, attrs={"axis": "int"}),
    Op(
        "slice",
        1,
        _slice_infer,
        lambda x, *, axis, start, stop: x[(slice(None),) * axis + (slice(start, stop),)],
        _slice_samples,
        _slice_vjp,
        attrs={"axis": "int", "start": "int", "stop": "int"},
    ),
    Op(
        "pad",
        1,
        _pad_infer,
        lambda x, *, axis, before, after: np.pad(x, [(before, after) if i == axis else (0, 0) for i in range(x.ndim)]),
        _pad_samples,
        _pad_vjp,
        attrs={"axis": "int", "before": "int", "after": "int"},
    ),
    Op(
        "transpose",
        1,
        _transpose_infer,
        lambda x, *, axes: np.transpose(x, axes),
        _transpose_samples,
        _transpose_vjp,
        attrs={"axes": "ints"},
    ),
)
