"""Programs in which single numbers are forged: refused, or run without reading or writing outside their memory.

A program that is not refused runs between two fences of bytes, which must stay as they are. What it does elsewhere
shows where the core is built with sanitizers (`tools/sanitize`), or ends the process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse

from benchmarks.reliability.attempts import Attempt, Rng, part
from rosenblatt import _core, nn
from rosenblatt.ir.compile import Executable, aligned_bytes, compile_program, core_arguments, source
from rosenblatt.ir.planner import layout
from rosenblatt.nn.objective import Objective
from rosenblatt.nn.programs import block_programs, prediction_program, training_program

__all__ = ["ALLOWED", "Subject", "forged", "programs", "subjects"]

ALLOWED = (ValueError, TypeError, MemoryError)
N, WIDTH, LEVELS, CLASSES = 6, 4, 3, 2
LIMITS = {"town": LEVELS, "y": CLASSES}
FENCE = 1024
"""Bytes before and after the memory of a program."""
Arguments = dict[str, Any]


@dataclass
class Subject:
    """A program, perhaps with an update, with what it runs on."""

    block: Executable
    update: Executable | None = None
    zeros: tuple[int, int] = (0, 0)
    arguments: list[Arguments] = field(init=False)

    def __post_init__(self) -> None:
        both = [self.block] if self.update is None else [self.block, self.update]
        self.arguments = [core_arguments(executable.plan) for executable in both]
        self.n_bytes = max(executable.plan.persistent_bytes for executable in both)
        self.sources = sources(self.block)
        self.slots = np.full(len(self.block.slots), 0.01)

    def run(self, arguments: list[Arguments], how: str, filling: int) -> None:
        """Run the program with these arguments, in memory that holds random bytes where `filling` is not 0."""
        session = _core.Session(*(_core.Program(**each) for each in arguments), **self.cleared())
        fenced = aligned_bytes(self.n_bytes + 2 * FENCE)
        memory = fenced[FENCE : FENCE + self.n_bytes]
        if filling:
            memory[...] = np.random.default_rng(filling).integers(0, 256, memory.size, np.uint8)
        before = np.concatenate([fenced[:FENCE], fenced[FENCE + self.n_bytes :]])
        try:
            with np.errstate(all="ignore"):
                ways(self, session, memory)[how]()
        finally:
            after = np.concatenate([fenced[:FENCE], fenced[FENCE + self.n_bytes :]])
            if not np.array_equal(before, after):
                raise AssertionError("it wrote outside its memory")

    def cleared(self) -> dict[str, int]:
        """The bytes that a session clears before it adds up."""
        return {} if self.update is None else {"zero_offset": self.zeros[0], "zero_bytes": self.zeros[1]}


def ways(subject: Subject, session: Any, memory: Any) -> dict[str, Callable[[], object]]:
    """What may be done with a session."""
    rows, slots = subject.sources, subject.slots
    outputs = [np.zeros((N, width), subject.block.program.dtype) for width in (CLASSES, 1)]
    dense = [number for number, value in enumerate(subject.block.program.values) if not value.type.sparse]
    return {
        "train": lambda: session.train(memory, rows, N, None, N, slots),
        "shuffle": lambda: session.train(memory, rows, 2, None, N, slots, 1, 3, 2, True, 5),
        "forward": lambda: session.forward(memory, rows, N, slots, outputs[: len(subject.block.outputs)]),
        "evaluate": lambda: session.evaluate(memory, rows, N, slots, dense, 1, 2),
    }


def sources(executable: Executable) -> list[Any]:
    """Rows for each input of a program."""
    rng = np.random.default_rng(0)
    dtype = executable.program.dtype
    data = {
        "numbers": rng.normal(size=(N, WIDTH)).astype(dtype),
        "town": rng.integers(0, LEVELS, N).astype(np.int32),
        "words": scipy.sparse.random(N, WIDTH, 0.5, "csr", dtype, random_state=1),
        "y": rng.integers(0, CLASSES, N).astype(np.int32),
        "sample_weight": rng.random(N).astype(dtype),
    }
    leaves = [executable.program.leaf(name) for name in executable.inputs]
    return [source(leaf, data[leaf.name], LIMITS.get(leaf.name, 2**31 - 1)) for leaf in leaves]


def subjects() -> list[Subject]:
    """Programs with all kinds of inputs, masks, and both normalizations, in each form that sessions run."""
    numbers, town = nn.input(WIDTH, "numbers"), nn.Embedding(3)(nn.codes(LEVELS, "town"))
    words = nn.Dense(3)(nn.input(WIDTH, "words", sparse=True))
    mixed = nn.Dropout(0.5)(nn.BatchNorm()(nn.Dense(5, "tanh")(nn.Concat()(numbers, town, words))))
    plain = nn.Dense(4, "gelu")(nn.LayerNorm()(nn.Concat()(numbers, town, words)))
    graphs = [nn.Network(nn.Dense(CLASSES)(h), output="softmax").graph for h in (mixed, plain)]
    loss, weighted = "softmax_cross_entropy", Objective("softmax_cross_entropy", l2=0.1, weighted=True, clip_norm=1.0)
    step = training_program(graphs[0], Objective(loss), nn.Adam(), "float32")
    block, update = block_programs(graphs[1], weighted, nn.SGD(), "float64")
    offsets, end = layout(block)
    start = min(offset for name, offset in offsets.items() if name.endswith("_gradient"))
    return [
        Subject(compile_program(step, N)),
        Subject(compile_program(block, N), compile_program(update, 1), (start, end - start)),
        Subject(compile_program(prediction_program(graphs[1], "float32"), N)),
    ]


def forged(arguments: list[Arguments], rng: Rng) -> tuple[list[Arguments], str]:
    """The arguments of one or two programs with one or two numbers changed, and what was changed."""
    changed, said = [dict(each) for each in arguments], []
    for _ in range(rng.integers(1, 3)):
        which = int(rng.integers(len(changed)))
        one = changed[which]
        name = str(rng.choice(["values", "values", "code", "code", "code", "roles", "sizes"]))
        if name == "sizes":
            name = str(rng.choice(["capacity", "capacity", "persistent_bytes", "workspace_bytes"]))
            one[name] = int(rng.choice([0, 1, one[name] - 8, one[name] - 1, one[name] + 1, 2**62]))
        elif name == "roles":
            name = str(rng.choice(["key", "inverse_weight", "weights", "loss", "inputs", "slots", "outputs"]))
            one[name] = forged_role(one[name], rng)
        else:
            one[name], at = forged_numbers(one[name], rng)
            said.append(f"program {which}: {name}[{at}] is {one[name][at]}")
            continue
        said.append(f"program {which}: {name} is {one[name]}")
    return changed, "; ".join(said)


def forged_role(role: Any, rng: Rng) -> Any:
    """Another value, or a list with one value changed, twice or not at all."""
    other = int(rng.integers(-2, 40))
    if not isinstance(role, list):
        return other
    at, how = int(rng.integers(len(role) + 1)), int(rng.integers(3))
    return role[:at] + [[other], [], role[at : at + 1] * 2][how] + role[at + 1 :]


def forged_numbers(numbers: Any, rng: Rng) -> tuple[Any, int]:
    """A copy of an array in which one number is another, and its place."""
    numbers = numbers.copy()
    at = int(rng.integers(len(numbers)))
    old = int(numbers[at])
    choices = [0, -1, 1, old + 1, old - 1, 2 * old, old + 8, 2**31, 2**40, 2**62, int(rng.choice(numbers))]
    numbers[at] = max(-(2**63), min(choices[rng.integers(len(choices))], 2**63 - 1))
    return numbers, at


@part("programs", apart=True)
def programs(rng: Rng) -> Iterator[Attempt]:
    """Train, predict or evaluate with each forged program."""
    kept = subjects()
    while True:
        subject = kept[rng.integers(len(kept))]
        arguments, what = forged(subject.arguments, rng)
        how = str(rng.choice(["train", "train", "shuffle", "forward", "evaluate"]))
        filling = int(rng.integers(2**31)) if rng.random() < 0.3 else 0
        yield Attempt(f"{how} with {what}", partial(subject.run, arguments, how, filling), ALLOWED)
