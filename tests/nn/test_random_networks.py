"""Gradients of random networks agree with differences of their losses."""

import numpy as np
import pytest

from rosenblatt import nn
from rosenblatt.training import Trainer

ACTIVATIONS = ("tanh", "logistic", "softplus", "gelu", "silu", "elu")
LOSSES = {"identity": "squared_error", "softmax": "softmax_cross_entropy", "logistic": "logistic_cross_entropy"}


def random_network(rng):
    """Up to five smooth layers, with branches that are joined again, and codes now and then."""
    x = nn.input(int(rng.integers(1, 5)), "x")
    h = x
    if rng.random() < 0.4:
        h = nn.Concat()(h, nn.Embedding(int(rng.integers(1, 4)))(nn.codes(3, "c")))
    for _ in range(rng.integers(1, 6)):
        before = h
        h = nn.Dense(int(rng.integers(1, 7)), str(rng.choice(ACTIVATIONS)))(h)
        kind = rng.integers(5)
        h = nn.LayerNorm()(h) if kind == 0 else nn.Scale()(h) if kind == 1 else h
        h = nn.Concat()(h, before) if kind == 2 else nn.Dense(before.width)(h) + before if kind == 3 else h
    output = str(rng.choice(list(LOSSES)))
    width = int(rng.integers(2, 4)) if output == "softmax" else 1
    return nn.Network(nn.Dense(width)(h), "float64", output=output, seed=int(rng.integers(2**31))), output


@pytest.mark.parametrize("seed", range(25))
def test_gradients_are_those_of_differences(seed):
    rng = np.random.default_rng(seed)
    network, output = random_network(rng)
    n_rows, width = int(rng.integers(1, 40)), network.graph.n_outputs
    X = {name: rng.normal(size=(n_rows, w)) for name, w in network.graph.input_widths.items()}
    if "c" in X:
        X["c"] = rng.integers(0, 3, n_rows).astype(np.int32)
    y = rng.integers(0, width, n_rows).astype(np.int32) if output == "softmax" else rng.random((n_rows, 1))
    y = y if output != "logistic" else np.round(y)
    trainer = Trainer(network, LOSSES[output], None, l2=float(rng.choice([0, 0.1])))
    trainer.set_data(X, y)
    start, direction = network.parameters.copy(), rng.normal(size=network.parameters.size)
    expected = trainer.loss_and_gradient()[1] @ direction
    step, sums = 1e-5, []
    for sign in (1, -1):
        network.parameters[...] = start + sign * step * direction
        sums.append(trainer.loss_and_gradient()[0])
    assert (sums[0] - sums[1]) / (2 * step) == pytest.approx(expected, rel=1e-5, abs=1e-7)
