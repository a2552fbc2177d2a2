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
    """The candidate `trial` after at most so many epochs, at the stage `rung`.

    It has a score for each fold, or none and an `error` that says why. `seconds` is the time of its trainings so far,
    one after the other. It is not `complete` if time ran out during a training.
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
        """The mean score; minus infinity if the candidate failed."""
        return sum(self.scores) / len(self.scores) if self.scores else -math.inf

    @property
    def standing(self) -> tuple[int, bool, float, int]:
        """What results are compared by: how far they came, then the score, then the number."""
        return self.rung, self.complete, self.mean, -self.trial


class Journal:
    """Results in memory, and in a file if there is one.

    `digest` identifies the search: data, space, estimator, folds, seed. A file with another digest is refused.
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
        """Keep a result; if it is complete, write it to the file at once."""
        self.found[result.trial, result.rung] = result
        if self.path is not None and result.complete:
            with open(self.path, "ab") as file:
                file.write(line(asdict(result)))
                file.flush()
                os.fsync(file.fileno())

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
            raise ValueError(f"checkpoint {path} is not a record of a search; choose another name.")
        if head["digest"] != digest:
            raise ValueError(
                f"checkpoint {path} belongs to another search: data, space, estimator, folds, seed or numbers of "
                "trials and epochs differ. Choose another name, or delete the file."
            )
        if len(whole) < len(data):  # the end of a line is missing: the process was killed while it wrote
            with open(path, "r+b") as file:
                file.truncate(len(whole))
        self.found = {(entry.trial, entry.rung): entry for entry in entries}


def line(entry: dict[str, Any]) -> bytes:
    """An entry in the form that the file holds."""
    return json.dumps(entry).encode() + b"\n"
