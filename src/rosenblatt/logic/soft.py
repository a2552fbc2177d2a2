"""From threshold neurons to logistic ones, which have a derivative.

Goes in: a `ThresholdNetwork`. Comes out: a `rosenblatt.nn.Network` of the same layers whose rounded outputs are the
same truth table; a trainer can go on from it. It never changes the threshold network.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from rosenblatt.nn import Network, NetworkSpec

from .network import ThresholdNetwork
from .truth import assignments, in_words

__all__ = ["soften"]


def soften(network: ThresholdNetwork, sharpness: float = 10.0, dtype: DTypeLike = "float32") -> Network:
    """A trainable network with logistic neurons in place of threshold neurons.

    Parameters
    ----------
    network : ThresholdNetwork
    sharpness : float > 0
        Factor of all weights: the larger, the closer to 0 and 1 are all values, and the smaller the gradients. The
        threshold moves half a step down, to the middle between the smallest sum that fires and the largest that does
        not.
    dtype : {"float32", "float64"}

    Returns
    -------
    rosenblatt.nn.Network
        With logistic hidden layers and a logistic output, shape (n_rows, 1).

    Raises
    ------
    ValueError
        If sharpness is no positive number, or so small that a rounded output is not the threshold network's.
    TypeError
        If network is no ThresholdNetwork.
    """
    if not isinstance(network, ThresholdNetwork):
        raise TypeError(
            f"network is {network!r}, a {type(network).__name__}; soften takes a ThresholdNetwork: wire a formula with "
            "threshold_network first"
        )
    if isinstance(sharpness, bool) or not isinstance(sharpness, (int, float, np.number)) or not 0 < sharpness < np.inf:
        raise ValueError(f"sharpness is {sharpness!r}; it must be a positive number, such as 10")
    sizes = network.layer_sizes
    spec = NetworkSpec(sizes[0], sizes[1:-1], sizes[-1], activation="logistic", output="logistic")
    soft = Network(spec, dtype=dtype)
    for i, (weights, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        soft.weights[i][...] = sharpness * weights
        soft.biases[i][...] = sharpness * (bias + half_steps(weights, bias))
    require_same_table(soft, network, sharpness)
    return soft


def half_steps(weights: NDArray[Any], bias: NDArray[Any]) -> NDArray[np.float64]:
    """Half the distance between neighbouring sums of each neuron: 1/2 with integers, 1/4 with halves."""
    whole = np.vstack([weights, bias]) % 1 == 0
    return np.where(whole.all(axis=0), 0.5, 0.25)


def require_same_table(soft: Network, network: ThresholdNetwork, sharpness: float) -> None:
    """Refuse a softened network with another truth table."""
    rows = assignments(network.names)
    outputs, expected = soft.predict(rows.astype(soft.dtype))[:, 0], network.predict(rows)
    different = np.flatnonzero(~((outputs >= 0.5) == expected.astype(bool)))
    if different.size:
        at = different[0]
        raise ValueError(
            f"sharpness is {sharpness:g}, which is too small for {network.formula}: for "
            f"{in_words(network.names, rows[at])} the output is {outputs[at]:.3g} where the threshold network gives "
            f"{expected[at]}. Take a larger one, such as {2 * sharpness:g}"
        )
