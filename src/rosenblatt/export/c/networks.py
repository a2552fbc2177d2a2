"""A model that is one program, as the functions of a C file.

Takes the parts of a model. Adds to a file what predicts a row of numbers, and what chooses its class. Never decides
what the model computes: `rosenblatt.export.c.models` does.
"""

from __future__ import annotations

from collections.abc import Mapping

from rosenblatt.export.c.loops import indented
from rosenblatt.export.c.models import Choice, Parts
from rosenblatt.export.c.routines import C_TYPES, routine
from rosenblatt.export.c.source import Source
from rosenblatt.export.c.text import number
from rosenblatt.ir.types import ITEMSIZE, Program

__all__ = ["add_choice", "add_parts", "argument_lines"]

NOT_A_CODE = """\
/* Whether x is a whole number from 0 to n - 1, which is stored. */
static int {P}_is_code({R} x, int n, int *code) {
  *code = x >= 0 && x < ({R})n ? (int)x : 0;
  return x == ({R})*code && x < ({R})n;
}"""


def add_parts(source: Source, parts: Parts) -> None:
    """Add ``NAME_predict`` and, for classifiers, ``NAME_predict_class`` and the names of the classes."""
    program, dtype = parts.program, parts.program.dtype
    made = routine(program, parts.leaves, source.names.new(f"{source.name}_network"), source.names)
    n_inputs = sum(_width(program, name, width) for name, width in parts.inputs.items())
    sizes = {head: value.type.size(1) for head, value in program.outputs.items()}
    n_outputs = sum(sizes.values())
    source.constant("N_INPUTS", n_inputs)
    source.constant("N_OUTPUTS", n_outputs)
    source.title += layout_of(program, parts.inputs, parts.columns, sizes, parts.choice)
    source.routine(made, dtype)
    declared, arguments, codes = argument_lines(program, parts.inputs)
    if codes:
        source.add(NOT_A_CODE.split("\n"), dtype)
    start = 0
    for size in sizes.values():
        arguments.append("y" if not start else f"y + {start}")
        start += size
    body = [*declared, *_refusing(codes, n_outputs), f"{made.name}({', '.join(arguments)});"]
    head = f"void {source.name}_predict(const {{R}} *x, {{R}} *y)"
    source.function(head, body, f"The {n_outputs} predictions for a row of {n_inputs} numbers.", dtype)
    source.work_bytes = made.work_bytes + ITEMSIZE["int32"] * len(codes)
    if parts.choice is not None:
        add_choice(source, parts.choice, n_outputs, C_TYPES[dtype], dtype)


def argument_lines(program: Program, inputs: Mapping[str, int]) -> tuple[list[str], list[str], list[str]]:
    """Declarations of what a routine is given, its arguments, and a check of each input that is a code."""
    declared, arguments, codes, start = list[str](), list[str](), list[str](), 0
    for name, width in inputs.items():
        if program.leaf(name).dtype == "int32":
            codes.append(f"{{P}}_is_code(x[{start}], {width}, &codes[{len(codes)}])")
            arguments.append(f"&codes[{len(codes) - 1}]")
        else:
            arguments.append("x" if not start else f"x + {start}")
        start += _width(program, name, width)
    if codes:
        declared.append(f"int codes[{len(codes)}];")
    return declared, arguments, codes


def _width(program: Program, name: str, width: int) -> int:
    """How many numbers of a row an input takes."""
    return 1 if program.leaf(name).dtype == "int32" else width


def _refusing(codes: list[str], n_outputs: int) -> list[str]:
    """Give NaN where a code is none."""
    if not codes:
        return []
    tests = [f"int valid = {codes[0]};", *(f"valid = {code} && valid;" for code in codes[1:])]
    return [*tests, "if (!valid) {", *(f"  {line}" for line in _each(n_outputs, "y[i] = ({R})NAN;")), "  return;", "}"]


def _each(n: int, *body: str) -> list[str]:
    """A loop over all outputs."""
    return [f"for (int i = 0; i < {n}; ++i) {{", *indented(body), "}"]


def layout_of(
    program: Program,
    inputs: Mapping[str, int],
    columns: tuple[str, ...],
    sizes: Mapping[str, int],
    choice: Choice | None,
) -> list[str]:
    """What stands where in x and y, for the first comment."""
    lines, start = ["", "x:"], 0
    for name, width in inputs.items():
        n, is_code = _width(program, name, width), program.leaf(name).dtype == "int32"
        lines.append(f"  {_places(start, n)}: {name}{f', a whole number from 0 to {width - 1}' if is_code else ''}")
        start += n
    if columns:
        lines = ["", "x:", *(f"  {i}: {column}" for i, column in enumerate(columns))]
    lines.append("y:")
    start = 0
    for head, n in sizes.items():
        lines.append(f"  {_places(start, n)}: {head}")
        start += n
    if choice is not None and choice.threshold is None and len(choice.classes) == start:
        lines = [*lines[:-1], *(f"  {i}: {label}" for i, label in enumerate(choice.classes))]
    return lines


def _places(start: int, n: int) -> str:
    return str(start) if n == 1 else f"{start} to {start + n - 1}"


def add_choice(source: Source, choice: Choice, n_outputs: int, kind: str, dtype: str) -> None:
    """Add the classes, and a function that chooses one of them; `kind` is the type of x."""
    source.constant("N_CLASSES", len(choice.classes))
    source.strings("classes", choice.classes)
    if choice.several:
        source.title += ["", "Each class is a label of its own, and a row may have several."]
        return
    body = [f"{{R}} y[{n_outputs}];", f"{source.name}_predict(x, y);"]
    body += _each(n_outputs, "if (!isfinite(y[i])) {", "  return -1;", "}")
    if choice.threshold is not None:
        body.append("return 0;" if len(choice.classes) == 1 else f"return y[0] > {number(choice.threshold, dtype)};")
    else:
        body += _largest(choice, n_outputs, dtype)
    head = f"int {source.name}_predict_class(const {kind} *x)"
    about = f"The number of a row's class in {source.name}_classes; -1 if a prediction is not finite."
    source.function(head, body, about, dtype)
    source.work_bytes += n_outputs * ITEMSIZE[dtype]


def _largest(choice: Choice, n_outputs: int, dtype: str) -> list[str]:
    """The place of the first of the largest predictions, after they were multiplied by their factors."""
    lines = []
    if choice.factors:
        factors = ", ".join(number(factor, dtype) for factor in choice.factors)
        lines = [f"static const {{R}} factors[{n_outputs}] = {{{factors}}};"]
        lines += _each(n_outputs, "y[i] = y[i] * factors[i];")
    lines.append("int best = 0;")
    lines += [f"for (int i = 1; i < {n_outputs}; ++i) {{", "  if (y[i] > y[best]) {", "    best = i;", "  }", "}"]
    return [*lines, "return best;"]
