"""What layers and losses do in training besides computing each row by itself, seen in the instructions they append.

Takes a graph and the names of frozen parameters, or an objective. Returns the effects of each node, and what combines
the rows of a batch. Never asks what class a layer is: a user's own layer, activation, loss or function is judged as the
library's are, by what it does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rosenblatt.ir.ops import OPS
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import Instruction
from rosenblatt.nn.graph import Graph
from rosenblatt.nn.layers.base import Node
from rosenblatt.nn.objective import Objective
from rosenblatt.nn.program_builder import ProgramBuilder
from rosenblatt.nn.registry import name_of

__all__ = ["LayerEffects", "effects_of", "mixers_of", "mixes_rows"]


@dataclass(frozen=True)
class LayerEffects:
    """Whether a layer draws random numbers, mixes the batch's rows, keeps statistics, or differs in prediction."""

    is_random: bool
    needs_whole_batch: bool
    updates_buffers: bool
    differs_in_prediction: bool

    @property
    def is_fixed(self) -> bool:
        """Whether it is the same function of each row by itself in every step and in prediction."""
        return not (self.is_random or self.needs_whole_batch or self.updates_buffers or self.differs_in_prediction)


def effects_of(graph: Graph, frozen: frozenset[str] = frozenset()) -> dict[Node, LayerEffects]:
    """The effects of each node's layer in training, with these parameters frozen."""
    work = ProgramBuilder(Builder(), graph, Objective("squared_error", frozen=frozen))
    prediction = ProgramBuilder(Builder(), graph, Objective("squared_error", frozen=frozen))
    found = {}
    for stream, node in enumerate(graph.nodes):
        n_instructions, n_updates = len(work.b.instructions), len(work.buffer_updates)
        n_predicting = len(prediction.b.instructions)
        work.append(node, stream, training=True)
        prediction.append(node, stream, training=False)
        appended, predicting = work.b.instructions[n_instructions:], prediction.b.instructions[n_predicting:]
        found[node] = LayerEffects(
            any(OPS[instruction.op].is_random for instruction in appended),
            mixes_rows(appended),
            len(work.buffer_updates) > n_updates,
            what_is_done(appended, work.b) != what_is_done(predicting, prediction.b),
        )
    return found


def mixers_of(graph: Graph, objective: Objective) -> list[str]:
    """What computes from all rows of a batch, which therefore cannot be processed in parts: layers and losses."""
    effects = effects_of(graph, objective.frozen)
    layers = [node for node in graph.nodes if effects[node].needs_whole_batch]
    found = [f"layer {graph.names[node]!r} ({type(node.layer).__name__})" for node in layers]
    work, losses = ProgramBuilder(Builder(), graph, objective), objective.losses(graph)
    raw, targets = work.heads(training=True), work.targets(losses)
    for head, z in raw.items():
        before = len(work.b.instructions)
        work.per_row(head, losses[head], z, targets[head])
        if mixes_rows(work.b.instructions[before:]):
            found.append(f"the loss {name_of(losses[head].function)!r} of head {head!r}")
    return found


def what_is_done(instructions: Iterable[Instruction], b: Builder) -> list[Any]:
    """Ops with their attributes and constant operands.

    The instruction that makes a constant is left out: the first layer that needs one shares it with those behind it.
    """
    constants = {i.output: dict(i.attrs) for i in b.instructions if not i.inputs and i.output is not None}
    return [
        (i.op, dict(i.attrs), [constants.get(value) for value in i.inputs])
        for i in instructions
        if i.output not in constants
    ]


def mixes_rows(instructions: Iterable[Instruction]) -> bool:
    """Whether rows of the batch are combined: an axis of rows is moved from the front, or summed."""
    for instruction in instructions:
        of_rows = [value for value in instruction.values if any(dim < 0 for dim in value.shape)]
        moved = any(dim < 0 for value in of_rows for dim in value.shape[1:])
        if moved or (of_rows and instruction.output not in of_rows):
            return True
    return False
