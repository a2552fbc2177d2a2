"""Functions of ops as data: what a function appends to a program is recorded, and appended again without the function.

Takes a function ``function(b, *values) -> value`` and the types of its operands. Returns a `Recording`, which is such a
function too: it has the same effect, compares equal to its like, and holds no code. Never keeps what the function read
from Python: numbers of its closure become constants.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rosenblatt.ir.ops import OPS
from rosenblatt.ir.program import Builder
from rosenblatt.ir.rewrite import eliminate_dead
from rosenblatt.ir.types import FLOATS, Attr, Instruction, Program, ProgramError, Type, Value

__all__ = ["Recording", "Step", "record", "steps_of"]


@dataclass(frozen=True)
class Step:
    """One op. `operands` are numbers of values: the inputs come first, then the result of each step."""

    op: str
    operands: tuple[int, ...]
    attrs: tuple[tuple[str, Attr], ...] = ()


@dataclass(frozen=True, repr=False)
class Recording:
    """A function of ops as data, which can be called like the function. Printed, it shows its ops.

    Attributes
    ----------
    name : str
        Its name, for summaries.
    dtype : {"float32", "float64"}
        Float type of the program in which it was recorded.
    inputs : tuple of Type
        Its operands there.
    steps : tuple of Step
        The ops, in order.
    result : int
        The number of the value that it returns.
    general : bool
        Whether operands of other widths, and of the other float type, give the same steps. If not, others are refused.
    learned : tuple of (str, float)
        For an activation with learned parameters: their names and initial values.
    trainable : bool
        Whether gradients pass through it; see `rosenblatt.nn.Step`.
    """

    name: str
    dtype: str
    inputs: tuple[Type, ...]
    steps: tuple[Step, ...]
    result: int
    general: bool
    learned: tuple[tuple[str, float], ...] = ()
    trainable: bool = True

    def __repr__(self) -> str:
        return f"<{self.name}, recorded: {len(self.steps)} ops>"

    def __str__(self) -> str:
        return str(_trace(self, self.dtype, self.inputs))

    @property
    def __name__(self) -> str:
        return self.name

    @property
    def parameters(self) -> Mapping[str, float]:
        """Initial values of learned parameters by name, as activations of the library have them."""
        return dict(self.learned)

    @property
    def result_type(self) -> Type:
        """The type of what it returns for the operands of the recording."""
        return _trace(self, self.dtype, self.inputs).outputs["result"].type

    def sizes(self) -> list[int]:
        """Elements of each value for one row, for the operands of the recording."""
        return [value.type.size(1) for value in _trace(self, self.dtype, self.inputs).values]

    def __call__(self, b: Builder, *values: Value) -> Value:
        """Append the recorded ops to `b`; a ProgramError for operands of another kind than the recorded ones."""
        given = tuple(value.type for value in values)
        if not self.general and (b.dtype, given) != (self.dtype, self.inputs):
            raise ProgramError(
                f"{self.name} was recorded for operands {_shown(self.inputs)} and applies to no others; given "
                f"{_shown(given)}"
            )
        if [_kind(t) for t in given] != [_kind(t) for t in self.inputs]:
            raise ProgramError(f"{self.name} was recorded for operands {_shown(self.inputs)}; given {_shown(given)}")
        known = list(values)
        for step in self.steps:
            known.append(_append(b, step, [known[i] for i in step.operands]))
        return known[self.result]


def record(function: Callable[..., Any], dtype: str, inputs: Sequence[Type]) -> Recording:
    """The recording of `function`, called with a builder of `dtype` and values of these types.

    It is called a second time, to see that it does the same, and a third time with other widths and the other float
    type, to see whether the recording is valid for these, too.

    Raises
    ------
    ProgramError
        If it returns no value of the builder, declares inputs or parameters of its own, appends random numbers or
        updates, or appends other ops in the second call.
    """
    name = str(getattr(function, "__name__", type(function).__name__))
    steps, result = steps_of(function, dtype, inputs)
    if repr(steps_of(function, dtype, inputs)) != repr((steps, result)):  # in which NaN equals NaN
        raise ProgramError(f"{name} appends other ops each time it is called")
    other = FLOATS[dtype == FLOATS[0]]
    wider = [
        Type(other if t.dtype == dtype else t.dtype, tuple(d + 7 if d > 0 else d for d in t.shape), t.sparse)
        for t in inputs
    ]
    try:
        general = steps_of(function, other, wider) == (steps, result)
    except Exception:  # whatever the function does where its operands are others: it is the user's
        general = False
    learned = tuple((str(key), float(value)) for key, value in getattr(function, "parameters", {}).items())
    trainable = bool(getattr(function, "trainable", True))
    recording = Recording(name, dtype, tuple(inputs), steps, result, general, learned, trainable)
    steps, result = steps_of(recording, dtype, inputs)  # in which equal constants are shared
    return replace(recording, steps=steps, result=result)


def _trace(function: Callable[..., Any], dtype: str, inputs: Sequence[Type]) -> Program:
    """The program of one call."""
    b = Builder(dtype)
    values = [b.input(f"x{i}", t.shape, t.dtype, t.sparse) for i, t in enumerate(inputs)]
    result = function(b, *values)
    if not isinstance(result, Value):
        raise ProgramError(f"the function gave {result!r}, no value of the builder")
    program = b.build(result=result)
    if len(program.leaves) != len(inputs):
        raise ProgramError(f"the function declares {program.leaves[-1].value!r}; it may only use its operands")
    for instruction in program.instructions:
        op = OPS[instruction.op]
        if op.writes or op.is_random:
            raise ProgramError(f"{instruction}: {op.name} does more than compute a result from operands")
    return eliminate_dead(program)


def steps_of(function: Callable[..., Any], dtype: str, inputs: Sequence[Type]) -> tuple[tuple[Step, ...], int]:
    """The steps of one call, and the number of the value that it returns; see `record`."""
    program = _trace(function, dtype, inputs)
    numbers = {value.id: i for i, value in enumerate(program.values)}
    steps = tuple(_step(instruction, numbers) for instruction in program.instructions)
    return steps, numbers[program.outputs["result"].id]


def _step(instruction: Instruction, numbers: Mapping[int, int]) -> Step:
    operands = tuple(numbers[value.id] for value in instruction.inputs)
    return Step(instruction.op, operands, tuple(instruction.attrs.items()))


def _append(b: Builder, step: Step, operands: Sequence[Value]) -> Value:
    """Append one step; an axis of -1 stands for all axes there, as `normalize_attrs` makes it."""
    attrs: dict[str, Any] = dict(step.attrs)
    if step.op == "fill" and attrs.get("shape") == ():
        return b.constant(attrs["value"])
    if operands and attrs.get("axis") == -1:
        attrs["axis"] = None
    value = b.emit(step.op, *operands, **attrs)
    if value is None:
        raise ProgramError(f"{step.op} gives no result")
    return value


def _kind(given: Type) -> tuple[bool, bool, int]:
    return given.dtype in FLOATS, given.sparse, len(given.shape)


def _shown(types: Sequence[Type]) -> str:
    return ", ".join(map(str, types)) or "none"
