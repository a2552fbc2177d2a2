"""Checkpoints that are damaged or forged: `CheckpointError`, or a training that ends."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.reliability.attempts import Attempt, Rng, part
from benchmarks.reliability.data import DATA, LABELS
from benchmarks.reliability.mutations import mutated_file
from rosenblatt import nn
from rosenblatt.estimators import MLPClassifier
from rosenblatt.training import CheckpointError, DivergenceError
from rosenblatt.training.checkpoint import Checkpoints


def trainings() -> list[Callable[[Path], object]]:
    """Trainings that save a checkpoint into a folder, or resume from it."""
    common = {"max_iter": 3, "random_state": 0, "batch_size": 16, "checkpoint_every": 3}

    def estimator(**options: Any) -> Callable[[Path], object]:
        return lambda folder: MLPClassifier((3,), checkpoint=folder, **common, **options).fit(DATA, LABELS)

    def network(folder: Path) -> object:
        net = nn.Network(nn.Dense(3)(nn.Dense(3, "relu")(nn.input(3))), output="softmax")
        how = {"schedule": "plateau", "validation": (DATA, LABELS), "checkpoint_every": 3, "checkpoint": folder}
        return net.fit(DATA, LABELS, epochs=3, batch_size=16, **how)

    return [
        estimator(),
        estimator(early_stopping=True, ema_decay=0.5, normalization="batch"),
        estimator(solver="sgd", learning_rate="adaptive"),
        network,
    ]


def saved() -> list[tuple[str, bytes, Callable[[Path], object]]]:
    """The checkpoints of all trainings, in the middle and at the end: name in the folder, bytes, training."""
    found, save = list[tuple[str, bytes, Callable[[Path], object]]](), Checkpoints.save
    for train in trainings():
        with tempfile.TemporaryDirectory() as folder:

            def saving(self: Checkpoints, *args: Any, train: Any = train, folder: str = folder) -> None:
                save(self, *args)
                found.append((os.path.relpath(self.path, folder), self.path.read_bytes(), train))

            with patch.object(Checkpoints, "save", saving):
                train(Path(folder))
    return found


@part("checkpoints")
def checkpoints(rng: Rng) -> Iterator[Attempt]:
    """Resume from each changed checkpoint. Where numbers in arrays are extreme, the training may diverge."""
    kept = saved()
    while True:
        name, data, train = kept[rng.integers(len(kept))]
        changed, what = mutated_file(data, rng, finite=False)
        yield Attempt(what, partial(resume, name, changed, train), (CheckpointError, DivergenceError))


def resume(name: str, checkpoint: bytes, train: Callable[[Path], object]) -> None:
    """Train with this checkpoint in the folder."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(checkpoint)
        train(Path(folder))
