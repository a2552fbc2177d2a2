"""How much a program computes and moves.

Takes a program. Returns counts of operations and bytes, each linear in the rows of the batch: a fixed part, and a part
per row. Never measures anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from rosenblatt.ir.ops import OPS
from rosenblatt.ir.types import ITEMSIZE, Instruction, Program, resolve

__all__ = ["Cost", "instruction_costs", "program_cost"]

PRODUCTS = ("matmul", "dense", "matmul_gated")


@dataclass(frozen=True)
class Cost:
    """Arithmetic operations and bytes read or written by one run on `m` rows: ``fixed + per_row * m``."""

    operations: int
    operations_per_row: int
    bytes: int
    bytes_per_row: int

    def format_operations(self) -> str:
        """Operations as "a·m + b", without the parts that are zero."""
        parts = [f"{self.operations_per_row:,}·m"] if self.operations_per_row else []
        parts += [f"{self.operations:,}"] if self.operations or not parts else []
        return " + ".join(parts)


def program_cost(program: Program) -> Cost:
    """The cost of one run. A sparse product counts as if its matrix were dense."""
    none, one = (
        [sum(counts) for counts in list(zip(*instruction_costs(program, n), strict=True))[1:] or ((), ())]
        for n in (0, 1)
    )
    return Cost(none[0], one[0] - none[0], none[1], one[1] - none[1])


def instruction_costs(program: Program, n_rows: int) -> list[tuple[Instruction, int, int]]:
    """Each instruction that computes, with its operations and the bytes that it reads or writes, for `n_rows` rows."""
    costs = []
    for i in program.instructions:
        if not OPS[i.op].alias:
            moved = [*i.values, *(i.inputs[position] for position in OPS[i.op].writes)]
            costs.append((i, _operations(i, n_rows), sum(v.type.size(n_rows) * ITEMSIZE[v.dtype] for v in moved)))
    return costs


def _operations(instruction: Instruction, n_rows: int) -> int:
    """Two per multiply-add of a product; otherwise one per element of the largest operand.

    A fused product counts like its separate ops.
    """
    if instruction.op in PRODUCTS and instruction.output is not None:
        a = resolve(instruction.inputs[0].type.shape, n_rows)
        inner = a[0] if instruction.attrs.get("transpose_a") else a[1]
        fused = len(instruction.inputs) - 2 + (1 if instruction.attrs.get("relu") else 0)  # bias or gate, and ReLU
        return (2 * inner + fused) * instruction.output.type.size(n_rows)
    if instruction.op.startswith("csr_matmul"):
        sparse, dense = instruction.inputs
        return 2 * sparse.type.size(n_rows) * resolve(dense.type.shape, n_rows)[1]
    return max((value.type.size(n_rows) for value in instruction.values), default=0)
