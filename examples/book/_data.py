"""The data of the examples: data that come with scikit-learn or, in full mode, real tables from ROSENBLATT_DATA."""

from __future__ import annotations

import os
import pathlib
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Split:
    """Rows for training, for validation and for the final test."""

    X: Any
    y: Any
    X_val: Any
    y_val: Any
    X_test: Any
    y_test: Any

    def only(self, digits: range) -> Split:
        """The rows of some digits, relabelled from 0."""
        parts = []
        for X, y in ((self.X, self.y), (self.X_val, self.y_val), (self.X_test, self.y_test)):
            rows = np.isin(y, list(digits))
            parts += [X[rows], y[rows] - digits.start]
        return Split(*parts)


def is_full() -> bool:
    """Whether the script was called with --full."""
    return "--full" in sys.argv[1:]


def argument(name: str) -> str | None:
    """The word after --name on the command line, or None."""
    words = sys.argv[1:]
    found = words.index(f"--{name}") + 1 if f"--{name}" in words else len(words)
    return words[found] if found < len(words) else None


def real(name: str) -> pathlib.Path:
    """The path of a file with real data. If it is missing, the script exits and says what to do."""
    folder = os.environ.get("ROSENBLATT_DATA")
    path = pathlib.Path(folder or ".") / name
    if folder and path.is_file():
        return path
    given = f"it is {folder!r}, which has no such file" if folder else "it is not set"
    sys.exit(
        f"--full reads {name} from the folder in ROSENBLATT_DATA; {given}. docs/book.md lists the required files. "
        "Without --full, the example runs on small data."
    )


def digits(full: bool) -> Split:
    """Handwritten digits as pixels from 0 to 1 and int labels.

    In full mode: MNIST, 28 x 28 pixels, with the first 5,000 images for validation, the other 55,000 for training, and
    the official 10,000 for the test. Otherwise: scikit-learn's 1,797 images of 8 x 8 pixels, 297 of them for validation
    and 300 for the test.
    """
    if full:
        with np.load(real("mnist.npz")) as file:
            X, y = file["images"].reshape(-1, 784).astype(np.float32) / 255, file["labels"]
        return Split(X[5000:60000], y[5000:60000], X[:5000], y[:5000], X[60000:], y[60000:])
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    rows = np.random.default_rng(0).permutation(len(X))
    train, val, test = rows[597:], rows[:297], rows[297:597]
    return Split(X[train], y[train], X[val], y[val], X[test], y[test])


def table(name: str) -> Any:
    """A real table as a pandas frame."""
    path = real(f"{name}.parquet")
    try:
        import pandas as pd

        return pd.read_parquet(path)
    except ImportError:
        sys.exit("the real tables need pandas and pyarrow: pip install pandas pyarrow")
