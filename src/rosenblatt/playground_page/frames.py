"""What the page draws: pictures of all units over the plane, and their form as bytes.

Takes a network with its `Problem`. Returns arrays by name, and the bytes of a frame: the length of a JSON header, the
header, the arrays. Never trains, and never gives a number that is not finite.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.nn import Network
from rosenblatt.playground_page.networks import showing_all_layers
from rosenblatt.playground_page.problems import Problem
from rosenblatt.playground_page.settings import LIMITS

__all__ = ["Pictures", "hidden_values", "pack", "sound"]

Array = NDArray[Any]
DTYPES = {"f4": "<f4", "u1": "|u1", "u4": "<u4"}
LARGEST = float(np.finfo(np.float32).max)
MANY_PARAMETERS = 50_000
"""A network with more of them is drawn with half the points along each side, so that a frame stays quick."""


def sound(values: Array) -> Array:
    """The values as float32, with 0 for NaN and the largest number for infinity."""
    return np.asarray(np.nan_to_num(np.clip(values, -LARGEST, LARGEST), nan=0.0), np.float32)


def hidden_values(network: Network, twin: Network, X: Array) -> list[Array]:
    """Present values of each hidden layer, by one pass of the `twin` that `showing_all_layers` made."""
    if len(network.weights) == 1:
        return []
    twin.block[...] = network.block
    outputs: dict[str, Array] = twin.predict(X)
    return [*outputs.values()][:-1]


class Pictures:
    """Pictures of a network over the plane.

    Parameters
    ----------
    network : Network
        Its present parameters count in each call.
    problem : Problem
    scores : bool
        Whether the outputs are scores of classes, which are drawn as if they were probabilities.
    """

    def __init__(self, network: Network, problem: Problem, *, scores: bool = False) -> None:
        self.network, self.problem, self.scores = network, problem, scores
        self.twin = showing_all_layers(network)
        self._grid = problem.grid(LIMITS["grid"])
        coarse = 2 if network.parameters.size > MANY_PARAMETERS else 1
        self._plane = problem.grid(LIMITS["plane"] // coarse)

    def arrays(self) -> dict[str, Array]:
        """Weights, biases, a map of each hidden unit with its range, and the plane."""
        found: dict[str, Array] = {}
        for k, (w, b) in enumerate(zip(self.network.weights, self.network.biases, strict=True), 1):
            found[f"weights{k}"], found[f"biases{k}"] = sound(w), sound(b)
        for k, values in enumerate(hidden_values(self.network, self.twin, self._grid), 1):
            found[f"map{k}"], found[f"range{k}"] = self._maps(values)
        found["plane"] = self._of_plane(self.network.predict(self._plane))
        return found

    def of_inputs(self) -> dict[str, Array]:
        """Maps of the features, which never change."""
        maps, ranges = self._maps(self._grid[:, : len(self.problem.features)])
        return {"map0": maps, "range0": ranges}

    def _maps(self, values: Array) -> tuple[Array, Array]:
        """Values (G², units) as bytes, 0 to 255 for -r to r, shape (units, G, G); and r of each unit."""
        shown = sound(values[:, : LIMITS["units_shown"]])
        r = np.abs(shown).max(axis=0, initial=0.0)
        shown = np.rint(shown * (127.5 / np.where(r > 0, r, 1)) + 127.5)
        g = LIMITS["grid"]
        return np.ascontiguousarray(shown.astype(np.uint8).T).reshape(-1, g, g), r

    def _of_plane(self, outputs: Array) -> Array:
        """The prediction over the plane, shape (n_outputs, R, R): probabilities, or numbers in the data's units."""
        values = sound(outputs)
        if self.problem.classes is None:
            values = sound(self.problem.target_center + self.problem.target_spread * values.astype(np.float64))
        elif self.scores and values.shape[1] > 1:
            e = np.exp(values - values.max(axis=1, keepdims=True))
            values = e / e.sum(axis=1, keepdims=True)
        elif self.scores:
            values = np.clip(values / 2 + 0.5, 0, 1)
        r = round(len(values) ** 0.5)
        return np.ascontiguousarray(values.T).reshape(-1, r, r)


def pack(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """A frame as bytes.

    Four bytes for the length of the header (little-endian), the header as JSON with an entry for each array, padded
    with spaces, and the arrays in their order; all begin at multiples of 8 bytes.

    Parameters
    ----------
    header : mapping
        All but the entry "arrays"; no number in it may be infinite or NaN.
    arrays : mapping of str to ndarray
        Of float32, uint8 or uint32.
    """
    entries, parts = [], list[bytes]()
    for name, array in arrays.items():
        dtype = f"{array.dtype.kind}{array.dtype.itemsize}"
        data = np.ascontiguousarray(array, DTYPES[dtype]).tobytes()
        entries.append({"name": name, "dtype": dtype, "shape": list(array.shape)})
        parts.append(data + bytes(-len(data) % 8))
    text = json.dumps({**header, "arrays": entries}, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(4 + len(text)) % 8)
    return b"".join([struct.pack("<I", len(text)), text, *parts])
