"""What the tests of activations and losses share: value and gradient of a function of ops, on the native core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.compile import evaluate
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import M, Value


def _differentiate(
    function: Callable[..., Value], arrays: Sequence[Any], dtype: str = "float64", vectors: Sequence[Any] = ()
) -> tuple[Any, ...]:
    """Value, then the gradients of its sum by each float array.

    `arrays` have a row for each row of the batch; those of integers have no gradient. `vectors` are parameters.
    """
    b = Builder(dtype)
    arrays = [np.asarray(a) for a in arrays]
    kinds = ["int32" if a.dtype.kind == "i" else dtype for a in arrays]
    leaves = [b.input(f"x{i}", (M, *a.shape[1:]), k) for i, (a, k) in enumerate(zip(arrays, kinds, strict=True))]
    parameters = [b.leaf("params", f"p{i}", np.shape(v)) for i, v in enumerate(vectors)]
    out = function(b, *leaves, *parameters)
    wrt = [leaf for leaf in leaves if leaf.dtype == dtype] + parameters
    gradients = gradient(b, out, wrt, b.broadcast_to(b.constant(1.0), shape=out.shape))
    results = {f"r{i}": b.add(g, 0.0) for i, g in enumerate([out, *gradients])}
    input_arrays = {f"x{i}": a for i, a in enumerate(arrays)} | {f"p{i}": np.asarray(v) for i, v in enumerate(vectors)}
    found = evaluate(b.build(**results), input_arrays, len(arrays[0]))
    return tuple(found[name] for name in results)


@pytest.fixture(scope="session")
def differentiate() -> Callable[..., tuple[Any, ...]]:
    """``differentiate(function, arrays, dtype, vectors)``: its value, and the gradients of its sum."""
    return _differentiate
