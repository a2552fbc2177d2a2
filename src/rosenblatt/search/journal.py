"""What a search has found so far, in a file: a line of JSON for each result.

Takes results. Returns those of an earlier run of the same search, without a last line that was cut off. Each line is
checked: an edited or damaged one is refused by its number. Never rewrites what is recorded.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from rosenblatt._checks import MAX_COUNT, check_count, check_number, is_number
from rosenblatt.storage.atomic import append_durably, errors_naming, read_regular, write_atomically
from rosenblatt.storage.container import ModelFileError, parse_json

__all__ = ["Journal", "RecordError", "Result"]

FORMAT, VERSION = "rosenblatt search", 1


class RecordError(ValueError):
    """A record that is of another search, or of none, or has a line that no search wrote; it names file and line."""


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

    Parameters
    ----------
    path : path or None
        Of a file, or of a folder in which each search has a file of its own.
    digest : str
        Identifies the search: data, space, estimator, folds, seed. A file with another digest is refused.
    n_folds : int
        The number of scores of a result that did not fail.

    Raises
    ------
    RecordError
        A `ValueError`: if the file is no record of this search.
    OSError
        If it cannot be read or written.
    """

    def __init__(self, path: Any, digest: str, n_folds: int) -> None:
        self.path = None if path is None else Path(path)
        self.found: dict[tuple[int, int], Result] = {}
        if self.path is None:
            return
        if self.path.is_dir():
            self.path /= f"search-{digest[:16]}.jsonl"
        if self.path.exists() and self.path.stat().st_size:
            self._read(self.path, digest, n_folds)
        else:
            write_atomically(self.path, line({"format": FORMAT, "version": VERSION, "digest": digest}))

    def add(self, result: Result) -> None:
        """Keep a result; if it is complete, write it to the file at once."""
        self.found[result.trial, result.rung] = result
        if self.path is not None and result.complete:
            append_durably(self.path, line(asdict(result)))

    def _read(self, path: Path, digest: str, n_folds: int) -> None:
        data = read_regular(path)
        first, *texts = data.split(b"\n")
        head = parsed(first)
        if not texts or not isinstance(head, dict) or head.get("format") != FORMAT:
            raise RecordError(f"checkpoint {path} is not a record of a search; choose another name.")
        if set(head) != {"format", "version", "digest"} or head["version"] != VERSION:
            raise RecordError(f"checkpoint {path}, line 1: this version of rosenblatt does not read it. {REMEDY}")
        if head["digest"] != digest:
            raise RecordError(
                f"checkpoint {path} belongs to another search: data, space, estimator, folds, seed or numbers of "
                "trials and epochs differ. Choose another name, or delete the file."
            )
        torn = texts.pop()  # the end of a line is missing: the process was killed while it wrote
        found = {}
        for number, text in enumerate(texts, start=2):
            try:
                result = result_of(parsed(text), n_folds)
            except ValueError as error:
                raise RecordError(f"checkpoint {path}, line {number}: {error}. {REMEDY}") from None
            found[result.trial, result.rung] = result
        if torn:
            with errors_naming(path), open(path, "r+b") as file:
                file.truncate(len(data) - len(torn))
        self.found = found


REMEDY = "Delete the line, or choose another name."


def parsed(text: bytes) -> Any:
    """A line of JSON; None for anything else."""
    try:
        return parse_json(text)
    except ModelFileError:
        return None


def result_of(entry: Any, n_folds: int) -> Result:
    """The result that a line holds; a `ValueError` says what is wrong with it."""
    if not isinstance(entry, dict) or set(entry) != {field.name for field in fields(Result)}:
        raise ValueError("this is not the result of a candidate")
    for name, low in (("trial", 0), ("rung", 0), ("epochs", 1)):
        check_count(name, entry[name], low, MAX_COUNT)
    check_number("seconds", entry["seconds"], 0)
    scores, error = entry["scores"], entry["error"]
    if not isinstance(error, str) or entry["complete"] is not True:
        raise ValueError("error is not a text, or complete is not true")
    if not isinstance(scores, list) or not all(is_number(score) for score in scores):
        raise ValueError("scores is not a list of finite numbers")
    if not math.isfinite(sum(scores)):
        raise ValueError("the mean of scores is not a finite number")
    if len(scores) != (0 if error else n_folds):
        raise ValueError(f"there are {len(scores)} scores; a result has {n_folds}, one for each fold, or an error")
    return Result(**{**entry, "scores": [float(score) for score in scores], "seconds": float(entry["seconds"])})


def line(entry: dict[str, Any]) -> bytes:
    """An entry in the form that the file holds."""
    return json.dumps(entry).encode() + b"\n"
