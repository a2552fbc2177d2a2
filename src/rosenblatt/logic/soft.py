"""Logistic neurons, which have a derivative, in place of threshold neurons.

Takes a `ThresholdNetwork`. Returns a `rosenblatt.nn.Network` with the same layers, whose rounded outputs have the same
truth table and which can be trained further. Never changes the threshold network.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from rosenblatt._checks import check_number
from rosenblatt.nn import Network, NetworkSpec

from .formulas import require_kind
from .network import ThresholdNetwork
from .truth import assignments, in_words

__all__ = ["soften"]


def soften(network: ThresholdNetwork, sharpness: float = 10.0, dtype: DTypeLike = "float32") -> Network:
    """A trainable network with logistic neurons in place of threshold neurons.

    Parameters
    ----------
    network : ThresholdNetwork
    sharpness : float > 0
        A factor for all weights. The larger it is, the closer all values are to 0 and 1, and the smaller the
        gradients. The threshold moves down by half a step, to the middle between the largest sum that does not fire and
        the smallest that does.
    dtype : {"float32", "float64"}

    Returns
    -------
    rosenblatt.nn.Network
        With logistic hidden layers and a logistic output, shape (n_rows, 1).

    Raises
    ------
    ValueError
        If sharpness is not a positive number, or so small that a rounded output differs from the threshold network.
    TypeError
        If network is not a ThresholdNetwork.
    """
    rule = "soften takes a ThresholdNetwork: wire a formula with threshold_network first"
    require_kind("network", network, ThresholdNetwork, rule)
    check_number("sharpness", sharpness, 0, above=True)
    sizes = network.layer_sizes
    spec = NetworkSpec(sizes[0], sizes[1:-1], sizes[-1], activation="logistic", output="logistic")
    soft = Network(spec, dtype=dtype)
    for i, (weights, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        soft.weights[i][...] = sharpness * weights
        is_whole = (np.vstack([weights, bias]) % 1 == 0).all(axis=0)
        soft.biases[i][...] = sharpness * (bias + np.where(is_whole, 0.5, 0.25))  # half the distance between sums
    rows = assignments(network.names)
    outputs, expected = soft.predict(rows.astype(soft.dtype))[:, 0], network.predict(rows)
    different = np.flatnonzero(~((outputs >= 0.5) == expected.astype(bool)))
    if different.size:
        at = different[0]
        raise ValueError(
            f"sharpness is {sharpness:g}, which is too small for {network.formula}: for "
            f"{in_words(network.names, rows[at])} the output is {outputs[at]:.3g} where the threshold network gives "
            f"{expected[at]}. Use a larger value, such as {2 * sharpness:g}"
        )
    return soft
