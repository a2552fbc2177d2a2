"""The programs of a network: prediction, a training step, and the pair that processes a large batch in blocks.

Takes a graph of layers and an `Objective`. Returns checked programs, and the rows of a block that they are planned for.
Parameters lie in one flat block, weights first. Each run of neighbours that share an update is one leaf, so that its
penalty, its decay and its update are one instruction each.
"""

from __future__ import annotations

import functools

from rosenblatt.ir.autodiff import gradient
from rosenblatt.ir.program import Builder
from rosenblatt.ir.rewrite import eliminate_dead
from rosenblatt.ir.types import Program, Value
from rosenblatt.nn.graph import Graph
from rosenblatt.nn.objective import Objective
from rosenblatt.nn.optimizers import Optimizer
from rosenblatt.nn.program_builder import ProgramBuilder, step_slots
from rosenblatt.nn.spec import NetworkSpec

__all__ = [
    "block_programs",
    "block_rows",
    "evaluation_program",
    "prediction_program",
    "training_program",
    "training_rows",
]

BLOCK_VALUES = 1 << 17  # values of all layers in one block: with float32, half a typical second-level cache
MANY_WEIGHTS = 1 << 19  # more than such a cache holds
MAX_VALUES = 1 << 24


def block_rows(spec: NetworkSpec | Graph) -> int:
    """Rows of one block, so that a block's values stay in the cache: 16 to 1,024, a multiple of 16."""
    row_size = sum(node.width for node in spec.graph.nodes if node.kind == "dense")
    return min(1024, max(16, BLOCK_VALUES // max(1, row_size) // 16 * 16))


def training_rows(spec: NetworkSpec | Graph) -> int:
    """Rows of one block in training: at least 256, or 512 if adding up gradients over blocks is costly."""
    enough = 512 if spec.n_weights >= MANY_WEIGHTS else 256
    width = sum(node.width for node in spec.graph.nodes)
    return max(block_rows(spec), min(enough, MAX_VALUES // width // 16 * 16))


def prediction_program(spec: NetworkSpec | Graph, dtype: str) -> Program:
    """The network's inputs; outputs: each head after its output activation."""
    work = ProgramBuilder(Builder(dtype), spec.graph)
    raw = work.heads(training=False)
    activated = {head: work.graph.activate_head(work.b, head, z) for head, z in raw.items()}
    return eliminate_dead(work.b.build(**activated))


def evaluation_program(spec: NetworkSpec | Graph, objective: Objective, dtype: str) -> Program:
    """Data and targets as in training; output ``row_loss`` [m], each row's loss in prediction, without penalties."""
    work = ProgramBuilder(Builder(dtype), spec.graph)
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
    work = ProgramBuilder(Builder(dtype), spec.graph, objective)
    b, inverse_weight = work.b, work.b.slot("inverse_weight")
    minimized, reported = work.data_loss(objective, inverse_weight)
    penalty = work.penalty(objective, inverse_weight)
    if penalty is not None:
        minimized, reported = b.add(minimized, penalty), b.add(reported, penalty)
    gradients = gradient(b, minimized, [work.leaves[block.name] for block in work.learned])
    work.step(objective, optimizer, gradients)
    for name, value, keep in work.buffer_updates:
        b.emit("blend", work.buffers[name], value, keep, 1 - keep)
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
        for block, total in zip(work.learned, objective.clipped(b, totals), strict=True):
            if total is not sums[block.name]:
                b.emit("assign", sums[block.name], total)
    return accumulate, eliminate_dead(b.build(loss=loss))


def _pair_work(
    spec: NetworkSpec | Graph, objective: Objective, optimizer: Optimizer | None, dtype: str
) -> tuple[ProgramBuilder, dict[str, Value], Value]:
    """A builder with the leaves that both programs of a pair share: parameters, state, sums, and all slots."""
    work = ProgramBuilder(Builder(dtype), spec.graph, objective)
    b = work.b
    work.declare_averages(objective)
    for block in work.learned:
        for name in optimizer.state if optimizer else ():
            b.leaf("state", f"{block.name}_{name}", (block.size,))
    sums = {block.name: b.leaf("grads", f"{block.name}_gradient", (block.size,)) for block in work.learned}
    sums["loss"] = b.leaf("grads", "loss_sum", ())
    inverse_weight = b.slot("inverse_weight")
    for slot in step_slots(optimizer, objective):
        b.slot(slot)
    return work, sums, inverse_weight
