"""Files in C on a 32-bit ARM, in an emulator: the same bits where no function of the C library is called."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from tests.export.c import reference_order
from tests.export.c.compiling import compiler, run_c

from rosenblatt import TabularClassifier, nn
from rosenblatt.export import to_c

pytestmark = pytest.mark.arm
X = np.random.default_rng(0).normal(size=(40, 6))


def run_on_arm(written, rows, *flags):
    emulator = (compiler("qemu-arm"),)
    return run_c(written, rows, "arm-linux-gnueabihf-gcc", ("-static", *flags), emulator)


def chain(activation, output, dtype):
    net = nn.Network(nn.NetworkSpec(6, (17, 9), 3, activation=activation, output=output), dtype)
    net.parameters[...] = np.random.default_rng(1).normal(0, 0.5, net.parameters.size)
    return net


@pytest.mark.parametrize("optimized", ["-O0", "-O3"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bits_are_those_of_the_stated_order(dtype, optimized, tmp_path):
    net = chain("relu", "identity", dtype)
    found, _ = run_on_arm(to_c(net, tmp_path / "m.c"), X, optimized)
    assert_array_equal(found, reference_order.predict(net, X, ("relu", "relu", "identity")))


def test_without_a_fused_product_on_a_processor_that_has_one(tmp_path):
    net = chain("relu", "identity", "float32")
    found, _ = run_on_arm(to_c(net, tmp_path / "m.c"), X, "-O3", "-mcpu=cortex-a7", "-mfpu=neon-vfpv4")
    assert_array_equal(found, reference_order.predict(net, X, ("relu", "relu", "identity")))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_functions_agree_with_python(dtype, tmp_path):
    net = chain("mish", "softmax", dtype)
    found, _ = run_on_arm(to_c(net, tmp_path / "m.h"), X, "-O2")
    assert_allclose(found, net.predict(X.astype(dtype)), rtol=0, atol=1e-6 if dtype == "float32" else 1e-14)


def test_a_tabular_model(tmp_path):
    frame, y = load_iris(return_X_y=True, as_frame=True)
    model = TabularClassifier("fast", max_iter=2, hidden_layer_sizes=(8,)).fit(frame, y)
    found, labels = run_on_arm(to_c(model, tmp_path / "m.c"), frame[[e.name for e in model.preparation_.encoders]])
    assert_allclose(found, model.predict_proba(frame), rtol=0, atol=1e-6)
    assert_array_equal(labels, model.predict(frame))
