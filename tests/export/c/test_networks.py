"""Networks in C: every activation and layer, several inputs and heads, both float types; bits, sanitizers, NaN."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tests.export.c import reference_order
from tests.export.c.compiling import SANITIZED, run_c

from rosenblatt import nn
from rosenblatt.export import to_c
from rosenblatt.nn.activations import ACTIVATIONS

X = np.random.default_rng(0).normal(size=(40, 6))


def varied(network):
    """The network with parameters that are all different, buffers included."""
    rng = np.random.default_rng(1)
    for name, array in network.named_parameters():
        array[...] = rng.uniform(0.2, 0.9, array.shape) if "variance" in name else rng.normal(0, 0.6, array.shape)
    return network


def every_layer(x):
    h = nn.Periodic(2, n_frequencies=3)(nn.Scale()(x))
    h = nn.Dense(7, "parametric")(nn.LayerNorm()(h))
    h = nn.Activate("prelu")(nn.BatchNorm()(nn.Dropout(0.3)(h)))
    g = nn.Dense(7, "tanh", biases=None)(nn.GaussianNoise(0.1)(x))
    return nn.Dense(3)(nn.Concat()(h * g, h + g, nn.AlphaDropout(0.2)(x)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_layer(dtype, tmp_path):
    net = varied(nn.Network(every_layer(nn.input(6)), dtype, output="softmax"))
    found, _ = run_c(to_c(net, tmp_path / "m.c"), X)
    assert_allclose(found, net.predict(X.astype(dtype)), rtol=0, atol=1e-6 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_activation(dtype, tmp_path):
    x = nn.input(6)
    layers = [nn.Dense(5, name)(x) for name in ACTIVATIONS if name != "softmax"]
    layers += [nn.Dense(5, nn.activations.GELU("tanh"))(x), nn.Dense(5, nn.activations.CELU(0.4))(x)]
    net = varied(nn.Network({f"h{i}": layer for i, layer in enumerate(layers)}, dtype))
    found, _ = run_c(to_c(net, tmp_path / "m.c"), 3 * X)
    right = np.hstack([*net.predict((3 * X).astype(dtype)).values()])
    assert_allclose(
        found, right, rtol=2e-6 if dtype == "float32" else 1e-13, atol=1e-6 if dtype == "float32" else 1e-13
    )


def test_sparse_inputs_are_dense_rows(tmp_path):
    from scipy.sparse import csr_matrix

    net = varied(nn.Network(nn.Dense(3)(nn.input(6, sparse=True)), "float64"))
    rows = np.where(X > 0, X, 0)
    found, _ = run_c(to_c(net, tmp_path / "m.c"), rows)
    assert_allclose(found, net.predict(csr_matrix(rows)), rtol=1e-13)


def two_inputs():
    a, color = nn.input(2, "a"), nn.codes(5, "color")
    h = nn.Concat()(a, nn.Embedding(4)(color))
    return varied(nn.Network({"one": nn.Dense(2)(h), "two": nn.Dense(1, "relu")(h)}, "float64"))


def test_inputs_and_heads_are_side_by_side(tmp_path):
    net, numbers, codes = two_inputs(), X[:, :2], np.arange(40, dtype=np.int32) % 5
    written = to_c(net, tmp_path / "m.c")
    found, _ = run_c(written, np.column_stack([numbers, codes]))
    right = net.predict({"a": numbers, "color": codes})
    assert_allclose(found, np.hstack([right["one"], right["two"]]), rtol=1e-13)
    assert " *   2: color, a whole number from 0 to 4" in written.path.read_text()


def test_what_is_no_code_gives_nan_and_reads_nothing(tmp_path):
    codes = [-1.0, 5.0, 0.5, 1e30, np.nan, np.inf, -np.inf, 4.0]
    found, _ = run_c(to_c(two_inputs(), tmp_path / "m.c"), [[0.5, 0.5, code] for code in codes], flags=SANITIZED)
    assert np.isnan(found[:-1]).all()
    assert np.isfinite(found[-1]).all()


def test_nan_and_infinity_give_what_they_give_in_python(tmp_path):
    net = varied(nn.Network(nn.NetworkSpec(3, (8, 8), 2, activation=("relu", "mish")), "float64"))
    rows = np.array([[np.nan, 0, 0], [0, np.inf, 0], [0, -np.inf, 1], [1e300, 0, 0], [0, 0, 0]])
    found, _ = run_c(to_c(net, tmp_path / "m.c"), rows)
    assert_allclose(found, net.predict(rows), rtol=1e-12, equal_nan=True)
    assert np.isnan(found[0]).all()


CHAINS = [
    pytest.param(("relu", "relu", "softmax"), id="relu"),
    pytest.param(("tanh", "logistic", "identity"), id="tanh"),
    pytest.param(("mish", "silu", "softplus"), id="mish"),
]


COMPILERS = [
    *(pytest.param("cc", "-O3"), pytest.param("gcc", "-O0", marks=pytest.mark.long)),
    *(pytest.param("clang", level, marks=pytest.mark.long) for level in ("-O0", "-O3")),
]


@pytest.mark.parametrize(("compiler", "optimized"), COMPILERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activations", CHAINS)
def test_bits_are_those_of_the_stated_order(activations, dtype, optimized, compiler, tmp_path):
    net = varied(nn.Network(nn.NetworkSpec(6, (17, 9), 4, activation=activations[:2], output=activations[2]), dtype))
    found, _ = run_c(to_c(net, tmp_path / "m.c"), X, compiler, (optimized,))
    assert_array_equal(found, reference_order.predict(net, X, activations))


@pytest.mark.long
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_sanitizers_find_nothing(compiler, tmp_path):
    net = varied(nn.Network(every_layer(nn.input(6))))
    found, _ = run_c(to_c(net, tmp_path / "m.h"), 100 * X, compiler, SANITIZED)
    assert_allclose(found, net.predict((100 * X).astype(np.float32)), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_another_float_type(dtype, tmp_path):
    net = varied(nn.Network(nn.NetworkSpec(6, (8,), 2), "float32" if dtype == "float64" else "float64"))
    written = to_c(net, tmp_path / "m.c", dtype=dtype)
    found, _ = run_c(written, X)
    assert found.dtype == dtype
    assert_allclose(found, net.predict(X.astype(net.dtype)), rtol=1e-5, atol=1e-6)
    assert written.constant_bytes == np.dtype(dtype).itemsize * net.parameters.size


def test_a_prediction_from_other_rows_is_refused(tmp_path):
    net = nn.Network(nn.Apply(lambda b, x: b.sub(x, b.mean(x, axis=0)))(nn.input(3)))
    with pytest.raises(ValueError, match="computes a row's prediction from other rows"):
        to_c(net, tmp_path / "m.c")


def test_an_own_function_of_ops_is_translated(tmp_path):
    net = nn.Network(nn.Apply(lambda b, x: b.power(b.abs(x), 1.5))(nn.input(6)), "float64")
    found, _ = run_c(to_c(net, tmp_path / "m.c"), X)
    assert_allclose(found, np.abs(X) ** 1.5, rtol=1e-14)


def test_a_function_that_ignores_its_input_gives_no_warning(tmp_path):
    net = nn.Network(nn.Apply(lambda b, x, y: b.neg(y))(nn.input(2, "a"), nn.input(2, "b")), "float64")
    found, _ = run_c(to_c(net, tmp_path / "m.c"), X[:, :4])
    assert_array_equal(found, -X[:, 2:4])
