"""Boolean formulas: variables, operators, thresholds and tables.

Takes formulas and the operators between them. Returns immutable formulas that can be printed, compared and evaluated.
Never builds a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rosenblatt._suggestions import closest

__all__ = [
    "And",
    "AtLeast",
    "Formula",
    "Not",
    "Or",
    "TruthFunction",
    "Variable",
    "Xor",
    "operand",
    "require_kind",
    "require_variables",
]

Bits = NDArray[np.bool_]


class Formula:
    """A Boolean formula. Combine formulas with ``&``, ``|``, ``^`` and ``~``; evaluate one with ``f(a=1, b=0)``.

    ``==`` compares how formulas are written; `rosenblatt.logic.equivalent` compares what they mean.
    """

    parts: tuple[Formula, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the variables in order of appearance."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.names))

    def evaluate(self, values: Mapping[str, Bits]) -> Bits:
        """Truth values for an array of truth values per variable, all of the same shape."""
        raise NotImplementedError

    def __call__(self, **values: Any) -> bool:
        """The truth value when each variable is 0 or 1 (False or True).

        Raises
        ------
        ValueError
            If a variable is missing or unknown, or a value is neither 0 nor 1.
        """
        require_variables(tuple(values), self.names, f"in {self}")
        for name, value in values.items():
            if value not in (0, 1):
                raise ValueError(f"{name} is {value!r}; a variable must be 0 or 1 (False or True)")
        return bool(self.evaluate({name: np.array(bool(value)) for name, value in values.items()}))

    def __and__(self, other: Any) -> Formula:
        return And.of(self, other)

    def __or__(self, other: Any) -> Formula:
        return Or.of(self, other)

    def __xor__(self, other: Any) -> Formula:
        return Xor.of(self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__  # for the error: a formula on the left has been asked before

    def __invert__(self) -> Formula:
        return self.part if isinstance(self, Not) else Not(self)

    def __bool__(self) -> bool:
        raise TypeError(
            f"the formula {self} has no truth value of its own: write & for 'and', | for 'or' and ~ for 'not', and "
            "evaluate a formula with f(a=1, b=0)"
        )

    def __repr__(self) -> str:
        return f"<formula {self}>"

    def inside(self) -> str:
        """The formula as text inside another formula."""
        return str(self)


@dataclass(frozen=True, repr=False)
class Variable(Formula):
    """An input, identified by its name."""

    name: str

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The variable itself."""
        return (self.name,)

    def evaluate(self, values: Mapping[str, Bits]) -> Bits:
        """The value of the variable."""
        return values[self.name]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, repr=False)
class Not(Formula):
    """True where its part is false."""

    part: Formula

    @property
    def parts(self) -> tuple[Formula, ...]:  # type: ignore[override]
        """The negated formula."""
        return (self.part,)

    def evaluate(self, values: Mapping[str, Bits]) -> Bits:
        """The negated values."""
        return ~self.part.evaluate(values)

    def __str__(self) -> str:
        return f"~{self.part.inside()}"


@dataclass(frozen=True, repr=False)
class Joined(Formula):
    """Parts joined by an associative operator."""

    parts: tuple[Formula, ...]
    symbol: ClassVar[str]
    operate: ClassVar[np.ufunc]

    @classmethod
    def of(cls, *sides: Any) -> Formula:
        """The operands joined, where those of the same kind are flattened: (a & b) & c has three parts."""
        formulas = [operand(side, cls.symbol) for side in sides]
        return cls(tuple(part for side in formulas for part in (side.parts if isinstance(side, cls) else (side,))))

    def evaluate(self, values: Mapping[str, Bits]) -> Bits:
        """The operator applied to the values of all parts."""
        return reduce(type(self).operate, (part.evaluate(values) for part in self.parts))

    def __str__(self) -> str:
        return f" {self.symbol} ".join(part.inside() for part in self.parts)

    def inside(self) -> str:
        """In parentheses, even where Python's operator precedence does not need them."""
        return f"({self})"


@dataclass(frozen=True, repr=False)
class And(Joined):
    """True where all parts are true."""

    symbol, operate = "&", np.logical_and


@dataclass(frozen=True, repr=False)
class Xor(Joined):
    """True where an odd number of parts is true."""

    symbol, operate = "^", np.logical_xor


@dataclass(frozen=True, repr=False)
class Or(Joined):
    """True where any part is true."""

    symbol, operate = "|", np.logical_or


@dataclass(frozen=True, repr=False)
class AtLeast(Formula):
    """True where at least k parts are true."""

    k: int
    parts: tuple[Formula, ...]

    def evaluate(self, values: Mapping[str, Bits]) -> Bits:
        """Whether at least k parts are true."""
        counts = sum(part.evaluate(values).astype(np.int64) for part in self.parts)
        return np.asarray(counts >= self.k)

    def __str__(self) -> str:
        listed = ", ".join(map(str, self.parts))
        is_majority = self.k == len(self.parts) // 2 + 1 and len(self.parts) > 2
        return f"majority({listed})" if is_majority else f"at_least({self.k}, {listed})"


@dataclass(frozen=True, repr=False)
class TruthFunction(Formula):
    """A function given by its table: one value per assignment, where the first variable changes slowest."""

    title: str
    inputs: tuple[str, ...]
    table: tuple[bool, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The inputs of the function."""
        return self.inputs

    def evaluate(self, values: Mapping[str, Bits]) -> Bits:
        """The entries of the table."""
        row = reduce(lambda index, name: 2 * index + values[name], self.inputs, np.zeros((), np.int64))
        return np.array(self.table)[row]

    def __str__(self) -> str:
        return f"{self.title}({', '.join(self.inputs)})"


def operand(given: Any, where: str) -> Formula:
    """The operand, after checking that it is a formula."""
    rule = 'it must be a formula, such as a variable from variables("a b")'
    formula: Formula = require_kind(f"an operand of {where}", given, Formula, rule)
    return formula


def require_kind(name: str, given: Any, kinds: Any, rule: str) -> Any:
    """The argument, if it is an instance of `kinds`; else a TypeError that ends with the rule."""
    if not isinstance(given, kinds):
        raise TypeError(f"{name} is {given!r}, a {type(given).__name__}; {rule}")
    return given


def require_variables(given: tuple[str, ...], allowed: tuple[str, ...], where: str, complete: bool = True) -> None:
    """Raise if a variable is not allowed or, when `complete`, if one is missing."""
    for name in given:
        if name not in allowed:
            near = closest(name, allowed)
            hint = f" Did you mean {near[-1]!r}?" if near else ""
            raise ValueError(f"there is no variable {name!r} {where}.{hint} The variables are: {', '.join(allowed)}")
    missing = [name for name in allowed if name not in given]
    if complete and missing:
        raise ValueError(f"no value for {', '.join(map(repr, missing))} {where}; give each variable 0 or 1")
