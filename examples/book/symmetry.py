"""Why initial weights are random
==============================

Hidden neurons that start equal stay equal: why weights are drawn at random.

Neurons whose incoming and outgoing weights are equal get equal gradients, so a layer of 16 works like a single neuron.
The library refuses such a start unless it is forced, which shows what happens. It is enough to draw the outgoing
weights at random. All biases start at zero.
"""

import numpy as np
from _data import is_full
from _pictures import points, show
from sklearn.datasets import make_moons

from rosenblatt import Network, nn

EQUAL = nn.Constant(0.5, force=True)


def network(units: int, hidden: str | nn.Constant = "auto", out: str | nn.Constant = "auto") -> Network:
    """One hidden layer and one logistic output, with these initial weights."""
    node = nn.Dense(units, "tanh", weights=hidden, name="hidden")(nn.input(2))
    return Network(nn.Dense(1, weights=out, name="out")(node), output="logistic")


def refusal() -> str:
    """The message of the library if equal weights are not forced."""
    try:
        network(16, hidden=nn.Constant(0.5))
    except ValueError as error:
        return str(error)
    return ""


def accuracy(net: Network, n: int) -> float:
    """Accuracy on held-out points after training on `n` points of two interleaved half moons."""
    X, y = make_moons(2 * n, noise=0.1, random_state=42)
    net.fit(X[:n], y[:n], epochs=100, learning_rate=0.03, batch_size=50)
    return float(np.mean((net.predict(X[n:]).ravel() > 0.5) == y[n:]))


def main(full: bool = False) -> dict[str, float]:
    """Accuracies, and the differences between hidden neurons after training; in full mode on more points."""
    message = refusal()
    print(f"refused: {message}\n")
    networks = {
        "random": network(16),
        "equal": network(16, EQUAL, EQUAL),
        "one neuron": network(1, EQUAL, EQUAL),
        "equal, random behind": network(16, EQUAL),
    }
    figures = {"refused": float("stay equal" in message)}
    for name, net in networks.items():
        figures[name] = accuracy(net, 5000 if full else 1000)
        spread = figures[f"{name}: spread"] = float(np.ptp(net["hidden.weights"], axis=1).max())
        print(f"{name:<21} accuracy {figures[name]:6.1%}, largest difference between neurons {spread:.3g}")
    weights = {name: net["hidden.weights"] for name, net in networks.items() if name in ("random", "equal")}
    show(points, weights, xlabel="weight of input 1", ylabel="weight of input 2", title="hidden neurons after training")
    return figures


if __name__ == "__main__":
    main(is_full())
