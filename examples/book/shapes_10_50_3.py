"""The shapes in a network
=======================

The shapes in a network of 10 inputs, 50 hidden neurons and 3 outputs, all with ReLU; a batch has m rows.

Y = ReLU(ReLU(X W1 + b1) W2 + b2). Biases are vectors, added to every row of the batch. The formula is checked in NumPy.
Data of the wrong shape are refused, with a message that says what is expected.
"""

from collections.abc import Callable

import numpy as np
from _data import is_full
from _pictures import show

from rosenblatt import Network, NetworkSpec
from rosenblatt.plots import plot_network


def relu(z: np.ndarray) -> np.ndarray:
    """The larger of z and 0."""
    return np.maximum(z, 0)


def refusal(mistake: Callable[[], object]) -> str:
    """The message of the error that a mistake raises."""
    try:
        mistake()
    except ValueError as error:
        return str(error)
    return ""


def main(full: bool = False) -> dict[str, float]:
    """The sizes, and the distance of the network from its formula; in full mode with a larger batch."""
    net = Network(NetworkSpec(n_inputs=10, hidden=(50,), n_outputs=3, activation="relu", output="relu"))
    print(net.summary(), end="\n\n")
    m = 100_000 if full else 100
    X = np.random.default_rng(0).normal(size=(m, 10)).astype(np.float32)
    (W1, W2), (b1, b2) = net.weights, net.biases
    b1[:] = np.linspace(-1, 1, 50)  # so that the biases matter
    Y = net.predict(X)
    formula = relu(relu(X @ W1 + b1) @ W2 + b2)
    without_activations = (X @ W1 + b1) @ W2 + b2
    for name, array in {"X": X, "W1": W1, "b1": b1, "W2": W2, "b2": b2, "Y": Y}.items():
        print(f"{name:<3} {list(array.shape)}")
    figures = {"parameters": float(net.parameters.size), "outputs": float(Y.shape[1])}
    figures["error"] = float(np.abs(Y - formula).max())
    figures["error_without_activations"] = float(np.abs(Y - without_activations).max())
    print(f"largest difference from the formula: {figures['error']:.2g}; "
          f"without its activations: {figures['error_without_activations']:.2g}")  # fmt: skip
    show(plot_network, net)
    messages = [refusal(lambda: net.predict(X.T)), refusal(lambda: net.__setitem__("hidden1.weights", W1.T))]
    print("two mistakes:", *messages, sep="\n")
    named = "(n_rows, 10)" in messages[0] and "(10, 50)" in messages[1] and "hidden1" in messages[1]
    return figures | {"mistakes_are_named": float(named)}


if __name__ == "__main__":
    main(is_full())
