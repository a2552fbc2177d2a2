"""Loops over the elements of values.

Takes operands: names of C arrays, with shapes. Returns lines of C that visit each element once, in order. Never knows
what is computed: that is an expression it is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

__all__ = ["Operand", "elementwise", "flat_strides", "for_each", "indented"]

INDICES = "ijkl"


@dataclass(frozen=True)
class Operand:
    """A value as C sees it.

    Attributes
    ----------
    array : str
        The array that holds it.
    offset : int
        Where its elements begin there.
    shape : tuple of int
    strides : tuple of int, optional
        How far neighbours along each axis are apart; default: row after row.
    literal : str or None
        The number that all its elements are; the array need not exist then.
    """

    array: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...] = ()
    literal: str | None = None

    def at(self, *places: str) -> str:
        """One element, at the sum of `places` and the offset."""
        terms = [place for place in places if place != "0"]
        terms += [str(self.offset)] if self.offset or not terms else []
        return f"{self.array}[{' + '.join(terms)}]"


def flat_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of a row-major array."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def indented(lines: Sequence[str], depth: int = 1) -> list[str]:
    """The lines, further to the right."""
    return [f"{'  ' * depth}{line}" for line in lines]


def for_each(index: str, size: int, body: Sequence[str]) -> list[str]:
    """A loop; where there is one round only, the body knows that the index is 0, and needs none."""
    if size == 1:
        return list(body)
    head = f"for (int {index} = 0; {index} < {size}; ++{index})"
    if len(body) == 1 and not body[0].startswith("for"):
        return [f"{head} {body[0]}"]
    return [f"{head} {{", *indented(body), "}"]


def elementwise(out: Operand, inputs: Sequence[Operand], expression: Callable[..., str]) -> list[str]:
    """``out[...] = expression(inputs[...])`` for each element of `out`, to whose shape the inputs are broadcast."""
    everyone = [_broadcast(operand, out.shape) for operand in (out, *inputs)]
    sizes, strides = _merged(out.shape, [operand.strides for operand in everyone])
    terms = []
    for operand, steps in zip(everyone, strides, strict=True):
        places = [place(INDICES[axis], step) for axis, step in enumerate(steps) if step and sizes[axis] != 1]
        terms.append(operand.literal or operand.at(*places))
    body = [f"{terms[0]} = {expression(*terms[1:])};"]
    for axis in reversed(range(len(sizes))):
        body = for_each(INDICES[axis], sizes[axis], body)
    return body


def place(index: str, stride: int) -> str:
    """The product of an index and a stride."""
    return index if stride == 1 else f"{stride} * {index}"


def _broadcast(operand: Operand, shape: tuple[int, ...]) -> Operand:
    """The operand with a stride for each axis of `shape`: 0 where it repeats."""
    strides = operand.strides or flat_strides(operand.shape)
    missing = len(shape) - len(operand.shape)
    own = [0 if n == 1 else stride for n, stride in zip(operand.shape, strides, strict=True)]
    return replace(operand, shape=shape, strides=(*[0] * missing, *own))


def _merged(shape: Sequence[int], strides: Sequence[Sequence[int]]) -> tuple[list[int], list[list[int]]]:
    """Fewer axes: neighbours are one where all operands pass from one to the other with the same stride."""
    kept = [axis for axis, size in enumerate(shape) if size != 1]
    sizes, merged = list[int](), [list[int]() for _ in strides]
    for axis in kept:
        size = shape[axis]
        if sizes and all(m[-1] == steps[axis] * size for m, steps in zip(merged, strides, strict=True)):
            sizes[-1] *= size
            for m, steps in zip(merged, strides, strict=True):
                m[-1] = steps[axis]
            continue
        sizes.append(size)
        for m, steps in zip(merged, strides, strict=True):
            m.append(steps[axis])
    return sizes, merged
