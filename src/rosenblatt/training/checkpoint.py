"""Checkpoints: all that a training needs to resume exactly where it stopped.

Takes a folder, how often to save, and what the training is of (a fingerprint of data and settings). Returns a file that
is always complete, and from it, in another process, the same training. Writing is atomic: whenever the process is
killed, the older checkpoint or the new one is there. Never decides what belongs to the state.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rosenblatt._checks import MAX_COUNT, check_count, is_count, parse_duration, refusal, row_blocks
from rosenblatt.distributed.ranks import ranks
from rosenblatt.nn.graph import Graph
from rosenblatt.storage.atomic import read_regular, write_atomically
from rosenblatt.storage.container import Arrays, ModelFileError, errors_of, pack, unpack

__all__ = [
    *("CheckpointError", "Checkpoints", "check_checkpoints", "data_digest", "fingerprint_of"),
    *("network_text", "setting_text"),
]

FILE = "checkpoint.safetensors"
KIND = "checkpoint"
DEFAULT_EVERY = "30s"
REMEDY = "Give another folder, or delete this one to restart from scratch."


class CheckpointError(ValueError):
    """A checkpoint that belongs to another training, or is damaged."""


def check_checkpoints(folder: Any, every: Any) -> None:
    """Refuse a folder that is no path or an empty one, and an interval that is none, whether or not they are used."""
    if folder is not None and (not isinstance(folder, (str, os.PathLike)) or not os.fspath(folder)):
        raise refusal("checkpoint", folder, "the path of a folder, or None")
    if not is_count(every):
        parse_duration("checkpoint_every", every, unitless="steps")


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

    Attributes
    ----------
    start : tuple of (dict, dict of str to ndarray)
        State and arrays from before the training, which each checkpoint holds too.
    """

    folder: str | os.PathLike[str]
    every: int | str
    fingerprint: Mapping[str, str]
    start: tuple[dict[str, Any], Arrays] = field(default_factory=lambda: ({}, {}))

    def __post_init__(self) -> None:
        check_checkpoints(self.folder, self.every)
        if sys.byteorder != "little":  # the memory of a trainer is stored as it is
            self.fingerprint = {**self.fingerprint, "order of bytes": sys.byteorder}
        self.steps = min(int(self.every), 2**62) if is_count(self.every) else 0
        self.seconds = 0.0 if self.steps else parse_duration("checkpoint_every", self.every, unitless="steps")
        self.path, self._ranks = Path(self.folder) / FILE, ranks()
        self._ranks.first(self._make_folder)
        self._saved_at, self._saved_step = time.monotonic(), 0

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            wrong = next(path for path in (self.path.parent, *self.path.parent.parents) if path.exists())
            raise NotADirectoryError(f"checkpoint is {str(wrong)!r}, which is a file; give a folder") from None

    @functools.cached_property
    def found(self) -> tuple[dict[str, Any], Arrays] | None:
        """State and arrays of the checkpoint that was there before this training saved one, or None.

        `CheckpointError` if it belongs to another training, or cannot be read.
        """
        found = self._ranks.first(self._read)
        self._saved_step = 0 if found is None else found[0]["step"]
        return found

    def _read(self) -> tuple[dict[str, Any], Arrays] | None:
        """What is in the file."""
        if not self.path.exists():
            return None
        with self.restoring():
            data = read_regular(self.path)
            _, state, arrays = unpack(data, finite=False, what="checkpoint of a training", kinds=(KIND,))
            theirs = state.get("fingerprint") if isinstance(state, dict) else None
            if not isinstance(theirs, dict) or not all(isinstance(part, str) for part in theirs.values()):
                raise ModelFileError("this is not a checkpoint of a training")
            check_count("step", state.get("step"), 0, MAX_COUNT)
        names = [n for n in {**self.fingerprint, **theirs} if self.fingerprint.get(n) != theirs.get(n)]
        if names:
            shown = [[short_digest(of.get(n, "nothing")) for of in (theirs, self.fingerprint)] for n in names]
            parts = [f"{n} ({there} there, {now} now)" for n, (there, now) in zip(names, shown, strict=True)]
            raise CheckpointError(f"{self.path} is of another training. What differs: {'; '.join(parts)}. {REMEDY}")
        return state, arrays

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """Whatever goes wrong while the training is restored is the checkpoint's fault: a `CheckpointError`."""
        try:
            with errors_of("the state of this training"):
                yield
        except ModelFileError as error:
            raise CheckpointError(f"{self.path}: {str(error).rstrip('.')}. {REMEDY}") from None

    def until_next(self, step: int) -> tuple[int, float]:
        """Steps and seconds until the next checkpoint is due, as `Trainer.epochs` takes them; 0: no limit."""
        if self.steps:
            return max(1, self._saved_step + self.steps - step), 0.0
        return 0, max(1e-3, self._saved_at + self.seconds - time.monotonic())

    def is_due(self, step: int) -> bool:
        """Whether it is time for a checkpoint."""
        if self.steps:
            return step >= self._saved_step + self.steps
        return self._ranks.first(lambda: time.monotonic() >= self._saved_at + self.seconds)

    def save(self, step: int, state: Mapping[str, Any], arrays: Arrays) -> None:
        """Write a checkpoint in the place of the older one, which is unharmed if that fails."""
        whole = {**self.start[0], **state, "step": step, "fingerprint": dict(self.fingerprint)}
        if self._ranks.is_first:
            write_atomically(self.path, pack(KIND, whole, {**self.start[1], **arrays}, finite=False))
        self._saved_at, self._saved_step = time.monotonic(), step


def short_digest(part: str) -> str:
    """A part of a fingerprint, of which digests are cut."""
    return re.sub(r"^([0-9a-f]{8})[0-9a-f]{32}$", r"\1…", part)


def fingerprint_of(settings: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, str]:
    """What a training is of: settings as texts, and digests of data (arrays, or mappings and tuples of them)."""
    texts = {name: setting_text(value) for name, value in settings.items()}
    return texts | {name: data_digest(*flat(value)) for name, value in data.items()}


def flat(data: Any) -> list[Any]:
    """The arrays in nested mappings and tuples, in a fixed order."""
    if isinstance(data, Mapping):
        return [array for name in sorted(data) for array in flat(data[name])]
    if isinstance(data, (tuple, list)):
        return [array for item in data for array in flat(item)]
    return [data]


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
    if isinstance(value, np.ndarray):  # whose text leaves most numbers out
        return f"array {data_digest(value)}"
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


def data_digest(*arrays: Any) -> str:
    """A hash of the content, dtype and shape of arrays (dense or CSR; None is skipped)."""
    hashed = hashlib.blake2b(digest_size=20)
    for array in arrays:
        if array is None:
            hashed.update(b"none")
            continue
        parts = [array.data, array.indices, array.indptr] if hasattr(array, "indptr") else [np.asarray(array)]
        for part in parts:
            part = np.atleast_1d(np.asarray(part))
            hashed.update(f"{part.dtype.str}{part.shape}{array.shape}".encode())
            if part.dtype == object:
                hashed.update(repr(part.tolist()).encode())
                continue
            for _, block in row_blocks(part):
                hashed.update(block.tobytes())
    return hashed.hexdigest()
