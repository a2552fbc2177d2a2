"""Each op as ONNX operators, on the samples of the op table: special values, ties and NaN among them."""

from __future__ import annotations

import numpy as np
import pytest
from tests.export.onnx.running import RUNS

from rosenblatt.export.onnx.graph import OnnxGraph
from rosenblatt.export.onnx.programs import add_program
from rosenblatt.export.onnx.translations import REFUSED, TRANSLATIONS
from rosenblatt.ir.ops import OPS
from rosenblatt.ir.program import Builder
from rosenblatt.ir.reference import interpret
from rosenblatt.ir.types import M

N_ROWS = 5
PRODUCTS = {"matmul", "csr_matmul", "dense", "matmul_gated", "sum", "mean", "sum_squares", "mish_slope", "cos"}
"""Ops that cancel, so that their error is measured by their largest result."""


def test_each_op_has_a_translation_or_a_reason():
    assert set(TRANSLATIONS) | set(REFUSED) == set(OPS)
    assert not set(TRANSLATIONS) & set(REFUSED)


def test_no_update_and_no_random_op_has_a_translation():
    assert all(name in REFUSED for name, op in OPS.items() if op.writes or op.is_random)


def add_sample(graph, name, sample, dtype, prefix):
    """Add an op with inputs of its own, and an output; what to feed them, and what the op's reference gives."""
    b = Builder(dtype)
    b.input(f"{prefix}rows", (M, 1))
    values = [b.input(f"{prefix}{i}", t.shape, t.dtype, sparse=t.sparse) for i, t in enumerate(sample.types)]
    program = b.build(out=b.emit(name, *values, **sample.attrs))
    arrays = {f"{prefix}{i}": array for i, array in enumerate(sample.arrays)}
    arrays[f"{prefix}rows"] = np.zeros((N_ROWS, 1), dtype)
    expected = interpret(program, arrays, N_ROWS)["out"]
    dense = {key: array.toarray() if hasattr(array, "toarray") else array for key, array in arrays.items()}
    feeds = {key: array.astype(np.int64) if array.dtype == np.int32 else array for key, array in dense.items()}
    for key, array in feeds.items():
        graph.input(key, array.dtype.name, array.shape)
    tensors = add_program(graph, program, {key: key for key in feeds}, {})
    graph.output(prefix, tensors["out"], dtype, expected.shape)
    return feeds, expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", TRANSLATIONS)
def test_translations_compute_what_the_references_do(name, dtype):
    relative, graph = 3e-6 if dtype == "float32" else 1e-13, OnnxGraph(name)
    feeds, expected, labels = {}, {}, {}
    for i, sample in enumerate(OPS[name].samples(np.random.default_rng(0), dtype, N_ROWS)):
        if name == "softmax" and 0 in sample.arrays[0].shape:
            continue
        prefix = f"sample{i}."
        more, expected[prefix] = add_sample(graph, name, sample, dtype, prefix)
        feeds |= more
        labels[prefix] = sample.label
    model = graph.build({})
    for program, run in RUNS.items():
        found = run(model, feeds)
        for key, value in expected.items():
            what = f"{program}, {labels[key]}"
            assert (found[key].shape, found[key].dtype) == (value.shape, value.dtype), what
            size = np.abs(value[np.isfinite(value)]).max(initial=0)
            absolute = relative * size if name in PRODUCTS else np.finfo(dtype).tiny
            np.testing.assert_allclose(found[key], value, relative, absolute, err_msg=what)
