"""The programs of a network: prediction, a training step, and the pair that works through a large batch in blocks.

Goes in: a graph of layers and what it is trained for (`Objective`). Comes out: checked programs. Parameters lie in one
flat block, weights first; each run of neighbours that are trained alike is one leaf, so that its penalty, its decay and
its update are one instruction each.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.program import Builder, M, Program, Value
from rosenblatt.ir.rewrite import eliminate_dead
from rosenblatt.nn.activations import OUTPUTS, activation_function
from rosenblatt.nn.graph import Graph, Node, Parameter
from rosenblatt.nn.losses import Loss, LossFunction, loss_record, mean_over_rows
from rosenblatt.nn.optimizers import Optimizer
from rosenblatt.nn.spec import NetworkSpec

__all__ = [
    "Block",
    "Objective",
    "block_programs",
    "blocks_of",
    "evaluation_program",
    "prediction_program",
    "targets_of",
    "training_program",
]

LossGiven = str | LossFunction | Loss


@dataclass(frozen=True)
class Objective:
    """What training minimizes, and what else happens in a step.

    Mean loss + (l2 / 2 · Σ w² + l1 · Σ |w|) / (sum of the batch's row weights) + the layers' own penalties.

    Parameters
    ----------
    loss : str, callable or Loss; or a mapping with one for each head
        A name in `rosenblatt.nn.losses.LOSSES` or ``loss(b, prediction, target) -> value`` of shape [m] or [m, k].
    l2, l1 : float
        Penalties of the weights (not of the biases), divided as scikit-learn does it.
    weighted : bool
        Rows have weights.
    clip_value, clip_norm : float
        Each element of the gradient is cut to [-clip_value, clip_value]; then the whole gradient is scaled down to the
        Euclidean norm clip_norm where it is longer. Zero: not clipped.
    head_weights : mapping of str to float
        Factors of the heads' losses; default 1.
    average : float in [0, 1)
        After each step, average ← average_rate * average + (1 - average_rate) * parameters; zero: no averages are kept.
    frozen : frozenset of str
        Names of parameters that stay as they are.
    per_batch : bool
        The penalties l2 and l1 are divided as said above; otherwise they are added as they are.
    """

    loss: LossGiven | Mapping[str, LossGiven]
    l2: float = 0.0
    l1: float = 0.0
    weighted: bool = False
    clip_value: float = 0.0
    clip_norm: float = 0.0
    head_weights: Mapping[str, float] = field(default_factory=dict)
    average: float = 0.0
    frozen: frozenset[str] = frozenset()
    per_batch: bool = True

    def losses(self, graph: Graph) -> dict[str, Loss]:
        """The loss of each head.

        Raises
        ------
        ValueError
            If heads and losses do not fit.
        """
        given = self.loss if isinstance(self.loss, Mapping) else dict.fromkeys(graph.heads, self.loss)
        if set(given) != set(graph.heads):
            raise ValueError(f"losses are given for {', '.join(given)}; the heads are {', '.join(graph.heads)}")
        return {head: loss_record(given[head]) for head in graph.heads}


@dataclass(frozen=True)
class Block:
    """Neighbouring parameters that are trained alike: one leaf of the program."""

    name: str
    section: str
    parameters: tuple[Parameter, ...]
    frozen: bool
    l1: float
    l2: float

    @property
    def offset(self) -> int:
        """Elements before it in the flat block of its section's kind (parameters, or buffers)."""
        return self.parameters[0].offset

    @property
    def size(self) -> int:
        """Number of elements."""
        return sum(p.size for p in self.parameters)


def blocks_of(graph: Graph, frozen: frozenset[str] = frozenset()) -> tuple[Block, ...]:
    """The parameters in order, cut where section, freezing or penalties change."""
    runs: list[tuple[tuple[str, bool, float, float], list[Parameter]]] = []
    for p in graph.parameters:
        key = (p.spec.section, p.name in frozen, p.spec.l1, p.spec.l2)
        if not runs or runs[-1][0] != key:
            runs.append((key, []))
        runs[-1][1].append(p)
    blocks: list[Block] = []
    for (section, is_frozen, l1, l2), members in runs:
        number = sum(block.section == section for block in blocks)
        name = section if number == 0 else f"{section}_{number + 1}"
        blocks.append(Block(name, section, tuple(members), is_frozen, l1, l2))
    return tuple(blocks)


def targets_of(graph: Graph) -> dict[str, str]:
    """The program's input that holds each head's target: "y", or "y_HEAD" where there are several."""
    return {head: "y" if len(graph.heads) == 1 else f"y_{head}" for head in graph.heads}


def prediction_program(spec: NetworkSpec | Graph, dtype: str) -> Program:
    """The network's inputs; outputs: each head after its output activation."""
    work = _Work(Builder(dtype), spec.graph, frozenset())
    raw = work.heads(training=False)
    activated = {head: activation_function(work.graph.output[head], OUTPUTS)(work.b, z) for head, z in raw.items()}
    return eliminate_dead(work.b.build(**activated))


def evaluation_program(spec: NetworkSpec | Graph, objective: Objective, dtype: str) -> Program:
    """Data and targets as in training; output ``row_loss`` [m], each row's loss in prediction, without penalties."""
    work = _Work(Builder(dtype), spec.graph, frozenset())
    b, losses, raw = work.b, objective.losses(work.graph), work.heads(training=False)
    targets, terms = work.targets(losses), []
    for head, z in raw.items():
        per_row = work.per_row(head, losses[head], z, targets[head])
        if len(per_row.shape) == 2:
            per_row = b.sum(per_row, axis=1)
            n_targets = z.shape[1] // losses[head].outputs_per_target
            per_row = b.mul(per_row, 1 / n_targets) if losses[head].mean_of_outputs else per_row
        terms.append(b.mul(per_row, objective.head_weights.get(head, 1.0)))
    return eliminate_dead(b.build(row_loss=functools.reduce(b.add, terms)))


def training_program(spec: NetworkSpec | Graph, objective: Objective, optimizer: Optimizer, dtype: str) -> Program:
    """Forward, loss, gradients, update of one batch; inputs: data, targets (and ``sample_weight``), output ``loss``."""
    work = _Work(Builder(dtype), spec.graph, objective.frozen)
    b, inverse_weight = work.b, work.b.slot("inverse_weight")
    minimized, reported = work.data_loss(objective, inverse_weight)
    penalty = work.penalty(objective, inverse_weight)
    if penalty is not None:
        minimized, reported = b.add(minimized, penalty), b.add(reported, penalty)
    gradients = gradient(b, minimized, [work.leaves[block.name] for block in work.learned])
    work.step(objective, optimizer, gradients)
    work.update_buffers()
    return eliminate_dead(b.build(loss=reported))


def block_programs(
    spec: NetworkSpec | Graph, objective: Objective, optimizer: Optimizer | None, dtype: str
) -> tuple[Program, Program]:
    """The pair for batches of several blocks: the first adds up gradients over blocks, the second makes the step.

    Without an optimizer the second leaves the whole gradient in the leaves ``NAME_gradient`` of the learned blocks.
    """
    work, sums, inverse_weight = _pair_work(spec, objective, optimizer, dtype)
    b, learned = work.b, work.learned
    minimized, reported = work.data_loss(objective, inverse_weight)
    for block, g in zip(learned, gradient(b, minimized, [work.leaves[block.name] for block in learned]), strict=True):
        b.emit("accumulate", sums[block.name], g)
    b.emit("accumulate", sums["loss"], reported)
    accumulate = eliminate_dead(b.build())

    work, sums, inverse_weight = _pair_work(spec, objective, optimizer, dtype)
    b, loss = work.b, sums["loss"]
    totals = [sums[block.name] for block in learned]
    penalty = work.penalty(objective, inverse_weight)
    if penalty is not None:
        loss = b.add(loss, penalty)
        weights = [i for i, block in enumerate(work.learned) if block.section == "weights"]
        shares = gradient(b, penalty, [work.leaves[work.learned[i].name] for i in weights])
        for i, share in zip(weights, shares, strict=True):
            totals[i] = b.add(totals[i], share)
    if optimizer is not None:
        work.step(objective, optimizer, totals)
    else:
        for block, total in zip(work.learned, _clip(b, objective, totals), strict=True):
            if total is not sums[block.name]:
                b.emit("assign", sums[block.name], total)
    return accumulate, eliminate_dead(b.build(loss=loss))


def _pair_work(
    spec: NetworkSpec | Graph, objective: Objective, optimizer: Optimizer | None, dtype: str
) -> tuple[_Work, dict[str, Value], Value]:
    """A builder with the leaves that both programs of a pair have: parameters, state, sums, and all slots."""
    work = _Work(Builder(dtype), spec.graph, objective.frozen)
    b = work.b
    work.declare_averages(objective)
    for block in work.learned:
        for name in optimizer.state if optimizer else ():
            b.leaf("state", f"{block.name}_{name}", (block.size,))
    sums = {block.name: b.leaf("grads", f"{block.name}_gradient", (block.size,)) for block in work.learned}
    sums["loss"] = b.leaf("grads", "loss_sum", ())
    inverse_weight = b.slot("inverse_weight")
    for slot in step_slots(optimizer):
        b.slot(slot)
    return work, sums, inverse_weight


def step_slots(optimizer: Optimizer | None) -> tuple[str, ...]:
    """Names of the numbers that vary from step to step."""
    if optimizer is None:
        return ()
    decays = optimizer.weight_decay > 0 and "learning_rate" not in optimizer.slots
    return (*optimizer.slots, *(("learning_rate",) if decays else ()))


def _clip(b: Builder, objective: Objective, gradients: Sequence[Value]) -> list[Value]:
    """The gradients, cut by value and then by their common norm, as the objective asks."""
    clipped = list(gradients)
    if objective.clip_value:
        limit = objective.clip_value
        clipped = [b.maximum(b.minimum(g, limit), -limit) for g in clipped]
    if objective.clip_norm:
        squares = [b.sum_squares(g) for g in clipped]
        norm = b.sqrt(functools.reduce(b.add, squares))
        # The smallest normal number keeps a zero gradient from being divided by zero.
        scale = b.minimum(b.div(objective.clip_norm, b.maximum(norm, float(np.finfo(b.dtype).tiny))), 1.0)
        clipped = [b.mul(g, scale) for g in clipped]
    return clipped


class _Work:
    """A program under construction: its builder, its leaves, and the values of the nodes."""

    def __init__(self, b: Builder, graph: Graph, frozen: frozenset[str]) -> None:
        self.b, self.graph, self.frozen = b, graph, frozen
        self.blocks = blocks_of(graph, frozen)
        self.learned = [block for block in self.blocks if not block.frozen]
        self.leaves = {block.name: b.leaf("params", block.name, (block.size,)) for block in self.blocks}
        self.buffers = {p.name: b.leaf("buffers", p.name, p.spec.shape) for p in graph.buffers}
        self.views: dict[str, Value] = {}
        self.averages: dict[str, Value] = {}
        self.buffer_updates: list[tuple[str, Value, float]] = []
        self.key: Value | None = None

    def parameter(self, name: str) -> Value:
        """A parameter as a view into its block, or a buffer."""
        if name in self.buffers:
            return self.buffers[name]
        if name not in self.views:
            block = next(block for block in self.blocks for p in block.parameters if p.name == name)
            p = next(p for p in block.parameters if p.name == name)
            offset = p.offset - block.offset
            self.views[name] = self.b.view(self.leaves[block.name], offset=offset, shape=p.spec.shape, name=name)
        return self.views[name]

    def heads(self, training: bool) -> dict[str, Value]:
        """Append all layers; the heads' raw outputs, [m, n]."""
        values: dict[Node, Value] = {}
        for stream, node in enumerate(self.graph.nodes):
            name = self.graph.names[node]
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
        return {head: values[node] for head, node in self.graph.heads.items()}

    def data_loss(self, objective: Objective, inverse_weight: Value) -> tuple[Value, Value]:
        """Append forward pass and mean loss; return what is minimized and what is reported."""
        b, losses = self.b, objective.losses(self.graph)
        raw = self.heads(training=True)
        inputs = self.targets(losses)
        sample_weight = b.input("sample_weight", (M,)) if objective.weighted else None
        terms = []
        for head, prediction in raw.items():
            terms.append(self._head_loss(head, losses[head], prediction, inputs[head], sample_weight, inverse_weight))
        factors = [objective.head_weights.get(head, 1.0) for head in raw]
        totals = [
            functools.reduce(b.add, [b.mul(t, f) if f != 1 else t for t, f in zip(column, factors, strict=True)])
            for column in zip(*terms, strict=True)
        ]
        return totals[0], totals[1]

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
        prediction = z if record.raw else activation_function(self.graph.output[head], OUTPUTS)(self.b, z)
        per_row = record.function(self.b, prediction, target)
        if not isinstance(per_row, Value):
            raise ValueError(
                f"the loss gave {per_row!r}, no value of the builder; it must return one of shape [m] or [m, k]"
            )
        return per_row

    def _head_loss(
        self, head: str, record: Loss, z: Value, target: Value, sample_weight: Value | None, inverse_weight: Value
    ) -> tuple[Value, Value]:
        b = self.b
        per_row = self.per_row(head, record, z, target)
        minimized = mean_over_rows(b, per_row, sample_weight, inverse_weight)
        n_targets = z.shape[1] // record.outputs_per_target
        averaged = record.mean_of_outputs and n_targets > 1
        return minimized, b.mul(minimized, 1 / n_targets) if averaged else minimized

    def penalty(self, objective: Objective, inverse_weight: Value) -> Value | None:
        """Append the penalties of the learned weights, or nothing where there are none."""
        shared = self._penalty_terms(objective.l1, objective.l2, [b for b in self.learned if b.section == "weights"])
        own = [t for block in self.learned for t in self._penalty_terms(block.l1, block.l2, [block])]
        if shared and objective.per_batch:
            shared = [self.b.mul(functools.reduce(self.b.add, shared), inverse_weight)]
        return functools.reduce(self.b.add, [*shared, *own]) if shared or own else None

    def _penalty_terms(self, l1: float, l2: float, blocks: Sequence[Block]) -> list[Value]:
        b, leaves = self.b, [self.leaves[block.name] for block in blocks]
        terms = [b.mul(b.sum_squares(w), 0.5 * l2) for w in leaves] if l2 else []
        return terms + ([b.mul(b.sum(b.abs(w)), l1) for w in leaves] if l1 else [])

    def step(self, objective: Objective, optimizer: Optimizer, gradients: Sequence[Value]) -> None:
        """Append clipping, decoupled decay, the optimizer's updates, the bound of norms and the averages."""
        b = self.b
        slots = {name: b.find_leaf(name) or b.slot(name) for name in step_slots(optimizer)}
        for block, g in zip(self.learned, _clip(b, objective, gradients), strict=True):
            leaf = self.leaves[block.name]
            if optimizer.weight_decay and block.section == "weights":
                keep = b.sub(1.0, b.mul(slots["learning_rate"], optimizer.weight_decay))
                b.emit("blend", leaf, leaf, keep, 0.0)
            state = {}
            for name in optimizer.state:
                state_name = f"{block.name}_{name}"
                state[name] = b.find_leaf(state_name) or b.leaf("state", state_name, leaf.shape)
            optimizer.update(b, leaf, g, state)
        for p in self.graph.parameters:
            if p.spec.max_norm and p.name not in self.frozen:
                self._bound_norm(p)
        self.declare_averages(objective)
        for name, average in self.averages.items():
            b.emit("blend", average, self.leaves[name], objective.average, 1 - objective.average)

    def _bound_norm(self, p: Parameter) -> None:
        """Scale each neuron's weights down to the longest norm that they may have."""
        b, w = self.b, self.parameter(p.name)
        norm = b.sqrt(b.sum(b.square(w), axis=0))
        scale = b.minimum(b.div(p.spec.max_norm, b.maximum(norm, float(np.finfo(b.dtype).tiny))), 1.0)
        b.emit("assign", w, b.mul(w, scale))

    def declare_averages(self, objective: Objective) -> None:
        """Leaves for the averages of the learned blocks, where the objective asks for them."""
        if objective.average and not self.averages:
            for block in self.learned:
                self.averages[block.name] = self.b.leaf("averages", f"{block.name}_average", (block.size,))

    def update_buffers(self) -> None:
        """Append the updates that layers asked for."""
        for name, value, keep in self.buffer_updates:
            self.b.emit("blend", self.buffers[name], value, keep, 1 - keep)


class _NodeScope:
    """What one layer sees (`rosenblatt.nn.layers.Scope`)."""

    def __init__(self, work: _Work, node: Node, name: str, stream: int, training: bool) -> None:
        self._work, self._node, self.name, self._stream = work, node, name, stream
        self.b = work.b
        own = [p.name for p in work.graph.parameters if p.layer == name]
        self.training = training and not (own and work.frozen.issuperset(own))

    def parameter(self, name: str) -> Value:
        return self._work.parameter(f"{self.name}.{name}")

    def mask(self, rate: float, width: int) -> Value:
        return self.b.dropout_mask(self._key(), rate, shape=(M, width), stream=self._stream)

    def noise(self, width: int) -> Value:
        return self.b.normal_noise(self._key(), shape=(M, width), stream=self._stream)

    def learns_below(self) -> bool:
        graph, stack, seen = self._work.graph, [self._node], set[Node]()
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            names = [p.name for p in graph.parameters if p.layer == graph.names[node]]
            if any(name not in self._work.frozen for name in names):
                return True
            stack += node.inputs
        return False

    def update_buffer(self, name: str, value: Value, keep: float) -> None:
        self._work.buffer_updates.append((f"{self.name}.{name}", value, keep))

    def _key(self) -> Value:
        if self._work.key is None:
            self._work.key = self.b.leaf("slots", "key", (4,), "int32")
        return self._work.key
