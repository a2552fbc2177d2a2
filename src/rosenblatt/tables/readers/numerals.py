"""Numbers written as text: thousands, decimal commas, currencies, percents, accountants' parentheses.

Takes the different texts of a column. Returns a `NumberFormat`, which reads any such text as a number or as None. Never
guesses cell by cell: what a comma means is decided by all the texts of the training rows.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

__all__ = ["NumberFormat", "parse_number"]

CURRENCIES = "$€£¥"
SPELLINGS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2007": " ", "’": "'", "−": "-"})
"""No-break and thin blanks, typographic apostrophes and minus signs."""
SHAPE = re.compile(
    rf"(?P<sign>[+-])?\s*(?P<c1>[{CURRENCIES}])?\s*(?P<open>\()?\s*(?P<c2>[{CURRENCIES}])?\s*(?P<inner>[+-])?\s*"
    r"(?P<digits>(?:\d[\d.,' ]*|[.,]\d+)(?:[eE][+-]?\d+)?)"
    rf"\s*(?P<c3>[{CURRENCIES}])?\s*(?P<percent>%)?\s*(?P<close>\))?\s*(?P<c4>[{CURRENCIES}])?"
)
INFINITE = re.compile(r"([+-]?)inf(?:inity)?|([+-]?)∞", re.IGNORECASE)
LONGEST = 60
"""No number with signs and separators is longer; the pattern is slow for very long texts."""
SEPARATORS = (("", "."), (",", "."), ("'", "."), (" ", "."), ("", ","), (".", ","), (" ", ","), ("'", ","))
"""(between thousands, before decimals); of pairs that read equally many texts, the first is chosen."""


@dataclass(frozen=True)
class NumberFormat:
    """How a column's numbers are written: separators of `SEPARATORS`, and a sign of `CURRENCIES` or none ("")."""

    thousands: str = ""
    decimal: str = "."
    currency: str = ""

    def __post_init__(self) -> None:
        if (self.thousands, self.decimal) not in SEPARATORS or self.currency not in ("", *CURRENCIES):
            raise ValueError(
                f"a column's numbers are not written with {self.thousands!r}, {self.decimal!r}, {self.currency!r}"
            )

    @classmethod
    def of(cls, texts: Sequence[str]) -> NumberFormat:
        """The format that reads most of the texts, each counted once.

        A comma is a decimal comma only if no other format reads as many, and so is a point between thousands.
        """
        if all(parse_number(text) is not None for text in texts):
            return cls()
        numerals = [numeral for text in texts if (numeral := split(text)) is not None]
        currencies = Counter(currency for _, _, currency in numerals if currency)
        best = max(SEPARATORS, key=lambda pair: sum(bool(pattern(*pair).fullmatch(n[0])) for n in numerals))
        return cls(*best, currencies.most_common(1)[0][0] if currencies else "")

    def read(self, text: str) -> float | None:
        """The number that a text stands for, perhaps infinite; "12 %" is 0.12, "(5)" is -5."""
        infinite = INFINITE.fullmatch(text)
        if infinite:
            return -math.inf if "-" in text else math.inf
        if not self.thousands and self.decimal == "." and (plain := as_float(text)) is not None:
            return plain
        numeral = split(text)
        if numeral is None or numeral[2] not in ("", self.currency):
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
        parts += [f'"{self.currency}" taken off'] * bool(self.currency)
        return "".join(f", {part}" for part in parts)


def split(text: str) -> tuple[str, float, str] | None:
    """Digits with their separators, the divisor that sign and percent make, the currency; None if it is no number."""
    found = SHAPE.fullmatch(text.translate(SPELLINGS).strip()) if len(text) <= LONGEST else None
    if found is None:
        return None
    signs = [sign for sign in (found["sign"], found["inner"]) if sign]
    currencies = [found[name] for name in ("c1", "c2", "c3", "c4") if found[name]]
    if (found["open"] is None) != (found["close"] is None) or len(currencies) > 1:
        return None
    if len(signs) + (found["open"] is not None) > 1:
        return None
    negative = found["open"] is not None or signs == ["-"]
    divisor = (-1.0 if negative else 1.0) * (100.0 if found["percent"] else 1.0)
    return found["digits"].strip(), divisor, "".join(currencies)


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
