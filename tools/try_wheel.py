"""Tries an installed rosenblatt: trains, saves, loads and predicts again. ``python tools/try_wheel.py``, in any folder.

Takes nothing. Prints what it tried, and fails if a result is wrong. It needs scikit-learn and no other package that
rosenblatt does not install itself.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import rosenblatt


def main() -> None:
    """Train on the digits; a table; the command line; predictions from several threads."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    model = rosenblatt.MLPClassifier((64,), learning_rate_init=0.01, random_state=0).fit(X[:1200], y[:1200])
    accuracy = model.score(X[1200:], y[1200:])
    assert accuracy > 0.9, accuracy
    table = {"size": np.arange(300.0), "colour": np.tile(["red", "blue", "green"], 100)}
    tabular = rosenblatt.TabularClassifier(max_iter=5, random_state=0).fit(table, np.tile(["a", "b"], 150))
    with tempfile.TemporaryDirectory() as folder:
        for fitted, rows in ((model, X), (tabular, table)):
            path = str(Path(folder) / "model.safetensors")
            rosenblatt.save(fitted, path)
            loaded, expected = rosenblatt.load(path), fitted.predict_proba(rows)
            with ThreadPoolExecutor(4) as pool:
                for found in pool.map(loaded.predict_proba, [rows] * 8):
                    np.testing.assert_array_equal(found, expected)
        command = [sys.executable, "-m", "rosenblatt", "inspect", path]
        assert "TabularClassifier" in subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lock = "" if getattr(sys, "_is_gil_enabled", lambda: True)() else ", no global lock"
    engine, machine = rosenblatt.engine_info(), platform.platform()
    print(f"rosenblatt {rosenblatt.__version__}, Python {platform.python_version()}{lock}, {machine}: digits")
    print(f"  accuracy {accuracy:.3f}; saved and loaded models predict the same bits; {engine}")


if __name__ == "__main__":
    main()
