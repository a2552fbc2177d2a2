"""Matrix products of dense matrices, and with rows of a compressed sparse matrix.

Takes matrices. Returns matrices. A sparse operand is always on the left; in references it is any object with ``.T`` and
``@`` (`scipy.sparse.csr_array`). Never differentiates with respect to it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rosenblatt.ir.ops._record import Op, Sample
from rosenblatt.ir.ops._rules import Shape, draw, each, float_dtype, full, require_rank
from rosenblatt.ir.types import FLOATS, M, ProgramError, Type, Value, format_dim, resolve

if TYPE_CHECKING:
    from rosenblatt.ir.program import Builder


def _require_inner(left: int, right: int) -> None:
    if left != right:
        given = f"{format_dim(left)} and {format_dim(right)}"
        raise ProgramError(f"the summed dimensions are {given}; they must be equal")


def _matmul_infer(x: Type, y: Type, *, transpose_a: int, transpose_b: int) -> Type:
    dtype = float_dtype(x, y)
    require_rank("the first operand", x, 2)
    require_rank("the second operand", y, 2)
    (n, inner), (inner_b, k) = x.shape[:: -1 if transpose_a else 1], y.shape[:: -1 if transpose_b else 1]
    _require_inner(inner, inner_b)
    return Type(dtype, (n, k))


def _matmul(x: Any, y: Any, *, transpose_a: int, transpose_b: int) -> Any:
    return np.matmul(np.transpose(x) if transpose_a else x, np.transpose(y) if transpose_b else y)


def _matmul_vjp(
    b: Builder, g: Value, out: Value, x: Value, y: Value, *, transpose_a: int, transpose_b: int
) -> tuple[Value, Value]:
    g = full(b, g, out)
    # d op(x) = g op(y)ᵀ and d op(y) = op(x)ᵀ g, transposed back where the op transposed.
    if transpose_a:
        to_x = b.matmul(y, g, transpose_a=transpose_b, transpose_b=1)
    else:
        to_x = b.matmul(g, y, transpose_b=1 - transpose_b)
    if transpose_b:
        to_y = b.matmul(g, x, transpose_a=1, transpose_b=transpose_a)
    else:
        to_y = b.matmul(x, g, transpose_a=1 - transpose_a)
    return to_x, to_y


MATMUL_SIZES = (
    (M, 3, 5),
    (3, M, 5),
    (3, 5, M),
    (M, 10, 50),
    (M, 50, 3),
    (M, 1, 1),
    (1, M, 1),
    (2 * M, 4, M),
    (1, 1, 1),
    (0, 3, 2),
    (3, 0, 2),
    (17, 33, 65),
    (6, 16, 64),
    (13, 8, 31),
)


def matmul_samples(gated: bool, rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    """Products of all sizes, each operand transposed or not; `gated`: with a gate of the product's shape."""
    for n, inner, k in MATMUL_SIZES:
        for transpose_a, transpose_b in itertools.product((0, 1), repeat=2):
            left: Shape = (inner, n) if transpose_a else (n, inner)
            right: Shape = (k, inner) if transpose_b else (inner, k)
            shapes = (left, right, (n, k)) if gated else (left, right)
            yield from each(rng, dtype, n_rows, shapes, transpose_a=transpose_a, transpose_b=transpose_b)


def _sparse_dtype(x: Type, dense: Type) -> str:
    if not x.sparse or x.dtype not in FLOATS:
        raise ProgramError(f"the first operand is {x}; it must be a csr matrix of {' or '.join(FLOATS)}")
    require_rank("the first operand", x, 2)
    require_rank("the second operand", dense, 2)
    return float_dtype(dense, Type(x.dtype, ()))


def _csr_matmul_infer(x: Type, w: Type) -> Type:
    dtype = _sparse_dtype(x, w)
    _require_inner(x.shape[1], w.shape[0])
    return Type(dtype, (x.shape[0], w.shape[1]))


def _csr_matmul_transposed_infer(x: Type, g: Type) -> Type:
    dtype = _sparse_dtype(x, g)
    _require_inner(x.shape[0], g.shape[0])
    return Type(dtype, (x.shape[1], g.shape[1]))


def _csr_samples(transposed: bool, rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    from scipy import sparse

    for d, n, density in ((11, 3, 0.3), (1, 1, 1.0), (40, 17, 0.05), (5, 50, 0.0), (9, 8, 0.5)):
        kept = rng.uniform(size=(n_rows, d)) < density
        x = sparse.csr_array(np.where(kept, draw(rng, dtype, (n_rows, d)), np.zeros((), dtype)))
        shape: Shape = (M if transposed else d, n)
        types = (Type(dtype, (M, d), sparse=True), Type(dtype, shape))
        yield Sample(
            (x, draw(rng, dtype, resolve(shape, n_rows))), types, {}, n_rows, f"{types[0]} {density}, {types[1]}"
        )


MATMUL = Op(
    "matmul",
    2,
    _matmul_infer,
    _matmul,
    partial(matmul_samples, False),
    _matmul_vjp,
    attrs={"transpose_a": "flag", "transpose_b": "flag"},
    defaults={"transpose_a": 0, "transpose_b": 0},
)

RECORDS = (
    MATMUL,
    # In the references the dense operand is on the left, so that a dual number determines the meaning of the product.
    Op(
        "csr_matmul",
        2,
        _csr_matmul_infer,
        lambda x, w: (w.T @ x.T).T,
        partial(_csr_samples, False),
        lambda b, g, out, x, w: (None, b.csr_matmul_transposed(x, full(b, g, out))),
        differentiable=(1,),
    ),
    Op(
        "csr_matmul_transposed",
        2,
        _csr_matmul_transposed_infer,
        lambda x, g: (g.T @ x).T,
        partial(_csr_samples, True),
        lambda b, u, out, x, g: (None, b.csr_matmul(x, full(b, u, out))),
        differentiable=(1,),
    ),
)
