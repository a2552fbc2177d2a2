"""The record type of the op table.

Takes what the family module of an op says about it. Returns an immutable `Op`, and checked attributes. Never computes a
value.
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
"""``infer(*types, **attrs)``: the type of the output (None for updates). Raises ProgramError if operands do not fit.
Ops that are `typed_by_program` receive the float type of the program as ``dtype=``."""
Vjp = Callable[..., "tuple[Value | Piece | None, ...]"]
"""``vjp(b, g, out, *inputs, **attrs)``: emits instructions and returns one cotangent (or None) per input.
A cotangent may have the broadcast shape of the output: the reverse walk sums it to the shape of the input."""


@dataclass(frozen=True)
class Sample:
    """Inputs to test an op with: arrays, their types with m in place of `n_rows`, and attributes for a `Builder`.

    An array of a sparse type is a `scipy.sparse.csr_array`. `label` describes the sample where a test fails. `smooth`
    is False where derivatives cannot be compared: at kinks, at infinities, and where a rule deviates by design.
    """

    arrays: tuple[Any, ...]
    types: tuple[Type, ...]
    attrs: Mapping[str, Any]
    n_rows: int
    label: str = ""
    smooth: bool = True


@dataclass(frozen=True)
class Op:
    """One row of the table: everything about an op except its kernel, which has the same name in ``cpp/kernels``.

    Attributes
    ----------
    name : str
        The name of the op and of its kernel.
    arity : int or None
        The number of inputs; None: one or more.
    infer : callable
        Shape and dtype rule, ``infer(*types, **attrs) -> Type or None``.
    reference : callable
        NumPy meaning, ``reference(*arrays, **attrs)``, with attributes of kind "shape" resolved (no m left); also runs
        on arrays of dual numbers. For updates: returns a tuple, the new arrays of the inputs in `writes`, in order.
        Ops that are `typed_by_program` are given the result's ``dtype=`` too.
    samples : callable
        ``samples(rng, dtype, n_rows)`` yields `Sample`s.
    vjp : callable or None
        The reverse rule; None if the op has no derivative (its inputs then receive no cotangent).
    attrs : mapping of str to {"flag", "int", "float", "ints", "shape"}
        The kinds of the attributes, in the order in which the kernel reads them. "flag" is 0 or 1. "shape" is not
        passed to the kernel, which knows the shape of its output. "ints" must come last.
    defaults : mapping
        Default values of optional attributes.
    differentiable : tuple of int or None
        The inputs that have a derivative (None: all float inputs).
    in_place : tuple of int
        Inputs whose memory the output may reuse if they are not read later. They have the same size, and each element
        is read before the same element is written, even if two inputs are the same value.
    alias : bool
        Whether the output is the memory of the first input in another shape. There is no kernel then.
    writes : tuple of int
        Inputs that the op updates in place (optimizer updates). Such an op has no output.
    typed_by_program : bool
        Whether the result has the float type of the program because no input determines it. True if there are no
        inputs.
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
    is_random: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "attrs", MappingProxyType(dict(self.attrs)))
        object.__setattr__(self, "defaults", MappingProxyType(dict(self.defaults)))
        object.__setattr__(self, "typed_by_program", self.typed_by_program or self.arity == 0)

    def infer_checked(self, types: tuple[Type, ...], attrs: Mapping[str, Attr], dtype: str = "float32") -> Type | None:
        """`infer`, with checks of arity, attributes and rank. The caller prefixes errors with the instruction.

        `dtype` is the float type of the program, for ops that are `typed_by_program`.
        """
        if self.arity is None and not types:
            raise ProgramError("takes at least one operand, none given")
        if self.arity is not None and len(types) != self.arity:
            named = f"; {_names(self.attrs)} are given by name" if self.attrs else ""
            raise ProgramError(f"takes {self.arity} operands, {len(types)} given{named}")
        if list(attrs) != list(self.attrs):
            raise ProgramError(f"has attributes {_names(attrs)}; the op's are {_names(self.attrs)}, in this order")
        extra: dict[str, Any] = {"dtype": dtype} if self.typed_by_program else {}
        result = self.infer(*types, **attrs, **extra)
        if result is not None and len(result.shape) > MAX_RANK:
            raise ProgramError(f"gives {result}; at most {MAX_RANK} axes are allowed")
        return result

    def evaluate(self, arrays: tuple[Any, ...], attrs: Mapping[str, Attr], dtype: str) -> Any:
        """`reference` on `arrays` with normalized attributes; `dtype` is for ops that are `typed_by_program`."""
        return self.reference(*arrays, **attrs, **({"dtype": dtype} if self.typed_by_program else {}))


def normalize_attrs(op: Op, types: tuple[Type, ...], attrs: Mapping[str, Any]) -> dict[str, Attr]:
    """Attributes in the order of the table, with defaults, converted to their kinds.

    An ``axis`` is counted from the front, and None (all axes) becomes -1: do not normalize the result again.
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
    """The axis counted from the front; None (all axes) becomes -1."""
    if axis is None:
        return -1
    rank = len(operand.shape)
    if not isinstance(axis, int | np.integer) or not -rank <= axis < rank:
        raise ProgramError(f"{op}: axis is {axis!r}; {operand} has {rank} axes")
    return int(axis) % rank
