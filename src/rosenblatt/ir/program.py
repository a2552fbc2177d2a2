"""Programs: flat lists of typed instructions.

Goes in: calls on a `Builder`. Comes out: a `Program`, immutable, checked, printable. It never computes anything: what
an op does is in `rosenblatt.ir.ops`, where values live is the planner's business.

A dimension is an integer: ``n >= 0`` is a size, ``-k`` stands for ``k * m`` where ``m`` is the number of rows of the
batch, known only when the program runs. `M` is ``-1``.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

__all__ = ["REGIONS", "Builder", "Instruction", "Leaf", "M", "Program", "ProgramError", "Type", "Value", "check"]

M = -1
REGIONS = ("params", "buffers", "averages", "state", "grads", "slots", "inputs")
"""Where leaves live. The first five persist between steps; slots and inputs are filled anew for each."""
PERSISTENT = REGIONS[:5]
FLOATS = ("float32", "float64")
ITEMSIZE = {"float32": 4, "float64": 8, "int32": 4}
MAX_RANK = 4
"""The most axes that a value has."""

Attr = int | float | tuple[int, ...]


class ProgramError(ValueError):
    """An instruction whose operands do not fit its op; the message names instruction, given and allowed."""


@dataclass(frozen=True)
class Type:
    """Element type and shape of a value; `sparse` marks rows of a CSR matrix."""

    dtype: str
    shape: tuple[int, ...]
    sparse: bool = False

    def __str__(self) -> str:
        short = {"float32": "f32", "float64": "f64", "int32": "i32"}[self.dtype]
        return f"{'csr ' if self.sparse else ''}{short}[{', '.join(map(format_dim, self.shape))}]"

    def size(self, n_rows: int) -> int:
        """Number of elements when the batch has `n_rows` rows."""
        return math.prod(resolve(self.shape, n_rows))


def format_dim(dim: int) -> str:
    """``3`` as "3", ``-1`` as "m", ``-3`` as "3m"."""
    return str(dim) if dim >= 0 else f"{-dim if dim < -1 else ''}m"


def resolve(shape: Sequence[int], n_rows: int) -> tuple[int, ...]:
    """The shape with `n_rows` in place of m."""
    return tuple(d if d >= 0 else -d * n_rows for d in shape)


@dataclass(frozen=True, eq=False)
class Value:
    """What a leaf holds or an instruction computes: an identity, a type and a name for the reader."""

    id: int
    type: Type
    name: str

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, with ``-k`` for k·m."""
        return self.type.shape

    @property
    def dtype(self) -> str:
        """The element type: "float32", "float64" or "int32"."""
        return self.type.dtype

    def __repr__(self) -> str:
        return f"<{self.name}: {self.type}>"


@dataclass(frozen=True)
class Leaf:
    """A value that exists before the first instruction, and the region it lives in."""

    value: Value
    region: str


@dataclass(frozen=True)
class Instruction:
    """One application of an op. `output` is None where the op only updates some of its inputs in place."""

    op: str
    inputs: tuple[Value, ...]
    output: Value | None
    attrs: Mapping[str, Attr] = field(default_factory=dict)

    def __str__(self) -> str:
        args = [v.name for v in self.inputs] + [f"{k}={_format_attr(v)}" for k, v in self.attrs.items()]
        call = f"{self.op}({', '.join(args)})"
        return call if self.output is None else f"{self.output.name}: {self.output.type} = {call}"


def _format_attr(attr: Attr) -> str:
    if isinstance(attr, tuple):
        return f"({', '.join(format_dim(d) for d in attr)})"
    return f"{attr:g}" if isinstance(attr, float) else str(attr)


@dataclass(frozen=True)
class Program:
    """Leaves, instructions in order of execution, and the values that are read afterwards, by name."""

    dtype: str
    leaves: tuple[Leaf, ...]
    instructions: tuple[Instruction, ...]
    outputs: Mapping[str, Value]

    def leaf(self, name: str) -> Value:
        """The leaf called `name`.

        Raises
        ------
        KeyError
            If there is none; the message lists the names.
        """
        for leaf in self.leaves:
            if leaf.value.name == name:
                return leaf.value
        raise KeyError(f"no leaf {name!r}; there are: {', '.join(leaf.value.name for leaf in self.leaves)}")

    def region(self, region: str) -> tuple[Value, ...]:
        """The leaves that live in `region`, in order of declaration."""
        return tuple(leaf.value for leaf in self.leaves if leaf.region == region)

    def __str__(self) -> str:
        lines = [f"program {self.dtype}, m = rows of the batch"]
        for region in REGIONS:
            lines += [f"  {region:<8} {v.name}: {v.type}" for v in self.region(region)]
        lines += [f"  {i:4d}  {instruction}" for i, instruction in enumerate(self.instructions)]
        lines += [f"  output   {name} = {value.name}" for name, value in self.outputs.items()]
        return "\n".join(lines)


class Builder:
    """Builds a program, one instruction a call.

    Every op of `rosenblatt.ir.ops` is a method: ``b.matmul(x, w)``, ``b.tanh(x)``, ``b.sum(x, axis=0)``. Operands are
    values of this builder or Python numbers, which become scalars of the program's dtype. Each call checks its
    operands and returns the output value (None for ops that only update).

    Parameters
    ----------
    dtype : {"float32", "float64"}
        The float type of the program.
    """

    def __init__(self, dtype: str = "float32") -> None:
        if dtype not in FLOATS:
            raise ProgramError(f"dtype is {dtype!r}; allowed: {', '.join(FLOATS)}")
        self.dtype = dtype
        self._leaves: list[Leaf] = []
        self._instructions: list[Instruction] = []
        self._names: dict[str, int] = {}
        self._constants: dict[str, Value] = {}
        self._n_values = 0

    @classmethod
    def extend(cls, program: Program) -> Builder:
        """A builder that starts with everything `program` holds; `program` itself stays as it is."""
        b = cls(program.dtype)
        b._leaves, b._instructions = list(program.leaves), list(program.instructions)
        values = [leaf.value for leaf in b._leaves] + [i.output for i in b._instructions if i.output is not None]
        b._names = dict.fromkeys((v.name for v in values), 1)
        b._n_values = 1 + max((v.id for v in values), default=-1)
        return b

    @property
    def instructions(self) -> Sequence[Instruction]:
        """The instructions so far."""
        return self._instructions

    def leaf(
        self, region: str, name: str, shape: Sequence[int], dtype: str | None = None, sparse: bool = False
    ) -> Value:
        """Declare a leaf in `region` (one of `REGIONS`); its name must be new."""
        if region not in REGIONS:
            raise ProgramError(f"leaf {name!r}: region is {region!r}; allowed: {', '.join(REGIONS)}")
        if name in self._names:
            raise ProgramError(f"leaf {name!r}: the name is taken")
        if dtype is not None and dtype not in ITEMSIZE:
            raise ProgramError(f"leaf {name!r}: dtype is {dtype!r}; allowed: {', '.join(ITEMSIZE)}")
        if len(shape) > MAX_RANK or not all(hasattr(d, "__index__") for d in shape):
            raise ProgramError(f"leaf {name!r}: shape is {tuple(shape)}; up to {MAX_RANK} integers are allowed")
        type_ = Type(dtype or self.dtype, tuple(map(operator.index, shape)), sparse)
        if region in PERSISTENT and (sparse or any(d < 0 for d in shape)):
            raise ProgramError(f"leaf {name!r}: a value that persists cannot depend on the batch's rows: {type_}")
        value = self._value(type_, name)
        self._leaves.append(Leaf(value, region))
        return value

    def input(self, name: str, shape: Sequence[int], dtype: str | None = None, sparse: bool = False) -> Value:
        """Declare an input: filled anew for each batch."""
        return self.leaf("inputs", name, shape, dtype, sparse)

    def slot(self, name: str) -> Value:
        """Declare a scalar that is filled anew for each step (a learning rate, a momentum)."""
        return self.leaf("slots", name, ())

    def find_leaf(self, name: str) -> Value | None:
        """The leaf called `name`, or None."""
        return next((leaf.value for leaf in self._leaves if leaf.value.name == name), None)

    def constant(self, number: float) -> Value:
        """A scalar of the program's dtype; equal numbers share one."""
        number = float(number)
        key = number.hex()  # tells -0.0 from 0.0
        if key not in self._constants:
            self._constants[key] = self._required("fill", (), {"value": number, "shape": ()})
        return self._constants[key]

    def emit(self, op: str, *inputs: Value | float, name: str | None = None, **attrs: Any) -> Value | None:
        """Append one instruction of `op` and return its output."""
        from rosenblatt.ir.ops import OPS, normalize_attrs

        if op not in OPS:
            raise ProgramError(f"no op is called {op!r}; there are: {', '.join(sorted(OPS))}")
        record = OPS[op]
        values = tuple(x if isinstance(x, Value) else self.constant(x) for x in inputs)
        frozen = MappingProxyType(normalize_attrs(record, tuple(v.type for v in values), attrs))
        try:
            out_type = record.infer_checked(tuple(v.type for v in values), frozen, self.dtype)
        except ProgramError as error:
            raise ProgramError(f"{op}({', '.join(str(v.type) for v in values)}): {error}") from None
        output = None if out_type is None else self._value(out_type, name or op)
        self._instructions.append(Instruction(op, values, output, frozen))
        return output

    def __getattr__(self, op: str) -> Callable[..., Value]:
        if op.startswith("_"):
            raise AttributeError(op)
        from rosenblatt.ir.ops import OPS

        if op not in OPS:
            raise AttributeError(f"a Builder has no method or op {op!r}")

        def method(*inputs: Value | float, name: str | None = None, **attrs: Any) -> Any:
            return self.emit(op, *inputs, name=name, **attrs)

        return method

    def build(self, **outputs: Value) -> Program:
        """The program so far, checked, with `outputs` to be read after a run."""
        program = Program(self.dtype, tuple(self._leaves), tuple(self._instructions), MappingProxyType(dict(outputs)))
        check(program)
        return program

    def _required(self, op: str, inputs: tuple[Value, ...], attrs: Mapping[str, Any]) -> Value:
        value = self.emit(op, *inputs, **attrs)
        assert value is not None, f"{op} has no output"
        return value

    def _value(self, type_: Type, name: str) -> Value:
        unique, count = name, self._names.get(name, 0)
        while unique in self._names:
            unique, count = f"{name}_{count}", count + 1
        self._names[name] = max(count, 1)
        self._names.setdefault(unique, 1)
        value = Value(self._n_values, type_, unique)
        self._n_values += 1
        return value


def check(program: Program) -> None:
    """Verify that a program is well formed; called after every construction and transformation.

    Raises
    ------
    ProgramError
        Names the first instruction at fault: an operand used before it is defined, a type that its op's rule does not
        give, a value defined twice, an update of something that does not persist.
    """
    known: dict[int, Value] = {}
    persistent: set[int] = set()
    for leaf in program.leaves:
        _define(known, leaf.value, f"leaf {leaf.value.name!r}: ")
        if leaf.region in PERSISTENT:
            persistent.add(leaf.value.id)
    for index, instruction in enumerate(program.instructions):
        try:
            _check_instruction(instruction, program.dtype, known, persistent)
        except ProgramError as error:
            raise ProgramError(f"instruction {index}, {instruction}: {error}") from None
    for name, value in program.outputs.items():
        if known.get(value.id) is not value:
            raise ProgramError(f"output {name!r}: {value.name!r} is not defined in this program")


def _check_instruction(instruction: Instruction, dtype: str, known: dict[int, Value], persistent: set[int]) -> None:
    """Verify one instruction against what is `known` before it, and add what it defines."""
    from rosenblatt.ir.ops import OPS

    for value in instruction.inputs:
        if known.get(value.id) is not value:
            raise ProgramError(f"{value.name!r} is not defined before it is used")
    record = OPS.get(instruction.op)
    if record is None:
        raise ProgramError(f"no op is called {instruction.op!r}")
    inferred = record.infer_checked(tuple(v.type for v in instruction.inputs), instruction.attrs, dtype)
    given = None if instruction.output is None else instruction.output.type
    if inferred != given:
        raise ProgramError(f"the op's rule gives {inferred}, the instruction says {given}")
    for position in record.writes:
        if instruction.inputs[position].id not in persistent:
            raise ProgramError(f"updates {instruction.inputs[position].name!r}, which does not persist")
    if instruction.output is not None:
        _define(known, instruction.output)
        if record.alias and instruction.inputs[0].id in persistent:
            persistent.add(instruction.output.id)


def _define(known: dict[int, Value], value: Value, where: str = "") -> None:
    if value.id in known:
        raise ProgramError(f"{where}value {value.id} ({known[value.id].name!r}) is defined already")
    known[value.id] = value
