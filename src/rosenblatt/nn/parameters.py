"""The parameters of a network in one block of memory.

Takes an architecture and a float type. Returns named, writable views: what is written is seen by every program that
shares the memory. Never computes anything with them: `rosenblatt.nn.network` predicts, `rosenblatt.training` trains.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from rosenblatt._checks import check_seed, refusal
from rosenblatt._suggestions import suggest_in_methods, suggest_keywords, suggestion
from rosenblatt.ir.compile import aligned_bytes
from rosenblatt.memory import require_memory
from rosenblatt.nn.activations import Activation
from rosenblatt.nn.graph import Graph
from rosenblatt.nn.initialization import copy_layers, draw_parameters, set_constants
from rosenblatt.nn.layers.base import Node, shown
from rosenblatt.nn.spec import NetworkSpec

__all__ = ["ParameterStore"]

DRAWN_BYTES = 8
"""Of a number that is drawn: each array is drawn in float64."""


@suggest_in_methods
@suggest_keywords
class ParameterStore:
    """Parameters and buffers of a network, contiguous: weights first, then everything else, then buffers.

    Constructor and attributes are those of `rosenblatt.nn.Network`, which adds prediction.
    """

    def __init__(
        self,
        outputs: NetworkSpec | Graph | Node | Mapping[str, Node],
        dtype: DTypeLike = "float32",
        *,
        output: str | Activation | Mapping[str, str | Activation] | None = None,
        seed: int | None = 0,
    ) -> None:
        self.spec = spec_of(outputs, output)
        self.graph = self.spec.graph
        check_seed("seed", seed)
        try:
            self.dtype = np.dtype(dtype)
        except TypeError:
            raise refusal("dtype", dtype, "float32 or float64") from None
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype is {self.dtype}; allowed: float32, float64")
        self.frozen: frozenset[str] = frozenset()
        self._n_parameters = self.graph.n_weights + self.graph.n_biases
        n_elements = self._n_parameters + self.graph.n_buffers
        largest = max((p.size for p in self.graph.parameters), default=0)
        require_memory(
            n_elements * self.dtype.itemsize + (0 if seed is None else largest * DRAWN_BYTES),
            *(f"a network of {n_elements:,} parameters", "give its layers fewer units"),
        )
        self.block: NDArray[Any] = np.zeros(n_elements, self.dtype)
        self.bind_memory(aligned_bytes(self.block.nbytes))
        set_constants(self)
        if seed is not None:
            self.initialize(seed)

    def bind_memory(self, memory: NDArray[np.uint8]) -> None:
        """Move parameters and buffers to the start of `memory`, which belongs to a trainer from then on."""
        block = memory[: self.block.nbytes].view(self.dtype)
        block[...] = self.block
        self.memory, self.block = memory, block
        self.parameters: NDArray[Any] = block[: self._n_parameters]
        entries = [(p, p.offset) for p in self.graph.parameters]
        entries += [(p, self._n_parameters + p.offset) for p in self.graph.buffers]
        self._views = {p.name: block[at : at + p.size].reshape(p.spec.shape) for p, at in entries}
        self.weights: list[NDArray[Any]] = [v for n, v in self._views.items() if n.endswith(".weights")]
        self.biases: list[NDArray[Any]] = [v for n, v in self._views.items() if n.endswith(".biases")]

    @property
    def chain(self) -> NetworkSpec:
        """The architecture, if it is a dense chain.

        Raises
        ------
        TypeError
            If the network was built from single layers.
        """
        if not isinstance(self.spec, NetworkSpec):
            raise TypeError("the network was built from single layers; it has no NetworkSpec")
        return self.spec

    def initialize(self, seed: int) -> None:
        """Draw all parameters; each depends on nothing but the seed and its place in the network.

        Parameters of layers that came from another network are copied from it.
        """
        if check_seed("seed", seed) is None:
            raise ValueError("seed is None; give an integer in [0, 2**64)")
        draw_parameters(self, seed)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A parameter or buffer by name, such as "hidden1.weights": a writable view."""
        if name not in self._views:
            raise KeyError(f"no parameter is called {name!r}.{suggestion(name, self._views, 'parameters')}")
        return self._views[name]

    def __setitem__(self, name: str, value: Any) -> None:
        view, array = self[name], np.asarray(value)
        if array.shape != view.shape:
            raise ValueError(f"{name!r} has shape {view.shape}; an array of shape {array.shape} was assigned")
        view[...] = array

    def named_parameters(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Names and writable views of all parameters and buffers, in their order in memory."""
        yield from self._views.items()

    def freeze(self, *patterns: str) -> Self:
        """Keep training from changing the parameters, or the layers, whose name matches a pattern."""
        self.frozen |= self.graph.match(*patterns)
        return self

    def unfreeze(self, *patterns: str) -> Self:
        """Let training change the parameters that match a pattern again; without patterns all of them."""
        self.frozen = self.frozen - self.graph.match(*patterns) if patterns else frozenset()
        return self

    def copy(self, dtype: DTypeLike | None = None) -> Self:
        """A copy with its own memory, by default in the same float type."""
        twin = self.derive(self.spec, dtype)
        twin.frozen = self.frozen
        return twin

    def derive(self, spec: NetworkSpec | Graph, dtype: DTypeLike | None = None) -> Self:
        """A network of another architecture, with copies of the parameters of all layers that both have; zeros else."""
        other = type(self)(spec, self.dtype if dtype is None else dtype, seed=None)
        copy_layers(self, other)
        return other

    def __getstate__(self) -> dict[str, Any]:
        return {"spec": self.spec, "dtype": self.dtype, "block": self.block.copy(), "frozen": self.frozen}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["spec"], state["dtype"], seed=None)  # type: ignore[misc]
        self.block[...] = state["block"]
        self.frozen = state["frozen"]


def spec_of(
    outputs: NetworkSpec | Graph | Node | Mapping[str, Node],
    output: str | Activation | Mapping[str, str | Activation] | None,
) -> NetworkSpec | Graph:
    """The architecture that `Network` was asked for."""
    if isinstance(outputs, (NetworkSpec, Graph)):
        if output is not None:
            raise ValueError(f"output is {output!r}; a {type(outputs).__name__} has its own output activation")
        return outputs
    if not isinstance(outputs, (Node, Mapping)):
        raise TypeError(
            f"a network is made of {shown(outputs)}; give the node that results from applying layers, such as "
            "nn.Dense(1)(nn.input(4)), a mapping of names to nodes, or a NetworkSpec"
        )
    heads = {"prediction": outputs} if isinstance(outputs, Node) else dict(outputs)
    for head, node in heads.items():
        if not isinstance(node, Node):
            raise TypeError(f"head {head!r} is {node!r}; it must be a node, the result of applying a layer")
    chosen = dict(output) if isinstance(output, Mapping) else dict.fromkeys(heads, output or "identity")
    if not set(chosen) <= set(heads):
        raise ValueError(f"output activations are given for {', '.join(chosen)}; the heads are {', '.join(heads)}")
    return Graph(heads, {head: chosen.get(head, "identity") for head in heads})
