"""``coefs_`` and ``intercepts_``: the network's parameter block seen as scikit-learn's two lists of arrays.

Takes a network, or arrays that the user assigned before there was one. Returns lists of writable views: `predict` uses
whatever is written to them or assigned in their place. Never changes a network's architecture: arrays of other shapes
make a new network, and shapes that do not fit together are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import NotFittedError

from rosenblatt.estimators.base import NetworkEstimator
from rosenblatt.nn import Network, NetworkSpec

__all__ = ["LayerParameters", "ParameterViews"]

Array = npt.NDArray[Any]


class ParameterViews(list[Array]):
    """A list of writable views. Setting an item copies the values into the view instead of replacing it."""

    def __setitem__(self, index: SupportsIndex | slice, value: Any) -> None:
        views, values = (self[index], list(value)) if isinstance(index, slice) else ([self[index]], [value])
        if len(views) != len(values):
            raise ValueError(f"{len(values)} arrays were assigned to {len(views)} layers")
        for view, array in zip(views, map(np.asarray, values), strict=True):
            if array.shape != view.shape:
                raise ValueError(f"an array of shape {array.shape} was assigned to parameters of shape {view.shape}")
            view[...] = array


class LayerParameters(NetworkEstimator):
    """The two list attributes, which show ``_network``. Before there is a network, ``_assigned`` stores them."""

    _assigned: dict[str, list[Any]]
    out_activation_: str

    def __sklearn_is_fitted__(self) -> bool:
        return "_network" in vars(self) or {"coefs_", "intercepts_"} <= set(vars(self).get("_assigned", ()))

    @property
    def coefs_(self) -> list[Array]:
        """Weights of each layer, shape (n_in, n_out), as writable views."""
        return self._get_layers("coefs_")

    @coefs_.setter
    def coefs_(self, arrays: Sequence[Any]) -> None:
        self._set_layers("coefs_", arrays)

    @property
    def intercepts_(self) -> list[Array]:
        """Biases of each layer, shape (n_out,), as writable views."""
        return self._get_layers("intercepts_")

    @intercepts_.setter
    def intercepts_(self, arrays: Sequence[Any]) -> None:
        self._set_layers("intercepts_", arrays)

    def _get_layers(self, name: str) -> list[Array]:
        if "_network" in vars(self):
            return views_of(self._network, name)
        if name in vars(self).get("_assigned", ()):
            return self._assigned[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r} before fit")

    def _set_layers(self, name: str, arrays: Sequence[Any]) -> None:
        arrays = list(arrays)
        if "_network" not in vars(self):
            self.__dict__.setdefault("_assigned", {})[name] = arrays
        elif [view.shape for view in views_of(self._network, name)] == [np.shape(array) for array in arrays]:
            views_of(self._network, name)[:] = arrays
        else:  # another architecture: keep the lists until the next use builds its network
            network = self.__dict__.pop("_network")
            self._assigned = {n: [np.array(v) for v in views_of(network, n)] for n in ("coefs_", "intercepts_")}
            self._assigned[name] = arrays

    def _fitted_network(self) -> Network:
        assigned = vars(self).get("_assigned")  # several threads may run this; each builds the same network
        if "_network" not in vars(self) and assigned is not None and self.__sklearn_is_fitted__():
            self._network = self._network_from(assigned)
            self.__dict__.pop("_assigned", None)
        return super()._fitted_network()

    def _network_from(self, assigned: Mapping[str, list[Any]]) -> Network:
        """A network with the assigned arrays, in the float type that can represent all of them."""
        weights = [np.asarray(a) for a in assigned["coefs_"]]
        biases = [np.asarray(a) for a in assigned["intercepts_"]]
        require_chain(weights, biases)
        if not hasattr(self, "out_activation_"):
            raise NotFittedError(
                "coefs_ and intercepts_ are assigned, but out_activation_ is not: set it, or call fit."
            )
        units = [weights[0].shape[0], *(b.shape[0] for b in biases)]
        dtype = "float32" if all(a.dtype == np.float32 for a in weights + biases) else "float64"
        network = Network(self._spec(units, self.out_activation_, sparse=False), dtype=dtype, seed=None)
        for view, array in zip([*network.weights, *network.biases], weights + biases, strict=True):
            view[...] = array
        return network

    def _spec(self, units: Sequence[int], output: str, sparse: bool) -> NetworkSpec:
        """The architecture with these layer sizes, which include inputs and outputs."""
        raise NotImplementedError


def views_of(network: Network, name: str) -> ParameterViews:
    """The network's writable views behind the attribute `name`."""
    return ParameterViews(network.weights if name == "coefs_" else network.biases)


def require_chain(weights: Sequence[Array], biases: Sequence[Array]) -> None:
    """Raise an error if the layers do not form a chain."""
    w, b = [a.shape for a in weights], [a.shape for a in biases]
    chained = len(w) == len(b) > 0 and all(len(s) == 2 for s in w)
    if not chained or [(s[1],) for s in w] != b or any(s[1] != t[0] for s, t in pairwise(w)):
        raise ValueError(
            f"coefs_ of shapes {w} and intercepts_ of shapes {b} do not make a network: layer i needs coefs_[i] of "
            "shape (n_i, n_{i+1}) and intercepts_[i] of shape (n_{i+1},)."
        )
