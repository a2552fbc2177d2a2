"""Networks as ONNX models: every layer, every activation, several inputs and heads, functions of the user's own."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from scipy.sparse import csr_matrix
from tests.export.onnx.running import RUNS, assert_close

from rosenblatt import nn
from rosenblatt.export.onnx.exporting import onnx_model
from rosenblatt.nn.activations import ACTIVATIONS, FUNCTIONS
from rosenblatt.nn.registry import name_of

RNG = np.random.default_rng(0)
X = np.concatenate([RNG.normal(size=(40, 4)), 30 * RNG.normal(size=(8, 4)), np.zeros((1, 4))])
X[3, 1] = X[7, 0] = np.nan
CODES = RNG.integers(0, 5, len(X))


def agree(network, inputs):
    """Check that both programs give what the network predicts; `inputs` by name, or the only one."""
    given = inputs if isinstance(inputs, dict) else {network.graph.input_names[0]: inputs}
    model = onnx_model(network)
    feeds = {name: dense(array, network.dtype) for name, array in given.items()}
    expected = network.predict(inputs)
    expected = expected if isinstance(expected, dict) else {next(iter(network.graph.heads)): expected}
    for program, run in RUNS.items():
        found = run(model, feeds)
        assert list(found) == list(expected)
        for head, values in expected.items():
            assert_close(found[head], values, f"{program}, {head}")
    return model


def dense(array, dtype):
    """An input as ONNX takes it."""
    if hasattr(array, "toarray"):
        array = array.toarray()
    return array.astype(np.int64) if array.dtype.kind == "i" else array.astype(dtype)


def trained(network):
    """The network with other parameters than those that it starts with, so that no rule may forget one."""
    network.block[...] += np.random.default_rng(1).uniform(0.05, 0.3, network.block.size).astype(network.dtype)
    return network


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_activation(name, dtype):
    hidden = nn.Dense(6, FUNCTIONS.resolve(name))(nn.input(4))
    x = np.clip(X, -3, 3) if name == "exp" else X
    agree(trained(nn.Network(nn.Dense(2)(hidden), dtype)), x)


@pytest.mark.parametrize("activation", [nn.GELU("tanh"), nn.LeakyReLU(0.3), nn.CELU(2.0), nn.ELU(0.5)], ids=name_of)
def test_activations_with_parameters(activation):
    agree(nn.Network(nn.Activate(activation)(nn.input(4))), X)


LAYERS = {
    "Activate": lambda x, c: nn.Activate("tanh")(x),
    "Add": lambda x, c: nn.Dense(4)(x) + x,
    "AlphaDropout": lambda x, c: nn.AlphaDropout(0.3)(x),
    "Apply": lambda x, c: nn.Apply(lambda b, v, s: b.tanh(v * s) - 1.0, learned={"s": ((4,), nn.Constant(1.5))})(x),
    "BatchNorm": lambda x, c: nn.BatchNorm()(x),
    "Concat": lambda x, c: nn.Concat()(x, nn.Dense(2)(x)),
    "Dense": lambda x, c: nn.Dense(3, "relu", biases=None)(x),
    "Dropout": lambda x, c: nn.Dropout(0.5)(x),
    "Embedding": lambda x, c: nn.Concat()(nn.Embedding(3)(c), x),
    "GaussianNoise": lambda x, c: nn.GaussianNoise(1.0)(x),
    "Input": lambda x, c: nn.Dense(1)(x),
    "LayerNorm": lambda x, c: nn.LayerNorm()(x),
    "Multiply": lambda x, c: nn.Dense(4)(x) * x,
    "Periodic": lambda x, c: nn.Periodic(2)(x),
    "Scale": lambda x, c: nn.Scale()(x),
}


def test_every_layer_is_tried():
    assert set(LAYERS) == set(nn.LAYERS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LAYERS)
def test_every_layer(name, dtype):
    network = trained(nn.Network(LAYERS[name](nn.input(4), nn.codes(5, "c")), dtype))
    agree(network, {"x": X, "c": CODES} if name == "Embedding" else X)


@pytest.mark.parametrize("output", ["softmax", "logistic", "softplus", "relu", "exp"])
def test_outputs(output):
    agree(nn.Network(nn.NetworkSpec(4, (5,), 3, output=output)), np.clip(X, -3, 3))


def test_several_inputs_and_heads_keep_their_names():
    x, c = nn.input(4, "numbers"), nn.codes(5, "level")
    h = nn.Dense(6, "relu")(nn.Concat()(x, nn.Embedding(2)(c)))
    network = nn.Network({"price": nn.Dense(1)(h), "kind": nn.Dense(3)(h)}, output={"kind": "softmax"})
    model = agree(network, {"numbers": X, "level": CODES})
    assert [i.name for i in model.graph.input] == ["numbers", "level"]
    assert model.graph.input[1].type.tensor_type.elem_type == onnx.TensorProto.INT64


def test_a_head_that_is_called_as_an_input_gets_an_underscore():
    model = onnx_model(nn.Network({"x": nn.Dense(1)(nn.input(2))}))
    assert [o.name for o in model.graph.output] == ["x_"]


def test_names_of_heads_and_inputs_never_meet():
    one, other = nn.input(4, "prediction"), nn.input(4, "prediction_")
    model = onnx_model(nn.Network(nn.Dense(2)(one + other)))
    assert [o.name for o in model.graph.output] == ["prediction__"]
    x = nn.input(4, "x")
    model = onnx_model(nn.Network({"x": nn.Dense(2)(x), "x_": nn.Dense(1)(x)}))
    assert {o.name: o.type.tensor_type.shape.dim[1].dim_value for o in model.graph.output} == {"x__": 2, "x_": 1}


@pytest.mark.parametrize("code", [-1, -3, 3])
def test_codes_without_a_level_are_an_error(code):
    codes = nn.codes(3, "code")
    network = nn.Network(nn.Dense(2)(nn.Embedding(2)(codes)), seed=0)
    model = onnx_model(network)
    for run in RUNS.values():
        run(model, {"code": np.arange(3)})
        with pytest.raises(Exception, match=r"(?i)out of (data )?bounds"):
            run(model, {"code": np.array([0, code])})


def test_names_that_are_no_unicode_are_refused():
    one, other = nn.input(4, "a\udc80"), nn.input(4, "b")
    with pytest.raises(ValueError, match=r"an input or output is called 'a\\udc80', which is no Unicode"):
        onnx_model(nn.Network(nn.Dense(2)(one + other)))


def test_sparse_inputs_become_dense_ones():
    rows = csr_matrix(np.where(np.abs(X) > 1, np.nan_to_num(X), 0))
    agree(nn.Network(nn.NetworkSpec(4, (5,), 2, sparse_input=True)), rows)


def swish(b, x):
    return x * b.logistic(x)


class Learned:
    """An activation of one's own that learns."""

    parameters = {"rate": 1.0}

    def __call__(self, b, x, rate):
        return b.where(b.greater(x, 0.0), x, x * rate)


def mixed(b, x, centers):
    distances = x @ centers
    ones = b.fill(value=1.0, shape=(-1, 3))
    return b.tanh(distances) * ones + distances.max(axis=1, keepdims=1) - b.abs(x).mean(axis=1, keepdims=1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_functions_of_ones_own_are_made_of_ops_and_follow(dtype):
    h = nn.Dense(5, Learned())(nn.Dense(4, swish)(nn.input(4)))
    z = nn.Apply(mixed, 3, learned={"centers": ((5, 3), "glorot_uniform")})(h)
    agree(trained(nn.Network(z, dtype, output=lambda b, x: b.exp(-b.square(x)))), X)


class Doubled(nn.Layer):
    """A layer of one's own."""

    def append(self, scope, *inputs):
        return scope.b.mul(inputs[0], 2.0)


def test_layers_of_ones_own_follow():
    agree(nn.Network(nn.Dense(1)(Doubled()(nn.input(4)))), X)


def test_no_rows_and_one_row():
    network = nn.Network(nn.Concat()(nn.LayerNorm()(nn.input(4)), nn.Periodic(2)(nn.input(4, "other"))))
    for n_rows in (0, 1):
        agree(network, {"x": X[:n_rows], "other": X[:n_rows]})


def test_an_op_that_onnx_cannot_hold_is_named():
    def undone(b, x):
        return b.add(x, b.reshape(b.softmax_cross_entropy_soft(x, b.softmax(x)), shape=(-1, 1)))

    with pytest.raises(ValueError, match=r"'softmax_cross_entropy_soft' .*it is for training"):
        onnx_model(nn.Network(nn.Apply(undone)(nn.input(4))))


def test_predictions_that_depend_on_other_rows_are_refused():
    centred = nn.Apply(lambda b, x: x - x.mean(axis=0))(nn.input(4))
    with pytest.raises(ValueError, match="computes a row's prediction from other rows"):
        onnx_model(nn.Network(nn.Dense(1)(centred)))


def test_parameters_that_are_not_finite_are_named():
    network = nn.Network(nn.Dense(1, name="out")(nn.input(2)))
    network["out.weights"][0, 0] = np.nan
    with pytest.raises(ValueError, match=r"'out\.weights' of the network holds NaN"):
        onnx_model(network)


def test_the_file_says_what_it_needs_and_what_it_is():
    model = onnx_model(nn.Network(nn.NetworkSpec(4, (5,), 2)))
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 18)]
    assert (model.producer_name, model.ir_version) == ("rosenblatt", 8)
    assert {p.key: p.value for p in model.metadata_props}["model"] == "Network"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(60))
def test_random_networks(seed):
    rng = np.random.default_rng(seed)
    h = x = nn.input(4)
    for _ in range(rng.integers(1, 7)):
        before, name = h, str(rng.choice([name for name in LAYERS if name not in ("Embedding", "Input", "Periodic")]))
        h = nn.Dense(4, str(rng.choice([n for n in ACTIVATIONS if n != "step"])))(LAYERS[name](nn.Dense(4)(h), None))
        h = nn.Dense(4)(before) + h if rng.random() < 0.3 else h
    dtype, output = ("float32", "float64")[seed % 2], str(rng.choice(["identity", "softmax", "logistic"]))
    agree(trained(nn.Network({"a": nn.Dense(3)(h), "b": x}, dtype, output={"a": output})), np.clip(X, -3, 3))
