"""Writes training runs and single kernels for ``cpp/replay.cpp``: ``python tools/dump_programs.py FOLDER``.

Takes the environment's extension at the instruction set in use. Writes each run as FOLDER/NAME.run, with the parameters
that it trains here, and FOLDER/kernels.cases: every op's samples, with NumPy's results.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, BinaryIO
from unittest.mock import patch

import numpy as np

from rosenblatt import _core
from rosenblatt.ir import compile as compiler
from rosenblatt.ir.ops import OPS, Sample
from rosenblatt.ir.planner import plan
from rosenblatt.ir.types import PERSISTENT
from rosenblatt.nn import SGD, Adam, Nadam, Network, NetworkSpec
from rosenblatt.training import Trainer, trainer

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.ir.oracles import DTYPES, expected_results, program_of, result_names, samples

ORDER = ("dtype", "values", "code", "inputs", "slots", "outputs", "key", "inverse_weight", "weights", "loss")
SIZES = ("capacity", "persistent_bytes", "workspace_bytes")
RUNS = {
    "small": (NetworkSpec(10, (50,), 3, output="softmax"), Adam(), 32, "float32", {}),
    "odd": (NetworkSpec(33, (129, 65), 7, output="softmax"), Adam(), 77, "float64", {"l2": 0.1}),
    "tanh": (NetworkSpec(20, (64, 64), 4, activation="tanh", output="softmax"), SGD(), 64, "float32", {"l1": 0.1}),
    "toolbox": (
        NetworkSpec(
            20, (64, 40), 4, "elu", "softmax", dropout=0.2, input_noise=0.1, normalization="batch", max_norm=1.0
        ),
        *(Nadam(), 60, "float32", {"ema_decay": 0.9, "clip_norm": 1.0}),
    ),
    "blocks": (NetworkSpec(12, (70,), 3, output="softmax"), Adam(), 300, "float32", {"clip_norm": 1.0}),
}
N_EPOCHS = 4
ROWS = (1, 7, 33)
RELATIVE_ERROR = {"float32": 1e-3, "float64": 1e-10}
"""Of the trained parameters at other instruction sets, which round otherwise, relative to the largest parameter."""
NOISE = {"toolbox": 0.5}
"""The same where batch normalization makes the gradient of a bias zero up to rounding, which Nadam then scales up."""


def write(file: BinaryIO, value: Any) -> None:
    """One integer, or the length and the elements of an array of integers."""
    if np.ndim(value) == 1:
        file.write(np.int64(len(value)).tobytes())
    file.write(np.asarray(value, np.int64).tobytes())


def write_bytes(file: BinaryIO, array: np.ndarray) -> None:
    """The number of bytes and the bytes."""
    write(file, array.nbytes)
    file.write(array.tobytes())


def write_program(file: BinaryIO, program: dict[str, Any]) -> None:
    """The arguments of the core's `Program`."""
    for name in (*ORDER, *SIZES):
        write(file, program[name])


def dump(path: Path, spec: NetworkSpec, optimizer: Any, batch: int, dtype: str, options: dict[str, Any]) -> None:
    """Write the programs of a trainer, its memory, and data for it."""
    programs: list[dict[str, Any]] = []
    sessions: list[tuple[Any, ...]] = []

    def record(planned: Any) -> dict[str, Any]:
        programs.append(arguments(planned))
        return programs[-1]

    def session(*args: Any) -> _core.Session:
        sessions.append(args)
        return _core.Session(*args)

    arguments = compiler.core_arguments
    rng = np.random.default_rng(0)
    network = Network(spec, dtype)
    network.parameters[:] = rng.normal(size=network.parameters.size) * 0.1
    rows = {"training_rows": lambda spec: 128} if path.stem == "blocks" else {}
    fake = type("core", (), {"Session": staticmethod(session), "Program": _core.Program, "Source": _core.Source})
    with patch.object(compiler, "core_arguments", record), patch.multiple(trainer, _core=fake, **rows):
        made = Trainer(network, "softmax_cross_entropy", optimizer, batch_size=batch, **options)
    n_rows = 5 * batch + 3
    x, labels = rng.normal(size=(n_rows, spec.n_inputs)).astype(dtype), rng.integers(0, spec.n_outputs, n_rows)
    slots = optimizer.slot_values(0.01, 0, N_EPOCHS * -(-n_rows // batch))
    with path.open("wb") as file:
        for i, program in enumerate(programs):
            if i == 1:
                write(file, 1)
            write_program(file, program)
        if len(programs) == 1:
            write(file, 0)
        zeroed = sessions[0][2:] or (0, 0)  # where gradients lie that are added up over blocks: offset and bytes
        for number in (*zeroed, batch, n_rows, N_EPOCHS, spec.n_inputs, spec.n_outputs):
            write(file, number)
        write_bytes(file, made.memory)
        write_bytes(file, x)
        write_bytes(file, labels.astype(np.int32))
        write_bytes(file, slots)
        sources = [_core.Source.dense(x), _core.Source.codes(labels.astype(np.int32), spec.n_outputs)]
        _core.Session(*sessions[0]).train(made.memory, sources, batch, None, n_rows, slots, 0, 0, N_EPOCHS, True)
        parameters = network.parameters
        write(file, parameters.ctypes.data - made.memory.ctypes.data)
        write_bytes(file, parameters)
        allowed = NOISE.get(path.stem, RELATIVE_ERROR[dtype]) * np.abs(parameters).max()
        write_bytes(file, np.array([allowed], np.float64))


def dump_case(file: BinaryIO, name: str, sample: Sample, dtype: str) -> None:
    """Write an op's program for one sample, its memory, its sources, and what it should give, in float64."""
    op, n_rows = OPS[name], sample.n_rows
    planned = plan(program_of(op, sample, dtype), max(n_rows, 1))
    executable, arrays = compiler.compile_plan(planned), {f"x{i}": array for i, array in enumerate(sample.arrays)}
    memory = compiler.aligned_bytes(planned.persistent_bytes)
    for value in planned.program.region(*PERSISTENT):
        view = executable.persistent(memory, value.name)
        view[...] = np.asarray(arrays[value.name]).reshape(view.shape)
    write_bytes(file, np.frombuffer(f"{name} {sample.label} {dtype} {n_rows}".encode(), np.uint8))
    write_program(file, compiler.core_arguments(planned))
    write(file, n_rows)
    write_bytes(file, memory)
    write(file, len(executable.inputs))
    for array in (arrays[input_name] for input_name in executable.inputs):
        write_source(file, array, dtype)
    expected, allowed = expected_results(op, sample, dtype)
    write(file, len(expected))
    for result_name, result in zip(result_names(op), expected, strict=True):
        write(file, executable.ids[result_name])
        write_bytes(file, np.array([allowed["rtol"], allowed["atol"]]))
        write_bytes(file, np.ascontiguousarray(result, np.float64))


def write_source(file: BinaryIO, array: Any, dtype: str) -> None:
    """A dense array (0, width, values), or a CSR matrix (1, width, values, columns, offsets)."""
    sparse = getattr(array, "format", "") == "csr"
    write(file, sparse)
    write(file, array.shape[1])
    write_bytes(file, np.ascontiguousarray(array.data if sparse else array, dtype))
    if sparse:
        write(file, array.indices)
        write(file, array.indptr)


def dump_cases(path: Path) -> None:
    """Write the samples of every op that has a kernel."""
    found = [
        (name, sample, dtype)
        for name, op in OPS.items()
        for dtype in DTYPES
        for n_rows in ROWS
        for sample in samples(name, dtype, n_rows)
        if not op.alias
    ]
    with path.open("wb") as file:
        write(file, len(found))
        for case in found:
            dump_case(file, *case)


def main() -> None:
    """Write all runs."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, run in RUNS.items():
        dump(folder / f"{name}.run", *run)
    dump_cases(folder / "kernels.cases")


if __name__ == "__main__":
    main()
