"""What a search has found so far, in a file: a line of JSON for each result.

Goes in: results. Comes out: those of an earlier run of the same search. A line that was cut off is dropped; what is
recorded is never rewritten.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Journal", "Result", "digest_of"]

FORMAT = "rosenblatt search"


@dataclass(frozen=True)
class Result:
    """One candidate after so many epochs.

    Attributes
    ----------
    trial, rung, epochs : int
        Which candidate, at which stage, after at most so many epochs.
    scores : list of float
        Of the folds; empty if it failed.
    error : str
        Why it failed, or nothing.
    seconds : float
        Of its trainings so far, one after the other.
    complete : bool
        False where time ran out on the way.
    """

    trial: int
    rung: int
    epochs: int
    scores: list[float]
    error: str = ""
    seconds: float = 0.0
    complete: bool = True

    @property
    def mean(self) -> float:
        """The mean score; minus infinity for one that failed."""
        return sum(self.scores) / len(self.scores) if self.scores else -math.inf


def digest_of(said: Any, arrays: Iterable[Any]) -> str:
    """A text that is equal for equal searches, in this process or another.

    Parameters
    ----------
    said : nested lists, dictionaries and values
        What was asked for. Distributions of scipy and functions, whose own text holds an address, are told by name and
        parameters.
    arrays : iterable of arrays or CSR matrices
        Data.
    """
    found = hashlib.sha256(repr(plainly(said)).encode())
    for array in arrays:
        parts = (array.data, array.indices, array.indptr) if hasattr(array, "indptr") else (np.asarray(array),)
        for part in parts:
            found.update(repr((part.shape, str(part.dtype))).encode())
            found.update(repr(part.tolist()).encode() if part.dtype == object else part.tobytes())
    return found.hexdigest()


def plainly(value: Any) -> Any:
    """A value whose text does not depend on the process."""
    if isinstance(value, dict):
        return [(key, plainly(value[key])) for key in sorted(value, key=str)]
    if isinstance(value, (list, tuple)):
        return [plainly(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return type(value).__name__, [(f.name, plainly(getattr(value, f.name))) for f in dataclasses.fields(value)]
    if hasattr(value, "dist") and hasattr(value, "kwds"):  # a frozen distribution
        return value.dist.name, plainly(value.args), plainly(value.kwds)
    return getattr(value, "__qualname__", value) if callable(value) else value


class Journal:
    """Results in memory, and in a file if there is one.

    Parameters
    ----------
    path : path or None
    digest : str
        Of the search: data, space, estimator, folds, seed.

    Raises
    ------
    ValueError
        If the file is of another search, or no journal.
    """

    def __init__(self, path: Any, digest: str) -> None:
        self.path = None if path is None else Path(path)
        self.found: dict[tuple[int, int], Result] = {}
        if self.path is None:
            return
        if self.path.is_dir():
            raise IsADirectoryError(f"checkpoint {self.path} is a folder; give the name of a file.")
        if self.path.exists() and self.path.stat().st_size:
            self._read(self.path, digest)
        else:
            self._append({"format": FORMAT, "version": 1, "digest": digest})

    def add(self, result: Result) -> None:
        """Keep a result; one that is complete also in the file, at once."""
        self.found[result.trial, result.rung] = result
        if self.path is not None and result.complete:
            self._append(asdict(result))

    def _read(self, path: Path, digest: str) -> None:
        data = path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        try:
            lines = [json.loads(line) for line in whole.splitlines()]
            head, entries = lines[0], [Result(**line) for line in lines[1:]]
            known = head["format"] == FORMAT
        except (ValueError, TypeError, KeyError, IndexError):
            known = False
        if not known:
            raise ValueError(f"checkpoint {path} is no record of a search; choose another name.")
        if head["digest"] != digest:
            raise ValueError(
                f"checkpoint {path} is of another search: data, space, estimator, folds, seed or numbers of trials and "
                "epochs differ. Choose another name, or delete the file."
            )
        if len(whole) < len(data):  # the end of a line is missing: the process was killed while it wrote
            with open(path, "r+b") as file:
                file.truncate(len(whole))
        self.found = {(entry.trial, entry.rung): entry for entry in entries}

    def _append(self, entry: dict[str, Any]) -> None:
        assert self.path is not None
        with open(self.path, "ab") as file:
            file.write(json.dumps(entry).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
