"""Building programs, one instruction per call, and checking them.

Takes calls of a `Builder`. Returns a `Program`: immutable, checked, printable. Never computes anything and never
assigns memory: `rosenblatt.ir.ops` defines the ops, and the planner places the values.
"""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from rosenblatt._suggestions import NETWORKS_PAGE, suggestion
from rosenblatt.ir.ops import OPS, normalize_attrs
from rosenblatt.ir.types import (
    FLOATS,
    ITEMSIZE,
    MAX_RANK,
    PERSISTENT,
    REGIONS,
    Instruction,
    Leaf,
    Program,
    ProgramError,
    Type,
    Value,
)

__all__ = ["Builder", "check"]


class Builder:
    """Builds a program, one instruction per call.

    Every op of `rosenblatt.ir.ops` is a method: ``b.matmul(x, w)``, ``b.tanh(x)``, ``b.sum(x, axis=0)``. Operands are
    values of this builder or Python numbers, which become scalars of the program's dtype. Each call checks its
    operands and returns the output value (None for ops that only update). Values take operators, too:
    ``(p - t) ** 2`` is ``b.square(b.sub(p, t))`` (`rosenblatt.ir.arithmetic`).

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
        """A builder that starts with everything in `program`, which itself does not change."""
        b = cls(program.dtype)
        b._leaves, b._instructions = list(program.leaves), list(program.instructions)
        b._names = dict.fromkeys((v.name for v in program.values), 1)
        b._n_values = 1 + max((v.id for v in program.values), default=-1)
        return b

    @property
    def instructions(self) -> Sequence[Instruction]:
        """The instructions so far."""
        return self._instructions

    @property
    def op_names(self) -> Sequence[str]:
        """The names of all ops."""
        return tuple(OPS)

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
        """Declare an input, which is filled for each batch."""
        return self.leaf("inputs", name, shape, dtype, sparse)

    def slot(self, name: str) -> Value:
        """The scalar called `name` that is filled for each step, such as a learning rate; declared if it is new."""
        found = next((leaf for leaf in self._leaves if leaf.value.name == name), None)
        known = found is not None and (found.region, found.value.shape) == ("slots", ())
        return found.value if found and known else self.leaf("slots", name, ())

    def find_leaf(self, name: str) -> Value | None:
        """The leaf called `name`, or None."""
        return next((leaf.value for leaf in self._leaves if leaf.value.name == name), None)

    def constant(self, number: float) -> Value:
        """A scalar of the program's dtype. Equal numbers share one value."""
        number = float(number)
        key = number.hex()  # distinguishes -0.0 from 0.0
        if key not in self._constants:
            self._constants[key] = self.fill(value=number, shape=())
        return self._constants[key]

    def emit(self, op: str, *inputs: Value | float, name: str | None = None, **attrs: Any) -> Value | None:
        """Append one instruction of `op` and return its output."""
        if op not in OPS:
            raise ProgramError(_unknown(op))
        record = OPS[op]
        values = tuple(x if isinstance(x, Value) else self._number(op, x) for x in inputs)
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
        if op not in OPS:
            raise AttributeError(_unknown(op, also=[name for name in vars(Builder) if not name.startswith("_")]))

        def method(*inputs: Value | float, name: str | None = None, **attrs: Any) -> Any:
            return self.emit(op, *inputs, name=name, **attrs)

        return method

    def clip(self, x: Value, low: Value | float, high: Value | float) -> Value:
        """`x` cut to [low, high]: ``b.minimum(b.maximum(x, low), high)``."""
        return self.minimum(self.maximum(x, low), high)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *OPS]

    def build(self, **outputs: Value) -> Program:
        """The program so far, checked, with `outputs` that can be read after a run."""
        program = Program(self.dtype, tuple(self._leaves), tuple(self._instructions), MappingProxyType(dict(outputs)))
        check(program)
        return program

    def _number(self, op: str, given: Any) -> Value:
        """A number among the operands as a constant."""
        if isinstance(given, (bool, np.bool_)):
            raise ProgramError(f"{op}: an operand is {given}, no value; x == y compares identities, b.equal elements")
        try:
            return self.constant(given)
        except ProgramError:
            raise
        except (TypeError, ValueError):
            kind = type(given).__name__
            raise ProgramError(
                f"{op}: an operand is a {kind}; operands are values of the builder and numbers"
            ) from None

    def _value(self, type_: Type, name: str) -> Value:
        unique, count = name, self._names.get(name, 0)
        while unique in self._names:
            unique, count = f"{name}_{count}", count + 1
        self._names[name] = max(count, 1)
        self._names.setdefault(unique, 1)
        value = Value(self._n_values, type_, unique, weakref.ref(self))
        self._n_values += 1
        return value


def _unknown(op: str, also: Sequence[str] = ()) -> str:
    """The message for an op that does not exist; `also` are methods that may have been meant."""
    return f"no op is called {op!r}.{suggestion(op, [*sorted(OPS), *also], 'ops')} See {NETWORKS_PAGE}."


def check(program: Program) -> None:
    """Verify that a program is well formed. Called after every construction and transformation.

    Raises a ProgramError that names the first instruction at fault: an operand is used before it is defined, a type
    differs from the rule of its op, a value is defined twice, or a value that does not persist is updated.
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
    """Verify one instruction against the values `known` before it, and add the value that it defines."""
    for value in instruction.inputs:
        if known.get(value.id) is not value:
            raise ProgramError(f"{value.name!r} is not defined before it is used")
    record = OPS.get(instruction.op)
    if record is None:
        raise ProgramError(_unknown(instruction.op))
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
