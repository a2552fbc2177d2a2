"""What training minimizes, and which parameters share an update.

Takes losses, penalties and limits. Returns plain data that programs are built from. Never builds one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from rosenblatt._checks import check_number
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import Value
from rosenblatt.nn.graph import Graph
from rosenblatt.nn.layers.base import Parameter
from rosenblatt.nn.losses import Loss, LossFunction, loss_record
from rosenblatt.nn.registry import name_of

__all__ = [
    *("BOUNDED_GRADIENT", "NUMBERS", "SETTINGS", "Block", "LossGiven", "Objective"),
    *("blocks_of", "factors_by_parameter", "targets_of"),
]

LossGiven = str | LossFunction | Loss


def number(below: float = math.inf, *, needs_steps: bool = True) -> Any:
    """A field in [0, below), zero when off; `needs_steps`: full-batch training cannot have it."""
    return field(default=0.0, metadata={"below": below, "needs_steps": needs_steps})


def factors(*, needs_steps: bool = True) -> Any:
    """A field with factors by name; off when empty."""
    return field(default_factory=dict, metadata={"needs_steps": needs_steps})


@dataclass(frozen=True)
class Objective:
    """What training minimizes, and what else happens in a step.

    Mean loss + (l2 / 2 · Σ w² + l1 · Σ |w| + the layers' own penalties) / (sum of the batch's row weights).

    Parameters
    ----------
    loss : str, callable or Loss; or a mapping with one for each head
        A name in `rosenblatt.nn.losses.LOSSES` or ``loss(b, prediction, target) -> value`` of shape [m] or [m, k].
    l2, l1 : float
        Penalties of the weights (not of the biases), divided as scikit-learn does it.
    weighted : bool
        Whether rows have weights.
    clip_value, clip_norm : float
        Each element of the gradient is cut to [-clip_value, clip_value]; then the whole gradient is scaled down to the
        Euclidean norm clip_norm where it is longer. Zero: not clipped.
    head_weights : mapping of str to float
        Factors of the heads' losses; default 1.
    ema_decay : float in [0, 1)
        After each step, average ← ema_decay * average + (1 - ema_decay) * parameters; zero: no averages are kept.
    frozen : frozenset of str
        Names of parameters that training does not change.
    per_batch : bool
        Whether the penalties are divided as above; otherwise they are added undivided.
    learning_rate_factors : mapping of str to float
        Factors of the learning rate of single parameters, by name; default 1.
    weight_decay_factors : mapping of str to float
        Factors of the optimizer's weight decay; default 1 for weights, 0 for all else.
    anneal_regularization : bool
        Whether dropout rates and weight decay are multiplied by the slot "regularization", which varies with the step.
    """

    loss: LossGiven | Mapping[str, LossGiven]
    l2: float = number(needs_steps=False)
    l1: float = number()
    weighted: bool = False
    clip_value: float = number()
    clip_norm: float = number()
    head_weights: Mapping[str, float] = factors(needs_steps=False)
    ema_decay: float = number(below=1.0)
    frozen: frozenset[str] = frozenset()
    per_batch: bool = True
    learning_rate_factors: Mapping[str, float] = factors()
    weight_decay_factors: Mapping[str, float] = factors()
    anneal_regularization: bool = field(default=False, metadata={"needs_steps": True})

    def __post_init__(self) -> None:
        for name, below in NUMBERS.items():
            check_number(name, getattr(self, name), 0, below, below=True)

    def clipped(self, b: Builder, gradients: Sequence[Value]) -> list[Value]:
        """The gradients, cut by value and then by their common norm."""
        clipped = list(gradients)
        if self.clip_value:
            clipped = [b.maximum(b.minimum(g, self.clip_value), -self.clip_value) for g in clipped]
        if self.clip_norm:
            norm = b.sqrt(functools.reduce(b.add, [b.sum_squares(g) for g in clipped]))
            # The smallest normal number keeps a zero gradient from being divided by zero.
            scale = b.minimum(b.div(self.clip_norm, b.maximum(norm, float(np.finfo(b.dtype).tiny))), 1.0)
            clipped = [b.mul(g, scale) for g in clipped]
        return clipped

    def losses(self, graph: Graph) -> dict[str, Loss]:
        """The loss of each head; a ValueError if heads and losses do not fit."""
        given = self.loss if isinstance(self.loss, Mapping) else dict.fromkeys(graph.heads, self.loss)
        if set(given) != set(graph.heads):
            raise ValueError(f"losses are given for {', '.join(given)}; the heads are {', '.join(graph.heads)}")
        if unknown := [head for head in self.head_weights if head not in graph.heads]:
            raise ValueError(f"head_weights names {', '.join(unknown)}; the heads are {', '.join(graph.heads)}")
        if not any(self.head_weights.get(head, 1.0) for head in graph.heads):
            raise ValueError("head_weights are 0 for all heads, so that nothing can be learned")
        records = {head: loss_record(given[head]) for head in graph.heads}
        for head, record in records.items():
            width, n = graph.heads[head].width, record.outputs_per_target
            if width % n:
                raise ValueError(
                    f"the loss {name_of(record.function)!r} needs {n} outputs for each target: {n} or a multiple; head "
                    f"{head!r} has {width}, so make its last layer nn.Dense({n * math.ceil(width / n)})"
                )
        return records


SETTINGS = {f.name: f.metadata["needs_steps"] for f in fields(Objective) if f.metadata}
"""The fields that a user may set in every kind of training, and whether they need mini-batches."""
NUMBERS = {f.name: float(f.metadata["below"]) for f in fields(Objective) if "below" in f.metadata}
"""Those that are numbers in [0, below)."""
BOUNDED_GRADIENT = {"clip_norm": 1.0}
"""What to try where gradients explode."""


@dataclass(frozen=True)
class Block:
    """Neighbouring parameters that are trained alike: one leaf of the program."""

    name: str
    section: str
    parameters: tuple[Parameter, ...]
    frozen: bool
    l1: float
    l2: float
    rate: float = 1.0
    decay: float = 0.0

    @property
    def offset(self) -> int:
        """Elements before it in the flat block of its section's kind (parameters, or buffers)."""
        return self.parameters[0].offset

    @property
    def size(self) -> int:
        """Number of elements."""
        return sum(p.size for p in self.parameters)


def blocks_of(graph: Graph, objective: Objective) -> tuple[Block, ...]:
    """The parameters in order, cut where section, freezing, penalties, rate or decay change."""
    runs: list[tuple[tuple[str, bool, float, float, float, float], list[Parameter]]] = []
    for p in graph.parameters:
        section = p.spec.section
        rate = objective.learning_rate_factors.get(p.name, 1.0)
        decay = objective.weight_decay_factors.get(p.name, float(section == "weights"))
        key = (section, p.name in objective.frozen, p.spec.l1, p.spec.l2, rate, decay)
        if not runs or runs[-1][0] != key:
            runs.append((key, []))
        runs[-1][1].append(p)
    blocks: list[Block] = []
    for (section, is_frozen, *numbers), members in runs:
        number = sum(block.section == section for block in blocks)
        name = section if number == 0 else f"{section}_{number + 1}"
        blocks.append(Block(name, section, tuple(members), is_frozen, *numbers))
    return tuple(blocks)


def targets_of(graph: Graph) -> dict[str, str]:
    """The program's input that holds each head's target: "y", or "y_HEAD" where there are several."""
    return {head: "y" if len(graph.heads) == 1 else f"y_{head}" for head in graph.heads}


def factors_by_parameter(graph: Graph, what: str, factors: Mapping[str, float] | None) -> dict[str, float]:
    """Factors by patterns, as factors by parameters' names."""
    checked = {pattern: check_number(f"{what}[{pattern!r}]", f, 0) for pattern, f in (factors or {}).items()}
    return {name: factor for pattern, factor in checked.items() for name in graph.match(pattern)}
