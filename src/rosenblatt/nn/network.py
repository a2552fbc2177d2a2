"""A network: an architecture, its parameters in one block, and prediction.

Goes in: a `NetworkSpec` or the output nodes of hand-applied layers, then rows of data. Comes out: predictions. Training
is not here: `fit` hands the network to `rosenblatt.training`, which works on the same parameters.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from rosenblatt import _core
from rosenblatt.ir.compile import NO_SLOTS, Executable, aligned_bytes, compile_program, source
from rosenblatt.ir.types import Value
from rosenblatt.nn.activations import Activation
from rosenblatt.nn.graph import Graph
from rosenblatt.nn.initialization import copy_layers, draw_parameters, set_constants
from rosenblatt.nn.layers.base import Node
from rosenblatt.nn.program_cache import cached_executable
from rosenblatt.nn.programs import prediction_program
from rosenblatt.nn.spec import NetworkSpec

if TYPE_CHECKING:
    from rosenblatt.training.history import History

__all__ = ["Network", "NetworkSpec", "block_rows", "training_rows"]

BLOCK_VALUES = 1 << 17  # values of all layers in one block: with float32, half a typical second-level cache
MANY_WEIGHTS = 1 << 19  # more than such a cache holds
MAX_VALUES = 1 << 24


def block_rows(spec: NetworkSpec | Graph) -> int:
    """Rows of one block, so that a block's values stay in the cache: 16 to 1,024, a multiple of 16."""
    return min(1024, max(16, BLOCK_VALUES // max(1, spec.graph.row_size()) // 16 * 16))


def training_rows(spec: NetworkSpec | Graph) -> int:
    """Rows of one block in training: at least 256 or, where it is costly to add up gradients over blocks, 512."""
    enough = 512 if spec.n_weights >= MANY_WEIGHTS else 256
    width = sum(node.width for node in spec.graph.nodes)
    return max(block_rows(spec), min(enough, MAX_VALUES // width // 16 * 16))


class Network:
    """A network with all parameters in one contiguous block: weights first, then everything else, then buffers.

    Parameters
    ----------
    outputs : NetworkSpec, Node, or mapping of str to Node
        What it computes: a dense chain, the last node of layers that were applied by hand, or several heads by name.
    dtype : {"float32", "float64"}
        What it computes in.
    output : str, callable, or mapping of str to those, optional
        Output activation (of each head) for nodes, default "identity"; a `NetworkSpec` has its own.
    seed : int or None, default=0
        Of the initial parameters; None: nothing is drawn. What starts at a constant does so, all else is zero.

    Attributes
    ----------
    weights : list of ndarray of shape (n_in, n_out)
        Writable views, one for each dense layer; `predict` sees what is written at once.
    biases : list of ndarray of shape (n_out,)
        Likewise.
    parameters : ndarray of shape (n_parameters,)
        All of them, flat.
    frozen : frozenset of str
        Names of the parameters that training leaves as they are.

    Examples
    --------
    >>> from rosenblatt import nn
    >>> x = nn.input(4)
    >>> h = nn.Dense(8, "relu", name="hidden")(x)
    >>> net = nn.Network(nn.Dense(3)(h) + nn.Dense(3)(x), output="softmax")
    >>> net["hidden.weights"].shape
    (4, 8)
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
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype is {self.dtype}; allowed: float32, float64")
        self.frozen: frozenset[str] = frozenset()
        self._n_parameters = self.graph.n_weights + self.graph.n_biases
        self._executable: Executable | None = None
        self._idle: list[_core.Session] = []
        self.block: NDArray[Any] = np.zeros(self._n_parameters + self.graph.n_buffers, self.dtype)
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
            If the network was built from layers by hand.
        """
        if not isinstance(self.spec, NetworkSpec):
            raise TypeError("the network was built from layers by hand; it has no NetworkSpec")
        return self.spec

    def initialize(self, seed: int, X: Any = None) -> None:
        """Draw all parameters anew; each depends on nothing but the seed and its place in the network.

        Parameters of layers that came from another network (see `__call__`) are copied from it.

        Parameters
        ----------
        seed : int
        X : array, optional
            Rows for initializers that look at the data (`DataDriven`).
        """
        draw_parameters(self, seed, X)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A parameter or buffer by name, such as "hidden1.weights": a writable view."""
        if name not in self._views:
            raise KeyError(f"no parameter is called {name!r}; there are: {', '.join(self._views)}")
        return self._views[name]

    def __setitem__(self, name: str, value: Any) -> None:
        view, array = self[name], np.asarray(value)
        if array.shape != view.shape:
            raise ValueError(f"{name!r} has shape {view.shape}; an array of shape {array.shape} was assigned")
        view[...] = array

    def named_parameters(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Names and writable views of all parameters and buffers, in their order in memory."""
        yield from self._views.items()

    def freeze(self, *patterns: str) -> Network:
        """Let training leave the parameters (or all of the layers) whose name matches a pattern as they are."""
        self.frozen |= self.graph.match(*patterns)
        return self

    def unfreeze(self, *patterns: str) -> Network:
        """Let training change the parameters that match a pattern again; without patterns all of them."""
        self.frozen = self.frozen - self.graph.match(*patterns) if patterns else frozenset()
        return self

    def truncate_at(self, layer: str, *, output: str | Activation = "identity") -> Network:
        """A new network that ends with `layer`, with copies of this one's parameters."""
        return self._derived(Graph({"prediction": self.graph.node(layer)}, {"prediction": output}))

    def copy(self, dtype: DTypeLike | None = None) -> Network:
        """A network of its own with the same parameters, perhaps in another float type."""
        twin = self._derived(self.spec, dtype)
        twin.frozen = self.frozen
        return twin

    def _derived(self, spec: NetworkSpec | Graph, dtype: DTypeLike | None = None) -> Network:
        other = Network(spec, self.dtype if dtype is None else dtype, seed=None)
        copy_layers(self, other)
        return other

    def __call__(self, *nodes: Node) -> Node:
        """Apply this network, as if it were a layer, to nodes of another one: the node of its only head.

        A network that is built from the result starts from copies of this one's present parameters.
        """
        if len(nodes) != len(self.graph.inputs) or len(self.graph.heads) != 1:
            raise ValueError(
                f"the network has {len(self.graph.inputs)} inputs and {len(self.graph.heads)} heads; it can be applied "
                f"to as many nodes if it has one head, but is given {len(nodes)}"
            )
        made: dict[Node, Node] = {}
        for old, new in zip(self.graph.inputs, nodes, strict=True):
            if (old.width, old.kind) != (new.width, new.kind):
                raise ValueError(
                    f"input {self.graph.names[old]!r} takes {old.kind} values of width {old.width}; the node has "
                    f"{new.kind} ones of width {new.width}"
                )
            made[old] = new
        for node in self.graph.nodes:
            if node not in made:
                made[node] = Node(node.layer, tuple(made[n] for n in node.inputs), node.width, node.kind, self)
        return made[next(iter(self.graph.heads.values()))]

    @property
    def executable(self) -> Executable:
        """The prediction program in the executor's form, compiled on first use."""
        if self._executable is None:
            self._executable = cached_executable(
                lambda: compile_program(prediction_program(self.graph, self.dtype.name), block_rows(self.graph)),
                *("prediction", self.spec, self.dtype.name),
            )
        return self._executable

    @functools.cached_property
    def _inputs(self) -> list[tuple[str, Value, int]]:
        """Name, leaf and width of each input of the prediction program, in its order."""
        widths = {name: node.width for name, node in zip(self.graph.input_names, self.graph.inputs, strict=True)}
        return [(name, self.executable.program.leaf(name), widths[name]) for name in self.executable.inputs]

    def predict(self, X: Any) -> Any:
        """The outputs for each row.

        Any number of threads may call it at once. A row's outputs do not depend on the other rows.

        Parameters
        ----------
        X : ndarray or scipy CSR matrix of shape (n_rows, n_inputs); or a mapping or sequence of them
            One for each input, by name or in order, where there are several; class numbers, (n_rows,), for codes.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs), or dict of those by head
            Of the network's dtype.

        Raises
        ------
        ValueError
            If X has another number of columns or axes.
        """
        executable, graph = self.executable, self.graph
        data = input_arrays(graph, X)
        n_rows = next(iter(data.values())).shape[0]
        out = [np.empty((n_rows, node.width), self.dtype) for node in graph.heads.values()]
        rows = [source(leaf, data[name], width) for name, leaf, width in self._inputs]
        try:
            session = self._idle.pop()  # popping and appending are atomic: each call owns its session
        except IndexError:
            session = _core.Session(executable.core)
        session.forward(self.memory, rows, n_rows, NO_SLOTS, out)
        self._idle.append(session)
        return out[0] if len(out) == 1 else dict(zip(self.graph.heads, out, strict=True))

    def input_gradients(
        self, X: Any, cotangent: Any = None, *, at: Sequence[str] | None = None, raw: bool = False
    ) -> dict[str, NDArray[Any]]:
        """How the outputs of each row change with its inputs; see `rosenblatt.nn.input_gradients.input_gradients`."""
        from rosenblatt.nn.input_gradients import input_gradients

        return input_gradients(self, X, cotangent, at=at, raw=raw)

    def fit(self, X: Any, y: Any, **options: Any) -> History:
        """Train; see `rosenblatt.training.fit` for all options."""
        from rosenblatt.training.fitting import fit

        return fit(self, X, y, **options)

    def summary(self) -> str:
        """A table of the network: every tensor's shape (m = rows of the batch), parameters, memory and operations."""
        from rosenblatt.nn.summary import summarize

        return summarize(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"spec": self.spec, "dtype": self.dtype, "block": self.block.copy(), "frozen": self.frozen}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["spec"], state["dtype"], seed=None)  # type: ignore[misc]
        self.block[...] = state["block"]
        self.frozen = state["frozen"]

    def __repr__(self) -> str:
        what = self.spec if isinstance(self.spec, NetworkSpec) else f"{len(self.graph.nodes)} nodes"
        return f"Network({what}, dtype={self.dtype.name!r})"


def spec_of(
    outputs: NetworkSpec | Graph | Node | Mapping[str, Node],
    output: str | Activation | Mapping[str, str | Activation] | None,
) -> NetworkSpec | Graph:
    """The architecture that `Network` was asked for."""
    if isinstance(outputs, (NetworkSpec, Graph)):
        if output is not None:
            raise ValueError(f"output is {output!r}; a {type(outputs).__name__} has its own output activation")
        return outputs
    heads = {"prediction": outputs} if isinstance(outputs, Node) else dict(outputs)
    for head, node in heads.items():
        if not isinstance(node, Node):
            raise TypeError(f"head {head!r} is {node!r}; it must be a node, what a layer makes of its inputs")
    chosen = dict(output) if isinstance(output, Mapping) else dict.fromkeys(heads, output or "identity")
    if not set(chosen) <= set(heads):
        raise ValueError(f"output activations are given for {', '.join(chosen)}; the heads are {', '.join(heads)}")
    return Graph(heads, {head: chosen.get(head, "identity") for head in heads})


def input_arrays(graph: Graph, X: Any, what: str = "X") -> dict[str, Any]:
    """The data of each input by name, with checked shapes."""
    names = graph.input_names
    if len(names) == 1 and not isinstance(X, Mapping):
        return {names[0]: _checked(graph.inputs[0], names[0], X, what)}
    if isinstance(X, Sequence) and len(X) == len(names):
        X = dict(zip(names, X, strict=True))
    if not isinstance(X, Mapping) or set(X) != set(names):
        given = ", ".join(X) if isinstance(X, Mapping) else type(X).__name__
        raise ValueError(
            f"the network has the inputs {', '.join(names)}; give {what} as a mapping with one array for "
            f"each, not {given}"
        )
    data = {name: _checked(node, name, X[name], what) for name, node in zip(names, graph.inputs, strict=True)}
    lengths = {name: array.shape[0] for name, array in data.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the inputs have different numbers of rows: {lengths}")
    return data


def _checked(node: Node, name: str, given: Any, what: str) -> Any:
    array = given if node.kind == "sparse" else np.asarray(given)
    if node.kind == "codes":
        if array.ndim != 1:
            raise ValueError(f"{what}[{name!r}] has shape {array.shape}; codes have the shape (n_rows,)")
    elif len(array.shape) != 2 or array.shape[1] != node.width:
        where = what if name == "x" else f"{what}[{name!r}]"
        raise ValueError(f"{where} has shape {array.shape}; this network takes (n_rows, {node.width})")
    return array
