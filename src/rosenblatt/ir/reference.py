"""The interpreter: runs a program with NumPy, by the references of the op table.

Takes a program and an array for every leaf. Returns its outputs and the updated leaves. Never changes the given arrays.
It is the oracle for the planner and the kernels, so it never fuses and shares no memory except for aliases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rosenblatt.ir.duals import Dual, tangent_of, value_of
from rosenblatt.ir.ops import OPS
from rosenblatt.ir.types import PERSISTENT, Attr, Leaf, Program, resolve

__all__ = ["interpret", "jvp", "resolve_attrs"]


def interpret(program: Program, input_arrays: Mapping[str, Any], n_rows: int) -> dict[str, Any]:
    """Evaluate a checked program in its own dtype: its outputs, and the persistent leaves that were updated, by name.

    `input_arrays` holds for each leaf an array of its shape with `n_rows` in place of m, which is converted to its
    dtype; for a sparse leaf, a `scipy.sparse.csr_array`. Raises ValueError if an array is missing or of another shape.
    """
    values = {leaf.value.id: _feed(leaf, input_arrays, n_rows) for leaf in program.leaves}
    return _run(program, values, n_rows)


def jvp(
    program: Program, input_arrays: Mapping[str, Any], tangents: Mapping[str, Any], n_rows: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values and derivatives in the direction `tangents`, in forward mode, each as `interpret` returns values.

    `tangents` holds for some of the float leaves an array of the same shape. The other leaves are constant.
    """
    unknown = set(tangents) - {leaf.value.name for leaf in program.leaves}
    if unknown:
        raise ValueError(f"tangents are given for {', '.join(sorted(unknown))}, which the program does not have")
    values = {leaf.value.id: _feed(leaf, input_arrays, n_rows) for leaf in program.leaves}
    for leaf in program.leaves:
        value = leaf.value
        if value.dtype == program.dtype and not value.type.sparse:
            zeros = np.zeros_like(values[value.id])
            values[value.id] = Dual(values[value.id], tangents.get(value.name, zeros))
    results = _run(program, values, n_rows)
    return {name: value_of(x) for name, x in results.items()}, {name: tangent_of(x) for name, x in results.items()}


def resolve_attrs(op: str, attrs: Mapping[str, Attr], n_rows: int) -> dict[str, Any]:
    """Attributes in the form that references take: `n_rows` in place of m in every shape."""
    kinds = OPS[op].attrs
    return {k: resolve(v, n_rows) if kinds[k] == "shape" and isinstance(v, tuple) else v for k, v in attrs.items()}


def _feed(leaf: Leaf, input_arrays: Mapping[str, Any], n_rows: int) -> Any:
    value = leaf.value
    if value.name not in input_arrays:
        raise ValueError(f"leaf {value!r} is not fed; given: {', '.join(input_arrays) or 'nothing'}")
    given, expected = input_arrays[value.name], resolve(value.type.shape, n_rows)
    # A copy, because updates write into persistent leaves.
    array = given.astype(value.dtype) if value.type.sparse else np.array(given, value.dtype)
    if array.shape != expected:
        raise ValueError(f"leaf {value!r} is fed an array of shape {array.shape}; with {n_rows} rows it is {expected}")
    return array


def _run(program: Program, values: dict[int, Any], n_rows: int) -> dict[str, Any]:
    owners = {leaf.value.id: leaf.value for leaf in program.leaves if leaf.region in PERSISTENT}
    changed: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        for instruction in program.instructions:
            op, out = OPS[instruction.op], instruction.output
            operands = tuple(values[v.id] for v in instruction.inputs)
            result = op.evaluate(operands, resolve_attrs(op.name, instruction.attrs, n_rows), program.dtype)
            if not (op.writes or op.alias):  # a new array
                result = result.copy() if isinstance(result, Dual) else np.array(result, order="C")
            if out is not None:
                values[out.id] = result
            if op.alias and out is not None and instruction.inputs[0].id in owners:
                owners[out.id] = owners[instruction.inputs[0].id]
            for position, new in zip(op.writes, result if op.writes else (), strict=True):
                # Written in place, so that aliases see it.
                values[instruction.inputs[position].id][...] = new
                owner = owners[instruction.inputs[position].id]
                changed[owner.name] = values[owner.id]
    return changed | {name: values[value.id] for name, value in program.outputs.items()}
