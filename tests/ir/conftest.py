"""What the tests of single ops share: running one instruction on the native core."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.ir.oracles import program_of, result_names

from rosenblatt.ir.ops import Op, Sample

RunKernel = Callable[[Op, Sample, str], list[np.ndarray]]


@pytest.fixture(scope="session")
def run_kernel() -> RunKernel:
    """``run_kernel(op, sample, dtype)``: the output of the op's kernel as a list, or the inputs that it updated."""
    pytest.importorskip("rosenblatt._core", reason="the native core is not built")
    from rosenblatt.ir.compile import evaluate

    def run(op: Op, sample: Sample, dtype: str) -> list[np.ndarray]:
        program = program_of(op, sample, dtype)
        input_arrays = {f"x{i}": array for i, array in enumerate(sample.arrays)}
        found = evaluate(program, input_arrays, sample.n_rows)
        return [found[name] for name in result_names(op)]

    return run
