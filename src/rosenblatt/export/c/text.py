"""Pieces of C text: identifiers, numbers, strings, comments and tables of numbers.

Takes names, numbers and texts of any kind. Returns ASCII that every C99 compiler reads as what was given. Never decides
what is declared.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Names", "c_string", "comment", "constant_array", "is_identifier", "number", "plain_identifier", "wrapped"]

WIDTH = 110
LONGEST_NAME = 50
"""Compilers tell names apart by their first 63 characters at least; some are left for what is appended."""
LONGEST_STRING = 4000
"""C99 promises strings of 4,095 bytes."""
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def is_identifier(name: str) -> bool:
    """Whether names in C can begin with it: ASCII letters, digits and underscores, a letter first."""
    return IDENTIFIER.fullmatch(name) is not None and len(name) <= LONGEST_NAME


def plain_identifier(name: str, otherwise: str) -> str:
    """The nearest identifier to any text: `otherwise` if nothing of it can stay."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", name)[:LONGEST_NAME].strip("_")
    if not words:
        return otherwise
    return words if words[0].isalpha() else f"{otherwise}_{words}"[:LONGEST_NAME]


class Names:
    """Identifiers that were given away, so that no two things have the same one."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def distinct(self, wanted: Sequence[tuple[str, int]]) -> list[str]:
        """Names of things with numbers; if several want the same, or if it is taken, each has its number behind it.

        So no name says what two things are called.
        """
        counts = Counter(name for name, _ in wanted)
        clear = {name for name, count in counts.items() if count == 1} - self._taken
        self._taken |= clear
        return [name if name in clear else self.new(f"{name}_{number}") for name, number in wanted]

    def new(self, wanted: str) -> str:
        """`wanted`, or with a number behind it if it is taken."""
        name, count = wanted, 2
        while name in self._taken:
            name, count = f"{wanted}_{count}", count + 1
        self._taken.add(name)
        return name


def number(value: Any, dtype: str) -> str:
    """A number of "float32" or "float64" as an operand: in brackets, if there is more than digits."""
    text = _literal(value, dtype)
    return text if text[0].isdigit() else f"({text})"


def _literal(value: Any, dtype: str) -> str:
    """A number with the digits that it takes to read it again; NAN and INFINITY are of type float in C."""
    wide = dtype == "float64"
    exact = np.float64(value) if wide else np.float32(value)
    if not np.isfinite(exact):
        special = "NAN" if np.isnan(exact) else "INFINITY"
        return f"{'-' if exact < 0 else ''}{'(double)' if wide else ''}{special}"
    text = f"{np.format_float_scientific(exact, trim='0')}{'' if wide else 'f'}"
    plain = f"{np.format_float_positional(exact, trim='0')}{'' if wide else 'f'}"
    return plain if len(plain) <= len(text) else text


def c_string(text: str) -> str:
    """A string literal of the text in UTF-8; of a very long text, its beginning."""
    data = text.encode("utf-8", "surrogatepass")
    data = data if len(data) <= LONGEST_STRING else data[: LONGEST_STRING - 3] + b"..."
    return f'"{"".join(map(_character, data))}"'


def _character(byte: int) -> str:
    """One byte of a string literal; a question mark is escaped, since two may begin a trigraph."""
    character = chr(byte)
    if character in '"\\?':
        return f"\\{character}"
    return character if 32 <= byte < 127 else f"\\{byte:03o}"


def comment(text: str) -> str:
    """The text as it can stand inside a comment, on one line."""
    ascii_text = text.encode("ascii", "backslashreplace").decode("ascii")
    printable = "".join(c if 32 <= ord(c) < 127 else " " for c in ascii_text)
    return re.sub(r"(?<=\*)(?=/)|(?<=/)(?=\*)|(?<=\?)(?=\?)", " ", printable).rstrip("\\")


def wrapped(items: Iterable[str], indent: str = "  ") -> list[str]:
    """Items with commas between them, in lines of bounded width."""
    lines, line = list[str](), indent
    for item in items:
        if len(line) > len(indent) and len(line) + len(item) + 1 > WIDTH:
            lines.append(line.rstrip())
            line = indent
        line += f"{item}, "
    return [*lines, line.rstrip().removesuffix(",")]


def constant_array(kind: str, name: str, items: Sequence[str]) -> list[str]:
    """The definition of a static table that never changes."""
    return [f"static const {kind}{name}[{len(items)}] = {{", *wrapped(items), "};"]


def numbers_of(array: NDArray[Any], dtype: str) -> list[str]:
    """The numbers of an array in its order; a table of nothing, which C does not have, becomes one zero."""
    items = [_literal(value, dtype) for value in np.ravel(array)]
    return items or [number(0.0, dtype)]
