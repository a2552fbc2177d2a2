"""Ops in C: one entry for each op that a prediction can use.

Takes an instruction with its operands as C arrays. Returns lines of C, which compute what the kernel of the op does,
one element after the other: sums have one accumulator and run in the order of the elements. Never allocates, and never
calls anything but the functions of ``math.h`` and those in `HELPERS`.

In the texts, ``{R}`` is the float type, ``{F}`` the suffix of its functions ("f" or nothing), ``{P}`` the prefix of the
file's own names, and ``{0}``, ``{1}``, ... are the operands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rosenblatt.export.c.loops import Operand, elementwise, flat_strides, for_each, indented

__all__ = ["EXPRESSIONS", "HELPERS", "STATEMENTS", "Call", "helpers_in_order"]

EXPRESSIONS: Mapping[str, str] = {
    "neg": "-{0}",
    "abs": "fabs{F}({0})",
    "sign": "({0} > 0 ? 1 : ({0} < 0 ? -1 : {0}))",
    "exp": "exp{F}({0})",
    "log": "log{F}({0})",
    "log1p": "log1p{F}({0})",
    "expm1": "expm1{F}({0})",
    "sqrt": "sqrt{F}({0})",
    "square": "{0} * {0}",
    "tanh": "tanh{F}({0})",
    "logistic": "{P}_logistic{F}({0})",
    "softplus": "{P}_softplus{F}({0})",
    "erf": "erf{F}({0})",
    "relu": "({0} < 0 ? 0 : {0})",
    "mish": "{0} * tanh{F}({P}_softplus{F}({0}))",
    "mish_slope": "{P}_mish_slope{F}({0})",
    "sin": "sin{F}({0})",
    "cos": "cos{F}({0})",
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{0} / {1}",
    "maximum": "({0} > {1} || {0} != {0} ? {0} : {1})",
    "minimum": "({0} < {1} || {0} != {0} ? {0} : {1})",
    "power": "pow{F}({0}, {1})",
    "equal": "({0} == {1} ? 1 : 0)",
    "less": "({0} < {1} ? 1 : 0)",
    "less_equal": "({0} <= {1} ? 1 : 0)",
    "greater": "({0} > {1} ? 1 : 0)",
    "greater_equal": "({0} >= {1} ? 1 : 0)",
    "relu_backward": "({1} > 0 ? {0} : 0)",
    "tanh_backward": "{0} * (1 - {1} * {1})",
    "logistic_backward": "{0} * {1} * (1 - {1})",
    "where": "({0} != 0 ? {1} : {2})",
    "broadcast_to": "{0}",
}
"""Ops of single elements. A NaN is the only number that differs from itself."""

HELPERS: Mapping[str, str] = {
    "logistic": """\
/* 1 / (1 + exp(-x)); exp never overflows. */
static {R} {P}_logistic{F}({R} x) {
  const {R} e = exp{F}(-fabs{F}(x));
  return x < 0 ? e / (1 + e) : 1 / (1 + e);
}""",
    "softplus": """\
/* log(1 + exp(x)); exp never overflows. */
static {R} {P}_softplus{F}({R} x) {
  return (x < 0 ? 0 : x) + log1p{F}(exp{F}(-fabs{F}(x)));
}""",
    "mish_slope": """\
/* The derivative of x * tanh(log(1 + exp(x))). */
static {R} {P}_mish_slope{F}({R} x) {
  const {R} w = tanh{F}({P}_softplus{F}(x));
  return w + x * {P}_logistic{F}(x) * (1 - w * w);
}""",
}
"""Functions that a file has if something in it calls them, each after those that it calls."""


def helpers_in_order(code: str) -> list[str]:
    """The texts of the helpers that C code with ``{P}`` in place of the prefix calls, and of those that they call."""
    needed: list[str] = []
    for name, text in reversed(list(HELPERS.items())):
        if any(f"{{P}}_{name}{{F}}(" in caller for caller in (code, *needed)):
            needed.append(text)
    return needed[::-1]


@dataclass(frozen=True)
class Call:
    """An instruction: where its operands and its result are, and its attributes with all sizes known."""

    out: Operand
    inputs: tuple[Operand, ...]
    attrs: Mapping[str, Any]


def matmul(call: Call) -> list[str]:
    """A product: of each element of the result, the terms are added up in the order of the inputs."""
    x, y = call.inputs[:2]
    (rows, inner), columns = x.shape, call.out.shape[1]
    x_steps, y_steps = [*flat_strides(x.shape)], [*flat_strides(y.shape)]
    if call.attrs.get("transpose_a"):
        rows, inner, x_steps = inner, rows, x_steps[::-1]
    if call.attrs.get("transpose_b"):
        y_steps = y_steps[::-1]
    factor = x.at(*_places(("i", rows, x_steps[0]), ("k", inner, x_steps[1])))
    term = y.at(*_places(("k", inner, y_steps[0]), ("j", columns, y_steps[1])))
    target = call.out.at(*_places(("i", rows, columns), ("j", columns, 1)))
    added = for_each("j", columns, [f"{target} += a * {term};"])
    inner_loop = [f"for (int k = 0; k < {inner}; ++k) {{", f"  const {{R}} a = {factor};", *indented(added), "}"]
    if inner == 1:
        inner_loop = ["{", f"  const {{R}} a = {factor};", *indented(added), "}"]
    return for_each("i", rows, [*for_each("j", columns, [f"{target} = 0;"]), *inner_loop])


def dense(call: Call) -> list[str]:
    """A product, then the bias, then perhaps the ReLU."""
    relu = "({0} < 0 ? 0 : {0})"
    lines = matmul(call) + elementwise(call.out, (call.out, call.inputs[2]), "{0} + {1}".format)
    return lines + (elementwise(call.out, (call.out,), relu.format) if call.attrs["relu"] else [])


def _places(*axes: tuple[str, int, int]) -> list[str]:
    """Index times stride, for axes of more than one element; each is (index, size, stride)."""
    return [index if stride == 1 else f"{stride} * {index}" for index, size, stride in axes if size != 1]


def _reduction(start: str, step: str, end: str) -> Callable[[Call], list[str]]:
    """An accumulator that begins with `start`, takes in each ``{0}`` by `step`, and is stored as `end`."""

    def lines(call: Call) -> list[str]:
        (x,), axis = call.inputs, call.attrs.get("axis", -1)
        shape = x.shape
        outer, n, inner = (1, math.prod(shape), 1) if axis < 0 else _around(shape, axis)
        element = x.at(*_places(("i", outer, n * inner), ("k", n, inner), ("j", inner, 1)))
        target = call.out.at(*_places(("i", outer, inner), ("j", inner, 1)))
        body = [f"{{R}} total = {start};", *for_each("k", n, [step.format(element, R="{R}", F="{F}")])]
        body += [f"{target} = {end.format(n)};"]
        loops = for_each("i", outer, for_each("j", inner, body))
        return loops if outer * inner != 1 else ["{", *indented(loops), "}"]

    return lines


def _around(shape: Sequence[int], axis: int) -> tuple[int, int, int]:
    """Elements before an axis, along it, and behind it."""
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])


def softmax(call: Call) -> list[str]:
    """exp(x - max) over its sum, for each row."""
    rows, n = call.out.shape
    row = _places(("i", rows, n))
    x, y = (operand.at(*row, *_places(("j", n, 1))) for operand in (call.inputs[0], call.out))
    body = [
        "{R} top = -({R})INFINITY;",
        "{R} total = 0;",
        *for_each("j", n, [f"top = {x} > top || {x} != {x} ? {x} : top;"]),
        *for_each("j", n, [f"{y} = exp{{F}}({x} - top);", f"total += {y};"]),
        *for_each("j", n, [f"{y} = {y} / total;"]),
    ]
    lines = for_each("i", rows, body)
    return lines if rows != 1 else ["{", *indented(lines), "}"]


def _copy(out: Operand, x: Operand) -> list[str]:
    return elementwise(out, (x,), "{0}".format)


def concat(call: Call) -> list[str]:
    """The operands one after the other along an axis."""
    axis, strides, start, lines = call.attrs["axis"], flat_strides(call.out.shape), 0, list[str]()
    for x in call.inputs:
        part = replace(call.out, offset=call.out.offset + start * strides[axis], shape=x.shape, strides=strides)
        lines += _copy(part, x)
        start += x.shape[axis]
    return lines


def pack(call: Call) -> list[str]:
    """All elements of the operands, one operand after the other."""
    lines, start = list[str](), call.out.offset
    for x in call.inputs:
        n = math.prod(x.shape)
        lines += _copy(replace(call.out, offset=start, shape=(n,)), replace(x, shape=(n,)))
        start += n
    return lines


def slice_axis(call: Call) -> list[str]:
    """Part of an axis."""
    (x,), strides = call.inputs, flat_strides(call.inputs[0].shape)
    start = call.attrs["start"] * strides[call.attrs["axis"]]
    return _copy(call.out, replace(x, offset=x.offset + start, shape=call.out.shape, strides=strides))


def pad(call: Call) -> list[str]:
    """Zeros before and behind."""
    (x,), strides = call.inputs, flat_strides(call.out.shape)
    start = call.attrs["before"] * strides[call.attrs["axis"]]
    zeros = elementwise(call.out, (), lambda: "0")
    return zeros + _copy(replace(call.out, offset=call.out.offset + start, shape=x.shape, strides=strides), x)


def transpose(call: Call) -> list[str]:
    """The axes in another order."""
    (x,), strides = call.inputs, flat_strides(call.inputs[0].shape)
    return _copy(
        call.out, replace(x, shape=call.out.shape, strides=tuple(strides[axis] for axis in call.attrs["axes"]))
    )


def gather_rows(call: Call) -> list[str]:
    """Rows of a table by their numbers."""
    table, indices = call.inputs
    n, width = indices.shape[0], math.prod(table.shape[1:])
    row = indices.at(*_places(("i", n, 1)))
    target = call.out.at(*_places(("i", n, width), ("j", width, 1)))
    source = table.at(row if width == 1 else f"{width} * {row}", *_places(("j", width, 1)))
    return for_each("i", n, for_each("j", width, [f"{target} = {source};"]))


def one_hot(call: Call) -> list[str]:
    """1 in the column of each number, else 0."""
    n, k = call.out.shape
    label = call.inputs[0].at(*_places(("i", n, 1)))
    target = call.out.at(*_places(("i", n, k), ("j", k, 1)))
    return for_each("i", n, for_each("j", k, [f"{target} = {label} == {'j' if k != 1 else '0'} ? 1 : 0;"]))


STATEMENTS: Mapping[str, Callable[[Call], list[str]]] = {
    "matmul": matmul,
    "csr_matmul": matmul,  # a row is dense here
    "dense": dense,
    "sum": _reduction("0", "total += {0};", "total"),
    "mean": _reduction("0", "total += {0};", "total / {0}"),
    "max": _reduction("-({R})INFINITY", "total = {0} > total || {0} != {0} ? {0} : total;", "total"),
    "sum_squares": _reduction("0", "total += {0} * {0};", "total"),
    "softmax": softmax,
    "concat": concat,
    "pack": pack,
    "slice": slice_axis,
    "pad": pad,
    "transpose": transpose,
    "gather_rows": gather_rows,
    "one_hot": one_hot,
}
"""Ops that are more than an expression for each element."""
