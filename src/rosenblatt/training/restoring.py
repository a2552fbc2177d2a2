"""The state of a training: what a checkpoint holds of it, and what is read from one and checked.

Takes a training, and what was read from a file. Returns the parts, or raises an error that names the value. A
checkpoint may be damaged or forged, and what is restored from it is used without further checks. Never changes the
training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rosenblatt._checks import MAX_COUNT, check_count, check_number, check_seed, is_number
from rosenblatt.storage.container import Arrays, decode_value, encode_value, require_keys
from rosenblatt.training.early_stopping import StoppingState
from rosenblatt.training.history import History

if TYPE_CHECKING:
    from rosenblatt.training.loop import TrainingLoop

__all__ = ["LoopState", "read_state", "state_of"]

ENDS = ("", "ALL_EPOCHS", "NO_PROGRESS", "CALLBACK", "DEADLINE")
"""Outcomes of trainings that are saved; the first one is that of a training that continues."""


@dataclass(frozen=True)
class LoopState:
    """How far a training had come; see the attributes of `TrainingLoop`."""

    epoch: int
    outcome: str
    history: History
    stopping: StoppingState
    best: np.ndarray[Any, Any] | None


def state_of(loop: TrainingLoop) -> tuple[dict[str, Any], Arrays] | None:
    """All that a checkpoint holds of a training; None if a parameter is not finite.

    Such a training diverges within a step, and no other could continue from there: `read_state` refuses it.
    """
    if not all(np.isfinite(block).all() for block in (loop.network.block, loop.best) if block is not None):
        return None
    counts, arrays = loop.trainer.state()
    parts: dict[str, Any] = {"history": dict(loop.history), "stopping": asdict(loop.rule.state)}
    if loop.rates is not None:
        parts["rates"] = loop.rates.state()
    state = {"counts": counts, "epoch": loop.epoch, "outcome": loop.outcome.name if loop.outcome else ""}
    state |= {name: encode_value(part, name) for name, part in parts.items()}
    if loop.best is not None:
        arrays["best"] = loop.best
    if loop.rows is not None:
        state["rows"], of_rows = loop.rows.state()
        arrays |= of_rows
    return state, arrays


def read_state(loop: TrainingLoop, state: Mapping[str, Any], arrays: Arrays) -> LoopState:
    """The state in the checkpoint of this training, without learning rates and orders of rows.

    Raises
    ------
    ValueError, LookupError, TypeError
        If it describes a state that this training cannot have reached.
    """
    check_counts_of(loop, state, arrays)
    outcome, stopping = read_outcome(state, loop.max_epochs), read_stopping(state)
    best = read_best(loop, arrays, stopping, bool(outcome))
    return LoopState(state["epoch"], outcome, read_history(state), stopping, best)


def check_counts_of(loop: TrainingLoop, state: Mapping[str, Any], arrays: Arrays) -> None:
    """Refuse counts that no training of these rows can have, and arrays of another form than its own."""
    counts, trainer = state["counts"], loop.trainer
    require_keys(counts, {"step", "epoch", "row", "seed"}, what="the entry on counts")
    for name in ("step", "epoch", "row"):
        check_count(name, counts[name], 0, MAX_COUNT)
    if check_seed("seed", counts["seed"]) is None or counts["step"] != state["step"]:
        raise ValueError("there is no seed, or the number of steps is not that of the checkpoint")
    batch_size = max(1, min(trainer.batch_size or loop.n_rows, loop.n_rows))
    if counts["row"] % batch_size or counts["row"] >= loop.n_rows or counts["row"] // batch_size > counts["step"]:
        raise ValueError(f"row {counts['row']} is not where a step of {batch_size} of {loop.n_rows} rows begins")
    check_count("epoch", state["epoch"], 0, loop.max_epochs)
    require_array("memory", arrays, trainer.memory.shape, np.uint8)
    require_array("loss_sum", arrays, (1,), np.float64)
    check_number("the sum of losses", float(arrays["loss_sum"][0]))


def require_array(name: str, arrays: Arrays, shape: tuple[int, ...], dtype: Any) -> None:
    """Refuse an array that is absent or of another form."""
    if name not in arrays or arrays[name].shape != shape or arrays[name].dtype != dtype:
        found = f"is of shape {arrays[name].shape}" if name in arrays else "is absent"
        raise ValueError(f"the array {name!r} {found}; this training needs one of shape {shape} and type {dtype}")


def read_outcome(state: Mapping[str, Any], max_epochs: int) -> str:
    """The name of the outcome, "" where the training continues."""
    outcome = state["outcome"]
    if outcome not in ENDS or (not outcome and state["epoch"] >= max_epochs):
        raise ValueError(f"the outcome is {outcome!r} after {state['epoch']} of {max_epochs} epochs")
    return str(outcome)


def read_history(state: Mapping[str, Any]) -> History:
    """The history, with a row for each epoch."""
    columns, epoch = decode_value(state["history"]), state["epoch"]
    valid = isinstance(columns, dict) and all(
        isinstance(name, str) and isinstance(column, list) and all(type(value) is float for value in column)
        for name, column in columns.items()
    )
    lengths = {len(column) for column in columns.values()} if valid else {-1}
    if not valid or len(lengths) > 1 or (epoch and ("loss" not in columns or lengths.pop() < epoch)):
        raise ValueError(f"the history does not have a number in each column for each of {epoch} epochs")
    return History(columns)


def read_stopping(state: Mapping[str, Any]) -> StoppingState:
    """The best value so far, and the epochs since."""
    entry = decode_value(state["stopping"])
    require_keys(entry, {"best", "stalled"}, what="the entry on stopping")
    if type(entry["best"]) is not float or math.isnan(entry["best"]):
        raise ValueError(f"the best value is {entry['best']!r}; it must be a number")
    if not is_number(entry["stalled"]) or not 0 <= entry["stalled"] <= MAX_COUNT:
        raise ValueError(f"{entry['stalled']!r} is no possible number of epochs without progress")
    return StoppingState(**entry)


def read_best(loop: TrainingLoop, arrays: Arrays, stopping: StoppingState, ended: bool) -> np.ndarray[Any, Any] | None:
    """The weights of the best epoch, which are there if there was one and it is kept."""
    block = loop.network.block
    if "best" not in arrays and not (loop.keep_best and (ended or stopping.best < math.inf)):
        return None
    if not loop.keep_best:
        raise ValueError("there are weights of a best epoch, but this training keeps none")
    require_array("best", arrays, block.shape, block.dtype)
    if not np.isfinite(arrays["best"]).all():
        raise ValueError("the weights of the best epoch are not finite")
    return np.array(arrays["best"])
