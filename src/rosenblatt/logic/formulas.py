"""Boolean formulas: variables, operators, thresholds and tables.

Goes in: names, formulas, Python functions of truth values. Comes out: frozen formulas that can be printed, compared and
evaluated. It builds no network and solves nothing.
"""

from __future__ import annotations

import difflib
import inspect
import itertools
import keyword
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MOST_INPUTS",
    "And",
    "AtLeast",
    "Formula",
    "Not",
    "Or",
    "TruthFunction",
    "Variable",
    "Xor",
    "at_least",
    "majority",
    "truth_function",
    "variables",
]

Bits = NDArray[np.bool_]
MOST_INPUTS = 12
"""Inputs of a truth function: its table has 2 ** 12 rows."""


class Formula:
    """A Boolean formula: combine formulas by ``&``, ``|``, ``^`` and ``~``; evaluate one by ``f(a=1, b=0)``.

    ``==`` compares how formulas are written; `rosenblatt.logic.equivalent` compares what they mean.
    """

    parts: tuple[Formula, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The variables in the order in which they occur."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.names))

    def evaluate(self, values: Mapping[str, Bits]) -> Bits:
        """Truth values for arrays of truth values of one shape, by variable."""
        raise NotImplementedError

    def __call__(self, **values: Any) -> bool:
        """The truth value for 0 or 1 (False or True) in each variable.

        Raises
        ------
        ValueError
            If a variable is missing or unknown, or a value is neither 0 nor 1.
        """
        require_names(tuple(values), self.names, f"in {self}")
        for name, value in values.items():
            if value not in (0, 1):
                raise ValueError(f"{name} is {value!r}; a variable is 0 or 1 (False or True)")
        return bool(self.evaluate({name: np.array(bool(value)) for name, value in values.items()}))

    def __and__(self, other: Any) -> Formula:
        return And(joined(And, "&", self, other))

    def __rand__(self, other: Any) -> Formula:
        return And(joined(And, "&", other, self))

    def __or__(self, other: Any) -> Formula:
        return Or(joined(Or, "|", self, other))

    def __ror__(self, other: Any) -> Formula:
        return Or(joined(Or, "|", other, self))

    def __xor__(self, other: Any) -> Formula:
        return Xor(joined(Xor, "^", self, other))

    def __rxor__(self, other: Any) -> Formula:
        return Xor(joined(Xor, "^", other, self))

    def __invert__(self) -> Formula:
        return self.part if isinstance(self, Not) else Not(self)

    def __bool__(self) -> bool:
        raise TypeError(
            f"the formula {self} has no truth value of its own: write & for 'and', | for 'or', ~ for 'not', and "
            "f(a=1, b=0) for its value"
        )

    def __repr__(self) -> str:
        return f"<formula {self}>"

    def inside(self) -> str:
        """The formula as text within another one."""
        return str(self)


@dataclass(frozen=True, repr=False)
class Variable(Formula):
    """An input by its name."""

    name: str

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The variable itself."""
        return (self.name,)

    def evaluate(self, values: Mapping[str, Bits]) -> Bits:
        """Its value."""
        return values[self.name]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, repr=False)
class Not(Formula):
    """True where its part is false."""

    part: Formula

    @property
    def parts(self) -> tuple[Formula, ...]:  # type: ignore[override]
        """The part."""
        return (self.part,)

    def evaluate(self, values: Mapping[str, Bits]) -> Bits:
        """Negation."""
        return ~self.part.evaluate(values)

    def __str__(self) -> str:
        return f"~{self.part.inside()}"


@dataclass(frozen=True, repr=False)
class Joined(Formula):
    """Parts joined by an operator that is associative."""

    parts: tuple[Formula, ...]
    symbol: ClassVar[str]
    operate: ClassVar[np.ufunc]

    def evaluate(self, values: Mapping[str, Bits]) -> Bits:
        """The operator over the values of all parts."""
        return reduce(type(self).operate, (part.evaluate(values) for part in self.parts))

    def __str__(self) -> str:
        return f" {self.symbol} ".join(part.inside() for part in self.parts)

    def inside(self) -> str:
        """In parentheses, also where Python's precedence of operators needs none."""
        return f"({self})"


@dataclass(frozen=True, repr=False)
class And(Joined):
    """True where all parts are."""

    symbol, operate = "&", np.logical_and


@dataclass(frozen=True, repr=False)
class Xor(Joined):
    """True where an odd number of parts is."""

    symbol, operate = "^", np.logical_xor


@dataclass(frozen=True, repr=False)
class Or(Joined):
    """True where some part is."""

    symbol, operate = "|", np.logical_or


@dataclass(frozen=True, repr=False)
class AtLeast(Formula):
    """True where at least k parts are."""

    k: int
    parts: tuple[Formula, ...]

    def evaluate(self, values: Mapping[str, Bits]) -> Bits:
        """Whether the count of true parts reaches k."""
        counts = sum(part.evaluate(values).astype(np.int64) for part in self.parts)
        return np.asarray(counts >= self.k)

    def __str__(self) -> str:
        listed = ", ".join(map(str, self.parts))
        is_majority = self.k == len(self.parts) // 2 + 1 and len(self.parts) > 2
        return f"majority({listed})" if is_majority else f"at_least({self.k}, {listed})"


@dataclass(frozen=True, repr=False)
class TruthFunction(Formula):
    """A function given by its table: one value for each assignment, the first variable changing slowest."""

    title: str
    inputs: tuple[str, ...]
    table: tuple[bool, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Its inputs."""
        return self.inputs

    def evaluate(self, values: Mapping[str, Bits]) -> Bits:
        """The table's entries."""
        row = reduce(lambda place, name: 2 * place + values[name], self.inputs, np.zeros((), np.int64))
        return np.array(self.table)[row]

    def __str__(self) -> str:
        return f"{self.title}({', '.join(self.inputs)})"


def variables(names: str | Iterable[str]) -> tuple[Variable, ...]:
    """Make one variable for each name.

    ``a, b = variables("a b")``; a single one comes in a tuple as well: ``(a,) = variables("a")``.

    Parameters
    ----------
    names : str or iterable of str
        Python names, in one text separated by blanks or commas, or one by one.

    Raises
    ------
    ValueError
        If there is no name, one that is not a Python name, or the same one twice.
    """
    return tuple(map(Variable, names_of(names)))


def names_of(names: str | Iterable[str]) -> tuple[str, ...]:
    """The names in a text or an iterable, checked."""
    found = tuple(names.replace(",", " ").split() if isinstance(names, str) else names)
    if not found:
        raise ValueError('names is empty; give at least one name of a variable, such as "a b"')
    for i, name in enumerate(found):
        if not isinstance(name, str):
            raise TypeError(f"name {i + 1} of the variables is {name!r}, a {type(name).__name__}; give texts")
        if not name.isidentifier() or keyword.iskeyword(name):
            raise ValueError(f"variable {name!r} is no Python name; use letters, digits and _, such as 'x1'")
        if name in found[:i]:
            raise ValueError(f"variable {name!r} is named twice in {' '.join(found)!r}; give each name once")
    return found


def majority(*formulas: Formula) -> Formula:
    """True where more than half of the formulas are."""
    return at_least(len(formulas) // 2 + 1, *formulas)


def at_least(k: int, *formulas: Formula) -> Formula:
    """True where at least `k` of the formulas are.

    Raises
    ------
    ValueError
        If k is not an integer from 1 to the number of formulas.
    TypeError
        If one of them is no formula.
    """
    parts = tuple(operand(part, "at_least or majority") for part in formulas)
    if not parts:
        raise ValueError("at_least and majority need one formula or more, such as majority(a, b, c); none was given")
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or not 1 <= k <= len(parts):
        raise ValueError(f"k is {k!r}; at_least of {len(parts)} formulas takes an integer from 1 to {len(parts)}")
    return AtLeast(int(k), parts)


def truth_function(function: Callable[..., bool], names: str | Iterable[str]) -> Formula:
    """The formula of a Python function, which is called once for each of the 2 ** n assignments.

    Parameters
    ----------
    function : callable
        Takes one bool for each name and returns a bool.
    names : str or iterable of str
        Names of its inputs in their order, at most 12.

    Raises
    ------
    ValueError
        If there are more than 12 names, or wrong ones.
    TypeError
        If the function takes another number of inputs, or gives something that is no bool.
    """
    inputs = names_of(names)
    if len(inputs) > MOST_INPUTS:
        raise ValueError(
            f"names has {len(inputs)} inputs; a truth function takes at most {MOST_INPUTS}, whose table has "
            f"{2**MOST_INPUTS:,} rows. Write a larger function as a formula of smaller ones"
        )
    require_arity(function, inputs)
    table = []
    for row in itertools.product((False, True), repeat=len(inputs)):
        value = function(*row)
        if not isinstance(value, (bool, np.bool_)):
            where = ", ".join(f"{name}={bit}" for name, bit in zip(inputs, row, strict=True))
            raise TypeError(
                f"the truth function gives {value!r}, a {type(value).__name__}, for {where}; it must give True or "
                "False everywhere: write bool(...) around what it returns"
            )
        table.append(bool(value))
    title = getattr(function, "__name__", "f")
    return TruthFunction("f" if title == "<lambda>" else title, inputs, tuple(table))


def require_arity(function: Any, inputs: tuple[str, ...]) -> None:
    """Refuse what is no function of as many inputs as there are names."""
    if not callable(function):
        raise TypeError(
            f"function is {function!r}; truth_function takes a Python function, such as lambda a, b: a != b"
        )
    try:
        signature = inspect.signature(function)
    except ValueError:  # some builtins tell nothing
        return
    try:
        signature.bind(*inputs)
    except TypeError as error:
        raise TypeError(
            f"the truth function has the inputs {signature}, but names has {len(inputs)}: {' '.join(inputs)} ({error})"
        ) from None


def operand(given: Any, where: str) -> Formula:
    """The operand, if it is a formula."""
    if isinstance(given, Formula):
        return given
    raise TypeError(
        f"an operand of {where} is {given!r}, a {type(given).__name__}; it must be a formula, such as those of "
        'variables("a b")'
    )


def joined(kind: type[Joined], symbol: str, left: Any, right: Any) -> tuple[Formula, ...]:
    """The parts of both operands, where those of the same kind are taken apart: (a & b) & c has three."""
    sides = (operand(left, symbol), operand(right, symbol))
    return tuple(part for side in sides for part in (side.parts if isinstance(side, kind) else (side,)))


def require_names(given: tuple[str, ...], allowed: tuple[str, ...], where: str, complete: bool = True) -> None:
    """Refuse variables that are not allowed and, where all are needed, missing ones."""
    for name in given:
        if name not in allowed:
            near = difflib.get_close_matches(name, allowed, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"there is no variable {name!r} {where}.{hint} The variables are: {', '.join(allowed)}")
    missing = [name for name in allowed if name not in given]
    if complete and missing:
        raise ValueError(f"no value for {', '.join(map(repr, missing))} {where}; give every variable 0 or 1")
