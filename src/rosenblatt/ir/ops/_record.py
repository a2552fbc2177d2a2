"""The shape of one row of the op table.

Goes in: what an op's family module says about it. Comes out: an immutable `Op`, and checked attributes. It never
computes a value.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from rosenblatt.ir.types import MAX_RANK, Attr, Piece, ProgramError, Type, Value

__all__ = ["Op", "Sample", "normalize_attrs"]

Infer = Callable[..., Type | None]
"""``infer(*types, **attrs)``: the output's type (None for updates); raises ProgramError on operands that do not fit.
Ops that are `typed_by_program` are given its float type as ``dtype=``."""
Vjp = Callable[..., "tuple[Value | Piece | None, ...]"]
"""``vjp(b, g, out, *inputs, **attrs)``: emits instructions and returns one cotangent (or None) for each input.
A cotangent may have the shape that the output was broadcast to: the reverse walk sums it back."""


@dataclass(frozen=True)
class Sample:
    """Inputs to try an op on.

    Attributes
    ----------
    arrays : tuple
        NumPy arrays with real shapes, or `scipy.sparse.csr_array` where the type is sparse.
    types : tuple of Type
        The types they stand for, with m where the number of rows went in.
    attrs : mapping
        As one would give them to a `Builder` (``axis=None`` for all axes).
    n_rows : int
        What m stands for.
    label : str
        For the reader of a failing test.
    smooth : bool
        Whether derivatives may be compared here: False at kinks, at infinities and where a rule is documented to
        deviate.
    """

    arrays: tuple[Any, ...]
    types: tuple[Type, ...]
    attrs: Mapping[str, Any]
    n_rows: int
    label: str = ""
    smooth: bool = True


@dataclass(frozen=True)
class Op:
    """One row of the table: everything about an op but its kernel, which has the same name in ``cpp/kernels``.

    Attributes
    ----------
    name : str
        Also the kernel's name.
    arity : int or None
        Number of inputs; None for one or more.
    infer : callable
        Shape and dtype rule, ``infer(*types, **attrs) -> Type or None``.
    reference : callable
        NumPy meaning, ``reference(*arrays, **attrs)``, with attributes of kind "shape" resolved (no m left); also runs
        on arrays of dual numbers. For updates: returns a tuple, the new arrays of the inputs in `writes`, in order.
        Ops that are `typed_by_program` are given the result's ``dtype=`` too.
    samples : callable
        ``samples(rng, dtype, n_rows)`` yields `Sample`s.
    vjp : callable or None
        Reverse rule; None where the op has no derivative (its inputs then receive none).
    attrs : mapping of str to {"flag", "int", "float", "ints", "shape"}
        Kinds of the attributes, in the order in which the kernel reads them; "flag" is 0 or 1, "shape" is not passed
        to the kernel (it sees its output's shape) and "ints" must come last.
    defaults : mapping
        Values of attributes that may be left out.
    differentiable : tuple of int or None
        The inputs that have a derivative (None: all float inputs).
    in_place : tuple of int
        Inputs whose memory the output may take if nobody reads them later (same size, each element read before the
        same element is written, also where two inputs are one value).
    alias : bool
        The output is the first input's memory under another shape; there is no kernel.
    writes : tuple of int
        Inputs that the op updates in place (optimizer updates); such an op has no output.
    typed_by_program : bool
        No input says which float type the result has: it is the program's. Always so where there are no inputs.
    """

    name: str
    arity: int | None
    infer: Infer
    reference: Callable[..., Any]
    samples: Callable[[np.random.Generator, str, int], Iterator[Sample]]
    vjp: Vjp | None = None
    attrs: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    differentiable: tuple[int, ...] | None = None
    in_place: tuple[int, ...] = ()
    alias: bool = False
    writes: tuple[int, ...] = ()
    typed_by_program: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "attrs", MappingProxyType(dict(self.attrs)))
        object.__setattr__(self, "defaults", MappingProxyType(dict(self.defaults)))
        object.__setattr__(self, "typed_by_program", self.typed_by_program or self.arity == 0)

    def infer_checked(self, types: tuple[Type, ...], attrs: Mapping[str, Attr], dtype: str = "float32") -> Type | None:
        """`infer`, with arity, attributes and rank checked; the caller puts the place in front of an error.

        `dtype` is the program's float type, which decides for ops that are `typed_by_program`.
        """
        if self.arity is None and not types:
            raise ProgramError("takes one operand or more, none given")
        if self.arity is not None and len(types) != self.arity:
            raise ProgramError(f"takes {self.arity} operands, {len(types)} given")
        if list(attrs) != list(self.attrs):
            raise ProgramError(f"has attributes {_names(attrs)}; the op's are {_names(self.attrs)}, in this order")
        extra: dict[str, Any] = {"dtype": dtype} if self.typed_by_program else {}
        result = self.infer(*types, **attrs, **extra)
        if result is not None and len(result.shape) > MAX_RANK:
            raise ProgramError(f"gives {result}; at most {MAX_RANK} axes are allowed")
        return result

    def evaluate(self, arrays: tuple[Any, ...], attrs: Mapping[str, Attr], dtype: str) -> Any:
        """`reference` on `arrays` with normalized attributes; `dtype` is the type of what is `typed_by_program`."""
        return self.reference(*arrays, **attrs, **({"dtype": dtype} if self.typed_by_program else {}))


def normalize_attrs(op: Op, types: tuple[Type, ...], attrs: Mapping[str, Any]) -> dict[str, Attr]:
    """Attributes in the table's order, defaults filled in, converted to the kind that the table names.

    An ``axis`` is counted from the front, and None (all axes) becomes -1: the result is not meant to be normalized
    again.
    """
    unknown = set(attrs) - set(op.attrs)
    if unknown:
        raise ProgramError(f"{op.name}: no attribute {', '.join(sorted(unknown))}; allowed: {_names(op.attrs)}")
    result: dict[str, Attr] = {}
    for name, kind in op.attrs.items():
        if name not in attrs and name not in op.defaults:
            raise ProgramError(f"{op.name}: attribute {name!r} is missing")
        given = attrs.get(name, op.defaults.get(name))
        if name == "axis" and types:
            given = _normalize_axis(op.name, given, types[0])
        try:
            result[name] = _CONVERT[kind](given)
        except (TypeError, ValueError):
            raise ProgramError(f"{op.name}: attribute {name!r} is {given!r}; it takes {_KIND_NAMES[kind]}") from None
    return result


def _to_ints(given: Any) -> tuple[int, ...]:
    return tuple(operator.index(x) for x in given)


def _to_flag(given: Any) -> int:
    flag = operator.index(given)
    if flag not in (0, 1):
        raise ValueError
    return flag


_CONVERT: dict[str, Callable[[Any], Attr]] = {
    "flag": _to_flag,
    "int": operator.index,
    "float": float,
    "ints": _to_ints,
    "shape": _to_ints,
}
_KIND_NAMES = {
    "flag": "0 or 1",
    "int": "an integer",
    "float": "a number",
    "ints": "integers",
    "shape": "a shape (integers, -k for k·m)",
}


def _names(attrs: Mapping[str, Any]) -> str:
    return ", ".join(attrs) or "none"


def _normalize_axis(op: str, axis: int | None, operand: Type) -> int:
    """Axis counted from the front; None (all axes) becomes -1."""
    if axis is None:
        return -1
    rank = len(operand.shape)
    if not isinstance(axis, int | np.integer) or not -rank <= axis < rank:
        raise ProgramError(f"{op}: axis is {axis!r}; {operand} has {rank} axes")
    return int(axis) % rank
