"""Every op that C can hold, on the samples of the op table, beside its NumPy reference."""

from __future__ import annotations

import ctypes
import subprocess

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.export.c.compiling import STRICT, compiler

from rosenblatt.export.c.ops import EXPRESSIONS, STATEMENTS
from rosenblatt.export.c.routines import routine
from rosenblatt.export.c.source import Source
from rosenblatt.export.c.text import Names
from rosenblatt.ir.ops import OPS
from rosenblatt.ir.program import Builder
from rosenblatt.ir.reference import interpret
from rosenblatt.nn import Apply, Network
from rosenblatt.nn import input as nn_input

TRANSLATED = sorted({*EXPRESSIONS, *STATEMENTS, "fill", "reshape", "view"})
N_ROWS = 3


def test_all_ops_of_predictions_are_translated():
    left_out = {name for name in OPS if name not in TRANSLATED}
    allowed = {name for name, op in OPS.items() if op.writes or op.is_random or "cross_entropy" in name}
    others = {"poisson_loss", "squared_error", "matmul_gated", "scatter_add_rows", "csr_matmul_transposed"}
    assert left_out <= allowed | others


def sample_program(name, sample, dtype):
    """A program of the one op, whose inputs come through a copy, so that nothing is known in advance."""
    b = Builder(dtype)
    inputs = [b.input(f"x{i}", type_.shape, type_.dtype, type_.sparse) for i, type_ in enumerate(sample.types)]
    b.emit(name, *inputs, name="result", **sample.attrs)
    return b.build(result=b.instructions[-1].output)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", TRANSLATED)
def test_the_samples_of_an_op_give_what_its_reference_gives(name, dtype, tmp_path):
    source, cases = Source("t", False), []
    for sample in OPS[name].samples(np.random.default_rng(5), dtype, N_ROWS):
        program = sample_program(name, sample, dtype)
        made = routine(program, {}, f"t_case{len(cases)}", Names(), n_rows=N_ROWS)
        source.routine(made, dtype)
        cases.append((sample, program))
    path = tmp_path / "ops.c"
    path.write_text(source.written().replace("static void", "void"))
    flags = [flag for flag in STRICT if flag != "-Wmissing-prototypes"]
    made = subprocess.run(
        [compiler(), *flags, "-shared", "-fPIC", str(path), "-o", str(tmp_path / "ops.so"), "-lm"],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr[:2000]
    library = ctypes.CDLL(str(tmp_path / "ops.so"))
    for i, (sample, program) in enumerate(cases):
        arrays = [x.toarray() if hasattr(x, "toarray") else np.ascontiguousarray(x) for x in sample.arrays]
        given = {f"x{k}": x for k, x in enumerate(sample.arrays)}
        right = interpret(program, given, N_ROWS)["result"]
        found = np.full(right.shape, 77, right.dtype)
        if not found.size:
            continue
        pointers = [x.ctypes.data_as(ctypes.c_void_p) for x in (*arrays, found)]
        getattr(library, f"t_case{i}")(*pointers)
        assert_allclose(found, right, rtol=64 * np.finfo(dtype).eps, atol=tolerance(right), err_msg=sample.label)


def tolerance(right):
    finite = np.abs(right[np.isfinite(right)])
    return 32 * np.finfo(right.dtype).eps * float(np.clip(finite.max(initial=0), 1, 10))


def test_an_op_without_a_translation_is_named(tmp_path):
    from rosenblatt.export import to_c

    x = nn_input(3)
    loss = Apply(lambda b, x: b.squared_error(x, x))(x)
    with pytest.raises(ValueError, match="the network uses the op 'squared_error', for which there is no C"):
        to_c(Network(loss), tmp_path / "m.c")
    assert not list(tmp_path.iterdir())


def test_what_depends_on_parameters_alone_is_computed_once(tmp_path):
    from rosenblatt import nn
    from rosenblatt.export import to_c

    net = nn.Network(nn.BatchNorm()(nn.input(4)))
    to_c(net, tmp_path / "m.c")
    assert "sqrt" not in (tmp_path / "m.c").read_text()
