"""Dates written as text: ISO, numbers in either order, names of months, with times and zones.

Takes the texts of a column. Returns days since 1970-01-01 in UTC, and in which order the column writes day and month.
Never depends on the locale or on the day of the reading; texts without a year are no dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["DateOrder", "date_order", "read_date"]

MONTH_NAMES = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
MONTHS = {name: month for month, full in enumerate(MONTH_NAMES, start=1) for name in (full, full[:3])} | {"sept": 9}
WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
TIME = (
    r"(?:(?:[T,]|\s)\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[ap]\.?m\.?)?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?"
)
SHAPES = tuple(
    re.compile(shape, re.IGNORECASE)
    for shape in (
        rf"(?P<year>\d{{4}})(?P<sign>[-/.])(?P<month>\d{{1,2}})(?P=sign)(?P<day>\d{{1,2}}){TIME}",
        rf"(?P<one>\d{{1,2}})(?P<sign>[-/.])(?P<two>\d{{1,2}})(?P=sign)(?P<year>\d{{4}}){TIME}",
        rf"(?P<one>\d{{1,2}})/(?P<two>\d{{1,2}})/(?P<year>\d{{2}}){TIME}",
        rf"(?P<one>\d{{2}})\.(?P<two>\d{{2}})\.(?P<year>\d{{2}}){TIME}",  # 1.12.20 may be a version
        rf"{WEEKDAY}(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?[\s-]+(?P<name>[a-z]{{3,9}})\.?,?[\s-]+(?P<year>\d{{4}}){TIME}",
        rf"{WEEKDAY}(?P<name>[a-z]{{3,9}})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){TIME}",
        r"(?P<year>\d{4})-(?P<month>\d{2})",
    )
)
LONGEST = 60
EPOCH = datetime(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)
FIRST_OF_1900S = 69
"""Years of two digits are 1969 to 2068, as POSIX has it."""


@dataclass(frozen=True)
class DateOrder:
    """Whether dates such as 01/02/2020 begin with the month.

    `settled` is False if nothing in the column decides, so that the order is a convention. `examples` are a date with
    the day first, one with the month first and one that may be either, if the column has all three and so no order.
    """

    month_first: bool = False
    settled: bool = True
    examples: tuple[str, ...] = ()


def date_order(texts: Iterable[str]) -> DateOrder:
    """The order of day and month that a column's texts keep.

    A number above 12 decides. Where there is none, times with "am" or "pm" suggest that the month comes first;
    otherwise the day does.
    """
    found: dict[str, str] = {}
    for text in texts:
        parts = match(text)
        if parts is None or "one" not in parts or read_date(text) is None:
            continue
        one, two = int(parts["one"] or 0), int(parts["two"] or 0)
        sort = "day" if one > 12 else "month" if two > 12 else "same" if one == two else "either"
        found.setdefault(sort, text)
        if parts["half"]:
            found.setdefault("half", text)
    if {"day", "month", "either"} <= set(found):
        return DateOrder(False, False, (found["day"], found["month"], found["either"]))
    if "day" in found or "month" in found or "either" not in found:
        return DateOrder("month" in found and "day" not in found)
    return DateOrder("half" in found, settled=False)


def read_date(text: str, month_first: bool = False) -> float | None:
    """Days since 1970-01-01 (UTC where a zone is given), or None if the text is no date.

    31/12/2020 and 12/31/2020 are each read in the only possible way.
    """
    parts = match(text)
    if parts is None:
        return None
    try:
        moment = datetime(*date_of(parts, month_first)) + time_of(parts)
    except (ValueError, OverflowError):
        return None
    return (moment - EPOCH) // MICROSECOND / 86_400e6


def match(text: str) -> dict[str, str | None] | None:
    """The parts of a date by name, or None."""
    if len(text) > LONGEST or not text[-1:].isascii() or sum(map(str.isdigit, text)) < 5:
        return None
    text = text.strip()
    return next((found.groupdict() for shape in SHAPES if (found := shape.fullmatch(text))), None)


def date_of(parts: dict[str, str | None], month_first: bool) -> tuple[int, int, int]:
    """Year, month, day; a `ValueError` for an unknown month."""
    year = int(parts["year"] or 0)
    if len(parts["year"] or "") == 2:
        year += 1900 if year >= FIRST_OF_1900S else 2000
    if "one" in parts:
        one, two = int(parts["one"] or 0), int(parts["two"] or 0)
        month, day = (one, two) if two > 12 or (month_first and one <= 12) else (two, one)
        return year, month, day
    name = parts.get("name")
    month = MONTHS.get(name.lower(), 0) if name else int(parts["month"] or 0)
    return year, month, int(parts.get("day") or 1)


def time_of(parts: dict[str, str | None]) -> timedelta:
    """The time since midnight in UTC; a `ValueError` for one that no clock shows."""
    hour, minute, second = (int(parts.get(name) or 0) for name in ("hour", "minute", "second"))
    half = parts.get("half")
    if hour > 23 or minute > 59 or second > 59 or (half and not 1 <= hour <= 12):
        raise ValueError("no such time")
    if half:
        hour = hour % 12 + 12 * (half[0] in "pP")
    microsecond = int((parts.get("fraction") or "").ljust(6, "0")[:6])
    zone = parts.get("zone") or ""
    time = timedelta(hours=hour, minutes=minute, seconds=second, microseconds=microsecond)
    if zone[:1] not in ("+", "-"):
        return time
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:].strip(":") or 0))
    return time - offset if zone[0] == "+" else time + offset
