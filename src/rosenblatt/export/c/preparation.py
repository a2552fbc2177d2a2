"""The preparation of a table's row in C: from cells to numbers, indicators and numbers of levels.

Takes the `Preparation` of a model. Adds to a file an ``enum`` of the columns and of the levels of each category, and
gives the lines that prepare a row. Never reads text or dates: cells are doubles, NaN where they are missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rosenblatt.export.c.routines import C_TYPES
from rosenblatt.export.c.source import Source
from rosenblatt.export.c.text import Names, c_string, comment, number, plain_identifier
from rosenblatt.tables.encoders import CategoricalEncoder, Encoder, NumericEncoder
from rosenblatt.tables.encoders.numeric import PERIODS
from rosenblatt.tables.readers.numerals import CLOCK

__all__ = ["Preparing"]

SCALED = """\
/* (x - center) / spread, softly cut to (-3, 3); a missing number is 0. */
static float {P}_scaled(double x, double center, double spread) {
  double scaled = (x - center) / spread;
  scaled = scaled != scaled ? 0 : scaled;
  scaled = scaled > 1e100 ? 1e100 : (scaled < -1e100 ? -1e100 : scaled);
  return (float)(scaled / sqrt(1.0 + scaled / 3.0 * (scaled / 3.0)));
}"""
LEVEL = """\
/* The number of a level, from 1; 0 for whatever is none. */
static int {P}_level(double x, int n) {
  const int level = x >= 1 && x <= n ? (int)x : 0;
  return x == level ? level : 0;
}"""


class Preparing:
    """Lines of C that prepare a row, for networks that compute in the float type `real`."""

    def __init__(self, source: Source, preparation: Any, real: str) -> None:
        self._source, self._encoders, self._real = source, preparation.encoders, C_TYPES[real]
        self._made = {"numbers": 0, "indicators": 0, "codes": 0}
        self._body: list[str] = []
        source.title += ["", "x: a double for each column, at these places:"]
        columns, levels = self._names()
        texts = [encoder.name for encoder in self._encoders]
        places = zip(columns, self._encoders, strict=True)
        source.title += [f"  {column}: {encoder.name}, {_allowed(encoder)}" for column, encoder in places]
        self._enum("x", "columns", columns, texts, 0)
        for encoder, column, names in zip(self._encoders, columns, levels, strict=True):
            if isinstance(encoder, NumericEncoder):
                self._numeric(encoder, f"x[{column}]")
            elif isinstance(encoder, CategoricalEncoder):
                self._enum(encoder.name, "levels", names, encoder.levels, 1)
                self._level(encoder, column)
        text = "\n".join(self._body)
        for helper, called in ((SCALED, "_scaled("), (LEVEL, "_level(")):
            if called in text:
                source.add(helper.split("\n"), "float64")

    def _names(self) -> tuple[list[str], list[list[str]]]:
        """Names of the columns, and of the levels of each; a column must not be taken for a level of another."""
        wanted = [
            (f"{self._source.name}_{plain_identifier(encoder.name, f'column_{i}')}".upper(), i)
            for i, encoder in enumerate(self._encoders)
        ]
        columns, levels, sizes = Names().distinct(wanted), list[tuple[str, int]](), list[int]()
        for column, encoder in zip(columns, self._encoders, strict=True):
            texts = encoder.levels if isinstance(encoder, CategoricalEncoder) else ()
            levels += [
                (f"{column}_{plain_identifier(t, f'level_{i}')}".upper(), i) for i, t in enumerate(texts, start=1)
            ]
            sizes.append(len(texts))
        places = [(column, i) for i, column in enumerate(columns)]
        found = iter(self._source.names.distinct([*places, *levels]))
        return [next(found) for _ in columns], [[next(found) for _ in range(size)] for size in sizes]

    def lines(self, inputs: Mapping[str, int]) -> list[str]:
        """Declarations of the inputs, and what fills them."""
        n_codes = sum(name.startswith("codes") for name in inputs)
        declared = [f"{self._real} {name}[{width}];" for name, width in inputs.items() if not name.startswith("codes")]
        return [*declared, *([f"int codes[{n_codes}];"] if n_codes else []), *self._body]

    def arguments(self, inputs: Mapping[str, int]) -> list[str]:
        """What the networks are given."""
        return [f"&codes[{name[5:]}]" if name.startswith("codes") else name for name in inputs]

    def _store(self, kind: str, value: str) -> None:
        cast = "(double)" if value.startswith("{P}_scaled(") and self._real == "double" else ""
        self._body.append(f"{kind}[{self._made[kind]}] = {cast}{value};")
        self._made[kind] += 1

    def _numeric(self, encoder: NumericEncoder, cell: str) -> None:
        features = [cell]
        for name in encoder.periods:
            days = number(PERIODS[name], "float64")
            place = f"(fmod({cell}, {days}) < 0 ? fmod({cell}, {days}) + {days} : fmod({cell}, {days}))"
            angle = f"6.283185307179586 * {place} / {days}"
            features += [f"sin({angle})", f"cos({angle})"]
        for feature, center, spread in zip(features, encoder.scaling.centers, encoder.scaling.spreads, strict=True):
            self._store("numbers", _scaled(feature, center, spread))
        if encoder.has_missing:
            self._store("indicators", f"{cell} != {cell} ? 1 : 0")

    def _level(self, encoder: CategoricalEncoder, column: str) -> None:
        level = f"{{P}}_level(x[{column}], {len(encoder.levels)})"
        if encoder.n_codes:
            self._store("codes", level)
        elif encoder.scaling is None:
            self._store("indicators", f"{level} == 0 ? 0 : ({level} == 1 ? -1 : 1)")
        else:
            pairs = zip(encoder.scaling.centers, encoder.scaling.spreads, strict=True)
            for i, (center, spread) in enumerate(pairs, start=1):
                self._store("indicators", _scaled(f"{level} == {i} ? 1 : 0", center, spread))

    def _enum(self, of: str, what: str, names: Sequence[str], texts: Sequence[str], start: int) -> None:
        """An ``enum`` whose constants have the texts beside them."""
        lines = [f"/* The {what} of {comment(of)}. */", "enum {"]
        for i, (name, text) in enumerate(zip(names, texts, strict=True), start=start):
            lines.append(f"  {name} = {i}{',' if i - start < len(names) - 1 else ''} /* {comment(c_string(text))} */")
        self._source.declarations += [*lines, "};"]


def _scaled(cell: str, center: float, spread: float) -> str:
    return f"{{P}}_scaled({cell}, {number(center, 'float64')}, {number(spread, 'float64')})"


def _allowed(encoder: Encoder) -> str:
    """What a cell must be."""
    if isinstance(encoder, CategoricalEncoder):
        return "the number of a level, 0 if it is missing or none of them"
    unit = encoder.format.unit if isinstance(encoder, NumericEncoder) else ""
    what = "hours" if unit == CLOCK else f"a number of {unit}" if unit else "a number"
    what = "days since 1970-01-01, with fractions" if encoder.cell_kind == "date" else what
    return f"{what}, NAN if it is missing"
