"""Gradients of a network's outputs by its inputs: closed forms, finite differences, PyTorch, refusals."""

import numpy as np
import pytest
import scipy.sparse
import scipy.special

from rosenblatt import nn

RNG = np.random.default_rng(0)
N = 700
X = {
    "numbers": RNG.normal(size=(N, 3)),
    "colour": RNG.integers(0, 5, N).astype(np.int32),
    "words": scipy.sparse.random(N, 7, 0.4, format="csr", random_state=0),
}


@pytest.fixture(scope="module")
def net():
    """All kinds of inputs, layers as those of tables, more rows than a block."""
    embedded = nn.Embedding(4, name="embedding")(nn.codes(5, "colour"))
    topics = nn.Dense(2, name="topics")(nn.input(7, "words", sparse=True))
    joined = nn.Concat()(nn.Periodic(name="waves")(nn.input(3, "numbers")), embedded, topics)
    h = nn.Dropout(0.5)(nn.Dense(8, nn.Parametric("mish"), name="hidden")(nn.Scale(name="front")(joined)))
    return nn.Network(nn.Dense(3, name="head")(nn.BatchNorm()(h)), "float64", output="softmax", seed=1)


def differences(function, x, eps=1e-5):
    """The derivative of ``function(x)``, [n], by each column of x, by central differences."""
    steps = eps * np.eye(x.shape[1])
    return np.column_stack([(function(x + step) - function(x - step)) / (2 * eps) for step in steps])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_of_a_linear_network_they_are_its_weights(dtype):
    net = nn.Network(nn.NetworkSpec(4, (), 2), dtype)
    rows = RNG.normal(size=(5, 4))
    found = net.input_gradients(rows, [1.0, -2.0])["x"]
    assert found.dtype == dtype
    expected = net.weights[0] @ np.array([1.0, -2.0], dtype)
    np.testing.assert_allclose(found, np.tile(expected, (5, 1)), rtol=1e-6)
    np.testing.assert_allclose(net.input_gradients(rows)["x"][3], net.weights[0].sum(axis=1), rtol=1e-6)


@pytest.mark.parametrize("raw", [False, True])
def test_they_are_those_of_finite_differences(net, raw):
    cotangent = RNG.normal(size=(N, 3))
    assert list(net.input_gradients(X, cotangent)) == ["numbers"], "the only input of dense numbers"
    found = net.input_gradients(X, cotangent, at=["embedding", "numbers", "topics"], raw=raw)
    last = net.truncate_at("head") if raw else net

    def output(numbers):
        return (last.predict({**X, "numbers": numbers}) * cotangent).sum(axis=1)

    np.testing.assert_allclose(found["numbers"], differences(output, X["numbers"]), rtol=1e-5, atol=1e-8)

    def moved(name, layer):  # a row's embedding and topics are moved by moving the table, and the biases
        def function(shift):
            twin = net.copy()
            twin[name][...] += shift
            part = twin.truncate_at("head") if raw else twin
            return (part.predict(X) * cotangent).sum(axis=1)

        width, eps = net.graph.node(layer).width, 1e-5
        return np.column_stack([(function(e) - function(-e)) / (2 * eps) for e in eps * np.eye(width)])

    np.testing.assert_allclose(found["embedding"], moved("embedding.table", "embedding"), rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(found["topics"], moved("topics.biases", "topics"), rtol=1e-5, atol=1e-8)


def test_they_are_pytorchs():
    torch = pytest.importorskip("torch")
    net = nn.Network(nn.NetworkSpec(5, (7, 4), 3, activation="tanh", output="softmax"), "float64", seed=3)
    rows, classes = RNG.normal(size=(20, 5)), RNG.integers(0, 3, 20)
    x = torch.tensor(rows, requires_grad=True)
    h = x
    for i, (w, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        h = h @ torch.tensor(w.copy()) + torch.tensor(b.copy())
        h = torch.tanh(h) if i < 2 else torch.softmax(h, dim=1)
    h[torch.arange(20), torch.tensor(classes)].sum().backward()
    np.testing.assert_allclose(net.input_gradients(rows, np.eye(3)[classes])["x"], x.grad.numpy(), rtol=1e-9)


def test_heads_are_weighted_one_by_one():
    x = nn.input(3)
    net = nn.Network({"a": nn.Dense(2, name="a")(x), "b": nn.Dense(1, name="b")(x)}, "float64")
    rows = np.zeros((2, 3))
    only = net.input_gradients(rows, {"b": [2.0]})["x"]
    np.testing.assert_allclose(only[0], 2 * net["b.weights"][:, 0])
    both = net.input_gradients(rows)["x"]
    np.testing.assert_allclose(both[1], net["a.weights"].sum(axis=1) + net["b.weights"][:, 0])
    with pytest.raises(ValueError, match="the network has the heads a, b; give a mapping"):
        net.input_gradients(rows, [1.0])
    with pytest.raises(ValueError, match="cotangents are given for c; the heads are a, b"):
        net.input_gradients(rows, {"c": [1.0]})


def test_a_network_that_ignores_an_input_and_no_rows(net):
    x, unused = nn.input(2, "x"), nn.input(3, "unused")
    zero = nn.Dense(1, name="zero")(nn.Concat()(x, unused))
    small = nn.Network(zero, "float64")
    small["zero.weights"][2:] = 0
    found = small.input_gradients({"x": np.ones((4, 2)), "unused": np.ones((4, 3))})
    assert np.array_equal(found["unused"], np.zeros((4, 3)))
    nothing = {name: rows[:0] for name, rows in X.items()}
    assert net.input_gradients(nothing)["numbers"].shape == (0, 3)


def test_what_cannot_be_differentiated_by_is_named(net):
    for at, message in (
        (["colour"], "input 'colour' takes codes, which has no derivative; name the layer it is applied to"),
        (["words"], "input 'words' takes a sparse matrix"),
        (["hiden"], r"no layer is called 'hiden'\. Did you mean 'hidden'"),
        ([], "at is empty"),
    ):
        with pytest.raises(ValueError, match=message):
            net.input_gradients(X, at=at)
    with pytest.raises(ValueError, match=r"the cotangent of 'prediction' has shape \(2,\); it must be \(3,\) or"):
        net.input_gradients(X, [1.0, 2.0])
    codes = nn.Network(nn.Dense(1)(nn.Embedding(2)(nn.codes(3, "c"))))
    with pytest.raises(ValueError, match="no input of dense numbers; name in `at` the layers"):
        codes.input_gradients([0, 1])
