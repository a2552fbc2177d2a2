"""What the tests of single ops share: running one instruction on the native core."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rosenblatt.ir.ops import Op, Sample
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import resolve

RunKernel = Callable[[Op, Sample, str], list[np.ndarray]]


@pytest.fixture(scope="session")
def run_kernel() -> RunKernel:
    """``run_kernel(op, sample, dtype)``: the output of the op's kernel as a list, or the inputs that it updated."""
    pytest.importorskip("rosenblatt._core", reason="the native core is not built")
    from rosenblatt.ir.compile import evaluate

    def run(op: Op, sample: Sample, dtype: str) -> list[np.ndarray]:
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
        program = b.build() if out is None else b.build(result=out)
        input_arrays = {f"x{i}": array for i, array in enumerate(sample.arrays)}
        found = evaluate(program, input_arrays, sample.n_rows)
        return [found[f"x{i}"] for i in op.writes] if out is None else [found["result"]]

    return run
