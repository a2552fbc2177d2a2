"""The parts of programs: types, values, leaves, instructions, and the `Program` that holds them.

Takes these parts. Returns immutable, printable records. Never checks whether they fit each other:
`rosenblatt.ir.program` builds and checks programs.

A dimension is an integer: ``n >= 0`` is a size, ``-k`` stands for ``k * m``, where ``m`` is the number of rows of the
batch, known only when the program runs. `M` is ``-1``.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from rosenblatt._html import table, view
from rosenblatt.ir.arithmetic import Arithmetic

if TYPE_CHECKING:
    from rosenblatt.ir.program import Builder

__all__ = [
    "FLOATS",
    "ITEMSIZE",
    "MAX_RANK",
    "PERSISTENT",
    "REGIONS",
    "Attr",
    "Cotangent",
    "Instruction",
    "Leaf",
    "M",
    "Piece",
    "Program",
    "ProgramError",
    "RowCount",
    "Type",
    "Value",
    "format_dim",
    "resolve",
]

M = -1
REGIONS = ("params", "buffers", "averages", "state", "grads", "slots", "inputs")
"""Where leaves live. The first five persist between steps; slots and inputs are filled again for each step."""
PERSISTENT = REGIONS[:5]
FLOATS = ("float32", "float64")
ITEMSIZE = {"float32": 4, "float64": 8, "int32": 4}
MAX_RANK = 4
"""The most axes that a value can have."""

Attr = int | float | tuple[int, ...]


class ProgramError(ValueError):
    """The operands of an instruction do not fit its op. The message names the instruction and what is allowed."""


@dataclass(frozen=True)
class Type:
    """The element type and the shape of a value; `sparse` marks rows of a CSR matrix."""

    dtype: str
    shape: tuple[int, ...]
    sparse: bool = False

    def __str__(self) -> str:
        short = {"float32": "f32", "float64": "f64", "int32": "i32"}[self.dtype]
        return f"{'csr ' if self.sparse else ''}{short}[{', '.join(map(format_dim, self.shape))}]"

    def size(self, n_rows: int) -> int:
        """The number of elements when the batch has `n_rows` rows."""
        return math.prod(resolve(self.shape, n_rows))


def format_dim(dim: int) -> str:
    """``3`` as "3", ``-1`` as "m", ``-3`` as "3m"."""
    return str(dim) if dim >= 0 else f"{-dim if dim < -1 else ''}m"


def resolve(shape: Sequence[int], n_rows: int) -> tuple[int, ...]:
    """The shape with `n_rows` in place of m."""
    return tuple(d if d >= 0 else -d * n_rows for d in shape)


class RowCount:
    """A size that depends on the number of rows of the batch, such as ``p.shape[0]``: printed and compared, no number.

    It can stand in shapes. Arithmetic with it is a `ProgramError`, as its number is known only when the program runs.
    """

    def __init__(self, dim: int) -> None:
        self._dim = dim

    def __index__(self) -> int:
        return self._dim

    def __eq__(self, other: object) -> bool:
        return (other._dim if isinstance(other, RowCount) else other) == self._dim

    def __hash__(self) -> int:
        return hash(self._dim)

    def __repr__(self) -> str:
        return format_dim(self._dim)

    def __lt__(self, other: Any) -> bool:
        return self._sign(other) < 0

    def __ge__(self, other: Any) -> bool:
        return self._sign(other) >= 0

    def _sign(self, other: Any) -> int:
        """The sign in which a shape keeps it; only a comparison with 0 asks for that."""
        return self._dim if isinstance(other, int) and other == 0 else self._refuse(other)

    def _refuse(self, *_: Any) -> Any:
        raise ProgramError(
            f"the number of rows, {self!r}, is used as a number; it is known only when the program runs. Training "
            "takes the mean over the rows itself; another mean over them is p.mean(axis=0)"
        )

    __gt__ = __le__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = (
        _refuse
    )
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __float__ = __int__ = _refuse


@dataclass(frozen=True, eq=False)
class Value(Arithmetic):
    """The content of a leaf or the result of an instruction: an identity, a type and a name for the reader.

    It takes operators as arrays do (`rosenblatt.ir.arithmetic`): `owner` refers to the builder that they append to.
    """

    id: int
    type: Type
    name: str
    owner: weakref.ref[Builder] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "owner": None}  # a copy belongs to no builder

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The shape; a size that depends on the rows of the batch is a `RowCount`."""
        return tuple([d if d >= 0 else cast(int, RowCount(d)) for d in self.type.shape])

    @property
    def dtype(self) -> str:
        """The element type: "float32", "float64" or "int32"."""
        return self.type.dtype

    def __repr__(self) -> str:
        return f"<{self.name}: {self.type}>"


@dataclass(frozen=True)
class Leaf:
    """A value that exists before the first instruction, and its region."""

    value: Value
    region: str


@dataclass(frozen=True)
class Instruction:
    """One application of an op. `output` is None if the op only updates some of its inputs in place."""

    op: str
    inputs: tuple[Value, ...]
    output: Value | None
    attrs: Mapping[str, Attr] = field(default_factory=dict)

    def __str__(self) -> str:
        args = [v.name for v in self.inputs] + [f"{k}={_format_attr(v)}" for k, v in self.attrs.items()]
        call = f"{self.op}({', '.join(args)})"
        return call if self.output is None else f"{self.output.name}: {self.output.type} = {call}"

    @property
    def values(self) -> tuple[Value, ...]:
        """Its inputs, and its output if it has one."""
        return self.inputs if self.output is None else (*self.inputs, self.output)


def _format_attr(attr: Attr) -> str:
    if isinstance(attr, tuple):
        return f"({', '.join(format_dim(d) for d in attr)})"
    return f"{attr:g}" if isinstance(attr, float) else str(attr)


@dataclass(frozen=True)
class Program:
    """Leaves, instructions in order of execution, and the outputs by name."""

    dtype: str
    leaves: tuple[Leaf, ...]
    instructions: tuple[Instruction, ...]
    outputs: Mapping[str, Value]

    def leaf(self, name: str) -> Value:
        """The leaf called `name`; a KeyError that lists the names if there is none."""
        for leaf in self.leaves:
            if leaf.value.name == name:
                return leaf.value
        raise KeyError(f"no leaf {name!r}; there are: {', '.join(leaf.value.name for leaf in self.leaves)}")

    def region(self, *regions: str) -> tuple[Value, ...]:
        """The leaves that live in `regions`: one region after the other, each in order of declaration."""
        return tuple(leaf.value for region in regions for leaf in self.leaves if leaf.region == region)

    @property
    def values(self) -> list[Value]:
        """All values: the leaves, then the results of the instructions."""
        return [leaf.value for leaf in self.leaves] + [i.output for i in self.instructions if i.output is not None]

    def __str__(self) -> str:
        lines = [f"program {self.dtype}, m = rows of the batch"]
        for region in REGIONS:
            lines += [f"  {region:<8} {v.name}: {v.type}" for v in self.region(region)]
        lines += [f"  {i:4d}  {instruction}" for i, instruction in enumerate(self.instructions)]
        lines += [f"  output   {name} = {value.name}" for name, value in self.outputs.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        leaves = [(region, value.name, value.type) for region in REGIONS for value in self.region(region)]
        calls = [(i, *str(instruction).rpartition(" = ")[::2]) for i, instruction in enumerate(self.instructions)]
        outputs = [(name, value.name, value.type) for name, value in self.outputs.items()]
        return view(
            f"program {self.dtype}, m = rows of the batch",
            table(("region", "value", "type"), leaves),
            table(("", "result", "instruction"), calls),
            table(("output", "value", "type"), outputs),
        )


@dataclass(frozen=True)
class Piece:
    """A cotangent of the elements ``offset, offset + 1, ...`` of a flat block; it is zero elsewhere.

    The rule of `view` returns pieces. Those of one block are packed together instead of being padded and summed.
    """

    offset: int
    value: Value


Cotangent = Value | Piece
