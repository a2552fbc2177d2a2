"""Executables are shared by what is equal, and by nothing else."""

import numpy as np
import pytest

from rosenblatt import nn
from rosenblatt.nn import NetworkSpec
from rosenblatt.nn.activations import LeakyReLU
from rosenblatt.nn.optimizers import SGD, Adam
from rosenblatt.training import Trainer

SPEC = {"n_inputs": 4, "hidden": (8, 5), "n_outputs": 3, "activation": "tanh", "output": "softmax"}


def trainer(loss="softmax_cross_entropy", optimizer=None, batch_size=16, dtype="float32", options=None, **spec):
    network = nn.Network(NetworkSpec(**{**SPEC, **spec}), dtype)
    return Trainer(network, loss, optimizer or Adam(), batch_size=batch_size, **(options or {}))


def test_equal_parts_share_an_executable_and_nothing_else():
    first, second = trainer(), trainer()
    assert first.executable is second.executable
    assert first.network.executable is second.network.executable
    assert not np.shares_memory(first.memory, second.memory)


@pytest.mark.parametrize(
    "other",
    [
        {"hidden": (8, 6)},
        {"activation": "relu"},
        {"activation": LeakyReLU(0.1)},
        {"dropout": 0.1},
        {"max_norm": 1.0},
        {"dtype": "float64"},
        {"batch_size": 17},
        {"optimizer": Adam(beta_1=0.8)},
        {"optimizer": SGD()},
        {"options": {"l2": 0.1}},
        {"options": {"l1": 0.1}},
        {"options": {"clip_norm": 1.0}},
        {"options": {"ema_decay": 0.9}},
        {"options": {"weighted": True}},
    ],
    ids=str,
)
def test_whatever_differs_makes_another(other):
    assert trainer(**other).executable is not trainer().executable
    assert trainer(**other).executable is trainer(**other).executable


def test_frozen_parameters_make_another():
    network = nn.Network(NetworkSpec(**SPEC))
    network.frozen = frozenset({next(iter(dict(network.named_parameters())))})
    assert Trainer(network, "softmax_cross_entropy", Adam(), batch_size=16).executable is not trainer().executable


def test_what_holds_functions_is_not_shared():
    def doubled(b, x):
        return b.mul(x, factor[0])

    factor = [1.0]
    first = nn.Network(NetworkSpec(**{**SPEC, "activation": doubled}))
    X = np.ones((2, 4), np.float32)
    before = first.predict(X)
    factor[0] = 0.0
    second = nn.Network(NetworkSpec(**{**SPEC, "activation": doubled}))
    second.parameters[:] = first.parameters
    assert not np.array_equal(second.predict(X), before)

    def graph():
        return nn.Network(nn.Apply(lambda b, x: b.mul(x, factor[0]))(nn.input(4)))

    assert graph().executable is not graph().executable


def summed(two=False, name=None, units=3, slope=None, shared=False, dropout=0.0, output=None):
    x, y = nn.input(4, name="one"), nn.input(4, name="other")
    first, second = nn.Dense(units, slope, name=name) if slope else nn.Dense(units, name=name), nn.Dense(units)
    h = first(x) + (first if shared else second)(y if two else x)
    return nn.Network(nn.Dropout(dropout)(h) if dropout else h, output=output)


def test_graphs_share_what_their_structure_says():
    assert summed().executable is summed().executable
    variants = [
        *({"two": True}, {"name": "a"}, {"units": 2}, {"slope": LeakyReLU(0.1)}, {"slope": LeakyReLU(0.2)}),
        *({"shared": True}, {"dropout": 0.1}, {"dropout": 0.2}, {"output": "softmax"}),
    ]
    networks = [summed(), *(summed(**variant) for variant in variants)]
    assert len({id(network.executable) for network in networks}) == len(networks)
    X = {"one": np.ones((2, 4), np.float32)}
    again = summed()
    np.testing.assert_array_equal(again.predict(X), networks[0].predict(X))  # of equal seeds
    again.parameters[:] *= 2
    assert not np.array_equal(again.predict(X), networks[0].predict(X))


def test_trainers_of_graphs_share():
    def of(network, **options):
        return Trainer(network, "squared_error", Adam(), batch_size=16, **options).executable

    assert of(summed()) is of(summed())
    weights = "dense.weights"
    others = [
        {"learning_rate_factors": {weights: 0.5}},
        {"weight_decay_factors": {weights: 0.5}},
        {"anneal_regularization": True},
        {"weighted": True},
    ]
    assert len({id(of(summed(), **options)) for options in ({}, *others)}) == 5


def test_networks_that_share_train_apart():
    X = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    y = np.arange(64, dtype=np.int32) % 3
    alone = trainer()
    alone.set_data(X, y)
    expected = [alone.epochs(1, 0.01)[0] for _ in range(3)]
    first, second = trainer(), trainer()
    for one in (first, second):
        one.set_data(X, y)
    found = [(first.epochs(1, 0.01)[0], second.epochs(1, 0.01)[0]) for _ in range(3)]
    assert found == [(loss, loss) for loss in expected]
