"""Shared by the families of ops: shape and dtype rules, and samples.

Takes types of operands. Returns types of results, or raises a `ProgramError` that says what is given and what is
allowed (the caller prefixes the op and its operands). Never computes a value of a program.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rosenblatt.ir.ops._record import Sample
from rosenblatt.ir.types import FLOATS, ProgramError, Type, Value, format_dim, resolve

if TYPE_CHECKING:
    from rosenblatt.ir.program import Builder

Shape = tuple[int, ...]


def show(shape: Sequence[int]) -> str:
    """A shape as text: ``[m, 3]``."""
    return f"[{', '.join(map(format_dim, shape))}]"


def float_dtype(*types: Type) -> str:
    """The float type that all of `types` share; they must be dense."""
    for given in types:
        if given.sparse or given.dtype not in FLOATS:
            raise ProgramError(f"given {given}; every float operand must be a dense {' or '.join(FLOATS)}")
    if len({t.dtype for t in types}) > 1:
        raise ProgramError(f"the float operands have types {', '.join(t.dtype for t in types)}; they must agree")
    return types[0].dtype


def require_rank(what: str, given: Type, *ranks: int) -> None:
    """Raise if an operand does not have one of `ranks` axes."""
    if len(given.shape) not in ranks:
        allowed = " or ".join(map(str, ranks))
        raise ProgramError(f"{what} must have {allowed} axes, given {given}")


def require_same_shape(*types: Type) -> Shape:
    """The shape that all of `types` share."""
    if len({t.shape for t in types}) > 1:
        raise ProgramError(f"the shapes are {', '.join(show(t.shape) for t in types)}; they must be equal")
    return types[0].shape


def require_indices(what: str, given: Type, length: int) -> None:
    """Raise unless the type is int32 of shape ``[length]``."""
    if given != Type("int32", (length,)):
        raise ProgramError(f"{what} are {given}; they must be {Type('int32', (length,))}")


def require_fixed(what: str, dim: int) -> None:
    """Raise if a dimension depends on m."""
    if dim < 0:
        raise ProgramError(f"{what} is {format_dim(dim)}; it must not depend on the rows of the batch")


def require_axis(axis: int) -> None:
    """Raise on "all axes" where a single axis is required."""
    if axis < 0:
        raise ProgramError("axis is None; give a single axis")


def broadcast(*shapes: Shape) -> Shape:
    """NumPy's broadcasting; m is compatible with m and with 1."""
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(s)) + s for s in shapes]
    result = []
    for dims in zip(*padded, strict=True):
        sizes = {d for d in dims if d != 1}
        if len(sizes) > 1:
            given = ", ".join(map(show, shapes))
            allowed = "each pair of dimensions, counted from the last, must be equal or contain a 1"
            raise ProgramError(f"shapes {given} do not broadcast: {allowed}")
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


def symbolic_size(shape: Shape) -> tuple[int, int]:
    """The number of elements as ``(c, p)``, meaning ``c * m**p``."""
    factor = math.prod(abs(d) for d in shape)
    return factor, sum(d < 0 for d in shape) if factor else 0


def reduced(shape: Shape, axis: int, keepdims: int) -> Shape:
    """The shape after reducing `axis` (-1: every axis)."""
    if axis == -1:
        return (1,) * len(shape) if keepdims else ()
    return shape[:axis] + ((1,) if keepdims else ()) + shape[axis + 1 :]


def elementwise(*types: Type, **_: Any) -> Type:
    """The type rule of a broadcasting op."""
    return Type(float_dtype(*types), broadcast(*(t.shape for t in types)))


def same_shape(*types: Type, **_: Any) -> Type:
    """The type rule of an op whose operands and result have the same shape."""
    return Type(float_dtype(*types), require_same_shape(*types))


def full(b: Builder, g: Value, like: Value) -> Value:
    """The cotangent in the shape of `like`, for kernels that require it."""
    return g if g.shape == like.shape else b.broadcast_to(g, shape=like.shape)


def draw(rng: np.random.Generator, dtype: str, shape: Shape, low: float = 0.1, high: float = 2.0) -> Any:
    """Random numbers of both signs with magnitudes from `low` to `high`, away from the kink of many functions at 0."""
    return np.asarray(rng.uniform(low, high, shape) * rng.choice([-1.0, 1.0], shape), dtype)


def uniform(rng: np.random.Generator, dtype: str, shape: Shape, low: float, high: float) -> Any:
    """Random numbers between `low` and `high`."""
    return np.asarray(rng.uniform(low, high, shape), dtype)


def make_sample(
    arrays: Sequence[Any], shapes: Sequence[Shape], n_rows: int, /, label: str = "", smooth: bool = True, **attrs: Any
) -> Sample:
    """A sample of dense arrays with the symbolic `shapes`."""
    types = tuple(Type(str(a.dtype), tuple(s)) for a, s in zip(arrays, shapes, strict=True))
    for array, type_ in zip(arrays, types, strict=True):
        assert array.shape == resolve(type_.shape, n_rows), (array.shape, type_, n_rows)
    return Sample(tuple(arrays), types, attrs, n_rows, label or ", ".join(map(str, types)), smooth)


def each(
    rng: np.random.Generator, dtype: str, n_rows: int, *cases: tuple[Shape, ...], **attrs: Any
) -> Iterator[Sample]:
    """One sample per tuple of operand shapes, all with the same attributes."""
    for shapes in cases:
        yield make_sample([draw(rng, dtype, resolve(s, n_rows)) for s in shapes], shapes, n_rows, **attrs)
