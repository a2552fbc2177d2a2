"""Rows of a table by index, sums of rows back into a table, and one-hot encoding.

Takes int32 indices, and a table. Returns rows, or a table. Never checks that an index is inside the table: the executor
checks indices before a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from rosenblatt.ir.ops._record import Op, Sample
from rosenblatt.ir.ops._rules import (
    Shape,
    draw,
    float_dtype,
    full,
    make_sample,
    require_fixed,
    require_indices,
    require_rank,
)
from rosenblatt.ir.types import M, ProgramError, Type, resolve


def _gather_infer(table: Type, indices: Type) -> Type:
    dtype = float_dtype(table)
    require_rank("the table", table, 1, 2)
    require_fixed("the table's number of rows", table.shape[0])
    require_rank("the row indices", indices, 1)
    require_indices("the row indices", indices, indices.shape[0])
    return Type(dtype, (*indices.shape, *table.shape[1:]))


def _scatter_infer(g: Type, indices: Type, *, n_rows: int) -> Type:
    dtype = float_dtype(g)
    require_rank("the first operand", g, 1, 2)
    require_indices("the row indices", indices, g.shape[0])
    if n_rows < 0:
        raise ProgramError(f"n_rows is {n_rows}; it must be 0 or more")
    return Type(dtype, (n_rows, *g.shape[1:]))


def _scatter_add(g: Any, indices: Any, *, n_rows: int) -> Any:
    result = np.zeros_like(g, shape=(n_rows, *g.shape[1:]))
    np.add.at(result, indices, g)
    return result


SIZES: tuple[tuple[int, Shape, int], ...] = ((5, (), M), (5, (3,), M), (1, (17,), M), (4, (8,), 11), (300, (2,), M))
"""Rows of the table, its other axis, number of indices."""


def _samples(scatter: bool, rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for n, width, count in SIZES:
        indices = rng.integers(0, n, resolve((count,), n_rows), dtype=np.int32)
        shape: Shape = (count if scatter else n, *width)
        attrs: dict[str, Any] = {"n_rows": n} if scatter else {}
        label = f"{n} rows, {shape}"
        arrays = [draw(rng, dtype, resolve(shape, n_rows)), indices]
        yield make_sample(arrays, [shape, (count,)], n_rows, label, **attrs)


def _one_hot_infer(labels: Type, *, n: int, dtype: str) -> Type:
    require_rank("the labels", labels, 1)
    require_indices("the labels", labels, labels.shape[0])
    if n < 1:
        raise ProgramError(f"n is {n}; it must be 1 or more")
    return Type(dtype, (*labels.shape, n))


def _one_hot_samples(rng: np.random.Generator, dtype: str, n_rows: int) -> Iterator[Sample]:
    for n, count in ((1, M), (2, M), (37, M), (5, 11), (300, M)):
        labels = rng.integers(0, n, resolve((count,), n_rows), dtype=np.int32)
        yield make_sample([labels], [(count,)], n_rows, f"{n} classes", n=n)


RECORDS = (
    Op(
        "gather_rows",
        2,
        _gather_infer,
        lambda table, indices: np.take(table, indices, axis=0),
        partial(_samples, False),
        lambda b, g, out, table, indices: (b.scatter_add_rows(full(b, g, out), indices, n_rows=table.shape[0]), None),
        differentiable=(0,),
    ),
    Op(
        "scatter_add_rows",
        2,
        _scatter_infer,
        _scatter_add,
        partial(_samples, True),
        lambda b, u, out, g, indices, *, n_rows: (b.gather_rows(full(b, u, out), indices), None),
        attrs={"n_rows": "int"},
        differentiable=(0,),
    ),
    Op(
        "one_hot",
        1,
        _one_hot_infer,
        lambda labels, *, n, dtype: (labels[:, None] == np.arange(n)).astype(dtype),
        _one_hot_samples,
        attrs={"n": "int"},
        differentiable=(),
        typed_by_program=True,
    ),
)
