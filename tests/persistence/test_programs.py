"""Losses, activations and layers made of ops: saved without code, equal after loading, and not to be forged."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import rosenblatt
from rosenblatt import MLPClassifier, MLPRegressor, nn
from rosenblatt.ir.recording import Recording, record
from rosenblatt.ir.types import M, Type
from rosenblatt.persistence.networks import network_from_state, network_to_state
from rosenblatt.persistence.objects import decode, encode
from rosenblatt.persistence.programs import recording_from_state, recording_state
from rosenblatt.storage.container import ModelFileError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = X[:, 0] + X[:, 1] ** 2
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def pinball(b, p, t):
    error = t - p
    return b.maximum(error * 0.9, error * -0.1)


def cross_entropy(b, p, t):
    return -t * b.log(b.clip(p, 1e-6, 1.0))


def swish(b, x):
    return x * b.logistic(x)


class Swish:
    """An activation of the user's own that learns."""

    parameters = {"rate": 1.0}

    def __call__(self, b, x, rate):
        return x * b.logistic(x * rate)


def gate(b, x, centers, scale):
    distances = (x @ centers) * scale
    return b.tanh(distances) + distances.mean(axis=1, keepdims=True)


def gated():
    layer = nn.Apply(gate, 6, learned={"centers": ((4, 6), "glorot_uniform"), "scale": ((6,), nn.Constant(0.5))})
    return nn.Network(nn.Dense(1, Swish())(layer(nn.input(4))), output=lambda b, x: x * 2, seed=0)


def saved_and_loaded(model, folder):
    rosenblatt.save(model, folder / "model.safetensors")
    return rosenblatt.load(folder / "model.safetensors")


LOSSES = {
    "[m]": lambda b, p, t: ((p - t) ** 2).mean(axis=1),
    "[m, 1]": lambda b, p, t: ((p - t) ** 2).mean(axis=1, keepdims=True),
    "[m, 4]": lambda b, p, t: b.concat((p - t) ** 2, abs(p - t), axis=1),
}


@pytest.mark.parametrize("shape", LOSSES)
def test_a_loss_of_any_shape_that_trains_is_saved_and_loaded(shape, tmp_path):
    model = MLPRegressor(loss=LOSSES[shape], hidden_layer_sizes=(3,), max_iter=2, random_state=0)
    loaded = saved_and_loaded(model.fit(X, np.stack([Y, Y], 1)), tmp_path)
    assert_array_equal(loaded.fit(X, np.stack([Y, Y], 1)).coefs_[0], model.coefs_[0])


def test_what_could_not_be_loaded_is_not_saved_and_leaves_the_file_there(tmp_path):
    saved_and_loaded(model := gated(), tmp_path)
    kept, factor = (tmp_path / "model.safetensors").read_bytes(), [1.0]
    model = nn.Network(nn.Dense(2, lambda b, x: b.where(x > 9e9, factor[0], x))(nn.input(4)))
    model.predict(X)
    factor[0] = float("nan")
    with pytest.raises(ModelFileError, match=r"activation of layer 'dense'.*cannot be stored.*gives other ops than"):
        rosenblatt.save(model, tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").read_bytes() == kept
    model = nn.Network(nn.Dense(2, lambda b, x: b.where(x > 9e9, float("nan"), x))(nn.input(4)))
    assert_array_equal(saved_and_loaded(model, tmp_path).predict(X), model.predict(X))


@pytest.mark.parametrize("case", ["regressor", "classifier"])
def test_a_saved_loss_trains_on_with_the_same_bits(case, tmp_path):
    settings = {"hidden_layer_sizes": (8, 5), "activation": swish, "max_iter": 6, "random_state": 0}
    if case == "regressor":
        model, y = MLPRegressor(loss=pinball, **settings), Y
    else:
        model, y = MLPClassifier(loss=cross_entropy, **settings), np.digitize(Y, [0, 1])
    model.fit(X, y)
    loaded = saved_and_loaded(model, tmp_path)
    assert_array_equal(loaded.predict(X), model.predict(X))
    again = copy.deepcopy(loaded).fit(X, y)
    for found, expected in zip(again.coefs_, model.coefs_, strict=True):
        assert_array_equal(found, expected)
    for found, expected in zip(
        loaded.partial_fit(X, y).coefs_, saved_and_loaded(model, tmp_path).partial_fit(X, y).coefs_, strict=True
    ):
        assert_array_equal(found, expected)
    assert loaded.loss_curve_[:6] == model.loss_curve_


def test_a_layer_with_parameters_of_its_own_comes_back_and_trains_on_with_the_same_bits(tmp_path):
    network, data = gated(), X.astype(np.float32)
    network.fit(data, Y, epochs=2)
    loaded = saved_and_loaded(network, tmp_path)
    assert [name for name, _ in loaded.named_parameters()] == [
        *("apply.centers", "dense.weights", "apply.scale", "dense.biases", "dense.rate")
    ]
    assert_array_equal(loaded.predict(data), network.predict(data))
    for one in (network, loaded):
        one.fit(data, Y, epochs=2, loss=pinball)
    assert_array_equal(loaded.block, network.block)
    assert str(network_to_state(loaded)[0]) == str(network_to_state(network)[0])


def test_gradients_reach_the_layers_own_parameters():
    network, data = gated(), X.astype(np.float32)
    before = network.block.copy()
    network.fit(data, Y, epochs=1)
    assert (network["apply.centers"] != before[: network["apply.centers"].size].reshape(4, 6)).all()
    assert (network["apply.scale"] != 0.5).all()


def test_loading_makes_recordings_not_functions(tmp_path):
    model = MLPRegressor(loss=pinball, hidden_layer_sizes=(3,), activation=swish, max_iter=2, random_state=0).fit(X, Y)
    loaded = saved_and_loaded(model, tmp_path)
    assert (type(loaded.loss), type(loaded.activation)) == (Recording, Recording)
    assert repr((loaded.loss, loaded.activation)) == "(<pinball, recorded: 6 ops>, <swish, recorded: 2 ops>)"


def test_a_function_of_one_width_is_stored_for_that_width_only(tmp_path):
    def scaled(b, x):
        return b.tanh(x) / x.shape[1]

    one = nn.Network(nn.Dense(2)(nn.Dense(3, scaled)(nn.Dense(3, scaled)(nn.input(4)))), seed=0)
    assert_array_equal(saved_and_loaded(one, tmp_path).predict(np.ones((2, 4), "f")), one.predict(np.ones((2, 4), "f")))
    with pytest.raises(
        ModelFileError, match=r"activation of layer 'dense_2', scaled, gives other ops for f32\[m, 3\] and"
    ):
        network_to_state(nn.Network(nn.Dense(5, scaled)(nn.Dense(3, scaled)(nn.input(4)))))


def test_a_function_that_branches_on_its_width_is_refused_where_widths_differ():
    def branching(b, x):
        return b.tanh(x) if x.shape[1] < 50 else b.relu(x)

    narrow = nn.Dense(3, branching)(nn.input(4))
    assert network_to_state(nn.Network(narrow))
    with pytest.raises(ModelFileError, match="branching, gives other ops for"):
        network_to_state(nn.Network(nn.Dense(60, branching)(narrow)))


# Forged files ----------------------------------------------------------------------------------------------------

FLOATS = Type("float32", (M, 3))
STATE = recording_state(record(lambda b, p, t: b.mean(abs(p - t), axis=1) * 0.5, "float32", [FLOATS] * 2))


def put(*path_and_value):
    *path, last, value = path_and_value

    def change(state):
        for key in path:
            state = state[key]
        state[last] = value

    return change


NOISE = ["normal_noise", [0], {"dict": [["shape", {"tuple": [-1, 3]}], ["stream", 0]]}]
HUGE = ["fill", [], {"dict": [["value", 0.5], ["shape", {"tuple": [1 << 40, 1]}]]}]
FORGED = {
    "no program": (lambda s: s.clear(), "program"),
    "unknown op": (put("steps", 0, 0, "system"), "no op is called 'system'"),
    "a method that is no op": (put("steps", 0, 0, "build"), "no op is called 'build'"),
    "a value of the future": (put("steps", 0, 1, [0, 5]), "reads a value that is not computed before it"),
    "a negative operand": (put("steps", 0, 1, [0, -1]), "reads a value that is not computed before it"),
    "operands that do not fit": (put("steps", 0, 1, [0]), "takes 2 operands, 1 given"),
    "an unknown attribute": (put("steps", 2, 2, {"dict": [["axes", 1]]}), "no attribute axes"),
    "attributes of another form": (put("steps", 2, 2, [1]), "are no dictionary"),
    "an axis that is not there": (put("steps", 2, 2, {"dict": [["axis", 7], ["keepdims", 0]]}), "axis is 7"),
    "an update": (put("steps", 0, 0, "accumulate"), "accumulate"),
    "random numbers": (put("steps", 0, NOISE), "the key"),
    "the result is no value": (put("result", 99), "result is none of its values"),
    "the result is no loss": (put("steps", 2, 2, {"dict": [["axis", -1], ["keepdims", 0]]}), "for each row; it gave"),
    "steps that nothing reads": (lambda s: s["steps"].append(["exp", [0], {"dict": []}]), "not in the form"),
    "a flag that is no flag": (put("general", 1), "wrong type"),
    "general though it is not": (put("steps", 0, 1, [0, 0]), None),
    "another float type": (put("dtype", "float16"), "dtype is 'float16'"),
    "operands of another type": (put("inputs", 0, 0, "float64"), "they must agree"),
    "a shape of fractions": (put("inputs", 0, 1, [-1, 3.5]), "no valid shape"),
    "a shape of many rows": (put("inputs", 0, 1, [-5, 3]), "no valid shape"),
    "a huge value": (put("steps", 3, HUGE), "elements for one row"),
    "a long name": (put("name", "x" * 1000), "up to 200 characters"),
    "learned parameters": (put("learned", [["alpha", 0.1]]), "a loss has no learned parameters"),
    "many steps": (lambda s: s["steps"].extend([["exp", [0], {"dict": []}]] * 5000), "no list of up to 2000"),
    "nested too deeply": (put("steps", json.loads("[" * 200 + "]" * 200)), ""),
}  # fmt: skip


@pytest.mark.parametrize("case", FORGED)
def test_forged_programs_are_refused(case):
    change, message = FORGED[case]
    state = copy.deepcopy(STATE)
    change(state)
    if message is None:  # another loss, but a sound one
        assert isinstance(recording_from_state("loss", state), Recording)
        return
    with pytest.raises(ModelFileError, match=f"(?s)holds no valid loss made of ops.*{message}"):
        recording_from_state("loss", state)


def test_a_program_that_is_no_activation_is_refused_as_one():
    assert recording_from_state("loss", json.loads(json.dumps(STATE))).general
    with pytest.raises(ModelFileError, match="an activation keeps the type of its operand"):
        recording_from_state("activation", STATE)


def test_a_program_is_refused_where_none_may_be():
    encoded = encode(record(swish, "float32", [FLOATS]), "x")
    assert decode(encoded, "activation").name == decode(encoded, "loss", "activation").name == "swish"
    for kinds in ((), ("optimizer",), ("initializer",)):
        with pytest.raises(ModelFileError, match="unknown form"):
            decode(encoded, *kinds)


def test_a_network_may_not_apply_a_long_program_very_often():
    def long(b, x):
        for _ in range(900):
            x = b.tanh(x)
        return x

    node, layer = nn.input(2), nn.Activate(record(long, "float32", [Type("float32", (M, 2))]))
    for _ in range(30):
        node = layer(node)
    state = network_to_state(nn.Network(layer(nn.input(2))))[0]
    state["graph"]["nodes"] += [{"layer": 1, "inputs": [i], "kind": "dense", "width": 2} for i in range(1, 31)]
    state["graph"]["heads"][0]["node"] = 31
    with pytest.raises(ModelFileError, match="the functions of the network have 27900 ops together; at most 20000"):
        network_from_state(state, {})


@pytest.mark.parametrize("seed", range(3))
def test_programs_with_forged_numbers_are_refused_or_applied(seed):
    """Any number of a stored program replaced by another: refused by name, or a program that the checker accepts."""
    rng, n_sound = np.random.default_rng(seed), 0
    for _ in range(60):
        text = json.dumps(STATE)
        places = [i for i, c in enumerate(text) if c.isdigit()]
        place = int(rng.choice(places))
        text = text[:place] + str(rng.choice(["0", "1", "2", "7", "99", "4096"])) + text[place + 1 :]
        try:
            recording_from_state("loss", json.loads(text))
            n_sound += 1
        except (ModelFileError, json.JSONDecodeError):
            continue
    assert 0 < n_sound < 60
