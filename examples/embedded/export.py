"""A model on a device
===================

A model of a table becomes one header of C; `main.c` beside this script predicts with it, and needs no Python.

The states of pumps are learned from three readings. The program in C is compiled and run, and must say what the model
says. `python examples/embedded/export.py FOLDER` keeps the header in a folder.
"""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import rosenblatt
from rosenblatt.export import to_c

PROGRAM = Path(__file__).parent / "main.c"
READINGS = {  # those of main.c
    "temperature": [41.5, 43.0, 71.0, None],
    "vibration": [2.0, 9.5, 2.5, 3.0],
    "mode": ["normal", "idle", "boost", None],
}


def pumps(n: int = 1500, seed: int = 0) -> dict[str, Any]:
    """Readings of pumps, and the states in which they were found: a worn one shakes, and a leaking one is hot."""
    rng = np.random.default_rng(seed)
    mode, state = rng.integers(0, 3, n), rng.choice(3, n, p=[0.7, 0.15, 0.15])
    temperature = 35 + 5 * mode + 20 * (state == 2) + 5 * rng.normal(size=n)
    temperature[rng.random(n) < 0.05] = np.nan
    return {
        "temperature": temperature,
        "vibration": np.exp(0.4 * mode + 1.2 * (state == 1) + 0.4 * rng.normal(size=n)),
        "mode": np.array(["idle", "normal", "boost"])[mode],
        "state": np.array(["fine", "worn", "leaking"])[state],
    }


def run_in_c(header: Path, folder: Path) -> list[list[str]]:
    """What main.c prints with this header, line by line as words."""
    command = ["cc", "-std=c99", "-O2", f"-I{header.parent}", str(PROGRAM), "-o", str(folder / "main"), "-lm"]
    subprocess.run(command, check=True)
    printed = subprocess.run([folder / "main"], check=True, capture_output=True, text=True).stdout
    return [line.split() for line in printed.splitlines()]


def main(folder: str | None = None) -> dict[str, float]:
    """Learn, export, and compare what C and Python say."""
    model = rosenblatt.learn(pumps(), "state", preset="fast", hidden_layer_sizes=(16, 16))
    with tempfile.TemporaryDirectory() as temporary:
        written = to_c(model, Path(folder or temporary, "pump.h"), overwrite=True)
        print(written)
        if shutil.which("cc") is None:
            print("There is no C compiler called cc: main.c was not compiled.")
            return {}
        found = run_in_c(written.path, Path(temporary))
    chances = model.predict_proba(READINGS)
    labels = model.predict(READINGS)
    for (state, *numbers), label in zip(found, labels, strict=True):
        print(f"C: {state} {' '.join(numbers)}; Python: {label}")
    difference = abs(np.array([line[1:] for line in found], float) - chances).max()
    same = [line[0] for line in found] == labels.tolist()
    return {"same": float(same), "difference": float(difference), "stack": float(written.work_bytes)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", help="where pump.h is kept")
    main(parser.parse_args().folder)
