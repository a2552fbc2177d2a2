"""Short notations of the command line, and the checks of what an option is given.

Takes the option and its text. Returns a Python value, or raises a `ValueError` that names the option, what was given
and what is allowed. Never reads a file, and imports nothing heavy.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from typing import Any

from rosenblatt._checks import check_count, check_number
from rosenblatt._suggestions import closest

__all__ = [
    *("MAX_PORT", "MAX_THREADS", "check_choice", "check_encoding", "choice", "parse_class_weight", "parse_count"),
    *("parse_hidden", "parse_kinds", "parse_order", "parse_quantiles", "parse_seed", "parse_share", "parse_threshold"),
]

MAX_THREADS = 128
MAX_PORT = 65_535
BALANCED = "balanced"


def parse_kinds(option: str, entries: Sequence[str]) -> dict[str, str]:
    """``COLUMN=KIND`` arguments as a dictionary."""
    from rosenblatt.tables.kinds import KINDS

    kinds: dict[str, str] = {}
    for entry in entries:
        name, found, kind = entry.rpartition("=")
        if not found or not name:
            raise ValueError(f"{option} {entry!r}: write COLUMN=numeric, =categorical, =text or =ignored.")
        check_choice(f"{option} {entry}", kind, KINDS)
        if kinds.get(name, kind) != kind:
            raise ValueError(f"{option} says that column {name!r} is {kinds[name]} and {kind}; say it once.")
        kinds[name] = kind
    return kinds


def parse_hidden(option: str, text: str) -> tuple[int, ...]:
    """``128,64`` as (128, 64)."""
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise ValueError(f"{option} {text!r}: write the neurons of each layer, such as 128,64.")
    return sizes


def parse_quantiles(option: str, text: str) -> tuple[float, ...]:
    """``0.1,0.5,0.9`` as (0.1, 0.5, 0.9)."""
    try:
        levels = tuple(float(part) for part in text.split(","))
    except ValueError:
        levels = ()
    if not levels or not all(a < b for a, b in zip((0.0, *levels), (*levels, 1.0), strict=True)):
        raise ValueError(f"{option} {text!r}: write rising numbers between 0 and 1, such as 0.1,0.5,0.9.")
    return levels


def parse_order(option: str, text: str) -> bool | tuple[str, ...]:
    """``low,medium,high`` as a tuple, and ``sorted`` as True."""
    names = tuple(part.strip() for part in text.split(","))
    if names == ("sorted",):
        return True
    if len(names) < 2 or not all(names) or len(set(names)) < len(names):
        raise ValueError(f"{option} {text!r}: write each class once, from low to high, such as low,medium,high.")
    return names


def parse_class_weight(option: str, entries: Sequence[str]) -> str | dict[str, float]:
    """``balanced``, or ``CLASS=WEIGHT`` arguments as a dictionary."""
    if list(entries) == [BALANCED]:
        return BALANCED
    weights: dict[str, float] = {}
    for entry in entries:
        name, found, text = entry.rpartition("=")
        try:
            weight = float(text)
        except ValueError:
            found = ""
        if not found or not name:
            raise ValueError(f"{option} {entry!r}: write {BALANCED}, or CLASS=WEIGHT for each class.")
        if name in weights:
            raise ValueError(f"{option} gives the class {name!r} two weights; say it once.")
        weights[name] = check_number(f"{option} {name}", weight, 0)
    return weights


def parse_share(option: str, value: float) -> float:
    """A share of the rows, below 1."""
    return check_number(option, value, 0, 1, below=True)


def parse_threshold(option: str, value: float) -> float:
    """A probability."""
    return check_number(option, value, 0, 1)


def parse_count(low: int = 1, high: float = float("inf")) -> Callable[[str, int], int]:
    """A parser of integers in [low, high]."""
    return lambda option, value: check_count(option, value, low, high)


def parse_seed(option: str, value: int) -> int:
    """A seed that NumPy takes."""
    if not 0 <= value < 2**32:
        raise ValueError(f"{option} is {value}; it must be an integer in [0, {2**32 - 1}].")
    return value


def choice(*allowed: str) -> Callable[[str, str], str]:
    """A parser of one of a few words."""
    return lambda option, value: check_choice(option, value, allowed)


def check_choice(option: str, value: str, allowed: Sequence[str]) -> str:
    """`value`, if it is one of the allowed ones; otherwise an error that suggests the nearest."""
    if value in allowed:
        return value
    near = closest(value.lower(), allowed, cutoff=0.5)
    question = f" Did you mean {near[-1]!r}?" if near else ""
    raise ValueError(f"{option}: {value!r} is none of {', '.join(allowed)}.{question}")


def check_encoding(option: str, encoding: Any) -> str:
    """`encoding`, if Python knows it."""
    try:
        codecs.lookup(encoding)
    except (LookupError, ValueError):
        raise ValueError(f"{option} {encoding!r} is unknown; usual ones: utf-8, latin-1, cp1252, utf-16.") from None
    return str(encoding)
