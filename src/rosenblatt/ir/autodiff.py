"""Reverse-mode differentiation: appends adjoint instructions to a program under construction.

Takes a builder, a scalar (or any value with a given cotangent), and the values to differentiate with respect to.
Returns the values of the gradients. Never looks at numbers, and knows no op: the rule of each op emits its
instructions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rosenblatt.ir.ops import OPS
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import Cotangent, Instruction, Piece, ProgramError, Value

__all__ = ["depends_smoothly", "gradient"]


def gradient(b: Builder, output: Value, wrt: Sequence[Value], cotangent: Value | None = None) -> list[Value]:
    """Append the derivative of `output`, usually a scalar loss, and return one gradient per value in `wrt`.

    `wrt` are leaves or intermediate values of float type. A gradient has the shape of its value, and is zero if
    `output` does not depend on it. `cotangent` is that of `output`, of the same shape; the default is 1 for a scalar.

    Raises
    ------
    ProgramError
        If `output` is not a scalar and no cotangent is given, or if an op on the path has no derivative.
    """
    if cotangent is None:
        if output.shape != ():
            raise ProgramError(f"gradient of {output!r}: give a cotangent, or sum it to a scalar first")
        cotangent = b.constant(1.0)
    forward = tuple(b.instructions)
    active = {value.id for value in wrt}  # and all that depend on them
    for instruction in forward:
        if instruction.output is not None and any(v.id in active for v in instruction.inputs):
            active.add(instruction.output.id)
    found: dict[int, list[Cotangent]] = {output.id: [cotangent]}
    totals: dict[int, Value] = {}
    for instruction in reversed(forward):
        out = instruction.output
        if out is None or out.id not in found or out.id not in active:
            continue
        totals[out.id] = g = _total(b, out, found.pop(out.id))
        for value, contribution in _pull_back(b, instruction, g, active):
            found.setdefault(value.id, []).append(contribution)
    return [totals[v.id] if v.id in totals else _total(b, v, found.get(v.id, [])) for v in wrt]


def depends_smoothly(b: Builder, output: Value, wrt: Value, since: int = 0) -> bool:
    """Whether derivatives lead from `output` to `wrt`: there is a way between them without a comparison or the like.

    `wrt` is used by no instruction before the one numbered `since`.
    """
    active = {wrt.id}
    for instruction in b.instructions[since:]:
        allowed = OPS[instruction.op].differentiable
        reached = any(v.id in active and (allowed is None or i in allowed) for i, v in enumerate(instruction.inputs))
        if reached and instruction.output is not None:
            active.add(instruction.output.id)
    return output.id in active


def _pull_back(b: Builder, instruction: Instruction, g: Value, active: set[int]) -> list[tuple[Value, Cotangent]]:
    """The contributions of one instruction to the cotangents of its active inputs."""
    op = OPS[instruction.op]
    positions = range(len(instruction.inputs)) if op.differentiable is None else op.differentiable
    wanted = [i for i in positions if instruction.inputs[i].id in active and instruction.inputs[i].dtype == b.dtype]
    if not wanted:
        return []
    if op.vjp is None:
        if op.differentiable == ():
            return []
        raise ProgramError(f"{instruction}: the op {op.name!r} has no derivative")
    cotangents = op.vjp(b, g, instruction.output, *instruction.inputs, **instruction.attrs)
    result: list[tuple[Value, Cotangent]] = []
    for i in wanted:
        contribution, value = cotangents[i], instruction.inputs[i]
        if contribution is None:
            continue
        if not isinstance(contribution, Piece):
            contribution = sum_to_shape(b, contribution, value.shape)
        result.append((value, contribution))
    return result


def sum_to_shape(b: Builder, x: Value, shape: tuple[int, ...]) -> Value:
    """Undo broadcasting: sum `x` over the axes along which `shape` was expanded."""
    if x.shape == shape:
        return x
    if all(size == 1 for size in shape):
        total = b.sum(x)
        return total if shape == () else b.reshape(total, shape=shape)
    while len(x.shape) > len(shape):
        x = b.sum(x, axis=0)
    for axis, size in enumerate(shape):
        if size == 1 and x.shape[axis] != 1:
            x = b.sum(x, axis=axis, keepdims=1)
    if x.shape != shape:
        raise ProgramError(f"a cotangent of shape {x.shape} does not sum to shape {shape}")
    return x


def _total(b: Builder, value: Value, contributions: Sequence[Cotangent]) -> Value:
    """The sum of all contributions to the cotangent of a value, in the shape of the value."""
    terms = [c for c in contributions if isinstance(c, Value)]
    terms += _pack_pieces(b, value, [c for c in contributions if isinstance(c, Piece)])
    if not terms:
        return b.fill(value=0.0, shape=value.shape)
    total = terms[0]
    for term in terms[1:]:
        total = b.add(total, term)
    return total if total.shape == value.shape else b.broadcast_to(total, shape=value.shape)


def _pack_pieces(b: Builder, block: Value, pieces: Sequence[Piece]) -> list[Value]:
    """Cotangents of the whole block, made of pieces. Overlapping pieces go to different cotangents, to be summed."""
    packed: list[Value] = []
    left = sorted(pieces, key=lambda piece: piece.offset)
    while left:
        end, parts, later = 0, [], []
        for piece in left:
            if piece.offset < end:
                later.append(piece)
                continue
            if piece.offset > end:
                parts.append(b.fill(value=0.0, shape=(piece.offset - end,)))
            parts.append(piece.value)
            end = piece.offset + math.prod(piece.value.shape)
        if end < block.shape[0]:
            parts.append(b.fill(value=0.0, shape=(block.shape[0] - end,)))
        packed.append(b.pack(*parts))
        left = later
    return packed
