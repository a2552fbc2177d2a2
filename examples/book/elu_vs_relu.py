"""ELU and ReLU
============

ELU against ReLU in five hidden layers of 100 neurons with He initialization: means, dead units, loss curves.

ELU has negative outputs, so the mean of its activations is closer to zero. It also has a slope for negative inputs, so
no unit dies. Both are measured on the validation images, before and after training.
"""

from __future__ import annotations

import numpy as np
from _data import Split, digits, is_full
from _deep import accuracy
from _pictures import curves, show

from rosenblatt import nn

LAYERS = [f"hidden{i}" for i in range(1, 6)]


def activity(net: nn.Network, X: np.ndarray) -> tuple[float, float]:
    """How far the mean activation is from zero, averaged over the hidden layers, and the share of dead units."""
    outputs = [net.truncate_at(layer).predict(X) for layer in LAYERS]
    dead = np.mean([(out == out[0]).all(axis=0).mean() for out in outputs])
    return float(np.mean([abs(out.mean()) for out in outputs])), float(dead)


def train(activation: str, data: Split, full: bool, rate: float) -> tuple[nn.Network, list[float], list[float]]:
    """A trained network, with its training and validation losses in each epoch."""
    spec = nn.NetworkSpec(data.X.shape[1], (100,) * 5, 10, activation, "softmax", weights="he_normal")
    net = nn.Network(spec, seed=0)
    history = net.fit(
        data.X,
        data.y,
        validation=(data.X_val, data.y_val),
        restore_best=False,
        learning_rate=rate,
        epochs=10 if full else 20,
        batch_size=50,
    )
    return net, history["loss"], history["val_loss"]


def main(full: bool = False) -> dict[str, float]:
    """Train both, once at a usual learning rate and once at a rate that kills units; return the figures."""
    data, figures, losses = digits(full), {}, {}
    for activation in ("relu", "elu"):
        start = nn.Network(nn.NetworkSpec(data.X.shape[1], (100,) * 5, 10, activation, weights="he_normal"), seed=0)
        net, loss, val_loss = train(activation, data, full, rate=0.001)
        losses |= {f"{activation}, training": loss, f"{activation}, validation": val_loss}
        hot, _, _ = train(activation, data, full, rate=0.003)
        figures |= {
            f"{activation}.initial_mean": activity(start, data.X_val)[0],
            f"{activation}.mean": activity(net, data.X_val)[0],
            f"{activation}.dead": activity(net, data.X_val)[1],
            f"{activation}.dead_at_high_rate": activity(hot, data.X_val)[1],
            f"{activation}.loss": loss[-1],
            f"{activation}.val_loss": val_loss[-1],
            f"{activation}.test_accuracy": accuracy(net, data.X_test, data.y_test),
        }
        print(f"{activation:5}training loss  ", *(f"{value:.3f}" for value in loss[:10]))
        print(f"{activation:5}validation loss", *(f"{value:.3f}" for value in val_loss[:10]))
    show(curves, losses, ylabel="loss", yscale="log")
    print(f"{'':26}{'ReLU':>8}{'ELU':>8}")
    for name in (key.removeprefix("relu.") for key in figures if key.startswith("relu.")):
        print(f"{name.replace('_', ' '):26}{figures[f'relu.{name}']:8.4f}{figures[f'elu.{name}']:8.4f}")
    return figures


if __name__ == "__main__":
    main(is_full())
