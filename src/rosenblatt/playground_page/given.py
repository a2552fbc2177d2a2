"""Fields of what a page sent, one at a time.

Takes an object as a JSON reader gives it, and what each of its fields may hold. Returns values of the right type, or
raises a `SettingsError` that says which field it is, what was given and what is allowed. Never raises anything else,
whatever the object holds.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from rosenblatt._checks import is_count, is_number
from rosenblatt._suggestions import join_names, nearest, suggestion

__all__ = ["Given", "SettingsError", "shown"]

MAX_SHOWN = 60


class SettingsError(ValueError):
    """Settings that cannot work; the message is for the user of the page."""


def shown(value: object) -> str:
    """A value in a message, cut to a line."""
    try:
        text = repr(value[:MAX_SHOWN] if isinstance(value, str) else value)
    except (ValueError, RecursionError):  # an integer of thousands of digits; lists in lists in lists
        return f"a very large {type(value).__name__}"
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


class Given:
    """An object whose fields are read one by one.

    Parameters
    ----------
    given : object
        What was sent.
    where : str
        What messages call it, such as "data" or "layers[2]"; empty for the whole settings.
    fields : collection of str
        Names of all fields that it may have.
    """

    def __init__(self, given: object, where: str, fields: Collection[str]) -> None:
        what = where or "settings"
        if not isinstance(given, Mapping):
            raise SettingsError(f"{what} is {shown(given)}; it must be an object with the fields {', '.join(fields)}.")
        for name in given:
            if name not in fields:
                hint = suggestion(str(name)[:MAX_SHOWN], fields, "fields")
                raise SettingsError(f"{what} has no field {shown(name)}.{hint}")
        self.given: Mapping[Any, Any] = given
        self.where = where

    def name(self, field: str) -> str:
        """What messages call a field."""
        return f"{self.where}.{field}" if self.where else field

    def get(self, field: str, default: object = None) -> Any:
        """A field as it is."""
        return self.given.get(field, default)

    def refuse(self, field: str, allowed: str) -> SettingsError:
        """The error for a field that holds something else."""
        return SettingsError(f"{self.name(field)} is {shown(self.get(field))}; it must be {allowed}.")

    def number(self, field: str, default: float, low: float, high: float, *, above: bool = False) -> float:
        """A finite number in [low, high]; with `above`, larger than `low`."""
        value = self.get(field, default)
        if is_number(value) and low <= value <= high and not (above and value == low):
            return float(value)
        raise self.refuse(field, f"a number in {'(' if above else '['}{low:g}, {high:g}]")

    def count(self, field: str, default: int, low: int, high: float = math.inf) -> int:
        """An integer in [low, high]; 3.0 counts as 3, since JavaScript does not tell them apart."""
        value = self.get(field, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if is_count(value, low) and value <= high:
            return int(value)
        raise self.refuse(field, f"an integer in [{low}, {high:,.0f}]")

    def choice(self, field: str, default: str | None, allowed: Collection[str]) -> str:
        """One of the allowed names."""
        value = self.get(field, default)
        if isinstance(value, str) and value in allowed:
            return value
        near = nearest(value[:MAX_SHOWN], allowed) if isinstance(value, str) else None
        question = f" Did you mean {near!r}?" if near else ""
        known = join_names(list(allowed))
        raise SettingsError(f"{self.name(field)} is {shown(value)}.{question} Allowed are: {known}.")
