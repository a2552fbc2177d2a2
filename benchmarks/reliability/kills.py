"""Trainings that are killed at random moments: resumed, they end with the bytes of one that was never stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path

from benchmarks.reliability.attempts import Attempt, Rng, part

__all__ = ["Training", "kills"]

SCRIPT = """
import sys, time, warnings
import numpy as np
import rosenblatt
from rosenblatt import MLPClassifier
from rosenblatt.storage import atomic
folder, model_path, slow = sys.argv[1:]
if slow == "slow":  # so that many of the kills come inside a save
    write = atomic.write_all
    def slowly(descriptor, data):
        for part in range(8):
            write(descriptor, data[part * len(data) // 8 : (part + 1) * len(data) // 8])
            time.sleep(0.002)
    atomic.write_all = slowly
rng = np.random.default_rng(0)
X = rng.normal(size=(2000, 10)); y = (X[:, 0] * X[:, 1] > 0).astype(int)
model = MLPClassifier((32,), max_iter=60, batch_size=20, random_state=1, dropout=0.1, normalization="batch",
                      early_stopping=True, n_iter_no_change=1000, checkpoint=folder, checkpoint_every=40)
print("ready", flush=True)
warnings.simplefilter("ignore")
model.fit(X, y)
model.checkpoint = None
rosenblatt.save(model, model_path)
np.save(model_path + ".npy", [model.history_[c] for c in model.history_])
"""


def train(folder: Path, model: Path, slow: str = "fast", seconds: float | None = None) -> bool:
    """Run the script, and kill it so many seconds after its training began; True if it ended by itself."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "ROSENBLATT_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, str(folder), str(model), slow]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        process.stdout.readline()
        if seconds is not None:
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
        return process.wait() == 0


def result(model: Path) -> tuple[bytes, bytes]:
    """The model's file, and its history."""
    return model.read_bytes(), Path(f"{model}.npy").read_bytes()


class Training:
    """The training of the script; `seconds` is what it takes."""

    @cached_property
    def whole(self) -> tuple[bytes, bytes]:
        """What it ends with if nothing stops it."""
        with tempfile.TemporaryDirectory() as folder:
            begin = time.monotonic()
            if not train(Path(folder) / "checkpoints", Path(folder) / "model"):
                raise RuntimeError("the training failed, though nothing stopped it")
            self.seconds = time.monotonic() - begin
            return result(Path(folder) / "model")

    def check_killed(self, shares: Sequence[float], slow: str) -> None:
        """Kill it after each share of its time, then let it end, and compare."""
        whole = self.whole
        with tempfile.TemporaryDirectory() as name:
            folder, model = Path(name) / "checkpoints", Path(name) / "model"
            for share in shares:
                if train(folder, model, slow, share * self.seconds):
                    break
            else:
                if not train(folder, model):
                    raise AssertionError("it could not be resumed")
            if result(model) != whole:
                raise AssertionError("it does not end with the same bytes")
            if left := [path.name for path in folder.rglob("*.tmp")]:
                raise AssertionError(f"it left {left[0]}")


@part("kills")
def kills(rng: Rng) -> Iterator[Attempt]:
    """Kill the training once to four times."""
    training = Training()
    while True:
        shares = [round(float(share), 3) for share in rng.uniform(0, 0.25, rng.integers(1, 5))]
        slow = str(rng.choice(["slow", "fast"]))
        what = f"{slow}, killed after {', '.join(map(str, shares))} of its time"
        yield Attempt(what, partial(training.check_killed, shares, slow))
