"""Outputs of a network: before its output activation, and those that are not finite.

Takes a network, or what it predicts for finite rows. Returns a network that ends earlier, or the predictions, or raises
an error that names the row. Never predicts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rosenblatt.nn.network import Network

__all__ = ["OutputError", "finite_outputs", "without_output_activation"]

Array = npt.NDArray[Any]


class OutputError(ValueError):
    """A network's output for finite numbers is NaN or infinite: they, or its weights, are too large."""


def without_output_activation(network: Network) -> Network:
    """A copy of a chain of layers that gives what the output layer computes before its activation."""
    linear = Network(replace(network.chain, output="identity"), dtype=network.dtype, seed=None)
    linear.block[...] = network.block
    return linear


def finite_outputs(outputs: Array) -> Array:
    """The outputs of a network for finite rows; an `OutputError` names the first row whose outputs are not finite."""
    finite = np.isfinite(outputs)
    if finite.all():
        return outputs
    row = int(np.argmin(finite.all(axis=1)))
    raise OutputError(
        f"the network's output for row {row} (from 0) of X is {outputs[row][~finite[row]][0]:g}: the "
        f"numbers of that row, or the weights, are too large for {outputs.dtype}. Scale X as in training, or use "
        "dtype='float64'."
    )
