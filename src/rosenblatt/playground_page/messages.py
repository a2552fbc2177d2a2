"""What the page sends over the socket.

Takes the text of a message. Returns it as a dictionary whose fields are of the right types and within the limits, or
raises a `MessageError`, whose text is the reason with which the socket is closed. Whether settings make sense together
is not looked at here. Never returns a number that is not finite or that float64 does not hold.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

__all__ = ["MAX_MESSAGE", "MAX_STEPS", "N_RUNS", "MessageError", "parse_message"]

N_RUNS = 2
"""Runs side by side in one page."""
MAX_STEPS = 100_000
MAX_MESSAGE = 20 << 20
"""Bytes of a message: a saved run holds all weights and the memory of the optimizer, in all 16 million characters."""
MAX_PARTS = 100_000
"""Lists, objects and commas of a message; a saved run has up to seven for each of its events."""
MAX_ORDINARY = 1 << 16
"""Characters of a message that carries no saved run."""
MAX_INTEGER = 2**53
MAX_SHOWN = 40
LIVE = ("learning_rate", "batch_size", "l1", "l2")
"""Settings that can change while a run is training."""

Check = Callable[[Any], bool]


class MessageError(ValueError):
    """A message that is no valid one."""


def is_whole(low: int, high: int) -> Check:
    """A check for integers in [low, high]."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_number(value: Any) -> bool:
    """Whether a value is a number, and no Boolean."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_object(value: Any) -> bool:
    """Whether a value was an object in JSON."""
    return isinstance(value, dict)


def are_changes(value: Any) -> bool:
    """Whether a value maps settings that can change in training to numbers."""
    return is_object(value) and set(value) <= {*LIVE} and all(map(is_number, value.values()))


def is_input(value: Any) -> bool:
    """Whether a value is a row of a weight matrix, or None for the bias."""
    return value is None or is_whole(0, MAX_INTEGER)(value)


RUN: dict[str, Check] = {"run": is_whole(0, N_RUNS - 1)}
PLACE: dict[str, Check] = {"layer": is_whole(1, 1000), "input": is_input, "unit": is_whole(0, MAX_INTEGER)}
FIELDS: dict[str, dict[str, Check]] = {
    "configure": {**RUN, "settings": is_object},
    "advance": {**RUN, "steps": is_whole(0, MAX_STEPS), "statistics": lambda value: isinstance(value, bool)},
    "change": {**RUN, "changes": are_changes},
    "edit": {**RUN, **PLACE, "value": is_number},
    "drop": RUN,
    "script": RUN,
    "save": RUN,
    "load": {**RUN, "document": is_object},
    "forget_table": {},
}
"""The fields of each type of message, and what they must be."""
DEFAULTS = {"advance": {"statistics": False}}


def parse_message(text: Any) -> dict[str, Any]:
    """The message in a text, which is a JSON object with a "type" and the fields of that type, and no others."""
    if not isinstance(text, str):
        raise MessageError("a binary message was sent; messages are JSON texts.")
    message = parse_json(text)
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(kind, str) or kind not in FIELDS:
        raise MessageError(f"type is {shown(kind)}; it must be one of {', '.join(FIELDS)}.")
    if len(text) > MAX_ORDINARY and kind != "load":
        raise MessageError(f"a message of type {kind} has {len(text)} characters; {MAX_ORDINARY} are allowed.")
    fields = FIELDS[kind]
    message = {**DEFAULTS.get(kind, {}), **message}
    for name in message:
        if name not in fields and name != "type":
            raise MessageError(f"{kind} has no field {shown(name)}.")
    for name, check in fields.items():
        if name not in message:
            raise MessageError(f"{kind} lacks the field {name!r}.")
        if not check(message[name]):
            raise MessageError(f"{kind}: the field {name!r} is {shown(message[name])}, which is not allowed.")
    return message


def parse_json(text: str) -> Any:
    """A value of JSON, with finite numbers only; a short text cannot become a value that takes much memory."""
    n_parts = sum(map(text.count, "[{,"))
    if n_parts > MAX_PARTS:
        raise MessageError(f"the message has {n_parts} lists, objects and commas; {MAX_PARTS} are allowed.")
    try:
        return json.loads(text, parse_constant=refuse_number, parse_float=finite, parse_int=exact)
    except MessageError:
        raise
    except RecursionError:
        raise MessageError("the message is nested too deeply.") from None
    except ValueError:
        raise MessageError("the message is not JSON.") from None


def finite(text: str) -> float:
    """A finite number."""
    number = float(text)
    return number if math.isfinite(number) else refuse_number(text)


def exact(text: str) -> int:
    """An integer that float64 holds."""
    number = int(text) if len(text) < MAX_SHOWN else MAX_INTEGER + 1
    return number if abs(number) <= MAX_INTEGER else int(refuse_number(text))


def refuse_number(text: str) -> float:
    """Refuse a number that is not finite, or too large."""
    raise MessageError(f"the number {shown(text)} is too large or not finite.")


def shown(value: Any) -> str:
    """A value as a reason names it."""
    text = ascii(value) if not isinstance(value, (dict, list)) else f"of type {type(value).__name__}"
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."
