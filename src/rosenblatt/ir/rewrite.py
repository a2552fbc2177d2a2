"""Rewrites of whole programs: a program goes in, an equivalent checked program comes out."""

from __future__ import annotations

from rosenblatt.ir.ops import OPS
from rosenblatt.ir.program import Instruction, Program, check

__all__ = ["eliminate_dead"]


def eliminate_dead(program: Program) -> Program:
    """Drop every instruction whose result nobody reads, such as cotangents of the data."""
    live = {value.id for value in program.outputs.values()}
    kept: list[Instruction] = []
    for instruction in reversed(program.instructions):
        writes = OPS[instruction.op].writes
        if writes or (instruction.output is not None and instruction.output.id in live):
            kept.append(instruction)
            live.update(value.id for value in instruction.inputs)
    result = Program(program.dtype, program.leaves, tuple(reversed(kept)), program.outputs)
    check(result)
    return result
