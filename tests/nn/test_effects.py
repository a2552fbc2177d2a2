"""What layers do in training is seen in what they append: a user's own layer is treated as the library's."""

from dataclasses import dataclass

import numpy as np
import pytest

from rosenblatt import nn
from rosenblatt.nn.effects import effects_of, mixers_of
from rosenblatt.nn.layers.base import Layer, ParameterSpec
from rosenblatt.nn.losses import LOSSES
from rosenblatt.nn.objective import Objective
from rosenblatt.training import Trainer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(1200, 4)).astype(np.float32)
Y = X[:, :1] * 2


@dataclass(frozen=True, eq=False)
class OwnDropout(Layer):
    """A user's own mask, half of the values."""

    def append(self, scope, *inputs):
        return scope.b.mul(inputs[0], scope.mask(0.5, inputs[0].shape[1])) if scope.training else inputs[0]


@dataclass(frozen=True, eq=False)
class OwnNoisyScale(Layer):
    """Learned, and noisy while it learns."""

    def parameters(self, *widths):
        return (ParameterSpec("gain", (widths[0],), nn.Constant(1.0), "biases"),)

    def append(self, scope, *inputs):
        x = scope.b.mul(inputs[0], scope.parameter("gain"))
        return scope.b.add(x, scope.noise(x.shape[1])) if scope.training else x


@dataclass(frozen=True, eq=False)
class OwnCentring(Layer):
    """Minus the mean of the batch; of no parameter."""

    def append(self, scope, *inputs):
        return scope.b.sub(inputs[0], scope.b.mean(inputs[0], axis=0)) if scope.training else inputs[0]


@dataclass(frozen=True, eq=False)
class OwnAttention(Layer):
    """Rows that look at each other without a sum over them."""

    def append(self, scope, *inputs):
        (x,), b = inputs, scope.b
        return b.matmul(b.matmul(x, x, transpose_b=1), x)


@dataclass(frozen=True, eq=False)
class OwnCounter(Layer):
    """Keeps a buffer."""

    def parameters(self, *widths):
        return (ParameterSpec("count", (widths[0],), nn.Zeros(), "buffers"),)

    def append(self, scope, *inputs):
        if scope.training:
            scope.update_buffer("count", scope.b.add(scope.parameter("count"), 1.0), 0.0)
        return inputs[0]


def batch_mean(b, x):
    """An activation that looks at the whole batch."""
    return b.sub(x, b.mean(x, axis=0))


RANDOM, BATCH, BUFFERS, NONE = (True, False, False), (False, True, False), (False, False, True), (False, False, False)
LAYERS = {
    "dropout": (nn.Dropout(0.1), RANDOM),
    "no dropout": (nn.Dropout(0.0), NONE),
    "alpha dropout": (nn.AlphaDropout(0.1), RANDOM),
    "noise": (nn.GaussianNoise(0.1), RANDOM),
    "batch norm": (nn.BatchNorm(), (False, True, True)),
    "layer norm": (nn.LayerNorm(), NONE),
    "scale": (nn.Scale(), NONE),
    "periodic": (nn.Periodic(), NONE),
    "dense": (nn.Dense(3, nn.PReLU()), NONE),
    "softmax": (nn.Apply(lambda b, x: b.softmax(x)), NONE),
    "own dropout": (OwnDropout(), RANDOM),
    "own noise": (OwnNoisyScale(), RANDOM),
    "own centring": (OwnCentring(), BATCH),
    "own attention": (OwnAttention(), BATCH),
    "own buffer": (OwnCounter(), BUFFERS),
    "own activation": (nn.Dense(3, batch_mean), BATCH),
    "own function": (nn.Apply(batch_mean), BATCH),
}


@pytest.mark.parametrize(("layer", "expected"), LAYERS.values(), ids=LAYERS)
def test_effects_are_seen(layer, expected):
    node = layer(nn.input(4))
    effects = effects_of(nn.Network(node).graph)[node]
    assert (effects.is_random, effects.needs_whole_batch, effects.updates_buffers) == expected
    assert effects.is_fixed == (expected == NONE)


def test_inputs_of_all_kinds_have_no_effect():
    parts = [nn.Embedding(2)(nn.codes(3, "c")), nn.Dense(2)(nn.input(4, "s", sparse=True)), nn.input(4)]
    graph = nn.Network(nn.Multiply()(nn.Dense(8)(nn.Concat()(*parts)), nn.Dense(8)(parts[2]))).graph
    assert all(effects.is_fixed for effects in effects_of(graph).values())


def test_a_frozen_layer_acts_as_in_prediction():
    network = nn.Network(nn.BatchNorm(name="bn")(OwnNoisyScale(name="own")(nn.input(4)))).freeze("bn", "own")
    assert all(effects.is_fixed for effects in effects_of(network.graph, network.frozen).values())
    assert mixers_of(network.graph, Objective("squared_error")) == ["layer 'bn' (BatchNorm)"]
    assert not mixers_of(network.graph, Objective("squared_error", frozen=network.frozen))


@pytest.mark.parametrize("own", [OwnDropout, OwnNoisyScale, OwnCentring, OwnCounter, nn.BatchNorm])
def test_lbfgs_refuses_whatever_changes_from_step_to_step(own):
    with pytest.raises(ValueError, match=rf"layer 'own' \({own.__name__}\) changes it from step to step"):
        nn.Network(nn.Dense(1)(own(name="own")(nn.input(4)))).fit(X, Y, optimizer="lbfgs")


@pytest.mark.parametrize("own", [OwnDropout, OwnCentring, OwnCounter, nn.Dropout])
def test_frozen_features_do_not_swallow_a_layer_that_acts_in_training(own):
    def network():
        layer = own(0.5) if own is nn.Dropout else own()
        return nn.Network(nn.Dense(1, name="head")(layer(nn.Dense(3, "tanh", name="first")(nn.input(4)))), seed=1)

    options = {"epochs": 3, "batch_size": 50, "learning_rate": 0.01}
    whole, cached = network().freeze("first"), network().freeze("first")
    first, second = whole.fit(X, Y, **options), cached.fit(X, Y, cache_frozen=True, **options)
    if own in (OwnCentring, OwnCounter):  # masks depend on the place of the layer, which caching changes
        np.testing.assert_allclose(second["loss"], first["loss"], rtol=1e-4)
    plain = nn.Network(nn.Dense(1, name="head")(nn.Dense(3, "tanh", name="first")(nn.input(4))), seed=1).freeze("first")
    if own is not OwnCounter:
        assert abs(plain.fit(X, Y, **options)["loss"][0] - second["loss"][0]) > 1e-4
    else:
        assert (cached["owncounter.count"] == 72).all()


@pytest.mark.parametrize("own", [OwnCentring, nn.BatchNorm])
def test_statistics_of_a_batch_are_those_of_the_whole_batch(own):
    """A batch that is larger than a block of rows."""
    network = nn.Network(own()(nn.Dense(2, name="d")(nn.input(4))), "float64", seed=3)
    with pytest.raises(ValueError, match=rf"\({own.__name__}\) computes from .* needs a batch_size"):
        Trainer(network.copy(), "squared_error", nn.Adam(), batch_size=None)
    z = X.astype(np.float64) @ network["d.weights"]
    z = (z - z.mean(axis=0)) / (np.sqrt(z.var(axis=0) + 1e-5) if own is nn.BatchNorm else 1)
    expected = ((z - Y) ** 2).sum(axis=1).mean() / 2 / 2
    history = network.fit(X, Y.repeat(2, 1), batch_size=len(X), epochs=1, learning_rate=1e-9, shuffle=False)
    assert history["loss"][0] == pytest.approx(expected, rel=1e-6)


def relative_error(b, prediction, target):
    """The squared error of each row by 1 + that of the batch."""
    error = b.square(b.sub(prediction, target))
    return b.div(error, b.add(b.mean(error, axis=0), 1.0))


def test_a_loss_that_looks_at_the_batch_sees_all_of_it():
    """Also a batch that is larger than a block of rows."""
    network = nn.Network(nn.Dense(1, name="d")(nn.input(4)), "float64", seed=3)
    error = (X.astype(np.float64) @ network["d.weights"] - Y) ** 2
    expected = (error / (1 + error.mean())).mean()
    options = {"loss": relative_error, "epochs": 1, "learning_rate": 1e-9, "shuffle": False}
    history = network.fit(X, Y, batch_size=len(X), **options)
    assert history["loss"][0] == pytest.approx(expected, rel=1e-6)
    with pytest.raises(ValueError, match="the loss 'relative_error' of head 'prediction' computes from"):
        Trainer(network, relative_error, nn.Adam(), batch_size=None)
    with pytest.raises(ValueError, match=r"the loss 'relative_error' .* computes from all rows at once"):
        network.fit(X, Y, loss=relative_error, optimizer="lbfgs")


@pytest.mark.parametrize("name", LOSSES)
def test_the_librarys_losses_are_of_each_row_by_itself(name):
    graph = nn.Network(nn.Dense(2)(nn.input(4))).graph
    assert mixers_of(graph, Objective(name)) == []


def test_a_constant_that_a_random_layer_shares_makes_the_next_one_no_different():
    h = nn.Activate("gelu", name="last")(nn.Dropout(0.5)(nn.Activate("elu")(nn.input(4))))
    graph = nn.Network(nn.Dense(1)(h)).graph
    effects = {graph.names[node]: found for node, found in effects_of(graph).items()}
    assert effects["last"].is_fixed
    assert effects["dropout"].is_random


@dataclass(frozen=True, eq=False)
class OwnFactor(Layer):
    """Another factor in prediction."""

    def append(self, scope, *inputs):
        return scope.b.mul(inputs[0], 0.5 if scope.training else 0.25)


def test_another_constant_in_prediction_is_a_difference():
    graph = nn.Network(nn.Dense(1)(OwnFactor(name="factor")(nn.input(4)))).graph
    assert effects_of(graph)[graph.node("factor")].differs_in_prediction
