"""Compilation: a planned program becomes the integer arrays that the native core validates and runs.

Takes a `Program` (and a `Plan`). Returns an `Executable`. Never decides anything: the planner chooses the places, and
the kernels define the ops.

The executor gives some leaves and outputs a meaning by their names:

- slot ``inverse_weight``: 1 / (sum of the sample weights of the batch, or its number of rows);
- slot ``key``, int32[4]: seed (two words), step, first row of the block, for random ops;
- input ``sample_weight``: the weights of the rows;
- output ``loss``: the scalar that training reports.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt import _core
from rosenblatt import threads as _threads  # noqa: F401 - sets the number of threads
from rosenblatt.ir.ops import OPS, Op
from rosenblatt.ir.planner import Plan, plan
from rosenblatt.ir.rewrite import fuse
from rosenblatt.ir.types import MAX_RANK, PERSISTENT, Instruction, Program, Value
from rosenblatt.memory import require_memory

__all__ = ["Executable", "aligned_bytes", "compile_plan", "compile_program", "core_arguments", "evaluate", "source"]

DTYPE_CODES = {"float32": 0, "float64": 1, "int32": 2}
EXECUTOR_SLOTS = ("inverse_weight", "key")
NO_SLOTS = np.zeros(0)


@dataclass(frozen=True)
class Executable:
    """A program in the form that the executor runs, with its plan.

    Attributes
    ----------
    core : _core.Program
        Validated and immutable; any number of sessions may share it.
    inputs, slots, outputs : tuple of str
        Names in the order in which a session takes sources, slot values and output arrays.
    ids : mapping of str to int
        Indices of named leaves and outputs in the core.
    """

    plan: Plan
    core: _core.Program
    inputs: tuple[str, ...]
    slots: tuple[str, ...]
    outputs: tuple[str, ...]
    ids: Mapping[str, int]

    def _repr_html_(self) -> str:
        return self.plan.program._repr_html_() + self.plan._repr_html_()

    @property
    def program(self) -> Program:
        """The program in its original form."""
        return self.plan.program

    def persistent(self, memory: NDArray[np.uint8], name: str) -> NDArray[Any]:
        """The persistent leaf `name` as a writable view into the persistent memory."""
        value = self.program.leaf(name)
        offset = self.plan.places[value.id].offset
        dtype = np.dtype(value.dtype)
        size = value.type.size(0) * dtype.itemsize
        return memory[offset : offset + size].view(dtype).reshape(value.type.shape)


@cache
def _opcodes() -> dict[str, int]:
    """The opcode of each op. Verifies that the two halves of the op table agree."""
    kernels = {name: (code, *sizes) for code, (name, *sizes) in enumerate(_core.kernels())}
    for op in OPS.values():
        if op.alias:
            continue
        if op.name not in kernels:
            raise ImportError(f"op {op.name!r} has no kernel; rebuild the extension")
        sizes = kernels[op.name][1:]
        kinds = [kind for kind in op.attrs.values() if kind != "shape"]
        n_attrs = -1 if "ints" in kinds else len(kinds)
        expected = (-1 if op.arity is None else op.arity, n_attrs, len(op.writes))
        if sizes != expected or op.writes != tuple(range(len(op.writes))):
            raise ImportError(
                f"op {op.name!r}: the table has {expected} inputs, attributes and updated inputs, the kernel {sizes}"
            )
    orphans = set(kernels) - set(OPS)
    if orphans:
        raise ImportError(f"kernels without an op: {', '.join(sorted(orphans))}")
    return {name: row[0] for name, row in kernels.items()}


def compile_program(
    program: Program, capacity: int, persistent: tuple[Mapping[str, int], int] | None = None
) -> Executable:
    """Fuse, plan and compile `program` for blocks of up to `capacity` rows; see `rosenblatt.ir.planner.plan`."""
    return compile_plan(plan(fuse(program), capacity, persistent))


def compile_plan(planned: Plan) -> Executable:
    """The executable form of a planned program.

    Raises
    ------
    ValueError
        If the core rejects an instruction, which is named.
    MemoryError
        If the program needs more memory than is free.
    """
    require_memory(
        planned.persistent_bytes + planned.workspace_bytes,
        f"a program for {planned.capacity:,} rows at once",
        "give the network fewer units",
    )
    core = _core.Program(**core_arguments(planned))
    number, inputs, slots, outputs = _numbers(planned)
    names = {leaf.value.name: number[leaf.value.id] for leaf in planned.program.leaves}
    return Executable(planned, core, tuple(inputs), tuple(slots), tuple(outputs), names | outputs)


def core_arguments(planned: Plan) -> dict[str, Any]:
    """The arguments of the core's `Program`: integers and arrays of integers."""
    program = planned.program
    number, inputs, slots, outputs = _numbers(planned)
    leaves = {value.name: number[value.id] for value in program.region("slots")}
    table = np.zeros((len(number), 5 + MAX_RANK), np.int64)
    for row, value in zip(table, program.values, strict=True):
        place = planned.places[value.id]
        row[:5] = (DTYPE_CODES[value.dtype], place.workspace, place.offset, value.type.sparse, len(value.shape))
        row[5 : 5 + len(value.shape)] = value.type.shape
    return {
        "dtype": DTYPE_CODES[program.dtype],
        "values": table.reshape(-1),
        "code": _code(planned, number),
        "inputs": list(inputs.values()),
        "slots": list(slots.values()),
        "outputs": list(outputs.values()),
        "key": leaves.get("key", -1),
        "inverse_weight": leaves.get("inverse_weight", -1),
        "weights": list(inputs).index("sample_weight") if "sample_weight" in inputs else -1,
        "loss": outputs.get("loss", -1),
        "capacity": planned.capacity,
        "persistent_bytes": planned.persistent_bytes,
        "workspace_bytes": planned.workspace_bytes,
    }


def _numbers(planned: Plan) -> tuple[dict[int, int], dict[str, int], dict[str, int], dict[str, int]]:
    """The index in the core of each value by its id, and of inputs, the user's slots and outputs by name."""
    program = planned.program
    number = {value.id: index for index, value in enumerate(program.values)}
    inputs = {value.name: number[value.id] for value in program.region("inputs")}
    slots = {v.name: number[v.id] for v in program.region("slots") if v.name not in EXECUTOR_SLOTS}
    outputs = {name: number[value.id] for name, value in program.outputs.items()}
    return number, inputs, slots, outputs


def _code(planned: Plan, number: Mapping[int, int]) -> NDArray[np.int64]:
    opcodes = _opcodes()
    code: list[int] = []
    for instruction in planned.program.instructions:
        op = OPS[instruction.op]
        if op.alias or planned.is_done(instruction):
            continue
        attrs = _encode_attrs(op, instruction)
        out = -1 if instruction.output is None else number[instruction.output.id]
        code += [opcodes[op.name], len(instruction.inputs), len(attrs), out]
        code += [number[value.id] for value in instruction.inputs]
        code += attrs
    return np.array(code, np.int64)


def _encode_attrs(op: Op, instruction: Instruction) -> list[int]:
    """Attributes as the kernel reads them: integers, and the bits of floats. Shapes are those of the output."""
    encoded: list[int] = []
    for name, kind in op.attrs.items():
        attr: Any = instruction.attrs[name]
        if kind == "float":
            encoded += struct.unpack("<q", struct.pack("<d", attr))
        elif kind in ("int", "flag"):
            encoded.append(attr)
        elif kind == "ints":
            encoded += attr
    return encoded


def source(value: Value, data: Any, limit: int = 2**31 - 1) -> _core.Source:
    """The user's array or CSR matrix as a source of batches for the input `value`.

    Integers are copied, since they say where native code reads and writes. Floats are copied only if they must be
    converted. Raises ValueError if the data of a sparse input are not CSR, or those of an integer input no integers
    below `limit`.
    """
    if value.type.sparse:
        if getattr(data, "format", None) != "csr":
            raise ValueError(f"input {value.name!r} takes a CSR matrix, given {type(data).__name__}; use .tocsr()")
        dtype = np.dtype(value.dtype)
        return _core.Source.csr(
            np.require(data.data, dtype, ("C", "A")),
            _as_int32(value.name, data.indices),
            np.ascontiguousarray(data.indptr, np.int64),
            data.shape[1],
        )
    if value.dtype == "int32":
        return _core.Source.codes(_as_int32(value.name, data), limit)
    array = np.asarray(data)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(value.dtype)
    if any(stride % array.itemsize for stride in array.strides) or not array.flags.aligned:
        array = np.ascontiguousarray(array)
    return _core.Source.dense(array)


def _as_int32(name: str, data: Any) -> NDArray[np.int32]:
    """Codes or column indices, if they are 32-bit integers without loss."""
    given = np.asarray(data)
    numbers = np.ascontiguousarray(given, np.int32)
    if given.dtype != np.int32 and not np.array_equal(numbers, given):
        raise ValueError(f"input {name!r} takes integers below 2**31; converting {given.dtype} changes some")
    return numbers


def aligned_bytes(n: int) -> NDArray[np.uint8]:
    """`n` bytes of zeroed memory, aligned to 64 bytes."""
    raw = np.zeros(n + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + n]


def evaluate(
    program: Program,
    input_arrays: Mapping[str, Any],
    n_rows: int,
    *,
    seed: int = 0,
    step: int = 0,
    share: bool = True,
) -> dict[str, NDArray[Any]]:
    """Run a program once on the native core, to inspect or test it.

    Its inputs must have the shape [m] or [m, n]. `input_arrays` holds a value for each leaf except ``inverse_weight``
    and ``key``; slots are scalars. `share` lets values share memory. Returns the outputs, and every persistent leaf
    after the run.
    """
    executable = compile_plan(plan(program, max(n_rows, 1), share=share))
    memory = aligned_bytes(executable.plan.persistent_bytes)
    persistent = {value.name: executable.persistent(memory, value.name) for value in program.region(*PERSISTENT)}
    for name, view in persistent.items():
        view[...] = np.asarray(input_arrays[name]).reshape(view.shape)
    sources = [source(program.leaf(name), input_arrays[name]) for name in executable.inputs]
    slots = np.array([float(input_arrays[name]) for name in executable.slots], np.float64)
    session = _core.Session(executable.core)
    values = [executable.ids[name] for name in executable.outputs]
    outputs = session.evaluate(memory, sources, n_rows, slots, values, seed, step)
    found = {name: view.copy() for name, view in persistent.items()}
    return found | dict(zip(executable.outputs, outputs, strict=True))
