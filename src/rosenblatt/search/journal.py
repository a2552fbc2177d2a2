"""What a search has found so far, in a file: a line of JSON for each result.

Takes results. Returns those of an earlier run of the same search, without a line that was cut off. Never rewrites what
is recorded.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rosenblatt.storage.atomic import read_regular, write_atomically

__all__ = ["Journal", "Result"]

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

    @property
    def standing(self) -> tuple[int, bool, float, int]:
        """What results are compared by: how far they came, then the score, then the number."""
        return self.rung, self.complete, self.mean, -self.trial


class Journal:
    """Results in memory, and in a file if there is one.

    `digest` is that of the search: data, space, estimator, folds, seed. A file with another digest is refused.
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
            write_atomically(self.path, line({"format": FORMAT, "version": 1, "digest": digest}))

    def add(self, result: Result) -> None:
        """Keep a result; one that is complete also in the file, at once."""
        self.found[result.trial, result.rung] = result
        if self.path is not None and result.complete:
            self._append(asdict(result))

    def _read(self, path: Path, digest: str) -> None:
        data = read_regular(path)
        whole = data[: data.rfind(b"\n") + 1]
        try:
            lines = [json.loads(text) for text in whole.splitlines()]
            head, entries = lines[0], [Result(**entry) for entry in lines[1:]]
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
            file.write(line(entry))
            file.flush()
            os.fsync(file.fileno())


def line(entry: dict[str, Any]) -> bytes:
    """An entry as it stands in the file."""
    return json.dumps(entry).encode() + b"\n"
