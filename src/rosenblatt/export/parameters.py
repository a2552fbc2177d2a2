"""The numbers of a network as a program reads them.

Takes a network, and a program of it. Returns an array for each parameter and buffer of the program. Never copies them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.ir.planner import layout
from rosenblatt.ir.types import Program
from rosenblatt.nn.network import Network

__all__ = ["leaves_of", "require_finite"]


def leaves_of(network: Network, program: Program) -> dict[str, NDArray[Any]]:
    """The numbers of the program's parameters and buffers, which lie in the network's memory in their order."""
    offsets, _ = layout(program)
    found = {}
    for value in program.region("params", "buffers"):
        start = offsets[value.name] // network.dtype.itemsize
        found[value.name] = network.block[start : start + value.type.size(0)].reshape(value.type.shape)
    return found


def require_finite(network: Network) -> None:
    """Refuse parameters that are NaN or infinite, as files of models do."""
    for name, array in network.named_parameters():
        if not np.isfinite(array).all():
            raise ValueError(f"{name!r} of the network holds NaN or infinity; train it again before you export it.")
