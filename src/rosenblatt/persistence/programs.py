"""Losses, activations and layers that a user wrote as functions of ops, as plain data.

Takes a network, and functions ``function(b, *values) -> value``. Returns their recordings, and JSON-able states of
these; and recordings from states. A recording holds ops and numbers, no code; from a file it is built again op by op,
with all checks of the builder, before it is used. Never stores a function whose ops depend on more than its operands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

from rosenblatt.ir.recording import Recording, Step, record
from rosenblatt.ir.types import M, ProgramError, Type
from rosenblatt.nn.graph import Graph
from rosenblatt.nn.layers.base import Node
from rosenblatt.nn.losses.base import check_row_losses
from rosenblatt.nn.network import Network
from rosenblatt.nn.own_functions import Known, require_same
from rosenblatt.storage.container import ModelFileError, decode_value, encode_value, require_keys

__all__ = ["record_functions", "recording_from_state", "recording_state", "require_steps"]

MAX_STEPS = 20_000
"""Limit of recorded ops in a network, counted each time they are applied."""
MAX_STEPS_OF_ONE = 2000
MAX_GROWTH, MIN_ELEMENTS = 256, 1 << 16
"""Limit of elements in a value, for one row: so many times those of all operands, or so many."""
MAX_NAME = 200


# To state --------------------------------------------------------------------------------------------------------


def record_functions(network: Network, loss: Any, is_own: Callable[[Any], bool]) -> dict[int, Recording]:
    """Recordings of the functions of a network, and of a loss for its outputs, by the ids of the functions.

    `is_own` tells functions of the user from names and from what the library has.

    Raises
    ------
    ModelFileError
        If a function cannot be recorded, or is used for different widths and gives other ops for each.
    """
    graph, dtype = network.graph, network.dtype.name
    outputs = Type(dtype, (M, graph.n_outputs))
    uses = [*_uses(graph, dtype), *([("loss", "the loss", loss, (outputs, outputs))] if callable(loss) else [])]
    found: dict[int, Recording] = {}
    n_steps = 0
    for kind, where, function, types in uses:
        if not is_own(function):
            continue
        recording = _recorded(kind, where, function, dtype, types, {} if kind == "loss" else graph.known)
        _require_few(n_steps := n_steps + len(recording.steps))
        known = found.setdefault(id(function), recording)
        same = (recording.steps, recording.result) == (known.steps, known.result)
        if known.inputs != types and not (known.general and recording.general and same):
            shown = " and ".join(", ".join(map(str, given)) for given in (known.inputs, types))
            raise ModelFileError(
                f"{where}, {known.name}, gives other ops for {shown}; a model file holds the ops of a function, not "
                "its code. Write one function for each, or pickle the model."
            )
    return found


def _recorded(kind: str, where: str, function: Any, dtype: str, types: tuple[Type, ...], known: Known) -> Recording:
    name = getattr(function, "__name__", type(function).__name__)
    try:
        recording = record(function, dtype, types)
        require_same(known, where, function, dtype, types)
        _require_small(recording)
        _restored(kind, recording_state(recording))  # what could not be loaded is not saved
    except Exception as error:  # whatever the function raises: it is the user's
        raise ModelFileError(
            f"{where} is a function, {name}, that cannot be stored as ops: {error}. A model file holds no code: use "
            "ops only, or pickle the model."
        ) from None
    return recording


def _uses(graph: Graph, dtype: str) -> Iterator[tuple[str, str, Any, tuple[Type, ...]]]:
    """Each function of a graph: its kind, where it is, the function, the types of its operands."""
    for node, name in graph.names.items():
        layer = node.layer
        values = {f.name: getattr(layer, f.name) for f in fields(layer)}
        if callable(given := values.get("activation")):
            yield "activation", f"the activation of layer {name!r}", given, _of_activation(given, node.width, dtype)
        if callable(given := values.get("function")):
            own = [Type(dtype, spec.shape) for spec in layer.parameters(*(n.width for n in node.inputs))]
            operands = (*(_type(n, dtype) for n in node.inputs), *own)
            yield "function", f"the function of layer {name!r}", given, operands
    for head, node in graph.heads.items():
        if callable(given := graph.output[head]):
            where = f"the output activation of head {head!r}"
            yield "activation", where, given, _of_activation(given, node.width, dtype)


def _of_activation(given: Any, width: int, dtype: str) -> tuple[Type, ...]:
    return (Type(dtype, (M, width)), *[Type(dtype, (width,)) for _ in getattr(given, "parameters", ())])


def _type(node: Node, dtype: str) -> Type:
    """The type of a node's value."""
    return Type("int32", (M,)) if node.kind == "codes" else Type(dtype, (M, node.width), node.kind == "sparse")


def recording_state(recording: Recording) -> dict[str, Any]:
    """A recording as JSON."""
    return {
        "name": recording.name,
        "dtype": recording.dtype,
        "inputs": [[t.dtype, list(t.shape), t.sparse] for t in recording.inputs],
        "steps": [
            [step.op, list(step.operands), encode_value(dict(step.attrs), f"an attribute of {step.op}")]
            for step in recording.steps
        ],
        "result": recording.result,
        "general": recording.general,
        "learned": [list(pair) for pair in recording.learned],
        "trainable": recording.trainable,
    }


# From state ------------------------------------------------------------------------------------------------------


def recording_from_state(kind: str, state: Any) -> Recording:
    """The recording of a state, which is that of a "loss", an "activation" or a "function".

    Raises
    ------
    ModelFileError
        If its ops are unknown, do not fit, or are not those that recording it would give; or if it is too large.
    """
    try:
        return _restored(kind, state)
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise ModelFileError(f"the file holds no valid {kind} made of ops: {error}") from None


def _restored(kind: str, state: Any) -> Recording:
    recording = _parsed(state)
    _require_small(recording)
    again = record(recording, recording.dtype, recording.inputs)
    if repr(vars(again)) != repr(vars(recording)):  # in which NaN equals NaN
        raise ModelFileError("its ops are not in the form in which they are recorded")
    _require_kind(kind, recording)
    return recording


def _parsed(state: Any) -> Recording:
    """A recording whose parts have the right types; whether they fit is not looked at."""
    require_keys(state, {f.name for f in fields(Recording)}, what="a program")
    name, result = state["name"], state["result"]
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        raise ModelFileError(f"its name is not a text of up to {MAX_NAME} characters")
    if not all(type(state[flag]) is bool for flag in ("general", "trainable")) or type(result) is not int:
        raise ModelFileError("its flags or its result are of the wrong type")
    if not isinstance(state["steps"], list) or len(state["steps"]) > MAX_STEPS_OF_ONE:
        raise ModelFileError(f"its steps are no list of up to {MAX_STEPS_OF_ONE}")
    inputs = tuple(_type_from(entry) for entry in state["inputs"])
    steps = tuple(_step_from(entry, len(inputs) + i) for i, entry in enumerate(state["steps"]))
    if not 0 <= result < len(inputs) + len(steps):
        raise ModelFileError("its result is none of its values")
    learned = tuple((str(key), float(value)) for key, value in state["learned"])
    return Recording(name, state["dtype"], inputs, steps, result, state["general"], learned, state["trainable"])


def _type_from(entry: Any) -> Type:
    dtype, shape, sparse = entry
    if not all(type(dim) is int for dim in shape) or any(dim < M for dim in shape) or type(sparse) is not bool:
        raise ModelFileError("an operand has no valid shape")
    return Type(dtype, tuple(shape), sparse)


def _step_from(entry: Any, n_known: int) -> Step:
    op, operands, attrs = entry
    if not isinstance(op, str) or not all(type(i) is int and 0 <= i < n_known for i in operands):
        raise ModelFileError("a step reads a value that is not computed before it")
    decoded = decode_value(attrs)
    if not isinstance(decoded, dict):
        raise ModelFileError("the attributes of a step are no dictionary")
    return Step(op, tuple(operands), tuple(decoded.items()))


# Both ways -------------------------------------------------------------------------------------------------------


def _require_small(recording: Recording) -> None:
    """Refuse a recording that takes much more memory or time than its operands."""
    if len(recording.steps) > MAX_STEPS_OF_ONE:
        raise ProgramError(f"it has {len(recording.steps)} ops; at most {MAX_STEPS_OF_ONE} are allowed")
    most = max(MIN_ELEMENTS, MAX_GROWTH * sum(t.size(1) for t in recording.inputs))
    for size in recording.sizes():
        if size > most:
            raise ProgramError(f"a value has {size} elements for one row; at most {most} are allowed")


def _require_kind(kind: str, recording: Recording) -> None:
    """Refuse a recording that takes or gives something else than a loss or an activation."""
    dtype, result = recording.dtype, recording.result_type
    if kind == "loss":
        check_row_losses(result)
        if len(recording.inputs) != 2 or result.dtype != dtype:
            raise ModelFileError(f"a loss takes outputs and targets and gives a number for each, not {result}")
    if kind == "activation":
        wanted = _of_activation(recording, recording.inputs[0].shape[-1], dtype)
        if recording.inputs != wanted or result != wanted[0]:
            raise ModelFileError(f"an activation keeps the type of its operand, and this gives {result}")
    if kind == "loss" and recording.learned:
        raise ModelFileError("a loss has no learned parameters")


def require_steps(graph: Graph) -> None:
    """Refuse a network whose functions have too many ops together."""
    applied = [getattr(node.layer, name, None) for node in graph.nodes for name in ("activation", "function")]
    given = [item for item in (*applied, *graph.output.values()) if isinstance(item, Recording)]
    _require_few(sum(len(recording.steps) for recording in given))


def _require_few(total: int) -> None:
    if total > MAX_STEPS:
        raise ModelFileError(
            f"the functions of the network have {total} ops together; at most {MAX_STEPS} are allowed."
        )
