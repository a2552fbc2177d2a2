"""What is computed once behind frozen layers is what training would compute."""

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.datasets import load_wine

from rosenblatt import nn
from rosenblatt.training import fit

X, Y = load_wine(return_X_y=True)
X = ((X - X.mean(0)) / X.std(0)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class TripledInTraining(nn.Layer):
    """A layer of one's own that computes something else in training."""

    def append(self, scope, *inputs):
        return scope.b.mul(inputs[0], 3.0) if scope.training else inputs[0]


def network() -> nn.Network:
    hidden = TripledInTraining()(nn.Dense(8, "tanh", name="h1")(nn.input(13)))
    return nn.Network(nn.Dense(3, name="out")(hidden), output="softmax", seed=0).freeze("h1")


def test_a_layer_that_differs_in_training_is_not_cached() -> None:
    losses = [fit(network(), X, Y, epochs=3, cache_frozen=cached)["loss"] for cached in (False, True)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)


def test_lbfgs_refuses_a_layer_that_differs_in_training() -> None:
    with pytest.raises(ValueError, match="TripledInTraining"):
        fit(network(), X, Y, optimizer="lbfgs", epochs=3)


def test_statistics_of_gradients_take_inputs_in_a_sequence() -> None:
    one, other = nn.input(13, "one"), nn.input(13, "other")
    net = nn.Network(nn.Dense(3, name="out")(nn.Concat()(one, other)), output="softmax")
    many, labels = np.repeat(X, 8, axis=0), np.repeat(Y, 8)
    history = fit(net, [many, many], labels, epochs=1, gradient_statistics=True)
    assert history["out.norm"][0] > 0
