"""A network: an architecture, its parameters in one block, and prediction.

Takes a `NetworkSpec` or the output nodes of applied layers, then rows of data. Returns predictions.
Never trains: `fit` hands the network to `rosenblatt.training`, which works on the same parameters.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from rosenblatt import _core
from rosenblatt._html import preformatted, table, view
from rosenblatt._suggestions import suggest_in_methods
from rosenblatt.ir.compile import NO_SLOTS, Executable, compile_program, source
from rosenblatt.ir.types import Value
from rosenblatt.nn.activations import Activation
from rosenblatt.nn.graph import Graph
from rosenblatt.nn.initialization import rescale_by_data
from rosenblatt.nn.input_gradients import input_gradients
from rosenblatt.nn.inputs import input_arrays
from rosenblatt.nn.layers.base import Node
from rosenblatt.nn.parameters import ParameterStore
from rosenblatt.nn.program_cache import cached_executable
from rosenblatt.nn.programs import block_rows, prediction_program
from rosenblatt.nn.spec import NetworkSpec
from rosenblatt.nn.summary import summarize, summary_parts

if TYPE_CHECKING:
    from rosenblatt.training.history import History

__all__ = ["Network"]


@suggest_in_methods
class Network(ParameterStore):
    """A network with all parameters in one contiguous block: weights first, then everything else, then buffers.

    Parameters
    ----------
    outputs : NetworkSpec, Node, or mapping of str to Node
        What it computes: a dense chain, the last node of applied layers, or several heads by name.
    dtype : {"float32", "float64"}
        The float type that it computes in.
    output : str, callable, or mapping of str to those, optional
        Output activation (of each head) for nodes, default "identity"; a `NetworkSpec` has its own.
    seed : int or None, default=0
        Seed of the initial parameters. None draws nothing: parameters without a constant initializer are zero.

    Attributes
    ----------
    weights : list of ndarray of shape (n_in, n_out)
        Writable views, one for each dense layer; `predict` sees what is written at once.
    biases : list of ndarray of shape (n_out,)
        Writable views as well.
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

    def initialize(self, seed: int, X: Any = None) -> None:
        """Draw all parameters; each depends on nothing but the seed and its place in the network.

        Parameters of layers that came from another network (see `__call__`) are copied from it.

        Parameters
        ----------
        seed : int
        X : array, optional
            Rows for initializers that look at the data (`DataDriven`).
        """
        super().initialize(seed)
        if X is not None:
            rescale_by_data(self, X)

    def truncate_at(self, layer: str, *, output: str | Activation = "identity") -> Self:
        """A new network that ends with `layer`, with copies of this one's parameters."""
        return self.derive(Graph({"prediction": self.graph.node(layer)}, {"prediction": output}))

    def values_before(self, layer: str, X: Any) -> Any:
        """The values that the layer called `layer` is applied to, for each row; `X` as in `predict`."""
        node, data = self.graph.node(layer).inputs[0], input_arrays(self.graph, X, dtype=self.dtype)
        if not node.inputs:
            return data[self.graph.names[node]]
        part = self.truncate_at(self.graph.names[node])
        return part.predict({name: data[name] for name in part.graph.input_names})

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

    @functools.cached_property
    def executable(self) -> Executable:
        """The prediction program in the executor's form, compiled on first use."""
        return cached_executable(
            lambda: compile_program(prediction_program(self.graph, self.dtype.name), block_rows(self.graph)),
            *("prediction", self.spec, self.dtype.name),
        )

    @functools.cached_property
    def _idle(self) -> list[_core.Session]:
        """Sessions that no call is using."""
        return []

    @functools.cached_property
    def _inputs(self) -> list[tuple[str, Value, int]]:
        """Name, leaf and width of each input of the prediction program, in its order."""
        program, widths = self.executable.program, self.graph.input_widths
        return [(name, program.leaf(name), widths[name]) for name in self.executable.inputs]

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
            Outputs of the network's dtype.

        Raises
        ------
        ValueError
            If X has another number of columns or axes.
        """
        executable, graph = self.executable, self.graph
        data = input_arrays(graph, X, dtype=self.dtype)
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
        return input_gradients(self, X, cotangent, at=at, raw=raw)

    def fit(self, X: Any, y: Any, **options: Any) -> History:
        """Train; see `rosenblatt.training.fit` for all options."""
        from rosenblatt.training.fitting import fit

        return fit(self, X, y, **options)

    def summary(self) -> str:
        """A table of the network: every tensor's shape (m = rows of the batch), parameters, memory and operations."""
        return summarize(self)

    def _repr_html_(self) -> str:
        rows, totals = summary_parts(self)
        heads, *layers = rows
        title = f"Network of {self.parameters.size:,} parameters, {self.dtype.name}"
        return view(title, table(heads, layers), preformatted("\n".join(totals)))

    def __repr__(self) -> str:
        what = self.spec if isinstance(self.spec, NetworkSpec) else f"{len(self.graph.nodes)} nodes"
        return f"Network({what}, dtype={self.dtype.name!r})"
