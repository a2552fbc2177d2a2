"""The text of a C file, part by part.

Takes the parts: routines, tables of names, functions. Returns the whole text. Never knows what is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rosenblatt._version import __version__
from rosenblatt.export.c.ops import helpers_in_order
from rosenblatt.export.c.routines import C_TYPES, Routine
from rosenblatt.export.c.text import Names, c_string, comment, wrapped
from rosenblatt.memory import size_text

__all__ = ["Source"]

SUFFIXES = {"float32": "f", "float64": ""}


@dataclass
class Source:
    """A C file in the making.

    Attributes
    ----------
    name : str
        What all its names begin with.
    is_header : bool
        Whether all is static, to be included in one file.
    title : list of str
        What the first comment says.
    constant_bytes, work_bytes : int
        Bytes of its tables of numbers, and of the arrays on the stack in its deepest call.
    """

    name: str
    is_header: bool
    title: list[str] = field(default_factory=list)
    names: Names = field(default_factory=Names)
    declarations: list[str] = field(default_factory=list)
    definitions: list[str] = field(default_factory=list)
    prototypes: list[str] = field(default_factory=list)
    helped: set[tuple[str, str]] = field(default_factory=set)
    constant_bytes: int = 0
    work_bytes: int = 0

    def __post_init__(self) -> None:
        macros = (f"{self.name}_{what}".upper() for what in ("N_INPUTS", "N_OUTPUTS", "N_CLASSES", "H"))
        for taken in (*macros, *(f"{self.name}_{what}" for what in _OWN), *_OF_MATH):
            self.names.new(taken)

    def constant(self, what: str, number: int) -> None:
        """Define a macro: a number that programs which use the file may need."""
        self.declarations.append(f"#define {f'{self.name}_{what}'.upper()} {number}")

    def strings(self, what: str, texts: Sequence[str]) -> None:
        """Define a table of texts."""
        kind = f"const char *const {self.name}_{what}[{len(texts)}]"
        if self.is_header:
            kind = f"static {kind}"
        else:
            self.prototypes.append(f"extern {kind};")
        self.definitions += [f"{kind} = {{", *wrapped(map(c_string, texts)), "};", ""]

    def add(self, lines: Sequence[str], dtype: str) -> None:
        """Add definitions that are written with ``{R}``, ``{F}`` and ``{P}``, for this float type."""
        self.definitions += [self._filled(line, dtype) for line in lines] + [""]

    def routine(self, made: Routine, dtype: str) -> None:
        """Add a routine, and before it the helpers that it calls."""
        self.helpers(made.lines, dtype)
        self.add(made.lines, dtype)
        self.constant_bytes += made.constant_bytes

    def function(self, head: str, body: Sequence[str], about: str, dtype: str) -> None:
        """Add a function for others to call; `about` is its comment."""
        shown = self._filled(head, dtype)
        if not self.is_header:
            self.prototypes += [f"/* {comment(about)} */", f"{shown};"]
        start = "static inline " if self.is_header else ""
        self.add([f"/* {comment(about)} */", f"{start}{head} {{", *(f"  {line}" for line in body), "}"], dtype)

    def helpers(self, text: Sequence[str], dtype: str) -> None:
        """Add the helpers that lines of code call."""
        for helper in helpers_in_order("\n".join(text)):
            if (helper, dtype) not in self.helped:
                self.helped.add((helper, dtype))
                self.add(helper.split("\n"), dtype)

    def _filled(self, line: str, dtype: str) -> str:
        return line.replace("{R}", C_TYPES[dtype]).replace("{F}", SUFFIXES[dtype]).replace("{P}", self.name)

    def written(self) -> str:
        """The text of the file."""
        sizes = (
            f"{size_text(self.constant_bytes)} of constant numbers, {size_text(self.work_bytes)} of stack for arrays"
        )
        about = [*self.title, "", f"Memory: {sizes}.", *_REQUIREMENTS, "", f"Written by rosenblatt {__version__}."]
        lines = ["/*", *(f" * {comment(line)}".rstrip() for line in about), " */"]
        guard = f"{self.name}_H".upper()
        lines += [f"#ifndef {guard}", f"#define {guard}", ""] if self.is_header else []
        lines += ["#include <math.h>", "", *_NO_FAST_MATH, *_contraction("OFF"), ""]
        lines += [*self.declarations, "", *self.prototypes, "", *self.definitions]
        lines += [*_contraction("DEFAULT"), f"#endif /* {guard} */", ""] if self.is_header else []
        return "\n".join(lines)


_OWN = ("predict", "predict_class", "classes")
_OF_MATH = (
    *("M_E", "M_LOG2E", "M_LOG10E", "M_LN2", "M_LN10", "M_PI", "M_PI_2", "M_PI_4", "M_1_PI", "M_2_PI", "M_2_SQRTPI"),
    *("M_SQRT2", "M_SQRT1_2", "M_SQRT3", "M_TWOPI", "M_3PI_4", "M_SQRTPI", "M_LOG2_E", "M_INVLN2", "M_IVLN10"),
    *("M_LN2HI", "M_LN2LO", "HUGE_VAL", "HUGE_VALF", "HUGE_VALL", "MATH_ERRNO", "MATH_ERREXCEPT", "FP_NAN"),
    *("FP_INFINITE", "FP_ZERO", "FP_SUBNORMAL", "FP_NORMAL", "FP_FAST_FMA", "FP_FAST_FMAF", "FP_FAST_FMAL"),
    *("FP_ILOGB0", "FP_ILOGBNAN"),
)
"""Names that some compilers' ``math.h`` has."""
_REQUIREMENTS = (
    "C99 and math.h; no allocation, no state. Sums have one accumulator and run in the order of the inputs, and no",
    "product is fused with a sum: compile without -ffast-math, and by GCC with -std=c99 or -ffp-contract=off.",
)
_NO_FAST_MATH = (
    "#if defined(__FAST_MATH__) || defined(_M_FP_FAST) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)",
    '#error "Compile without -ffast-math: with it, missing and infinite numbers give wrong predictions."',
    "#endif",
)


def _contraction(state: str) -> tuple[str, ...]:
    """Whether products may be fused with sums from here on; what includes a header decides for itself behind it."""
    return "#if defined(__clang__) || !defined(__GNUC__)", f"#pragma STDC FP_CONTRACT {state}", "#endif"
