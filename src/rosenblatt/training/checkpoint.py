"""Checkpoints: all that a training needs to go on exactly where it was.

Goes in: a folder, how often to save, and what the training is of (a fingerprint of data and settings). Comes out: a
file that is always complete, and from it, in another process, the same training. Writing is atomic: whenever the
process is killed, the older checkpoint or the new one is there. It never decides what belongs to the state.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.nn.graph import Graph
from rosenblatt.storage.atomic import read_regular, write_atomically
from rosenblatt.storage.container import Arrays, ModelFileError, pack, unpack
from rosenblatt.training.trainer import Rates, Trainer

__all__ = ["CheckpointError", "Checkpoints", "data_digest", "network_text", "run_epoch", "setting_text"]

FILE = "checkpoint.safetensors"
KIND = "checkpoint"
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
DEFAULT_EVERY = "30s"

Snapshot = Callable[[], tuple[dict[str, Any], Arrays]]


class CheckpointError(ValueError):
    """A checkpoint that belongs to another training, or is damaged."""


@dataclass
class Checkpoints:
    """When a training is saved, and where.

    Parameters
    ----------
    folder : path
        Made if it does not exist; holds one checkpoint.
    every : int or str
        Steps between two checkpoints, or a time such as "30s", "5m", "1h".
    fingerprint : mapping of str to str
        What the training is of, part by part; a checkpoint whose parts differ is refused.
    """

    folder: str | os.PathLike[str]
    every: int | str
    fingerprint: Mapping[str, str]

    def __post_init__(self) -> None:
        self.steps, self.seconds = parse_every(self.every)
        self.path = Path(self.folder) / FILE
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise NotADirectoryError(f"checkpoint is {str(self.folder)!r}, which is a file; give a folder") from None
        for left in self.path.parent.glob(f".{FILE}.*.tmp"):  # of a process that was killed while it wrote
            with suppress(OSError):
                left.unlink()
        self._saved_at, self._saved_step = time.monotonic(), 0

    def load(self) -> tuple[dict[str, Any], Arrays] | None:
        """State and arrays of the checkpoint, or None where there is none.

        Raises
        ------
        CheckpointError
            If it belongs to another training, or cannot be read.
        """
        if not self.path.exists():
            return None
        remedy = "Give another folder, or delete this one to begin anew."
        try:
            kind, state, arrays = unpack(read_regular(self.path), finite=False)
            if kind != KIND or not isinstance(state, dict) or not isinstance(state.get("fingerprint"), dict):
                raise ModelFileError("it is no checkpoint")
        except ModelFileError as error:
            raise CheckpointError(f"{self.path}: {error}. {remedy}") from None
        theirs = state["fingerprint"]
        names = [n for n in {**self.fingerprint, **theirs} if self.fingerprint.get(n) != theirs.get(n)]
        if names:
            parts = [f"{n} ({describe(theirs.get(n))} there, {describe(self.fingerprint.get(n))} now)" for n in names]
            raise CheckpointError(f"{self.path} is of another training. What differs: {'; '.join(parts)}. {remedy}")
        self._saved_step = int(state["step"])
        return state, arrays

    def until_next(self, step: int) -> tuple[int, float]:
        """Steps and seconds until the next checkpoint is due, as `Trainer.epochs` takes them; 0: no limit."""
        if self.steps:
            return max(1, self._saved_step + self.steps - step), 0.0
        return 0, max(1e-3, self._saved_at + self.seconds - time.monotonic())

    def is_due(self, step: int) -> bool:
        """Whether it is time for a checkpoint."""
        if self.steps:
            return step >= self._saved_step + self.steps
        return time.monotonic() >= self._saved_at + self.seconds

    def save(self, step: int, state: Mapping[str, Any], arrays: Arrays) -> None:
        """Write a checkpoint in the place of the older one.

        Raises
        ------
        OSError
            If it cannot be written; the older one is unharmed.
        """
        whole = {**state, "step": step, "fingerprint": dict(self.fingerprint)}
        write_atomically(self.path, pack(KIND, whole, arrays, finite=False))
        self._saved_at, self._saved_step = time.monotonic(), step


def setting_text(value: Any) -> str:
    """A setting as a text that is equal in every process: functions by name and code, layers by their fields."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key!r}: {setting_text(item)}' for key, item in value.items())}}}"
    if isinstance(value, (list, tuple)):
        inner = ", ".join(map(setting_text, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    if is_dataclass(value) and not isinstance(value, type):
        inner = ", ".join(f"{f.name}={setting_text(getattr(value, f.name))}" for f in fields(value))
        return f"{type(value).__qualname__}({inner})"
    code = getattr(value, "__code__", None)
    if code is not None:
        constants = [c.co_code if hasattr(c, "co_code") else c for c in code.co_consts]
        bound = [cell.cell_contents for cell in value.__closure__ or ()] + [*(value.__defaults__ or ())]
        bound = [v for v in bound if isinstance(v, (bool, int, float, str, type(None)))]
        digest = hashlib.blake2b(code.co_code + repr((constants, code.co_names, bound)).encode(), digest_size=4)
        return f"{value.__module__}.{value.__qualname__} {digest.hexdigest()}"
    shown = repr(value)
    return f"{type(value).__module__}.{type(value).__qualname__}" if " at 0x" in shown else shown


def network_text(graph: Graph) -> str:
    """What a graph computes: each node's layer and inputs, and the activations of the heads."""
    number = {node: i for i, node in enumerate(graph.nodes)}
    nodes = [(setting_text(n.layer), [number[i] for i in n.inputs], n.width, n.kind) for n in graph.nodes]
    return repr((nodes, {head: number[node] for head, node in graph.heads.items()}, setting_text(graph.output)))


def describe(part: str | None) -> str:
    """A part of a fingerprint for a message; digests are cut."""
    if part is None:
        return "nothing"
    return f"{part[:8]}…" if re.fullmatch(r"[0-9a-f]{40}", part) else part


def parse_every(every: int | str) -> tuple[int, float]:
    """Steps and seconds, one of them 0.

    Raises
    ------
    ValueError
        If it is neither a positive number of steps nor a time.
    """
    if isinstance(every, (int, np.integer)) and not isinstance(every, bool) and every > 0:
        return int(every), 0.0
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh])", every) if isinstance(every, str) else None
    if found is None or float(found[1]) <= 0:
        raise ValueError(
            f"checkpoint_every is {every!r}; allowed: a positive number of steps, or a time such as '30s', '5m', '1h'"
        )
    return 0, float(found[1]) * UNITS[found[2]]


def data_digest(*arrays: Any) -> str:
    """A hash of the content, dtype and shape of arrays (dense or CSR; None is skipped)."""
    hashed = hashlib.blake2b(digest_size=20)
    for array in arrays:
        if array is None:
            hashed.update(b"none")
            continue
        parts = [array.data, array.indices, array.indptr] if hasattr(array, "indptr") else [np.asarray(array)]
        for part in parts:
            part = np.ascontiguousarray(part)
            hashed.update(f"{part.dtype.str}{part.shape}{array.shape}".encode())
            content = repr(part.tolist()).encode() if part.dtype == object else part.tobytes()
            hashed.update(content)
    return hashed.hexdigest()


def run_epoch(
    trainer: Trainer,
    rates: Rates,
    order: NDArray[np.int64] | None,
    *,
    regularization: Rates = 1.0,
    shuffle: bool,
    resume: bool,
    checkpoints: Checkpoints | None,
    snapshot: Snapshot,
) -> float:
    """One epoch, or the rest of one that was begun, with checkpoints on the way; its loss.

    Parameters
    ----------
    trainer : Trainer
        With its data.
    rates : float, or ndarray of shape (n_steps,)
        Learning rates of all steps of the epoch.
    order : ndarray of shape (n,), optional
        Of the whole epoch.
    regularization : float, or ndarray of shape (n_steps,)
        As `Trainer.epochs` takes it.
    shuffle : bool
        Without an order: whether the epoch has one of its own.
    resume : bool
        Go on at the trainer's position.
    checkpoints : Checkpoints or None
    snapshot : callable
        Gives state and arrays, the trainer's included.
    """
    orders = None if order is None else order[None, :]
    n_rows = trainer.n_rows if order is None else len(order)
    if not resume:
        trainer.position = (0, 0.0)
    while True:
        steps, seconds = (0, 0.0) if checkpoints is None else checkpoints.until_next(trainer.step_count)
        done = trainer.position[0] // max(1, min(trainer.batch_size or n_rows, n_rows))
        left, strength = (of[done:] if isinstance(of, np.ndarray) else of for of in (rates, regularization))
        losses = trainer.epochs(
            *(1, left, orders),
            regularization=strength,
            shuffle=shuffle,
            resume=True,
            max_steps=steps,
            max_seconds=seconds,
        )
        if losses:
            return losses[0]
        assert checkpoints is not None
        checkpoints.save(trainer.step_count, *snapshot())
