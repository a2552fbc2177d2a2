"""What a kernel must give for the samples of its op: the NumPy reference, and how far from it a kernel may be.

Takes a row of the op table and its samples. Returns a program of one instruction, values for it, and expected results.
Never runs native code: `tools/dump_programs.py` writes the same cases for processors without this Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.ir import reference
from rosenblatt.ir.ops import OPS, Op, Sample, normalize_attrs
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import Program, resolve

DTYPES = ("float32", "float64")
ROWS = (0, 1, 7)
EXACT = {
    *("neg", "abs", "sign", "relu", "relu_backward", "add", "sub", "mul", "div", "sqrt", "square", "where"),
    *("maximum", "minimum", "equal", "less", "less_equal", "greater", "greater_equal", "max", "broadcast_to"),
    *("fill", "reshape", "view", "pack", "concat", "slice", "pad", "transpose", "gather_rows", "one_hot"),
    *("dropout_mask", "accumulate", "assign"),
}
"""Ops that round at most once: the kernel gives NumPy's bits."""
RELATIVE = {
    *("exp", "log", "log1p", "expm1", "tanh", "logistic", "softplus", "erf", "sin", "cos", "power"),
}
"""Functions of single elements, right to a few units in the last place also where the result is small."""


def samples(name: str, dtype: str, n_rows: int) -> list[Sample]:
    """The op's samples, always the same ones."""
    found = list(OPS[name].samples(np.random.default_rng(20 + n_rows), dtype, n_rows))
    assert found, f"{name} has no samples"
    return found


def program_of(op: Op, sample: Sample, dtype: str) -> Program:
    """The op alone, of leaves x0, x1, ...; its output is ``result``, or it updates leaves."""
    # Real sizes everywhere: kernels see nothing else, and persistent leaves may then have any shape.
    sparse = any(t.sparse for t in sample.types)
    b = Builder(dtype)
    leaves = []
    for i, type_ in enumerate(sample.types):
        if sparse and type_.shape[0] < 0:
            leaves.append(b.input(f"x{i}", type_.shape, type_.dtype, type_.sparse))
        else:
            shape = resolve(type_.shape, sample.n_rows)
            leaves.append(b.leaf("buffers", f"x{i}", shape, type_.dtype))
    attrs = {k: resolve(v, sample.n_rows) if op.attrs[k] == "shape" else v for k, v in sample.attrs.items()}
    out = b.emit(op.name, *leaves, **attrs)
    return b.build() if out is None else b.build(result=out)


def result_names(op: Op) -> list[str]:
    """The names of the op's results in `program_of`: its output, or what it updates."""
    return [f"x{i}" for i in op.writes] or ["result"]


def call_reference(op: Op, sample: Sample, dtype: str, arrays: tuple[Any, ...] | None = None) -> list[NDArray[Any]]:
    """The reference's results as a list of arrays of their own dtype."""
    attrs = reference.resolve_attrs(op.name, normalize_attrs(op, sample.types, sample.attrs), sample.n_rows)
    with np.errstate(all="ignore"):
        result = op.evaluate(sample.arrays if arrays is None else arrays, attrs, dtype)
    return [np.asarray(x) for x in (result if op.writes else (result,))]


def expected_results(op: Op, sample: Sample, dtype: str) -> tuple[list[NDArray[Any]], dict[str, float]]:
    """What the kernel should give, and the relative and absolute tolerance (``rtol``, ``atol``): 0 if it is exact."""
    if op.name in EXACT:
        return call_reference(op, sample, dtype), {"rtol": 0.0, "atol": 0.0}
    # In float64 from the same operands, so that the oracle's own rounding does not count.
    wide = call_reference(op, sample, "float64", tuple(map(in_float64, sample.arrays)))
    with np.errstate(over="ignore"):
        expected = [x.astype(dtype) for x in wide]
    return expected, tolerance(op.name, dtype, expected)


def in_float64(array: Any) -> Any:
    """An array of float32 in float64, anything else as it is."""
    return array.astype(np.float64) if array.dtype == np.float32 else array


def tolerance(name: str, dtype: str, expected: list[NDArray[Any]]) -> dict[str, float]:
    """How far results may be from the reference's."""
    eps = float(np.finfo(dtype).eps)
    if name in RELATIVE:
        return {"rtol": 64 * eps, "atol": float(np.finfo(dtype).tiny)}
    finite = np.concatenate([x[np.isfinite(x)].ravel() for x in expected])
    return {"rtol": 64 * eps, "atol": 64 * eps * float(np.clip(np.abs(finite).max(initial=0.0), 1, 10))}
