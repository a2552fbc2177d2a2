"""Remedies for overfitting
========================

A network that is too large for a few images, and one remedy after another: the gap between training and validation.

Every row of the table changes one thing. The gap is the validation loss minus the training loss, both without dropout
and penalties. Early stopping uses the validation images, so its validation loss is the smallest of all its epochs.
Whether a remedy helps depends on the data: here narrower layers do not help, and more images help most.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from _data import digits, is_full
from _deep import accuracy
from _pictures import bars, show

from rosenblatt import nn

REMEDIES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # changes to the network and to its training
    "none": ({}, {}),
    "fewer_layers": ({"hidden": (200,)}, {}),
    "fewer_neurons": ({"hidden": (50, 50, 50)}, {}),
    "dropout": ({"dropout": 0.3, "input_dropout": 0.3}, {}),
    "l2": ({}, {"l2": 0.01}),
    "l1": ({}, {"l1": 0.0003}),
    "max_norm": ({"max_norm": 0.4}, {}),
    "early_stopping": ({}, {"patience": 10}),
    "more_data": ({}, {"rows": 10}),
}


def cross_entropy(net: nn.Network, X: np.ndarray, y: np.ndarray) -> float:
    """The mean of -log(probability of the right digit)."""
    right = net.predict(X)[np.arange(len(y)), y]
    return float(-np.log(np.maximum(right, 1e-7)).mean())


def main(full: bool = False) -> dict[str, float]:
    """Print the table of remedies; return the gap of each, and its loss and accuracy on held-out rows."""
    data, figures = digits(full), {}
    print(
        f"{'remedy':16}{'training loss':>15}{'validation loss':>17}{'gap':>8}{'validation acc.':>17}{'test acc.':>11}"
    )
    for name, (architecture, training) in REMEDIES.items():
        n = (500 if full else 100) * training.get("rows", 1)
        X, y = data.X[:n], data.y[:n]
        spec = nn.NetworkSpec(X.shape[1], output="softmax", n_outputs=10, **{"hidden": (200,) * 3} | architecture)
        options = {key: value for key, value in training.items() if key != "rows"}
        if "patience" in options:
            options["validation"] = (data.X_val, data.y_val)
        net = nn.Network(spec, seed=0)
        net.fit(X, y, epochs=100, batch_size=20, **options)
        loss, val_loss = cross_entropy(net, X, y), cross_entropy(net, data.X_val, data.y_val)
        found = {
            "loss": loss,
            "val_loss": val_loss,
            "gap": val_loss - loss,
            "validation": accuracy(net, data.X_val, data.y_val),
            "test": accuracy(net, data.X_test, data.y_test),
        }
        print("{:16}{:15.3f}{:17.3f}{:8.3f}{:17.2%}{:11.2%}".format(name, *found.values()))
        figures |= {f"{name}.{key}": value for key, value in found.items()}
    gaps = {name: figures[f"{name}.gap"] for name in REMEDIES}
    show(bars, gaps, xlabel="validation loss - training loss")
    return figures


if __name__ == "__main__":
    main(is_full())
