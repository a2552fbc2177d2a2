"""Rewrites of whole programs.

Takes a program. Returns an equivalent, checked program with fewer instructions. Never changes the given program.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from rosenblatt.ir.ops import OPS
from rosenblatt.ir.program import check
from rosenblatt.ir.types import Attr, Instruction, Program, Value

__all__ = ["eliminate_dead", "fuse"]

SOFTMAX_LOSS = "softmax_cross_entropy"


def eliminate_dead(program: Program) -> Program:
    """Drop every instruction whose result is never read, such as cotangents of the data."""
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


def fuse(program: Program) -> Program:
    """Replace several instructions by one, where a kernel does their work in a single pass.

    A product with its bias and ReLU becomes `dense`. A product followed by the derivative of a ReLU becomes
    `matmul_gated`. The gradient of an L2 penalty becomes the decay of the update. Values that are also read elsewhere
    are kept. A softmax cross-entropy and its gradient share one softmax.
    """
    program = _share_softmax(program)
    work = _Fusion(program)
    for index, instruction in enumerate(program.instructions):
        work.add(index, instruction)
    return eliminate_dead(Program(program.dtype, program.leaves, tuple(work.done), program.outputs))


def _share_softmax(program: Program) -> Program:
    """Compute the softmax of logits once if a loss and its gradient both need it.

    Not if the loss is computed from the logits directly (``clip=0``), which is exact for tiny probabilities.
    """
    found = {(i.op, i.inputs[0].id, i.inputs[1].id) for i in program.instructions if i.op.startswith(SOFTMAX_LOSS)}
    new_id = 1 + max((value.id for value in program.values), default=0)
    softmax: dict[tuple[int, int], Value] = {}
    done: list[Instruction] = []
    for i in program.instructions:
        pair = (i.inputs[0].id, i.inputs[1].id) if i.op.startswith(SOFTMAX_LOSS) else None
        if pair and i.op == SOFTMAX_LOSS and i.attrs["clip"] and (SOFTMAX_LOSS + "_grad", *pair) in found:
            logits = i.inputs[0]
            p = softmax[pair] = Value(new_id, logits.type, f"{logits.name}_softmax")
            new_id += 1
            done.append(Instruction("softmax", (logits,), p, MappingProxyType({})))
            i = replace(i, op="picked_cross_entropy", inputs=(p, *i.inputs[1:]))
        elif pair in softmax:
            i = replace(i, op="picked_cross_entropy_grad", inputs=(softmax[pair], *i.inputs[1:]))
        done.append(i)
    return Program(program.dtype, program.leaves, tuple(done), program.outputs)


class _Fusion:
    """The fused instructions so far, and the position of the instruction that makes each value."""

    def __init__(self, program: Program) -> None:
        self.reads = Counter(v.id for i in program.instructions for v in i.inputs)
        self.reads.update(v.id for v in program.outputs.values())
        self.done: list[Instruction] = []
        self.makers: dict[int, int] = {}
        self.first_update = next(
            (n for n, i in enumerate(program.instructions) if OPS[i.op].writes), len(program.instructions)
        )

    def add(self, index: int, instruction: Instruction) -> None:
        """Append an instruction, in its fused form if there is one."""
        if index < self.first_update:
            # Fusing delays reads, so there must be no update in between.
            instruction = self._with_bias(instruction) or self._with_relu(instruction) or instruction
            instruction = self._with_gate(instruction) or instruction
        else:
            instruction = self._with_decay(instruction) or instruction
        if instruction.output is not None:
            self.makers[instruction.output.id] = len(self.done)
        self.done.append(instruction)

    def _maker(self, value: Value, op: str, **attrs: Attr) -> Instruction | None:
        """The instruction that makes `value`, if it is of this kind and nothing else reads the value."""
        place = self.makers.get(value.id)
        if place is None or self.reads[value.id] != 1:
            return None
        maker = self.done[place]
        return maker if maker.op == op and all(maker.attrs[k] == v for k, v in attrs.items()) else None

    def _with_bias(self, instruction: Instruction) -> Instruction | None:
        if instruction.op != "add":
            return None
        product, bias = instruction.inputs
        maker = self._maker(product, "matmul", transpose_a=0, transpose_b=0)
        if maker is None or bias.shape != product.shape[1:]:
            return None
        return _changed(instruction, "dense", (*maker.inputs, bias), {"relu": 0})

    def _with_relu(self, instruction: Instruction) -> Instruction | None:
        if instruction.op != "relu":
            return None
        maker = self._maker(instruction.inputs[0], "dense", relu=0)
        return _changed(instruction, "dense", maker.inputs, {"relu": 1}) if maker else None

    def _with_gate(self, instruction: Instruction) -> Instruction | None:
        if instruction.op != "relu_backward":
            return None
        maker = self._maker(instruction.inputs[0], "matmul")
        if maker is None:
            return None
        return _changed(instruction, "matmul_gated", (*maker.inputs, instruction.inputs[1]), maker.attrs)

    def _with_decay(self, instruction: Instruction) -> Instruction | None:
        """The update whose gradient is other + factor * param, as with an L2 penalty, with the factor as its decay."""
        if instruction.op not in ("sgd_update", "adam_update", "rms_update"):
            return None
        param, decay, position = instruction.inputs[0], instruction.inputs[-1], len(OPS[instruction.op].writes)
        total = self._maker(instruction.inputs[position], "add")
        place = self.makers.get(decay.id)
        undecayed = place is not None and self.done[place].op == "fill" and self.done[place].attrs["value"] == 0
        if total is None or not undecayed:
            return None
        for penalty, other in (total.inputs, total.inputs[::-1]):
            scaled = self._maker(penalty, "mul")
            if scaled is None or param not in scaled.inputs or other.shape != param.shape:
                continue
            (factor,) = (v for v in scaled.inputs if v is not param) if scaled.inputs.count(param) == 1 else (param,)
            if factor.shape == () and factor is not param and not self._updated_since(penalty, (param, factor, other)):
                inputs = (*instruction.inputs[:position], other, *instruction.inputs[position + 1 : -1], factor)
                return replace(instruction, inputs=inputs)
        return None

    def _updated_since(self, value: Value, read: tuple[Value, ...]) -> bool:
        """Whether an update after the instruction that makes `value` writes to what would now be read instead."""
        roots = {self._root(v) for v in read}
        later = self.done[self.makers[value.id] :]
        return any(self._root(i.inputs[position]) in roots for i in later for position in OPS[i.op].writes)

    def _root(self, value: Value) -> int:
        """The id of the value whose memory contains `value`."""
        place = self.makers.get(value.id)
        while place is not None and OPS[self.done[place].op].alias:
            value = self.done[place].inputs[0]
            place = self.makers.get(value.id)
        return value.id


def _changed(instruction: Instruction, op: str, inputs: tuple[Value, ...], attrs: Mapping[str, Attr]) -> Instruction:
    return Instruction(op, inputs, instruction.output, MappingProxyType(dict(attrs)))
