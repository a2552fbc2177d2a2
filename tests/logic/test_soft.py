"""Softened networks keep the truth table after rounding and can be trained further."""

import numpy as np
import pytest

from rosenblatt.logic import XOR_FORMS, ThresholdNetwork, at_least, majority, soften, threshold_network, variables
from rosenblatt.nn import SGD, Adam
from rosenblatt.training import Trainer

a, b, c, d = variables("a b c d")
NETWORKS = [*XOR_FORMS, *map(threshold_network, (a ^ b ^ c ^ d, majority(a, b, c), ((a ^ b) & ~c) | d, a & ~a))]


def logistic_layers(network, X, sharpness):
    """The softened network in NumPy."""
    for weights, bias in zip(network.weights, network.biases, strict=True):
        X = 1 / (1 + np.exp(-sharpness * (X @ weights + bias + 0.5)))
    return X


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: str(network.formula))
def test_rounded_outputs_are_the_truth_table(network, dtype):
    soft = soften(network, sharpness=12.0, dtype=dtype)
    table = network.truth_table()
    outputs = soft.predict(table[:, :-1].astype(dtype))
    assert outputs.dtype == dtype
    np.testing.assert_array_equal(np.rint(outputs[:, 0]), table[:, -1])
    expected = logistic_layers(network, table[:, :-1].astype(float), 12.0)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5 if dtype == "float32" else 1e-12)
    assert (soft.spec.activation, soft.spec.output) == ("logistic", "logistic")


@pytest.mark.parametrize("optimizer", [Adam(), SGD(momentum=0.9)], ids=["adam", "sgd"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("network", NETWORKS[:3], ids=["first form", "second form", "third form"])
def test_a_softened_network_can_be_trained_further(network, dtype, optimizer):
    soft = soften(network, sharpness=5.0, dtype=dtype)
    table = network.truth_table()
    trainer = Trainer(soft, "logistic_cross_entropy", optimizer, batch_size=None)
    trainer.set_data(table[:, :-1].astype(dtype), table[:, -1:].astype(dtype))
    losses = trainer.epochs(100, 0.05)
    assert losses[-1] < 0.8 * losses[0]
    np.testing.assert_array_equal(np.rint(soft.predict(table[:, :-1].astype(dtype))[:, 0]), table[:, -1])


def test_multiples_of_one_half_have_half_the_step():
    halves = ThresholdNetwork(a & b, ("a", "b"), ([[0.5], [0.5]],), ([-1],))
    soft = soften(halves, sharpness=20.0, dtype="float64")
    assert soft.biases[0][0] == 20 * (-1 + 0.25)
    np.testing.assert_allclose(soft.predict(np.array([[1.0, 1.0], [1.0, 0.0]]))[:, 0], 1 / (1 + np.exp([-5.0, 5.0])))


def test_the_threshold_network_is_not_changed():
    network = threshold_network(at_least(2, a, b, c))
    soften(network).weights[0][...] = 0
    network.verify()
