"""Programs of prediction as ONNX operators.

Takes a graph, a checked program, tensors for its inputs and arrays for its other leaves. Appends the operators, and
returns tensors for its outputs. What depends on arrays only is computed here, once. Never translates an op by what it
is used for: `rosenblatt.export.onnx.translations` has one rule for each, so that layers and activations follow, also
those of users.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.export.onnx.graph import OnnxGraph
from rosenblatt.export.onnx.translations import REFUSED, TRANSLATIONS
from rosenblatt.export.onnx.work import Work
from rosenblatt.ir.ops import OPS
from rosenblatt.ir.types import Instruction, Program

__all__ = ["add_program"]


def add_program(
    graph: OnnxGraph, program: Program, inputs: Mapping[str, str], leaves: Mapping[str, NDArray[Any]]
) -> dict[str, str]:
    """Append what a program computes.

    Parameters
    ----------
    graph : OnnxGraph
    program : Program
        Of prediction: without updates and random numbers.
    inputs : mapping of str to str
        A tensor for each leaf of the region "inputs", by the leaf's name: floats of the program's type, [rows, n], also
        for sparse leaves; for class numbers int64, [rows].
    leaves : mapping of str to ndarray
        An array for each other leaf.

    Returns
    -------
    dict of str to str
        The tensor of each output of the program.

    Raises
    ------
    ValueError
        If an op cannot be held: it is named, and nothing was written yet.
    KeyError
        If a leaf has no tensor or array.
    """
    require_translations(program)
    work = Work(graph, program.dtype)
    for leaf in program.leaves:
        value = leaf.value
        if leaf.region == "inputs":
            work.feed(value, inputs[value.name])
        else:
            work.values[value.id] = np.asarray(leaves[value.name], value.dtype)
    for instruction in program.instructions:
        assert instruction.output is not None
        array = folded(work, instruction)
        work.values[instruction.output.id] = translated(work, instruction) if array is None else array
    return {name: work.tensor(value) for name, value in program.outputs.items()}


def require_translations(program: Program) -> None:
    """Refuse a program with an op that has no translation."""
    for instruction in program.instructions:
        if instruction.op not in TRANSLATIONS:
            why = REFUSED.get(instruction.op, "it has no translation")
            raise ValueError(
                f"ONNX cannot hold the op {instruction.op!r} ({instruction}): {why}. "
                "Predict without it, or use rosenblatt.save."
            )


def folded(work: Work, instruction: Instruction) -> NDArray[Any] | None:
    """The result as an array, if all operands are arrays and its shape does not depend on the rows; else None."""
    operands = [work.values[value.id] for value in instruction.inputs]
    output = instruction.output
    assert output is not None
    if any(isinstance(x, str) for x in operands) or any(size < 0 for size in output.type.shape):
        return None
    with np.errstate(all="ignore"):
        result = OPS[instruction.op].evaluate(tuple(operands), instruction.attrs, work.dtype)
    return np.array(result, output.dtype)


def translated(work: Work, instruction: Instruction) -> str:
    """The tensor that the operators of an instruction give."""
    operands = [work.tensor(value) for value in instruction.inputs]
    return TRANSLATIONS[instruction.op](work, instruction, *operands)
