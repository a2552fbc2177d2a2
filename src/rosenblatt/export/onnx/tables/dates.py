"""Dates as ONNX operators: texts and integers as days since 1970-01-01.

Takes the tensor of a raw column. Returns float64, NaN for missing cells and for what is no date, as
`rosenblatt.tables.readers.dates.read_date` reads it. Never reads names of months: texts are 2020-12-31, 31.12.2020 or
12/31/2020, with a time and a zone, or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from typing import Any

import numpy as np

from rosenblatt.export.onnx.graph import OnnxGraph
from rosenblatt.tables.readers.dates import EPOCH, MICROSECOND
from rosenblatt.tables.table import MICROSECONDS_PER_DAY

__all__ = ["NOT_A_DATE", "days_of_integers", "days_of_texts"]

NOT_A_DATE = np.iinfo(np.int64).min
"""A missing date among integers, as NumPy has it."""
SEPARATORS = "-/."
DAY = "|".join(
    (
        *(rf"\d{{4}}{s}\d{{1,2}}{s}\d{{1,2}}|\d{{1,2}}{s}\d{{1,2}}{s}\d{{4}}" for s in ("-", "/", r"\.")),
        r"\d{2}/\d{1,2}/\d{2}|\d/\d{2}/\d{2}|\d{2}\.\d{2}\.\d{2}",
    )
)
HALF, ZONE = r"[ap]\.?m\.?", r"Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?"
CLOCK = rf"[T, ] *\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:[.,]\d{{1,9}})?)? *(?:{HALF})? *(?:{ZONE})?"
WRITTEN = rf"(?i) *(?:(?:{DAY})(?:{CLOCK})?|\d/\d/\d{{2}}{CLOCK}|\d{{4}}-\d{{2}}) *"
"""A date has five digits at least: 1/2/20 may be anything."""
MAX_WORDS = 4
"""The day, the time, its half of the day, the zone."""
FIRST, LAST = ((moment - EPOCH) // MICROSECOND for moment in (datetime.min, datetime.max))
"""Between these lie the moments that Python knows, in microseconds."""
LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
FIRST_OF_1900S = 69
DAYS_BEFORE_1970 = 719_468
"""From 0000-03-01."""


def days_of_integers(graph: OnnxGraph, cells: str) -> str:
    """Days of microseconds since 1970-01-01, int64; float64, [rows, 1]."""
    return in_days(graph, cells, graph.add("Equal", cells, graph.constant(np.int64(NOT_A_DATE))))


def days_of_texts(graph: OnnxGraph, cells: str, *, month_first: bool) -> str:
    """Days of texts, in UTC where they name a zone; float64, [rows, 1]."""
    is_written = graph.add("RegexFullMatch", cells, pattern=WRITTEN)
    text = graph.add("Where", is_written, cells, graph.constant(np.array("1970-01-01", object)))
    date, *words = parts(graph, text, None, MAX_WORDS)
    for separator in "Tt,":
        date, clock = parts(graph, date, separator, 2, rest=separator == ",")
        words.insert(0, clock)
    clock = reduce(lambda before, word: graph.add("StringConcat", before, word), words)
    day, is_day = day_number(graph, date, month_first)
    time, is_time = time_of_day(graph, clock)
    day_length = graph.constant(np.int64(MICROSECONDS_PER_DAY))
    microseconds = graph.add("Add", graph.add("Mul", day, day_length), time)
    is_known = [
        graph.add(op, microseconds, graph.constant(np.int64(end)))
        for op, end in (("GreaterOrEqual", FIRST), ("LessOrEqual", LAST))
    ]
    return in_days(graph, microseconds, graph.add("Not", all_of(graph, [is_written, is_day, is_time, *is_known])))


def in_days(graph: OnnxGraph, microseconds: str, missing: str) -> str:
    """Microseconds, int64, as days: float64 with NaN for missing."""
    numbers = graph.cast(microseconds, "float64")
    days = graph.add("Div", numbers, graph.constant(np.float64(MICROSECONDS_PER_DAY)))
    return graph.add("Where", missing, graph.constant(np.float64("nan")), days)


def day_number(graph: OnnxGraph, date: str, month_first: bool) -> tuple[str, str]:
    """Days since 1970-01-01 of a date without time, and whether there is such a day."""
    pieces = [date, graph.constant(np.array("", object)), graph.constant(np.array("", object))]
    for separator in SEPARATORS:
        used = graph.add("RegexFullMatch", date, pattern=rf"[^{separator}]+\{separator}.*")
        split = parts(graph, date, separator, 3)
        pieces = [graph.add("Where", used, new, old) for new, old in zip(split, pieces, strict=True)]
    one, two, three = (integer(graph, piece) for piece in pieces)
    year_first = graph.add("RegexFullMatch", pieces[0], pattern=r"\d{4}")
    no_day = graph.add("RegexFullMatch", pieces[2], pattern="")
    in_order = month_before_day(graph, one, two, month_first)
    last = graph.add("Where", no_day, graph.constant(np.int64(1)), three)
    month = graph.add("Where", year_first, two, in_order[0])
    day = graph.add("Where", year_first, last, in_order[1])
    year = graph.add("Where", year_first, one, full_year(graph, pieces[2], three))
    return from_calendar(graph, year, month, day), is_in_calendar(graph, year, month, day)


def month_before_day(graph: OnnxGraph, one: str, two: str, month_first: bool) -> tuple[str, str]:
    """Month and day of two numbers: what cannot be a month is the day."""
    twelve = graph.constant(np.int64(12))
    swapped = graph.add("Greater", two, twelve)
    if month_first:
        swapped = graph.add("Or", swapped, graph.add("LessOrEqual", one, twelve))
    return graph.add("Where", swapped, one, two), graph.add("Where", swapped, two, one)


def full_year(graph: OnnxGraph, text: str, year: str) -> str:
    """Years of two digits are 1969 to 2068."""
    late = graph.add("GreaterOrEqual", year, graph.constant(np.int64(FIRST_OF_1900S)))
    century = graph.add("Where", late, graph.constant(np.int64(1900)), graph.constant(np.int64(2000)))
    is_short = graph.add("RegexFullMatch", text, pattern=r"\d{2}")
    return graph.add("Where", is_short, graph.add("Add", year, century), year)


def from_calendar(graph: OnnxGraph, year: str, month: str, day: str) -> str:
    """Days since 1970-01-01: years begin in March, so that leap days come last."""

    def number(value: int) -> str:
        return graph.constant(np.int64(value))

    early = graph.add("LessOrEqual", month, number(2))
    year = graph.add("Sub", year, graph.add("Where", early, number(1), number(0)))
    since_march = graph.add("Add", month, graph.add("Where", early, number(9), number(-3)))
    in_year = graph.add("Div", graph.add("Add", graph.add("Mul", since_march, number(153)), number(2)), number(5))
    leap_days = [graph.add("Div", year, number(period)) for period in (4, 100, 400)]
    days = graph.add("Add", graph.add("Mul", year, number(365)), leap_days[0])
    days = graph.add("Add", graph.add("Sub", days, leap_days[1]), leap_days[2])
    days = graph.add("Add", graph.add("Add", days, in_year), day)
    return graph.add("Sub", days, number(DAYS_BEFORE_1970 + 1))


def is_in_calendar(graph: OnnxGraph, year: str, month: str, day: str) -> str:
    """Whether there is such a day from the year 1 on."""

    def divides(period: int) -> str:
        return graph.add("Equal", graph.add("Mod", year, graph.constant(np.int64(period))), zero)

    zero, one = graph.constant(np.int64(0)), graph.constant(np.int64(1))
    place = graph.add("Clip", graph.add("Sub", month, one), zero, graph.constant(np.int64(11)))
    length = graph.add("Gather", graph.constant(np.array(LENGTHS, np.int64)), place)
    is_leap = graph.add("Or", graph.add("And", divides(4), graph.add("Not", divides(100))), divides(400))
    is_february = graph.add("Equal", month, graph.constant(np.int64(2)))
    longer = graph.add("Where", graph.add("And", is_leap, is_february), one, zero)
    tests = [
        graph.add("LessOrEqual", day, graph.add("Add", length, longer)),
        graph.add("LessOrEqual", month, graph.constant(np.int64(12))),
        *(graph.add("GreaterOrEqual", part, one) for part in (year, month, day)),
    ]
    return all_of(graph, tests)


def all_of(graph: OnnxGraph, tests: Sequence[str]) -> str:
    """Where all tests are true."""
    return reduce(lambda found, test: graph.add("And", found, test), tests)


def time_of_day(graph: OnnxGraph, clock: str) -> tuple[str, str]:
    """Microseconds since midnight in UTC of 12:30:00.5PM+02:00, and whether a clock shows it; 0 for an empty text."""
    clock, east = parts(graph, clock, "+", 2)
    clock, west = parts(graph, clock, "-", 2)
    is_half, is_second = (graph.add("RegexFullMatch", clock, pattern=rf"(?i).*{half}.*") for half in ("[ap]", "p"))
    for letter in "ZzUuGgAaPp":  # Z, UTC, GMT, am, pm
        clock = parts(graph, clock, letter, 2)[0]
    hours, minutes, seconds = parts(graph, clock, ":", 3)
    whole, comma = parts(graph, seconds, ",", 2)
    whole, point = parts(graph, whole, ".", 2)
    hour, minute, second = (integer(graph, part) for part in (hours, minutes, whole))
    hour, is_hour = hour_of_day(graph, hour, is_half, is_second)
    steps = [(hour, 3_600_000_000), (minute, 60_000_000), (second, 1_000_000)]
    steps += [(offset(graph, east), -60_000_000), (offset(graph, west), 60_000_000)]
    total = fraction(graph, graph.add("StringConcat", comma, point))
    for count, length in steps:
        total = graph.add("Add", total, graph.add("Mul", count, graph.constant(np.int64(length))))
    limits = ((hour, 23), (minute, 59), (second, 59))
    tests = [graph.add("LessOrEqual", x, graph.constant(np.int64(most))) for x, most in limits]
    return total, all_of(graph, [is_hour, *tests])


def hour_of_day(graph: OnnxGraph, hour: str, is_half: str, is_second: str) -> tuple[str, str]:
    """The hour from 0 to 23 of one that may be of a half of the day, and whether such a half has it."""
    zero, one, twelve = (graph.constant(np.int64(number)) for number in (0, 1, 12))
    later = graph.add("Where", is_second, twelve, zero)
    of_day = graph.add("Where", is_half, graph.add("Add", graph.add("Mod", hour, twelve), later), hour)
    in_half = graph.add("And", graph.add("GreaterOrEqual", hour, one), graph.add("LessOrEqual", hour, twelve))
    return of_day, graph.add("Or", in_half, graph.add("Not", is_half))


def fraction(graph: OnnxGraph, digits: str) -> str:
    """Microseconds of the digits after a point; those beyond are cut off."""
    text = graph.add("StringConcat", graph.constant(np.array("0.", object)), digits)
    is_one = graph.add("RegexFullMatch", digits, pattern=r"\d+")
    text = graph.add("Where", is_one, text, graph.constant(np.array("0.0", object)))
    seconds = graph.cast(text, "float64")
    nanoseconds = graph.add("Round", graph.add("Mul", seconds, graph.constant(np.float64(1e9))))
    whole = graph.cast(nanoseconds, "int64")
    return graph.add("Div", whole, graph.constant(np.int64(1000)))


def offset(graph: OnnxGraph, zone: str) -> str:
    """Minutes of 02:00, 0200 or 02."""
    first, second = parts(graph, zone, ":", 2)
    number, hundred = integer(graph, first), graph.constant(np.int64(100))
    is_joined = graph.add("RegexFullMatch", first, pattern=r"\d{4}")
    hours = graph.add("Where", is_joined, graph.add("Div", number, hundred), number)
    minutes = graph.add("Where", is_joined, graph.add("Mod", number, hundred), integer(graph, second))
    return graph.add("Add", graph.add("Mul", hours, graph.constant(np.int64(60))), minutes)


def integer(graph: OnnxGraph, text: str) -> str:
    """The number that digits are, 0 for anything else; int64."""
    digits = graph.add("RegexFullMatch", text, pattern=r"\d+")
    shown = graph.add("Where", digits, text, graph.constant(np.array("0", object)))
    return graph.cast(shown, "int64")


def parts(graph: OnnxGraph, text: str, separator: str | None, n_parts: int, *, rest: bool = False) -> list[str]:
    """The first parts of texts [rows, 1] between separators, or between blanks if it is None; "" where there is none.

    With `rest`, the last part is all that is left.
    The number of parts that the operator gives is the largest of the batch, so a row with enough of them is added.
    """
    sample = (separator or " ").join(["0"] * n_parts)
    longer = graph.add("Concat", text, graph.constant(np.array([[sample]], object)), axis=0)
    given: dict[str, Any] = {} if separator is None else {"delimiter": separator}
    given |= {"maxsplit": n_parts - 1} if rest else {}
    split, _ = graph.add("StringSplit", longer, n_outputs=2, **given)
    start, end, axis = (graph.constant(np.array([i], np.int64)) for i in (0, -1, 0))
    rows = graph.add("Slice", split, start, end, axis)
    return [graph.add("Gather", rows, graph.constant(np.int64(i)), axis=2) for i in range(n_parts)]
