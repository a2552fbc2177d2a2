"""Programs under construction: the leaves, the nodes' values, losses, penalties and the step of one network.

Takes a builder, a graph and an objective. Appends instructions. Never decides which of them make a whole program:
`rosenblatt.nn.programs` does.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rosenblatt.ir.autodiff import depends_smoothly
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import M, Value
from rosenblatt.nn.graph import Graph
from rosenblatt.nn.layers.base import Node
from rosenblatt.nn.losses.base import Loss, check_row_losses, mean_over_rows
from rosenblatt.nn.objective import Block, Objective, blocks_of, targets_of
from rosenblatt.nn.optimizers import Optimizer
from rosenblatt.nn.own_functions import FLAT, append_function
from rosenblatt.nn.registry import name_of

__all__ = ["ProgramBuilder", "step_slots"]

NO_TRAINING = Objective("squared_error")
"""For programs that learn nothing."""


def step_slots(optimizer: Optimizer | None, objective: Objective) -> tuple[str, ...]:
    """Names of the slots, which vary from step to step."""
    fading = ("regularization",) if objective.anneal_regularization else ()
    if optimizer is None:
        return fading
    decays = optimizer.weight_decay > 0 and "learning_rate" not in optimizer.slots
    return (*optimizer.slots, *(("learning_rate",) if decays else ()), *fading)


class ProgramBuilder:
    """A program under construction: its builder, its leaves, and the values of the nodes."""

    def __init__(self, b: Builder, graph: Graph, objective: Objective = NO_TRAINING) -> None:
        self.b, self.graph, self.objective, self.frozen = b, graph, objective, objective.frozen
        self.blocks = blocks_of(graph, objective)
        self.learned = [block for block in self.blocks if not block.frozen]
        self.places = {p.name: (block, p) for block in self.blocks for p in block.parameters}
        self.leaves = {block.name: b.leaf("params", block.name, (block.size,)) for block in self.blocks}
        self.buffers = {p.name: b.leaf("buffers", p.name, p.spec.shape) for p in graph.buffers}
        self.views: dict[str, Value] = {}
        self.values: dict[Node, Value] = {}
        self.averages: dict[str, Value] = {}
        self.buffer_updates: list[tuple[str, Value, float]] = []
        self.key: Value | None = None

    def parameter(self, name: str) -> Value:
        """A parameter as a view into its block, or a buffer."""
        if name in self.buffers:
            return self.buffers[name]
        if name not in self.views:
            block, p = self.places[name]
            offset = p.offset - block.offset
            self.views[name] = self.b.view(self.leaves[block.name], offset=offset, shape=p.spec.shape, name=name)
        return self.views[name]

    def heads(self, training: bool) -> dict[str, Value]:
        """Append all layers; the heads' raw outputs, [m, n]."""
        for stream, node in enumerate(self.graph.nodes):
            self.append(node, stream, training)
        return {head: self.values[node] for head, node in self.graph.heads.items()}

    def append(self, node: Node, stream: int, training: bool) -> None:
        """Append one node, after those that it depends on; `stream` numbers its random draws."""
        values, name = self.values, self.graph.names[node]
        if node.inputs:
            scope = _NodeScope(self, node, name, stream, training)
            value = values[node] = node.layer.append(scope, *(values[n] for n in node.inputs))
            if not isinstance(value, Value) or value.shape != (M, node.width):
                given = value.type if isinstance(value, Value) else f"{value!r}, no value of the builder"
                raise ValueError(f"layer {name!r} gave {given}; it must give the shape [m, {node.width}]")
        elif node.kind == "codes":
            values[node] = self.b.input(name, (M,), "int32")
        else:
            values[node] = self.b.input(name, (M, node.width), sparse=node.kind == "sparse")

    def data_loss(self, objective: Objective, inverse_weight: Value) -> tuple[Value, Value]:
        """Append forward pass and mean loss; return what is minimized and what is reported."""
        b, losses = self.b, objective.losses(self.graph)
        raw = self.heads(training=True)
        inputs = self.targets(losses)
        sample_weight = b.input("sample_weight", (M,)) if objective.weighted else None
        minimized, reported = [], []
        for head, z in raw.items():
            per_row = self.per_row(head, losses[head], z, inputs[head])
            if self.learned and not depends_smoothly(b, per_row, z):
                raise ValueError(
                    f"the loss of head {head!r}, {name_of(losses[head].function)!r}, cannot learn by gradient descent: "
                    f"it has no slope along the network's outputs; {FLAT}"
                )
            minimized.append(mean_over_rows(b, per_row, sample_weight, inverse_weight))
            n_targets = z.shape[1] // losses[head].outputs_per_target
            averaged = losses[head].mean_of_outputs and n_targets > 1
            reported.append(b.mul(minimized[-1], 1 / n_targets) if averaged else minimized[-1])
        factors = [objective.head_weights.get(head, 1.0) for head in raw]
        first, second = (
            functools.reduce(b.add, [b.mul(t, f) if f != 1 else t for t, f in zip(terms, factors, strict=True)])
            for terms in (minimized, reported)
        )
        return first, second

    def targets(self, losses: Mapping[str, Loss]) -> dict[str, Value]:
        """Declare the target of each head: labels int32[m], or floats [m, k]."""
        declared = {}
        for head, name in targets_of(self.graph).items():
            n_targets = self.graph.heads[head].width // losses[head].outputs_per_target
            labels = losses[head].labels
            declared[head] = self.b.input(name, (M,), "int32") if labels else self.b.input(name, (M, n_targets))
        return declared

    def per_row(self, head: str, record: Loss, z: Value, target: Value) -> Value:
        """Append a head's loss of each row, [m] or [m, k]."""
        prediction = z if record.raw else self.graph.activate_head(self.b, head, z)
        # Each training builds its programs anew, so that its loss may be another than that of the training before.
        per_row = append_function(self.b, {}, "the loss", record.function, prediction, target)
        if not isinstance(per_row, Value):
            raise ValueError(
                f"the loss gave {per_row!r}, no value of the builder; it must return one of shape [m] or [m, k]"
            )
        check_row_losses(per_row.type)
        return per_row

    def penalty(self, objective: Objective, inverse_weight: Value) -> Value | None:
        """Append the penalties of the learned weights, if there are any."""
        terms = self._penalty_terms(objective.l1, objective.l2, [b for b in self.learned if b.section == "weights"])
        terms += [t for block in self.learned for t in self._penalty_terms(block.l1, block.l2, [block])]
        if not terms:
            return None
        total = functools.reduce(self.b.add, terms)
        return self.b.mul(total, inverse_weight) if objective.per_batch else total

    def _penalty_terms(self, l1: float, l2: float, blocks: Sequence[Block]) -> list[Value]:
        b, leaves = self.b, [self.leaves[block.name] for block in blocks]
        terms = [b.mul(b.sum_squares(w), 0.5 * l2) for w in leaves] if l2 else []
        return terms + ([b.mul(b.sum(b.abs(w)), l1) for w in leaves] if l1 else [])

    def step(self, objective: Objective, optimizer: Optimizer, gradients: Sequence[Value]) -> None:
        """Append clipping, decoupled decay, the optimizer's updates, the bound of norms and the averages."""
        b = self.b
        slots = {name: b.slot(name) for name in step_slots(optimizer, objective)}
        for block, g in zip(self.learned, objective.clipped(b, gradients), strict=True):
            leaf = self.leaves[block.name]
            if optimizer.weight_decay and block.decay:
                amount = b.mul(slots["learning_rate"], optimizer.weight_decay * block.decay)
                amount = b.mul(amount, slots["regularization"]) if objective.anneal_regularization else amount
                b.emit("blend", leaf, leaf, b.sub(1.0, amount), 0.0)
            state = {}
            for name in optimizer.state:
                state_name = f"{block.name}_{name}"
                found = b.find_leaf(state_name)
                state[name] = b.leaf("state", state_name, leaf.shape) if found is None else found
            # A user's own optimizer need not know factors.
            optimizer.update(b, leaf, g, state, **({} if block.rate == 1 else {"factor": block.rate}))
        for p in self.graph.parameters:
            if p.spec.max_norm and p.name not in self.frozen:
                # Scale each neuron's weights down to the longest norm that they may have.
                w = self.parameter(p.name)
                norm = b.maximum(b.sqrt(b.sum(b.square(w), axis=0)), float(np.finfo(b.dtype).tiny))
                b.emit("assign", w, b.mul(w, b.minimum(b.div(p.spec.max_norm, norm), 1.0)))
        self.declare_averages(objective)
        for name, average in self.averages.items():
            b.emit("blend", average, self.leaves[name], objective.ema_decay, 1 - objective.ema_decay)

    def declare_averages(self, objective: Objective) -> None:
        """Declare leaves for the averages of the learned blocks, if the objective asks for them."""
        if objective.ema_decay and not self.averages:
            for block in self.learned:
                self.averages[block.name] = self.b.leaf("averages", f"{block.name}_average", (block.size,))


class _NodeScope:
    """What one layer sees (`rosenblatt.nn.layers.Scope`)."""

    def __init__(self, work: ProgramBuilder, node: Node, name: str, stream: int, training: bool) -> None:
        self._work, self._node, self.name, self._stream = work, node, name, stream
        self.b = work.b
        own = [p.name for p in work.graph.parameters_of(node)]
        self.training = training and not (own and work.frozen.issuperset(own))

    def parameter(self, name: str) -> Value:
        return self._work.parameter(f"{self.name}.{name}")

    def mask(self, rate: float, width: int) -> Value:
        objective, b = self._work.objective, self.b
        share: Value | float = rate
        if objective.anneal_regularization:
            share = b.mul(b.slot("regularization"), rate)
        return b.dropout_mask(self._key(), share, shape=(M, width), stream=self._stream)

    def noise(self, width: int) -> Value:
        return self.b.normal_noise(self._key(), shape=(M, width), stream=self._stream)

    def call(self, what: str, function: Callable[..., Any], *values: Value) -> Any:
        where = f"the {what} of layer {self.name!r}"
        return append_function(self.b, self._work.graph.known, where, function, *values)

    def learns_below(self) -> bool:
        graph, stack, seen = self._work.graph, [self._node], set[Node]()
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            if any(p.name not in self._work.frozen for p in graph.parameters_of(node)):
                return True
            stack += node.inputs
        return False

    def update_buffer(self, name: str, value: Value, keep: float) -> None:
        self._work.buffer_updates.append((f"{self.name}.{name}", value, keep))

    def _key(self) -> Value:
        if self._work.key is None:
            self._work.key = self.b.leaf("slots", "key", (4,), "int32")
        return self._work.key
