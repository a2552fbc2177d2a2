"""Records of searches that are damaged or forged: `RecordError`, or a search whose best score is finite."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.reliability.attempts import Attempt, Rng, part
from benchmarks.reliability.data import DATA, LABELS
from benchmarks.reliability.mutations import mutated, mutated_bytes
from rosenblatt.estimators import MLPClassifier
from rosenblatt.search import MLPSearchCV
from rosenblatt.search.journal import RecordError


@part("records")
def records(rng: Rng) -> Iterator[Attempt]:
    """Continue the search of each changed record."""
    whole = written()
    while True:
        lines = whole.splitlines()
        number = int(rng.integers(len(lines)))
        if rng.random() < 0.3:
            changed, what = mutated_bytes(whole, rng)
        else:
            entry, what = mutated([json.loads(lines[number])], rng)
            lines[number] = json.dumps(entry[0] if len(entry) else None).encode()
            changed = b"\n".join(lines) + b"\n"
        yield Attempt(what, partial(continue_search, changed), (RecordError,))


def written() -> bytes:
    """The record of a whole search."""
    with tempfile.TemporaryDirectory() as folder:
        search(Path(folder) / "record")
        return (Path(folder) / "record").read_bytes()


def continue_search(record: bytes) -> None:
    """Search with this record; its best score must be a number."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record"
        path.write_bytes(record)
        found = search(path)
    if not np.isfinite(found.best_score_):
        raise AssertionError(f"the best score is {found.best_score_}")


def search(record: Path) -> MLPSearchCV:
    """A search of two candidates that keeps a record."""
    estimator = MLPClassifier((2,), max_iter=2, random_state=0)
    found = MLPSearchCV(estimator, {"alpha": [0.1, 1.0]}, n_trials=2, cv=2, checkpoint=record, refit=False)
    return found.fit(DATA, LABELS)
