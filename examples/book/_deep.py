"""Shared by the examples of deep networks: the accuracy of a network, a few images of each class, copied parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from rosenblatt import nn


def accuracy(net: nn.Network, X: Any, y: Any) -> float:
    """The share of rows with the right label; a single output counts as 1 above one half."""
    outputs = net.predict(X)
    return float(np.mean((outputs[:, 0] > 0.5 if outputs.shape[1] == 1 else outputs.argmax(axis=1)) == y))


def few(X: Any, y: Any, n_each: int) -> tuple[Any, Any]:
    """The first `n_each` rows of each class."""
    rows = np.concatenate([np.flatnonzero(y == label)[:n_each] for label in np.unique(y)])
    return X[rows], y[rows]


def copy_parameters(trained: nn.Network, net: nn.Network) -> None:
    """Give `net` the parameters of `trained`; what has no parameters, such as noise, may differ."""
    for name, values in trained.named_parameters():
        net[name] = values
