"""Numbers written as text: thousands, decimal commas, currencies, units, percents, parentheses, times of the clock.

Takes the different texts of a column. Returns a `NumberFormat`, which reads any such text as a number or as None. Never
guesses cell by cell: what a comma means, and which unit may stand there, is decided by all the texts of the training
rows.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

__all__ = ["NumberFormat", "different_units", "parse_number"]

CLOCK = "h:mm"
"""The unit of times such as 12:30 or 1:05:30 pm, which are read as hours."""
CURRENCIES = frozenset(
    re.findall(
        r"\S+",
        "US$ A$ C$ R$ NZ$ HK$ S$ kr kr. zł Kč Ft Fr. SFr. Rs Rs. lei лв ₽ AED ARS AUD BGN BRL CAD CHF CLP CNY "
        "COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KES KRW MAD MXN MYR NGN NOK NZD PEN PHP PKR PLN "
        "QAR RMB RON RSD RUB SAR SEK SGD THB TND TRY TWD UAH USD VND ZAR ",
    )
)
"""Currencies of several letters; signs such as $ are known to Unicode."""
UNITS = frozenset(
    re.findall(
        r"\S+",
        "nm µm μm mm cm dm m km in ft yd mi mg g kg t lb oz ml mL cl dl l gal ms s sec min h hr d day wk yr "
        "°C °F ° km/h kmh mph m/s kn kW MW GW hp PS Wh kWh MWh GWh kV mV mA Ah mAh Ω kB KB MB GB TB bar mbar "
        "hPa kPa Pa psi m2 m² km2 km² ha ft2 ft² sqft cm2 cm² cm3 cm³ m3 m³ cc Hz kHz MHz GHz cal kcal kJ Nm "
        "rpm px dpi dB lm lx mol mmol mg/dl mg/dL mmol/l mmol/L g/l g/L bpm mmHg ",
    )
)
"""Units that may follow a number without a blank, where 5A is no current; after a blank, any word may be one."""
SPELLINGS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2007": " ", "’": "'", "−": "-"})
"""No-break and thin blanks, typographic apostrophes and minus signs."""
AFFIX = r"[^\d\s()%+\-.,:;'][^\s()%+\-,:;']{0,11}"
PREFIX = r"[^\d\s()%+\-,:;']{1,4}"
SHAPE = re.compile(
    rf"(?P<sign>[+-])?\s*(?P<before>{PREFIX})?\s*(?:(?P<open>\()\s*(?P<inside>{PREFIX})?)?\s*(?P<inner>[+-])?\s*"
    r"(?P<digits>(?:\d[\d.,' ]*|[.,]\d+)(?:[eE][+-]?\d+)?)"
    rf"\s*(?P<after>{AFFIX})?\s*(?P<percent>%)?\s*(?:(?P<close>\))\s*(?P<outside>{AFFIX})?)?"
)
TIME = re.compile(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d(?:[.,]\d{1,9})?))?(?:\s*([ap])\.?m\.?)?", re.IGNORECASE)
INFINITE = re.compile(r"([+-]?)inf(?:inity)?|([+-]?)∞", re.IGNORECASE)
LONGEST = 60
"""No number with signs and separators is longer; the pattern is slow for very long texts."""
MOSTLY = 0.9
SEPARATORS = (("", "."), (",", "."), ("'", "."), (" ", "."), ("", ","), (".", ","), (" ", ","), ("'", ","))
"""(between thousands, before decimals); of pairs that read equally many texts, the first is chosen."""


@dataclass(frozen=True)
class NumberFormat:
    """How a column's numbers are written: separators of `SEPARATORS`, and a currency or unit, `CLOCK`, or none ("")."""

    thousands: str = ""
    decimal: str = "."
    unit: str = ""

    def __post_init__(self) -> None:
        is_unit = isinstance(self.unit, str) and (self.unit in ("", CLOCK) or re.fullmatch(AFFIX, self.unit))
        if (self.thousands, self.decimal) not in SEPARATORS or not is_unit:
            raise ValueError(
                f"a column's numbers are not written with {self.thousands!r}, {self.decimal!r}, {self.unit!r}"
            )

    @classmethod
    def of(cls, texts: Sequence[str]) -> NumberFormat:
        """The format that reads most of the texts, each counted once.

        A comma is a decimal comma only if no other format reads as many, and so is a point between thousands.
        """
        if all(parse_number(text) is not None for text in texts):
            return cls()
        numerals = [numeral for text in texts if (numeral := split(text)) is not None]
        if sum(read_clock(text) is not None for text in texts) > len(numerals):
            return cls(unit=CLOCK)
        units = Counter(unit for _, _, unit in numerals if unit)
        best = max(SEPARATORS, key=lambda pair: sum(bool(pattern(*pair).fullmatch(n[0])) for n in numerals))
        return cls(*best, units.most_common(1)[0][0] if units else "")

    def read(self, text: str) -> float | None:
        """The number that a text stands for, perhaps infinite; "12 %" is 0.12, "(5)" is -5, "12:30" is 12.5."""
        if self.unit == CLOCK:
            return read_clock(text)
        infinite = INFINITE.fullmatch(text)
        if infinite:
            return -math.inf if "-" in text else math.inf
        if not self.thousands and self.decimal == "." and (plain := as_float(text)) is not None:
            return plain
        numeral = split(text)
        if numeral is None or numeral[2] not in ("", self.unit):
            return None
        digits, divisor, _ = numeral
        if not pattern(self.thousands, self.decimal).fullmatch(digits):
            return None
        bare = digits.replace(self.thousands, "") if self.thousands else digits
        return float(bare.replace(self.decimal, ".")) / divisor

    def describe(self) -> str:
        """What differs from plain numbers, as the end of a sentence; "" for none."""
        named = "a blank" if self.thousands == " " else f'"{self.thousands}"'
        parts = [f"{named} between thousands"] * bool(self.thousands)
        parts += ['"," before decimals'] * (self.decimal == ",")
        if self.unit == CLOCK:
            return ', "12:30" as 12.5 hours'
        parts += [f'"{self.unit}" taken off'] * bool(self.unit)
        return "".join(f", {part}" for part in parts)


def split(text: str) -> tuple[str, float, str] | None:
    """Digits with their separators, the divisor that sign and percent make, the unit; None if it is no number."""
    found = SHAPE.fullmatch(text.translate(SPELLINGS).strip()) if len(text) <= LONGEST else None
    if found is None:
        return None
    signs = [sign for sign in (found["sign"], found["inner"]) if sign]
    affixes = [name for name in ("before", "inside", "after", "outside") if found[name]]
    if (
        (found["open"] is None) != (found["close"] is None)
        or len(affixes) > 1
        or not all(is_unit(found, name) for name in affixes)
    ):
        return None
    if len(signs) + (found["open"] is not None) > 1:
        return None
    negative = found["open"] is not None or signs == ["-"]
    divisor = (-1.0 if negative else 1.0) * (100.0 if found["percent"] else 1.0)
    return found["digits"].strip(), divisor, "".join(singular(found[name]) for name in affixes)


def different_units(texts: Sequence[str]) -> tuple[str, str] | None:
    """Two texts that are numbers in different units or currencies, if nearly all the texts are numbers with a unit."""
    numerals = [(numeral[2], text) for text in texts if (numeral := split(text)) is not None and numeral[2]]
    examples = dict(reversed(numerals))
    if len(examples) < 2 or len(numerals) < MOSTLY * len(texts):
        return None
    first, second = list(examples.values())[-1:-3:-1]
    return first, second


def is_unit(found: re.Match[str], affix: str) -> bool:
    """Whether what stands before a number is a currency, or what follows it a currency or a unit."""
    word = found[affix]
    if word in CURRENCIES or (len(word) == 1 and unicodedata.category(word) == "Sc"):
        return True
    is_word = word[0].isalpha() and not any(map(str.isdigit, word)) and found.string[found.start(affix) - 1] == " "
    return affix in ("after", "outside") and (is_word or word in UNITS or singular(word) in UNITS)


def singular(unit: str) -> str:
    """The unit without the s of a plural, so that 1 year and 2 years have the same."""
    return unit.removesuffix("s") if len(unit) > 2 and unit.isalpha() else unit


def read_clock(text: str) -> float | None:
    """The hours that a time such as 12:30, 1:05:30 pm or 100:00 says, or None."""
    found = TIME.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if found is None:
        return None
    hours, half = int(found[1]), (found[4] or "").lower()
    if half and not 1 <= hours <= 12:
        return None
    hours = hours % 12 + 12 * (half == "p") if half else hours
    return hours + int(found[2]) / 60 + float((found[3] or "0").replace(",", ".")) / 3600


@cache
def pattern(thousands: str, decimal: str) -> re.Pattern[str]:
    """Digits in such a format; groups are of three, and no number with groups begins with 0."""
    grouped = rf"[1-9]\d{{0,2}}(?:{re.escape(thousands)}\d{{3}})+|" if thousands else ""
    point = re.escape(decimal)
    return re.compile(rf"(?:(?:{grouped}\d+)(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?")


def as_float(text: str) -> float | None:
    """What Python reads, but neither NaN nor digits with underscores."""
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) or "_" in text else number


def parse_number(text: str) -> float | None:
    """The finite number that a text stands for as programs write it, or None."""
    number = as_float(text)
    return number if number is not None and math.isfinite(number) else None
