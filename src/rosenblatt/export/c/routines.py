"""From a program to a C function.

Takes a program and the numbers of its persistent leaves. Returns the text of a function of the other leaves, the tables
of numbers that it reads, and how much memory it needs. Never changes what is computed: instructions stay in their
order, and those that depend on parameters alone are computed here, once, by the references of their ops.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.export.c.loops import Operand, elementwise, indented
from rosenblatt.export.c.ops import EXPRESSIONS, STATEMENTS, Call
from rosenblatt.export.c.text import Names, comment, constant_array, number, numbers_of, plain_identifier
from rosenblatt.ir.ops import OPS
from rosenblatt.ir.planner import Plan, plan
from rosenblatt.ir.reference import resolve_attrs
from rosenblatt.ir.types import ITEMSIZE, Instruction, Leaf, Program, Type, Value, resolve

__all__ = ["C_TYPES", "Routine", "routine"]

Array = NDArray[Any]
C_TYPES = {"float32": "float", "float64": "double", "int32": "int"}


@dataclass(frozen=True)
class Routine:
    """A C function, and what it needs.

    Attributes
    ----------
    name : str
    lines : list of str
        The tables that it reads, then the function. Names of other functions of the file begin with ``{P}``.
    constant_bytes, work_bytes : int
        Bytes of the tables, and of its array on the stack.
    """

    name: str
    lines: Sequence[str]
    constant_bytes: int
    work_bytes: int


def routine(
    program: Program, leaves: Mapping[str, Array], name: str, names: Names, what: str = "the network", n_rows: int = 1
) -> Routine:
    """The function ``name(inputs..., outputs...)`` of a program, for `n_rows` rows.

    Parameters
    ----------
    program : Program
        A prediction; its inputs become pointers to numbers (to ``int`` for class numbers), its outputs too, in their
        order.
    leaves : mapping of str to ndarray
        The numbers of the leaves that are no inputs.
    name : str
        The function's name, with which the names of its tables begin too.
    names : Names
        The names that are taken in the file; those of the tables are added.
    what : str
        What the program is, for messages.

    Raises
    ------
    ValueError
        If it has an op that no translation is known for.
    """
    known, rest = _folded(program, leaves, n_rows)
    for instruction in rest:
        if instruction.op not in EXPRESSIONS and instruction.op not in STATEMENTS and not OPS[instruction.op].alias:
            raise ValueError(
                f"{what} uses the op {instruction.op!r}, for which there is no C: {instruction}. A file in C can hold "
                f"{', '.join(sorted([*EXPRESSIONS, *STATEMENTS]))}."
            )
    work = _Work(_fixed(program, known, rest, n_rows), known, name, names)
    return work.written()


def _folded(program: Program, leaves: Mapping[str, Array], n_rows: int) -> tuple[dict[int, Array], list[Instruction]]:
    """The values that depend on no input, by id, and the instructions that are left."""
    known = {leaf.value.id: leaves[leaf.value.name] for leaf in program.leaves if leaf.value.name in leaves}
    rest = []
    with np.errstate(all="ignore"):
        for instruction in program.instructions:
            out, op = instruction.output, OPS[instruction.op]
            if out is None or op.is_random or any(value.id not in known for value in instruction.inputs):
                rest.append(instruction)
                continue
            attrs = resolve_attrs(instruction.op, instruction.attrs, n_rows)
            operands = tuple(known[value.id] for value in instruction.inputs)
            known[out.id] = np.asarray(op.evaluate(operands, attrs, program.dtype), out.dtype)
    return known, rest


def _fixed(program: Program, known: Mapping[int, Array], rest: Sequence[Instruction], n_rows: int) -> Program:
    """The instructions that are left, with all sizes known; everything that exists before them is a parameter."""
    values: dict[int, Value] = {}

    def fixed(value: Value) -> Value:
        if value.id not in values:
            type_ = Type(value.dtype, resolve(value.type.shape, n_rows))
            values[value.id] = Value(value.id, type_, value.name)
        return values[value.id]

    made = {i.output.id for i in rest if i.output is not None}
    inputs = [leaf.value for leaf in program.leaves if leaf.value.id not in known]
    read = [v for i in rest for v in i.inputs] + list(program.outputs.values())
    outside = {v.id: v for v in [*inputs, *read] if v.id not in made}
    instructions = [
        replace(
            i,
            inputs=tuple(map(fixed, i.inputs)),
            output=None if i.output is None else fixed(i.output),
            attrs=resolve_attrs(i.op, i.attrs, n_rows),
        )
        for i in rest
    ]
    leaves = tuple(Leaf(fixed(value), "params") for value in outside.values())
    outputs = {name: fixed(value) for name, value in program.outputs.items()}
    return Program(program.dtype, leaves, tuple(instructions), outputs)


@dataclass
class _Work:
    """A function in the making: the program, its plan, and the tables that were asked for so far."""

    program: Program
    known: Mapping[int, Array]
    name: str
    names: Names
    plan: Plan = field(init=False)
    tables: dict[int, str] = field(default_factory=dict)
    table_lines: list[str] = field(default_factory=list)
    constant_bytes: int = 0

    def __post_init__(self) -> None:
        self.plan = plan(self.program, 1, compact=True)
        own = Names(["work", *"aijkl", "top", "total"])
        inputs = [leaf.value for leaf in self.program.leaves if leaf.value.id not in self.known]
        self.inputs = {v.id: own.new(_argument("x", v.name, len(inputs))) for v in inputs}
        self.outputs = {key: own.new(_argument("y", key, len(self.program.outputs))) for key in self.program.outputs}
        self.roots: dict[int, tuple[Value, int]] = {}
        for i in self.program.instructions:
            if i.output is not None and OPS[i.op].alias:
                root, offset = self.roots.get(i.inputs[0].id, (i.inputs[0], 0))
                self.roots[i.output.id] = root, offset + int(i.attrs.get("offset", 0))  # type: ignore[arg-type]

    def written(self) -> Routine:
        """The whole function."""
        body: list[str] = []
        for i in self.program.instructions:
            if i.output is not None and not OPS[i.op].alias and not self.plan.is_done(i):
                body += [f"/* {comment(str(i))} */", *self.instruction(i, i.output)]
        for key, value in self.program.outputs.items():
            out = Operand(self.outputs[key], 0, value.type.shape)
            body += elementwise(out, (self.operand(value, literal=True),), "{0}".format)
        text, size = "\n".join(body), self.plan.workspace_bytes // ITEMSIZE[self.program.dtype]
        declared = [f"{{R}} work[{max(1, size)}];"] if reads(text, "work") else []
        declared += [f"(void){name};" for name in self.inputs.values() if not reads(text, name)]
        lines = [*self.table_lines, *self._head(), *indented([*declared, *body]), "}"]
        return Routine(self.name, lines, self.constant_bytes, self.plan.workspace_bytes)

    def _head(self) -> list[str]:
        leaves = {leaf.value.id: leaf.value for leaf in self.program.leaves}
        arguments = [f"const {C_TYPES[leaves[key].dtype]} *{name}" for key, name in self.inputs.items()]
        arguments += [f"{{R}} *{name}" for name in self.outputs.values()]
        return [f"static void {self.name}({', '.join(arguments)}) {{"]

    def instruction(self, i: Instruction, output: Value) -> list[str]:
        """The C of one instruction."""
        if i.op in EXPRESSIONS:
            out, inputs = self.operand(output), [self.operand(value, literal=True) for value in i.inputs]
            text = EXPRESSIONS[i.op]
            return elementwise(out, inputs, lambda *terms: text.format(*terms, R="{R}", F="{F}", P="{P}"))
        return STATEMENTS[i.op](Call(self.operand(output), tuple(map(self.operand, i.inputs)), i.attrs))

    def operand(self, value: Value, literal: bool = False) -> Operand:
        """Where a value is; with `literal`, a value whose elements are all the same number may be that number."""
        shape = value.type.shape
        if value.id in self.known:
            array = self.known[value.id]
            if literal and array.size and len({*map(_bits, array.flat)}) == 1:
                return Operand("", 0, shape, literal=number(array.flat[0], self.program.dtype))
            return Operand(self._table(value), 0, shape)
        root, offset = self.roots.get(value.id, (value, 0))
        if root.id in self.inputs:
            return Operand(self.inputs[root.id], offset, shape)
        return Operand("work", self.plan.places[value.id].offset // ITEMSIZE[self.program.dtype], shape)

    def _table(self, value: Value) -> str:
        """The name of the table of a known value, which is written when it is first asked for."""
        if value.id not in self.tables:
            wanted = f"{self.name}_{plain_identifier(value.name, 'values')}"
            name = self.tables[value.id] = self.names.new(wanted)
            items = numbers_of(self.known[value.id], value.dtype)
            self.table_lines += [f"/* {comment(str(value)[1:-1])} */", *constant_array("{R} ", name, items), ""]
            self.constant_bytes += len(items) * ITEMSIZE[value.dtype]
        return self.tables[value.id]


def reads(text: str, array: str) -> bool:
    """Whether C code has an element of an array."""
    return re.search(rf"\b{array}\[", text) is not None


def _argument(letter: str, name: str, count: int) -> str:
    """The name of an argument: the letter, if there is only one of its kind."""
    return letter if count == 1 else f"{letter}_{plain_identifier(name, 'values')}"


def _bits(value: Any) -> bytes:
    """What two numbers must have in common to be the same, signs of zeros included."""
    return bytes(np.asarray(value).tobytes())
