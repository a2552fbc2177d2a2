"""The network: prediction against NumPy, blocks, views, summary, refusals."""

import pickle

import numpy as np
import pytest
import scipy.sparse
import scipy.special

from rosenblatt import MLPClassifier, MLPRegressor, TabularRegressor, memory, nn
from rosenblatt.nn import Network, NetworkSpec
from rosenblatt.nn.parameters import ParameterStore
from rosenblatt.nn.programs import block_rows
from rosenblatt.training import Trainer


def make(n_in=5, hidden=(7, 4), n_out=3, dtype="float64", **options):
    net = Network(NetworkSpec(n_in, hidden, n_out, **options), dtype)
    net.parameters[:] = np.random.default_rng(0).normal(size=net.parameters.size)
    return net


NUMPY = {
    "relu": lambda x: np.maximum(x, 0), "tanh": np.tanh, "logistic": scipy.special.expit, "identity": lambda x: x,
    "softmax": lambda x: scipy.special.softmax(x, axis=1), "exp": np.exp,
}  # fmt: skip


@pytest.mark.parametrize("output", ["identity", "logistic", "softmax", "exp"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_prediction_is_numpys(activation, output):
    net = make(activation=activation, output=output)
    x = X = np.random.default_rng(1).normal(size=(11, 5))
    for i, (w, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        x = x @ w + b
        x = NUMPY[activation if i < 2 else output](x)
    np.testing.assert_allclose(net.predict(X), x, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hidden", [(), (1,), (33, 65)])
def test_a_rows_prediction_does_not_depend_on_its_neighbours(dtype, hidden):
    net = make(n_in=17, hidden=hidden, dtype=dtype, activation="tanh", output="softmax")
    X = np.random.default_rng(1).normal(size=(2 * block_rows(net.spec) + 5, 17)).astype(dtype)
    whole = net.predict(X)
    for start in (0, 1, 3, block_rows(net.spec) - 1, len(X) - 1):
        for length in (1, 2, 5):
            rows = slice(start, start + length)
            assert np.array_equal(net.predict(X[rows]), whole[rows])
    assert net.predict(X[:0]).shape == (0, 3)


@pytest.mark.parametrize("width", [1, 100, 1000, 10**5, 10**7])
def test_blocks_are_16_to_1024_rows(width):
    rows = block_rows(NetworkSpec(width, (), 1))
    assert rows % 16 == 0
    assert 16 <= rows <= 1024


def test_the_blocks_parameters_are_views():
    net = make()
    X = np.ones((2, 5))
    before = net.predict(X)
    net.weights[0][:] = 0
    net.biases[2][:] = [1, 2, 3]
    assert not np.array_equal(net.predict(X), before)
    assert (net.parameters == 0).sum() == 35
    assert net.parameters[-3:].tolist() == [1, 2, 3]


def test_a_pickled_network_predicts_the_same():
    net = make(dtype="float32")
    X = np.random.default_rng(3).normal(size=(9, 5)).astype(np.float32)
    data = pickle.dumps(net)
    assert len(data) < net.parameters.nbytes + 1000
    assert np.array_equal(pickle.loads(data).predict(X), net.predict(X))


def test_summary_shows_shapes_with_m():
    text = Network(NetworkSpec(10, (50,), 3, activation="relu", output="identity"), "float32").summary()
    for part in ("[m, 10]", "[10, 50]", "[50]", "[m, 50]", "[50, 3]", "[3]", "[m, 3]", "703", "H1 = relu(X W1 + b1)"):
        assert part in text
    # 2 for each multiply-add, 1 for each bias and each ReLU: 2 (10 50 + 50 3) + 50 + 50 + 3 for each row
    assert "prediction   1,403·m operations" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden": (0,)}, "every layer needs at least one neuron"),
        ({"n_in": 0}, "every layer needs at least one neuron"),
        ({"hidden": (2.5,)}, "every layer needs at least one neuron, and whole ones"),
        ({"activation": "rleu"}, "allowed: identity, logistic, tanh, relu"),
        ({"output": "gelu"}, "allowed: identity, logistic, softmax, exp"),
        ({"dtype": "float16"}, "allowed: float32, float64"),
        ({"dtype": "int32"}, "allowed: float32, float64"),
    ],
)
def test_impossible_networks_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)


@pytest.mark.parametrize("shape", [(4,), (4, 6), (4, 5, 1)])
def test_data_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="this network takes"):
        make().predict(np.zeros(shape))


def test_an_activation_that_changes_the_shape_is_refused():
    with pytest.raises(ValueError, match=r"layer 'hidden1': the activation gave .*; it must keep the shape \[m, 7\]"):
        make(activation=lambda b, x: b.sum(x, axis=1)).predict(np.zeros((1, 5)))


@pytest.mark.parametrize("given", [3, None, np.zeros(3)])
def test_an_activation_that_gives_no_value_is_refused(given):
    with pytest.raises(ValueError, match=r"layer 'hidden1': the activation gave .*, no value of the builder"):
        make(activation=lambda b, x: given).predict(np.zeros((1, 5)))


def test_hidden_must_be_a_list():
    with pytest.raises(TypeError, match=r"hidden is 3; it must list the neurons of each hidden layer, such as \(50,\)"):
        NetworkSpec(2, 3, 1)


class Mine(Network):
    """A user's own kind of network."""


def test_what_is_derived_from_a_network_is_of_its_class():
    mine = Mine(NetworkSpec(2, (3,), 1))
    for derived in (mine.copy(), mine.copy("float64"), mine.truncate_at("hidden1"), mine.freeze("hidden1").unfreeze()):
        assert type(derived) is Mine
    assert type(pickle.loads(pickle.dumps(mine))) is Mine


def test_the_values_before_a_layer():
    net = make()
    X = np.random.default_rng(1).normal(size=(6, 5))
    hidden = np.maximum(X @ net["hidden1.weights"] + net["hidden1.biases"], 0)
    np.testing.assert_array_equal(net.values_before("hidden1", X), X)
    np.testing.assert_allclose(net.values_before("hidden2", {"x": X}), hidden, rtol=1e-12)


def test_a_store_holds_the_parameters_of_a_network_without_its_programs():
    store = ParameterStore(NetworkSpec(5, (7,), 3), seed=4)
    assert store.block.tobytes() == Network(NetworkSpec(5, (7,), 3), seed=4).block.tobytes()
    twin = store.freeze("hidden1").copy("float64")
    assert (type(twin), twin.dtype, twin.frozen) == (ParameterStore, np.float64, store.frozen)
    twin["hidden1.weights"] = np.zeros((5, 7))
    assert not twin.weights[0].any()
    assert store.weights[0].any()
    memory = np.zeros(store.block.nbytes + 64, np.uint8)
    before = store.block.copy()
    store.bind_memory(memory)
    np.testing.assert_array_equal(memory[: store.block.nbytes].view(np.float32), before)
    with pytest.raises(KeyError, match=r"no parameter is called 'z'\. The parameters are: 'hidden1\.weights'"):
        store["z"]


def test_very_deep_networks_are_refused():
    message = r"the network has 100,002 layers; at most 2,000 are allowed"
    with pytest.raises(ValueError, match=message):
        nn.NetworkSpec(2, (2,) * 100_000, 1)
    node = nn.input(2)
    for _ in range(2000):
        node = nn.Scale()(node)
    with pytest.raises(ValueError, match=r"has 2,001 layers; at most 2,000"):
        nn.Network(node)


HUGE = 10**9
X, Y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Network(nn.Dense(1)(nn.Dense(HUGE)(nn.input(3)))),
        lambda: nn.Network(nn.Dense(1)(nn.Dense(10**30)(nn.input(3))), seed=None),
        lambda: nn.Network(nn.Dense(1)(nn.Embedding(8)(nn.codes(HUGE, "c")))),
        lambda: nn.Network(nn.NetworkSpec(HUGE, (), 1)),
        lambda: MLPClassifier((HUGE,)).fit(X, Y),
        lambda: MLPRegressor(hidden_layer_sizes=(HUGE,), solver="lbfgs").fit(X, Y),
        lambda: MLPClassifier((HUGE,), dtype="float32").partial_fit(X, Y, classes=[0, 1]),
        lambda: TabularRegressor(hidden_layer_sizes=(HUGE,), members=1).fit(X, Y),
    ],
)
def test_networks_that_are_larger_than_memory_are_refused(make, monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 10**9)
    message = r"a network of [\d,]{13,} parameters takes \S+ [GT]B of memory, and 1 GB are free: give its layers fewer"
    with pytest.raises(MemoryError, match=message):
        make()


def test_programs_that_are_larger_than_memory_are_refused(monkeypatch):
    network = nn.Network(nn.NetworkSpec(3, (2 * 10**6,), 1), seed=None)  # which itself takes 40 MB
    monkeypatch.setattr(memory, "free_memory", lambda: 10**8)
    monkeypatch.setattr(memory, "WORTH_A_LOOK", 0)
    with pytest.raises(MemoryError, match=r"a program for \d+ rows at once takes .* and 100 MB are free: give the"):
        network.fit(X, Y, epochs=1)


def test_very_deep_tables_are_refused_at_once():
    with pytest.raises(ValueError, match=r"the network has 100,000 layers; at most 2,000"):
        TabularRegressor(hidden_layer_sizes=(2,) * 100_000, members=1).fit(X, Y)


@pytest.mark.parametrize("seed", [2**70, 2**64, -1, 1.5, "a", True, np.int64(-3)])
def test_seeds_are_checked(seed):
    with pytest.raises(ValueError, match=r"seed is .*; it must be an integer in \[0, 2\*\*64\)"):
        nn.Network(nn.NetworkSpec(2, (2,), 1), seed=seed)
    network = nn.Network(nn.NetworkSpec(2, (2,), 1))
    for refused in (seed, None):
        with pytest.raises(ValueError, match=r"seed is .* integer in \[0, 2\*\*64\)"):
            network.initialize(refused)
    with pytest.raises(ValueError, match=r"it must be an integer in \[0, 2\*\*64\)"):
        Trainer(network, "squared_error", nn.SGD(), seed=seed)


def deeply_nested():
    nested = [1.0]
    for _ in range(70):
        nested = [nested]
    return nested


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.ones((1,) * 64), r"X has shape \(1, 1, .*; this network takes \(n_rows, 2\)"),
        (deeply_nested(), "X (has rows of different lengths|is nested too deeply)"),
        ([[1.0], [1.0, 2.0]], "X has rows of different lengths"),
        (np.ones((3, 2), complex), "X has the type complex128; it must be an array of real numbers"),
        (np.zeros((3, 2), "M8[s]"), r"X has the type datetime64\[s\]"),
        ([["a", "b"]], "X contains 'a'; it must be an array of numbers"),
        (scipy.sparse.csr_array(np.eye(2)), r"X is a sparse matrix, but this input of the network takes dense arrays"),
        (None, "X is None"),
    ],
)
def test_what_holds_no_real_numbers_is_refused(given, message):
    network = nn.Network(nn.NetworkSpec(2, (2,), 1))
    with pytest.raises(ValueError, match=message):
        network.predict(given)
    with pytest.raises(ValueError, match=message):
        network.fit(given, np.ones(3))
