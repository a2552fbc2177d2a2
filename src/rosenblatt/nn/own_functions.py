"""Functions of ops that a user wrote: appended to programs, and held to doing the same each time.

Takes a builder, a function ``function(b, *values) -> value`` and its operands. Returns what the function returns. A
network trains, predicts and is saved by several programs: never lets a function mean other ops in one of them.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

from rosenblatt.ir.program import Builder
from rosenblatt.ir.recording import steps_of
from rosenblatt.ir.types import Type, Value
from rosenblatt.nn.registry import name_of

__all__ = ["FLAT", "Known", "append_function", "is_users", "require_same"]

FLAT = "comparisons, b.equal and b.sign have none"
"""Where a slope is lost, for messages."""
PACKAGE = "rosenblatt."
Known = MutableMapping[Any, Any]
"""The steps of functions that were appended, by where they stand and the types of their operands."""


def is_users(function: Any) -> bool:
    """Whether a function is none of the library's, whose ops depend on nothing but its operands."""
    return not str(getattr(function, "__module__", "")).startswith(PACKAGE)


def append_function(b: Builder, known: Known, where: str, function: Callable[..., Any], *values: Value) -> Any:
    """What `function` gives for these operands, after a look at whether it does what it did before.

    Raises
    ------
    ValueError
        If it appends other ops than it did for operands of these types, or others each time.
    """
    result = function(b, *values)
    if is_users(function):
        require_same(known, where, function, b.dtype, [value.type for value in values])
    return result


def require_same(known: Known, where: str, function: Callable[..., Any], dtype: str, types: Sequence[Type]) -> None:
    """Refuse a function whose ops are others than those `known` for it; remember them if there are none."""
    key = where, dtype, tuple(types)
    try:
        steps = steps_of(function, dtype, types)
        before = known[key] if key in known else steps_of(function, dtype, types)
    except Exception:  # it does more than apply ops to operands; what it may do is for others to say
        return
    if repr(steps) != repr(before):  # in which NaN equals NaN
        raise ValueError(
            f"{where}, {name_of(function)}, gives other ops than before. It reads something that has changed, such as "
            "a random number or a variable, so that training, prediction and the saved model would differ. Keep what "
            "it reads as it is, or make a new network."
        )
    known[key] = steps
