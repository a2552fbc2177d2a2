"""Ops that replace two or three others: a product and the ops that usually follow it, in one pass over the result.

Takes matrices. Returns matrices. Never differs from the separate ops in any element. `rosenblatt.ir.rewrite.fuse`
inserts these ops; they can also be called like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rosenblatt.ir.ops._record import Op, Sample
from rosenblatt.ir.ops._rules import Shape, each, full, require_rank, require_same_shape
from rosenblatt.ir.ops.linear import MATMUL, MATMUL_SIZES, matmul_samples
from rosenblatt.ir.types import M, Piece, ProgramError, Type, Value

if TYPE_CHECKING:
    from rosenblatt.ir.program import Builder

DENSE_SIZES = (*(size for size in MATMUL_SIZES if size[2] != M), (M, 300, 40), (5, 600, 3), (33, 7, 2))


def _dense_infer(x: Type, w: Type, bias: Type, *, relu: int) -> Type:
    out = MATMUL.infer(x, w, transpose_a=0, transpose_b=0)
    assert out is not None
    require_rank("the bias", bias, 1)
    if bias.shape != out.shape[1:] or bias.dtype != out.dtype:
        raise ProgramError(f"the bias is {bias}; the product is {out}")
    return out


def _dense(x: Any, w: Any, bias: Any, *, relu: int) -> Any:
    z = np.matmul(x, w) + bias
    return np.maximum(z, 0) if relu else z


def _dense_vjp(
    b: Builder, g: Value, out: Value, x: Value, w: Value, bias: Value, *, relu: int
) -> tuple[Value, Value, Value]:
    g = full(b, g, out)
    if relu:
        g = b.relu_backward(g, out)
    return b.matmul(g, w, transpose_b=1), b.matmul(x, g, transpose_a=1), g


def _dense_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for n, inner, k in DENSE_SIZES:
        shapes: tuple[Shape, ...] = ((n, inner), (inner, k), (k,))
        for relu in (0, 1):
            yield from each(rng, dtype, n_rows, shapes, relu=relu)


def _gated_infer(x: Type, y: Type, gate: Type, *, transpose_a: int, transpose_b: int) -> Type:
    out = MATMUL.infer(x, y, transpose_a=transpose_a, transpose_b=transpose_b)
    assert out is not None
    require_same_shape(out, gate)
    return out


def _gated(x: Any, y: Any, gate: Any, *, transpose_a: int, transpose_b: int) -> Any:
    product = MATMUL.reference(x, y, transpose_a=transpose_a, transpose_b=transpose_b)
    return np.where(np.greater(gate, 0), product, 0)


def _gated_vjp(
    b: Builder, g: Value, out: Value, x: Value, y: Value, gate: Value, **transposes: int
) -> tuple[Value | Piece, Value | Piece, None]:
    assert MATMUL.vjp is not None
    to_x, to_y = MATMUL.vjp(b, b.relu_backward(full(b, g, out), gate), out, x, y, **transposes)
    assert to_x is not None
    assert to_y is not None
    return to_x, to_y, None


RECORDS = (
    Op("dense", 3, _dense_infer, _dense, _dense_samples, _dense_vjp, attrs={"relu": "flag"}, defaults={"relu": 0}),
    Op(
        "matmul_gated",
        3,
        _gated_infer,
        _gated,
        partial(matmul_samples, True),
        _gated_vjp,
        attrs=MATMUL.attrs,
        defaults=MATMUL.defaults,
        differentiable=(0, 1),
    ),
)
