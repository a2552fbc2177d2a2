"""Programs in which single numbers are forged are refused, or run without reading or writing outside their memory."""

import numpy as np
import pytest
import scipy.sparse

from rosenblatt import _core, nn
from rosenblatt.ir.compile import aligned_bytes, compile_program, core_arguments, source
from rosenblatt.nn.objective import Objective
from rosenblatt.nn.programs import training_program

N, WIDTH, LEVELS = 6, 4, 3
RNG = np.random.default_rng(0)
DATA = {
    "numbers": RNG.normal(size=(N, WIDTH)).astype(np.float32),
    "town": RNG.integers(0, LEVELS, N).astype(np.int32),
    "words": scipy.sparse.random(N, WIDTH, 0.5, "csr", np.float32, random_state=1),
    "y": RNG.integers(0, 2, N).astype(np.int32),
}


def real_program():
    """A training step with dense, sparse and integer inputs, a mask, and batch normalization."""
    numbers, town = nn.input(WIDTH, "numbers"), nn.Embedding(3)(nn.codes(LEVELS, "town"))
    words = nn.Dense(3)(nn.input(WIDTH, "words", sparse=True))
    h = nn.Dropout(0.5)(nn.BatchNorm()(nn.Dense(5, "tanh")(nn.Concat()(numbers, town, words))))
    graph = nn.Network(nn.Dense(2)(h), output="softmax").graph
    program = training_program(graph, Objective("softmax_cross_entropy"), nn.Adam(), "float32")
    return compile_program(program, N)


def forged(arguments, rng):
    """The arguments of a program with one or two numbers changed."""
    changed = dict(arguments)
    for _ in range(rng.integers(1, 3)):
        name = rng.choice(["values", "values", "code", "code", "code", "roles", "capacity"])
        if name == "capacity":
            changed["capacity"] = int(rng.choice([0, 1, N - 1, N + 1, 2**40, 2**62]))
        elif name == "roles":
            role = rng.choice(["key", "inverse_weight", "weights", "loss", "persistent_bytes"])
            changed[role] = int(rng.integers(-2, 40))
        else:
            numbers = changed[name].copy()
            at = rng.integers(len(numbers))
            old = int(numbers[at])
            choices = [0, -1, 1, old + 1, old - 1, 2 * old, old + 8, 2**31, 2**40, 2**62, int(rng.choice(numbers))]
            numbers[at] = choices[rng.integers(len(choices))]
            changed[name] = numbers
    return changed


@pytest.mark.parametrize("seed", range(10))
def test_forged_programs_are_refused_or_run(seed):
    executable, rng = real_program(), np.random.default_rng(seed)
    arguments, n_run = core_arguments(executable.plan), 0
    leaves = [executable.program.leaf(name) for name in executable.inputs]
    sources = [source(leaf, DATA[leaf.name], {"town": LEVELS, "y": 2}.get(leaf.name, 2**31 - 1)) for leaf in leaves]
    memory = aligned_bytes(executable.plan.persistent_bytes)
    slots = np.full(len(executable.slots), 0.01)
    for _ in range(60):
        try:
            runs = _core.Session(_core.Program(**forged(arguments, rng)))
            runs.train(memory, sources, N, None, N, slots)
            n_run += 1
        except (ValueError, TypeError, MemoryError):
            continue
    assert 0 < n_run < 60
