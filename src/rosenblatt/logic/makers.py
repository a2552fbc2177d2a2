"""Functions that make formulas: variables, thresholds of counts, and functions written in Python.

Takes names, formulas, or Python functions of truth values. Returns formulas. Never accepts anything else: errors say
what is allowed.
"""

from __future__ import annotations

import inspect
import itertools
import keyword
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from rosenblatt._checks import check_count

from .formulas import AtLeast, Formula, TruthFunction, Variable, operand

__all__ = ["MAX_INPUTS", "at_least", "majority", "names_of", "truth_function", "variables"]

MAX_INPUTS = 12
"""The most inputs of a truth function, whose table then has 2 ** 12 rows."""


def variables(names: str | Iterable[str]) -> tuple[Variable, ...]:
    """Make one variable per name.

    ``a, b = variables("a b")``. A single variable comes in a tuple as well: ``(a,) = variables("a")``.

    Parameters
    ----------
    names : str or iterable of str
        Python names, in one string separated by spaces or commas, or as an iterable.

    Raises
    ------
    ValueError
        If there is no name, if one is not a Python name, or if one occurs twice.
    """
    return tuple(map(Variable, names_of(names)))


def names_of(names: str | Iterable[str]) -> tuple[str, ...]:
    """The validated names in a string or an iterable."""
    found = tuple(names.replace(",", " ").split() if isinstance(names, str) else names)
    if not found:
        raise ValueError('names is empty; give at least one name of a variable, such as "a b"')
    for i, name in enumerate(found):
        if not isinstance(name, str):
            raise TypeError(f"name {i + 1} of the variables is {name!r}, a {type(name).__name__}; give strings")
        if not name.isidentifier() or keyword.iskeyword(name):
            raise ValueError(f"variable {name!r} is not a Python name; use letters, digits and _, such as 'x1'")
        if name in found[:i]:
            raise ValueError(f"variable {name!r} occurs twice in {' '.join(found)!r}; give each name once")
    return found


def majority(*formulas: Formula) -> Formula:
    """True where more than half of the formulas are true.

    Parameters
    ----------
    *formulas : Formula
        At least one.
    """
    return at_least(len(formulas) // 2 + 1, *formulas)


def at_least(k: int, *formulas: Formula) -> Formula:
    """True where at least `k` of the formulas are true.

    Parameters
    ----------
    k : int
        From 1 to the number of formulas.
    *formulas : Formula
        At least one.

    Raises
    ------
    ValueError
        If k is not an integer from 1 to the number of formulas.
    TypeError
        If an argument is not a formula.
    """
    parts = tuple(operand(part, "at_least or majority") for part in formulas)
    if not parts:
        raise ValueError("at_least and majority need at least one formula, such as majority(a, b, c); none was given")
    return AtLeast(check_count("k", k, 1, len(parts), where=f"at_least of {len(parts)} formulas"), parts)


def truth_function(function: Callable[..., bool], names: str | Iterable[str]) -> Formula:
    """The formula of a Python function, which is called once per assignment: 2 ** n times.

    Parameters
    ----------
    function : callable
        Takes one bool per name and returns a bool.
    names : str or iterable of str
        The names of its inputs in order, at most 12.

    Raises
    ------
    ValueError
        If there are more than 12 names, or invalid ones.
    TypeError
        If the function does not take that many inputs, or returns something other than a bool.
    """
    inputs = names_of(names)
    if len(inputs) > MAX_INPUTS:
        raise ValueError(
            f"names has {len(inputs)} inputs; a truth function takes at most {MAX_INPUTS}, because its table "
            f"has 2 ** n rows. Write a larger function as a formula of smaller ones"
        )
    require_arity(function, inputs)
    table = []
    for row in itertools.product((False, True), repeat=len(inputs)):
        value = function(*row)
        if not isinstance(value, (bool, np.bool_)):
            where = ", ".join(f"{name}={bit}" for name, bit in zip(inputs, row, strict=True))
            raise TypeError(
                f"the truth function gives {value!r}, a {type(value).__name__}, for {where}; it must give True or "
                "False for every assignment: wrap the returned value in bool(...)"
            )
        table.append(bool(value))
    title = getattr(function, "__name__", "f")
    return TruthFunction("f" if title == "<lambda>" else title, inputs, tuple(table))


def require_arity(function: Any, inputs: tuple[str, ...]) -> None:
    """Raise unless `function` is a function of as many inputs as there are names."""
    if not callable(function):
        raise TypeError(
            f"function is {function!r}; truth_function takes a Python function, such as lambda a, b: a != b"
        )
    try:
        signature = inspect.signature(function)
    except ValueError:  # some builtins have no signature
        return
    try:
        signature.bind(*inputs)
    except TypeError as error:
        raise TypeError(
            f"the truth function has the inputs {signature}, but names has {len(inputs)}: {' '.join(inputs)} ({error})"
        ) from None
