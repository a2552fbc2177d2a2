"""ONNX models run in both of the programs that tests ask: onnxruntime, and the reference evaluator of onnx."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

FLOAT_TOLERANCE = 1e-5
X = np.random.default_rng(0).normal(3, 20, size=(80, 4))
NUMBERS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 5)
TEXTS = np.array(["a", "b", "c"])[NUMBERS]
"""Rows, and classes of them, as numbers and as texts."""
UNFINISHED = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Maximum number of iteration"),
]
"""Marks of tests that train for a few epochs only."""
Run = Callable[[Mapping[str, Any]], dict[str, Any]]


def open_reference(model: Any) -> Run:
    """A function from inputs to outputs: onnx's reference evaluator."""
    from onnx.reference import ReferenceEvaluator

    evaluator, names = ReferenceEvaluator(model), [output.name for output in model.graph.output]

    def run(feeds: Mapping[str, Any]) -> dict[str, Any]:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own casts of NaN, say
            return dict(zip(names, evaluator.run(None, dict(feeds)), strict=True))

    return run


def open_runtime(model: Any) -> Run:
    """A function from inputs to outputs: onnxruntime; `model` may also be the path of a file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    given = model if isinstance(model, str) else model.SerializeToString()
    session = onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda feeds: dict(zip(names, session.run(None, dict(feeds)), strict=True))


def reference(model: Any, feeds: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs by onnx's reference evaluator."""
    return open_reference(model)(feeds)


def runtime(model: Any, feeds: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs by onnxruntime."""
    return open_runtime(model)(feeds)


RUNS = {"reference": reference, "onnxruntime": runtime}


def assert_close(found: Any, expected: NDArray[Any], what: str = "") -> None:
    """Equal shapes and NaN; numbers that agree to 1e-5 of their own size, or 1e-6 of the largest of their column."""
    found = np.asarray(found)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype), what
    missing = ~np.isfinite(expected)
    np.testing.assert_array_equal(found[missing], expected[missing], what)
    largest = np.abs(np.where(missing, 0, expected)).max(axis=0, initial=0)
    tolerance = np.broadcast_to(1e-6 * largest, expected.shape) + FLOAT_TOLERANCE * np.abs(expected)
    with np.errstate(invalid="ignore"):
        wrong = ~(missing | (np.abs(found - expected) <= tolerance))
    assert not wrong.any(), f"{what}: {found[wrong][:5]} for {expected[wrong][:5]}"
