"""Architectures: which layer is applied to which values.

Takes nodes, as applying layers makes them. Returns a `Graph`: nodes in the order of computation, every layer and
parameter with a unique name, and a place for each parameter in one flat block. Never holds numbers or emits
instructions.
"""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rosenblatt._suggestions import suggestion
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import Value
from rosenblatt.nn.activations import OUTPUTS, Activation
from rosenblatt.nn.layers.base import Layer, Node, Parameter, ParameterSpec
from rosenblatt.nn.own_functions import Known, append_function
from rosenblatt.nn.registry import name_of

__all__ = ["Graph", "check_depth"]

RESERVED = ("y", "sample_weight", "loss_sum", "key", "inverse_weight", "learning_rate", "weights", "biases")
"""Names that programs use themselves."""
MAX_LAYERS = 2000
"""The most layers of a network, inputs included: planning a training takes time that grows with their square."""


def check_depth(n_layers: int) -> None:
    """Refuse a network of too many layers."""
    if n_layers > MAX_LAYERS:
        raise ValueError(f"the network has {n_layers:,} layers; at most {MAX_LAYERS:,} are allowed")


@dataclass(frozen=True, eq=False)
class Graph:
    """What a network computes: some nodes by name, the heads, and the activation of each.

    Parameters
    ----------
    heads : mapping of str to Node
    output : mapping of str to (str or callable)
        Output activation of each head.

    Attributes
    ----------
    nodes : tuple of Node
        All that the heads depend on, each after its inputs.
    names : mapping of Node to str
        Name of each node's layer. A layer that is applied twice has one name, and its parameters once.
    parameters, buffers : tuple of Parameter
        Weights of all layers first, then everything that penalties and decay leave alone.
    known : dict
        What the user's functions among the layers have appended; see `rosenblatt.nn.own_functions`.
    """

    heads: Mapping[str, Node]
    output: Mapping[str, str | Activation]
    nodes: tuple[Node, ...] = field(init=False)
    names: Mapping[Node, str] = field(init=False)
    parameters: tuple[Parameter, ...] = field(init=False)
    buffers: tuple[Parameter, ...] = field(init=False)
    known: Known = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not self.heads:
            raise ValueError("a network needs at least one output")
        for head, node in self.heads.items():
            if node.kind != "dense":
                raise ValueError(f"head {head!r} is an input of {node.kind} values; apply a layer to it first")
            if getattr(OUTPUTS.resolve(self.output[head]), "parameters", None):
                raise ValueError(
                    f"the output activation of head {head!r} is {name_of(self.output[head])}, which learns parameters; "
                    "give it to the last layer, or apply nn.Activate"
                )
        nodes = tuple(_in_order(self.heads.values()))
        check_depth(len(nodes))
        names = _unique_names(nodes)
        specs = [
            (f"{name}.{spec.name}", name, spec)
            for layer, (name, node) in {n.layer: (names[n], n) for n in reversed(nodes)}.items()
            for spec in layer.parameters(*(i.width for i in node.inputs))
        ]
        order = {name: i for i, name in enumerate(dict.fromkeys(names[n] for n in nodes))}
        specs.sort(key=lambda entry: order[entry[1]])
        learned = [e for e in specs if e[2].section == "weights"] + [e for e in specs if e[2].section == "biases"]
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "parameters", _placed(learned))
        object.__setattr__(self, "buffers", _placed([e for e in specs if e[2].section == "buffers"]))

    def activate_head(self, b: Builder, head: str, z: Value) -> Any:
        """Append the output activation of a head."""
        where = f"the output activation of head {head!r}"
        return append_function(b, self.known, where, OUTPUTS.resolve(self.output[head]), z)

    @property
    def graph(self) -> Graph:
        """The graph itself, as a `NetworkSpec` has one."""
        return self

    @functools.cached_property
    def inputs(self) -> tuple[Node, ...]:
        """The nodes that data are fed to."""
        return tuple(node for node in self.nodes if not node.inputs)

    @functools.cached_property
    def input_names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self.names[node] for node in self.inputs)

    @functools.cached_property
    def input_widths(self) -> dict[str, int]:
        """Columns (or levels) of each input by name."""
        return {self.names[node]: node.width for node in self.inputs}

    @property
    def n_inputs(self) -> int:
        """Columns of the only input."""
        return self.only_input.width

    @functools.cached_property
    def sparse_input(self) -> bool:
        """Whether the only input takes CSR matrices."""
        return len(self.inputs) == 1 and self.inputs[0].kind == "sparse"

    @functools.cached_property
    def only_input(self) -> Node:
        """The input, if there is just one.

        Raises
        ------
        ValueError
            If there are several.
        """
        if len(self.inputs) != 1:
            raise ValueError(f"the network has several inputs: {', '.join(self.input_names)}")
        return self.inputs[0]

    @functools.cached_property
    def n_outputs(self) -> int:
        """Columns of all heads together."""
        return sum(node.width for node in self.heads.values())

    @functools.cached_property
    def n_weights(self) -> int:
        """Elements of the weights, which come first in the flat block."""
        return sum(p.size for p in self.parameters if p.spec.section == "weights")

    @functools.cached_property
    def n_biases(self) -> int:
        """Elements of all other parameters."""
        return sum(p.size for p in self.parameters if p.spec.section == "biases")

    @functools.cached_property
    def n_buffers(self) -> int:
        """Elements of the buffers."""
        return sum(p.size for p in self.buffers)

    @functools.cached_property
    def layers(self) -> Mapping[str, Layer]:
        """Layers by name, in order of computation."""
        return {self.names[node]: node.layer for node in self.nodes}

    @functools.cached_property
    def _by_layer(self) -> dict[str, list[Parameter]]:
        found: dict[str, list[Parameter]] = {}
        for p in self.parameters:
            found.setdefault(p.layer, []).append(p)
        return found

    def parameters_of(self, node: Node) -> Sequence[Parameter]:
        """The parameters of a node's layer."""
        return self._by_layer.get(self.names[node], ())

    def node(self, layer: str) -> Node:
        """The (last) node of the layer called `layer`.

        Raises
        ------
        ValueError
            If there is none; the message lists the names.
        """
        for node in reversed(self.nodes):
            if self.names[node] == layer:
                return node
        raise ValueError(f"no layer is called {layer!r}.{suggestion(layer, self.layers, 'layers')}")

    def match(self, *patterns: str) -> frozenset[str]:
        """Names of the parameters whose own or whose layer's name matches one of the patterns (``*`` and ``?``).

        Raises
        ------
        ValueError
            If a pattern matches nothing.
        """
        found: set[str] = set()
        for pattern in patterns:
            hits = {p.name for p in self.parameters for name in (p.name, p.layer) if fnmatch.fnmatchcase(name, pattern)}
            if not hits:
                names = dict.fromkeys(name for p in self.parameters for name in (p.layer, p.name))
                raise ValueError(f"{pattern!r} matches no layer and no parameter.{suggestion(pattern, names, 'names')}")
            found |= hits
        return frozenset(found)


def _in_order(heads: Iterable[Node]) -> Iterator[Node]:
    """All nodes that `heads` depend on, each once and after its inputs (depth first, without recursion)."""
    done: set[Node] = set()
    for head in heads:
        stack = [(head, iter(head.inputs))]
        while stack:
            node, rest = stack[-1]
            following = next((n for n in rest if n not in done), None)
            if following is not None:
                stack.append((following, iter(following.inputs)))
                continue
            stack.pop()
            if node not in done:
                done.add(node)
                yield node


def _unique_names(nodes: Sequence[Node]) -> dict[Node, str]:
    """A name for each layer: its own, or what it is, with a number where that is taken."""
    by_layer: dict[Layer, str] = {}
    taken: set[str] = set()
    counts: dict[tuple[str, bool], int] = {}  # of names that were tried, so that many like layers take no longer each
    given = {node.layer.name for node in nodes if node.layer.name}
    for node in nodes:
        layer = node.layer
        if layer in by_layer:
            continue
        if layer.name in RESERVED:
            raise ValueError(f"a layer is called {layer.name!r}; {', '.join(RESERVED)} are names of other things")
        base = layer.name or type(layer).__name__.lower()
        count = counts.get((base, bool(layer.name)), 1)
        name = base if count == 1 else f"{base}_{count}"
        while name in taken or (not layer.name and name in given):
            count += 1
            name = f"{base}_{count}"
        counts[base, bool(layer.name)] = count
        taken.add(name)
        by_layer[layer] = name
    return {node: by_layer[node.layer] for node in nodes}


def _placed(entries: Sequence[tuple[str, str, ParameterSpec]]) -> tuple[Parameter, ...]:
    placed: list[Parameter] = []
    offset = 0
    for name, layer, spec in entries:
        placed.append(Parameter(name, layer, spec, offset))
        offset += placed[-1].size
    return tuple(placed)
