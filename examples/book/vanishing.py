"""Vanishing gradients
===================

Vanishing gradients, measured: ten hidden layers of 30 neurons, before the first step and after some epochs.

The derivative of the logistic function is never zero, but never more than 1/4 either, and a gradient is a product of
one such factor for each layer above. With He's initialization for ReLU and LeCun's for SELU, it stays close to 1. The
step function has no slope at all, and the library refuses to train it.
"""

from __future__ import annotations

import numpy as np
from _data import digits, is_full
from _deep import accuracy
from _pictures import curves, show

from rosenblatt import nn
from rosenblatt.training import LayerGradient, gradient_statistics

ACTIVATIONS = ("logistic", "relu", "selu")
LOSS = "softmax_cross_entropy"


def network(n_inputs: int, activation: str) -> nn.Network:
    """A network whose initial weights suit the activation: Glorot's, He's or LeCun's."""
    return nn.Network(nn.NetworkSpec(n_inputs, (30,) * 10, 10, activation, "softmax"), seed=0)


def print_table(gradients: dict[str, list[LayerGradient]]) -> None:
    """Print the norms of the gradient, with one row per layer and one column per activation."""
    print("gradient norm" + "".join(f"{name:>12}" for name in gradients))
    for layers in zip(*gradients.values(), strict=True):
        print(f"{layers[0].layer:13}" + "".join(f"{layer.norm:12.1e}" for layer in layers))


def refusal(X: np.ndarray, y: np.ndarray) -> str:
    """The message of the error when a network of step functions is trained by gradient descent."""
    try:
        network(X.shape[1], "step").fit(X, y)
    except ValueError as error:
        return str(error)
    return ""


def main(full: bool = False) -> dict[str, float]:
    """Print the gradients by layer, then the result of training each network; return the figures."""
    data = digits(full)
    mean, deviation = data.X.mean(), data.X.std()  # SELU needs standardized inputs
    X, X_val = ((part - mean) / deviation for part in (data.X, data.X_val))
    nets = {name: network(X.shape[1], name) for name in ACTIVATIONS}
    gradients = {name: gradient_statistics(net, LOSS, X, data.y) for name, net in nets.items()}
    print_table(gradients)
    norms = {name: [layer.norm for layer in layers] for name, layers in gradients.items()}
    show(curves, norms, xlabel="layer", ylabel="norm of the gradient before training", yscale="log")
    figures = {}
    for name, net in nets.items():
        first, last = gradients[name][0], gradients[name][-2]
        net.fit(X, data.y, epochs=5 if full else 20, batch_size=50)
        found = {
            "first_to_last": first.norm / last.norm,
            "vanishing": first.vanishing,
            "dead": float(np.mean([layer.dead for layer in gradients[name][:-1]])),
            "accuracy": accuracy(net, X_val, data.y_val),
        }
        text = "norm of hidden1 / hidden10 {:.1e}, vanishing in hidden1 {:.0%}, dead {:.0%}; accuracy {:.0%}"
        print(f"{name:10}" + text.format(*found.values()))
        figures |= {f"{name}.{key}": value for key, value in found.items()}
    print("step:", refusal(X, data.y))
    return figures | {"step.refused": float("cannot learn" in refusal(X, data.y))}


if __name__ == "__main__":
    main(is_full())
