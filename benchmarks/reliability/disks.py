"""Disks on which a call fails: what was there before is whole, nothing else is left, and the error names the file."""

from __future__ import annotations

import errno
import functools
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

import rosenblatt
from benchmarks.reliability.attempts import Attempt, Rng, part
from benchmarks.reliability.data import DATA, LABELS
from benchmarks.reliability.records import search
from rosenblatt import learn, nn
from rosenblatt.storage import atomic

__all__ = ["CALLS", "CODES", "DOORS", "Door", "Fuse", "check_fault", "disks"]

CALLS = ("open", "write", "fsync", "chmod", "close", "replace")
CODES = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS)


class Fuse:
    """A function of `os` that works so many times, and fails from then on."""

    def __init__(self, call: str, n_calls: int, code: int) -> None:
        self.call, self.function = call, getattr(os, call)
        self.left, self.code, self.blown = n_calls, code, False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.left > 0:
            self.left -= 1
            return self.function(*args, **kwargs)
        self.blown = True
        if self.call == "close":  # a file is closed even where its last bytes are lost
            self.function(*args)
        raise OSError(self.code, os.strerror(self.code), *self.names(*args))

    def names(self, *args: Any) -> tuple[Any, ...]:
        """What the system's error names: paths, but not descriptors."""
        return {"open": args[:1], "chmod": args[:1], "replace": (args[0], None, args[-1])}.get(self.call, ())


@dataclass(frozen=True)
class Door:
    """A way to write a file: what is there before, what then writes, and the bytes of what is read from the file."""

    before: Callable[[Path], object]
    write: Callable[[Path], object]
    read: Callable[[Path], bytes]


@functools.cache
def model(seed: int) -> Any:
    """A model of a table."""
    table = {"x": DATA[:, 0], "y": np.array(["lo", "hi"])[(LABELS > 0).astype(int)]}
    return learn(table, "y", hidden_layer_sizes=(4,), members=1, max_iter=2, random_state=seed)


def loaded(path: Path) -> bytes:
    """The bytes of a model that can be loaded."""
    rosenblatt.load(path)
    return path.read_bytes()


def trained(path: Path) -> bytes:
    """The parameters after a training that keeps its checkpoints at `path`, or continues from there."""
    network = nn.Network(nn.Dense(3)(nn.Dropout(0.2)(nn.Dense(3, "relu")(nn.input(3)))), output="softmax")
    network.fit(DATA, LABELS, epochs=4, batch_size=16, checkpoint=path.parent, checkpoint_every=3)
    return network.parameters.tobytes()


def begin_training(path: Path) -> None:
    """Leave the second checkpoint of a training."""
    kept: list[bytes] = []
    write = atomic.write_all

    def noted(descriptor: int, data: Any) -> None:
        kept.append(bytes(data))
        write(descriptor, data)

    with patch.object(atomic, "write_all", noted):
        trained(path)
    path.write_bytes(kept[1])


def begin_search(path: Path) -> None:
    """Leave a record without its last line."""
    search(path)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def searched(path: Path) -> bytes:
    """The scores of a search that keeps its record at `path`, or continues from there."""
    return np.array(search(path).cv_results_["mean_test_score"]).tobytes()


DOORS = {
    "model": Door(lambda path: rosenblatt.save(model(1), path), lambda path: rosenblatt.save(model(2), path), loaded),
    "report.md": Door(
        lambda path: path.write_text("before"), lambda path: model(1).report().save(path), Path.read_bytes
    ),
    "checkpoint.safetensors": Door(begin_training, trained, trained),
    "record": Door(begin_search, searched, searched),
}
"""By the name of the file."""


@functools.cache
def expected(name: str) -> tuple[bytes, bytes]:
    """What is read from the file before it is written, and after."""
    found = []
    for write in (lambda path: None, DOORS[name].write):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            DOORS[name].before(path)
            write(path)
            found.append(DOORS[name].read(path))
    return found[0], found[1]


def check_fault(name: str, call: str, n_calls: int, code: int) -> None:
    """Raise an `AssertionError` if the call's failure harms anything, else the `OSError` that tells of it."""
    door, whole = DOORS[name], expected(name)
    with tempfile.TemporaryDirectory() as folder:
        path, fuse = Path(folder).resolve() / name, Fuse(call, n_calls, code)
        door.before(path)
        path.chmod(0o640)
        before = path.read_bytes()
        error = None
        try:
            with patch.object(os, call, fuse):
                door.write(path)
        except OSError as caught:
            error = caught
        if fuse.blown and (error is None or error.errno != code or str(path) not in str(error)):
            raise AssertionError(f"the error is {error!r}")
        if (left := sorted(os.listdir(path.parent))) != [name]:
            raise AssertionError(f"there is now {', '.join(left)}")
        if (mode := path.stat().st_mode & 0o777) != 0o640:
            raise AssertionError(f"the permissions are {mode:o}")
        if error is not None and n_calls == 0 and path.read_bytes() != before:
            raise AssertionError("the file was changed before the first call")
        if door.read(path) not in (whole if error else whole[1:]):
            raise AssertionError("the file is neither the older one nor the new one")
        if error is not None:
            raise error


@part("disks")
def disks(rng: Rng) -> Iterator[Attempt]:
    """Let a call fail, from one of its first times on."""
    while True:
        name, call = str(rng.choice(list(DOORS))), str(rng.choice(CALLS))
        n_calls, code = int(rng.integers(6)), int(rng.choice(CODES))
        what = f"{name}: {call} fails after {n_calls} calls with {errno.errorcode[code]}"
        yield Attempt(what, partial(check_fault, name, call, n_calls, code), (OSError,))
