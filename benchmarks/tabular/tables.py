"""The tables, their splits, and what is measured.

Goes in: the folder in ROSENBLATT_DATA, else ``../shared/data``. Comes out: frames, row numbers, errors.
"""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

SKIPPED = ("mnist", "sms_spam_text")
MAX_TEST_ROWS = 10_000
OFFSET = 0.01  # keeps a table that is nearly solved from outweighing all others


def folder() -> pathlib.Path:
    """Where the tables are."""
    return pathlib.Path(os.environ.get("ROSENBLATT_DATA", "../shared/data"))


def tables() -> dict[str, bool]:
    """Names of the tables, and whether they are to be classified."""
    manifest = json.loads((folder() / "manifest.json").read_text())
    entries = {entry["name"]: entry["task"] != "regression" for entry in manifest if entry["name"] not in SKIPPED}
    return dict(sorted(entries.items()))


def half(which: str) -> list[str]:
    """Every second table of each task: "tune" for choosing defaults, "report" for the others, "all"."""
    names = tables()
    chosen = []
    for task in (True, False):
        of_task = [name for name in names if names[name] == task]
        chosen += {"tune": of_task[::2], "report": of_task[1::2], "all": of_task}[which]
    return chosen


def load(name: str) -> tuple[Any, Any]:
    """A table's inputs and target."""
    import pandas as pd

    frame = pd.read_parquet(folder() / f"{name}.parquet")
    target = frame.columns[-1]
    return frame.drop(columns=target), frame[target].to_numpy()


def split(y: Any, classify: bool, seed: int, most_rows: int | None = 3000) -> tuple[Any, Any]:
    """Training and test rows: at most `most_rows` or three quarters (None: four fifths), stratified where possible."""
    n, stratify = len(y), None
    if classify and np.unique(y, return_counts=True)[1].min() >= 2:
        stratify = y
    size = int(0.8 * n) if most_rows is None else min(most_rows, int(0.75 * n))
    train, test = train_test_split(np.arange(n), train_size=size, random_state=seed, stratify=stratify)
    return train, test[: MAX_TEST_ROWS if most_rows else 2 * MAX_TEST_ROWS]


def class_errors(labels: Any, probabilities: Any) -> dict[str, float]:
    """Share of wrong classes, and log loss (probabilities normalized, at least 1e-7).

    Raises ValueError where a probability is no number: NaN would pass for the likeliest class.
    """
    if not np.isfinite(probabilities).all():
        raise ValueError("probabilities that are not finite")
    p = probabilities / probabilities.sum(axis=1, keepdims=True)
    right = np.maximum(p[np.arange(len(labels)), labels], 1e-7)
    return {"error": float(np.mean(p.argmax(axis=1) != labels)), "log_loss": float(-np.log(right).mean())}


def number_errors(y: Any, prediction: Any) -> dict[str, float]:
    """Root of the mean squared error over the target's standard deviation; ValueError if a prediction is no number."""
    if not np.isfinite(prediction).all():
        raise ValueError("predictions that are not finite")
    return {"error": float(np.sqrt(np.mean(np.square(prediction - y))) / y.std())}


def ratio(ours: Any, theirs: Any, seed: int = 0) -> tuple[float, float, float]:
    """Geometric mean of (ours + OFFSET) / (theirs + OFFSET), with its 95 % interval by a paired bootstrap."""
    logs = np.log((np.asarray(ours) + OFFSET) / (np.asarray(theirs) + OFFSET))
    draws = np.random.default_rng(seed).choice(logs, (10_000, len(logs))).mean(axis=1)
    return tuple(float(x) for x in np.exp([logs.mean(), *np.quantile(draws, [0.025, 0.975])]))  # type: ignore[return-value]
