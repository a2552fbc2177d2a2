"""Where the time of a training step goes: ``python -m benchmarks.profile 784-300-100-10 50``.

Prints, for each instruction of the fused program on one thread, what it adds to the time of the preceding instructions:
the difference between the programs truncated after it and before it. Differences below about 20 ns are noise.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from benchmarks.peers import least
from rosenblatt import _core, set_num_threads
from rosenblatt.ir.compile import aligned_bytes, compile_plan
from rosenblatt.ir.ops import OPS
from rosenblatt.ir.planner import Plan, plan
from rosenblatt.ir.rewrite import fuse
from rosenblatt.ir.types import Program
from rosenblatt.nn import Adam, NetworkSpec
from rosenblatt.nn.objective import Objective
from rosenblatt.nn.programs import training_program


def nanoseconds_a_step(planned: Plan, sizes: tuple[int, ...], batch: int, n_steps: int) -> float:
    """The time of a step in the fastest of several runs of many steps on random rows."""
    made = compile_plan(planned)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(batch * n_steps, sizes[0])).astype(planned.program.dtype)
    labels = rng.integers(0, sizes[-1], len(X)).astype(np.int32)
    memory = aligned_bytes(made.plan.persistent_bytes)
    weights = made.persistent(memory, "weights")
    weights[...] = rng.normal(size=weights.size) * 0.05
    session = _core.Session(made.core)
    sources = [_core.Source.dense(X), _core.Source.codes(labels, sizes[-1])]
    slots = np.array([1e-5, 1.0])
    return least(lambda: session.train(memory, sources, batch, None, len(X), slots), 0.15) / n_steps * 1e9


def main() -> None:
    """Print the profile."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("layers", help="such as 784-300-100-10")
    parser.add_argument("batch", type=int)
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    options = parser.parse_args()
    set_num_threads(1)
    sizes = tuple(int(n) for n in options.layers.split("-"))
    spec = NetworkSpec(sizes[0], sizes[1:-1], sizes[-1], output="softmax")
    program = fuse(training_program(spec, Objective("softmax_cross_entropy"), Adam(), options.dtype))
    whole = plan(program, options.batch)
    n_steps = max(2, min(200, (1 << 24) // (options.batch * sizes[0])))
    before = 0.0
    for n in range(len(program.instructions) + 1):
        instruction = program.instructions[n - 1] if n else None
        if instruction is not None and (OPS[instruction.op].alias or whole.is_done(instruction)):
            continue
        cut = Program(program.dtype, program.leaves, program.instructions[:n], {})
        now = nanoseconds_a_step(replace(whole, program=cut), sizes, options.batch, n_steps)
        what = str(instruction or "filling the inputs, and the overhead of a step")
        print(f"{now - before:>12,.0f} ns  {what[:100]}", flush=True)
        before = now
    print(f"{before:>12,.0f} ns  in total")


if __name__ == "__main__":
    main()
