"""How time and memory grow: ``python -m benchmarks.scaling``.

Each point runs in its own process, which makes the data block by block and fits `MLPClassifier` for one epoch and for
several: the difference is the time of the additional epochs. Memory is the peak beyond what the process used with its
data. Prints tables and, with --write, writes them to docs/scaling.md and docs/scaling.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
BLOCK = 100_000
BASE = {"rows": 20_000, "features": 20, "width": 100, "depth": 1, "batch": 200, "threads": 0}
AXES: dict[str, tuple[int, ...]] = {
    "rows": (1_000, 10_000, 100_000, 1_000_000, 10_000_000),
    "features": (10, 30, 100, 300, 1_000, 5_000),
    "width": (10, 30, 100, 300, 1_000, 2_000),
    "depth": (1, 2, 4, 8, 16),
    "batch": (1, 8, 32, 128, 512, 2_048, 8_192),
    "threads": (1, 2, 4),
}


def megabytes() -> float:
    """The peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1 << 20)


def data(rows: int, features: int) -> tuple[np.ndarray, np.ndarray]:
    """Random rows in float32, made block by block, and their classes, 0 or 1."""
    X, y = np.empty((rows, features), np.float32), np.empty(rows, np.int8)
    rng = np.random.default_rng(0)
    for first in range(0, rows, BLOCK):
        block = rng.standard_normal((min(BLOCK, rows - first), features), np.float32)
        X[first : first + len(block)] = block
        y[first : first + len(block)] = block[:, 0] + block[:, 1] > 0
    return X, y


def measure(point: dict[str, int]) -> dict[str, Any]:
    """Seconds per epoch and megabytes beyond the data, in this process."""
    import rosenblatt

    warnings.simplefilter("ignore")
    if point["threads"]:
        rosenblatt.set_num_threads(point["threads"])
    X, y = data(point["rows"], point["features"])
    hidden = (point["width"],) * point["depth"]
    options: dict[str, Any] = {"batch_size": min(point["batch"], point["rows"]), "random_state": 0, "tol": 0.0}
    options["n_iter_no_change"] = 10**9
    rosenblatt.MLPClassifier(hidden, max_iter=2, **options).fit(X[:1000], y[:1000])
    before = megabytes()
    seconds = []
    more = max(1, min(200, 2_000_000 // point["rows"]))
    for n_epochs in (1, 1 + more):
        model = rosenblatt.MLPClassifier(hidden, max_iter=n_epochs, **options)
        begin = time.perf_counter()
        model.fit(X, y)
        seconds.append(time.perf_counter() - begin)
    return {**point, "epoch": (seconds[1] - seconds[0]) / more, "beyond_data": megabytes() - before}


def measured(point: dict[str, int]) -> dict[str, Any]:
    """The measurement of a point in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scaling", "--point", json.dumps(point)]
    environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    return dict(json.loads(run.stdout))


def table(axis: str, points: Sequence[dict[str, Any]]) -> list[str]:
    """A table in Markdown."""
    lines = [f"| {axis} | s per epoch | µs per row and epoch | MB beyond the data |", "|---|---|---|---|"]
    for p in points:
        each = p["epoch"] / p["rows"] * 1e6
        lines.append(f"| {p[axis]:,} | {p['epoch']:.4f} | {each:.2f} | {p['beyond_data']:.0f} |")
    return lines


def plot(results: dict[str, list[dict[str, Any]]]) -> None:
    """Plot the time per row against each quantity, in docs/scaling.svg."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "scaling"
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(2, 3, figsize=(9, 5.5), layout="constrained")
    for axes, (axis, points) in zip(panels.flat, results.items(), strict=False):
        x = [p[axis] for p in points]
        y = [p["epoch"] / p["rows"] * 1e6 for p in points]
        axes.plot(x, y, "o-", color="#0072b2")
        axes.set(xscale="log", yscale="log", xlabel=axis, ylabel="µs per row and epoch", ylim=(min(y) / 3, max(y) * 3))
        if axis == "threads":
            axes.set_xticks(x, [str(n) for n in x], minor=False)
            axes.set_xticks([], minor=True)
        memory = axes.twinx()
        memory.plot(x, [max(p["beyond_data"], 0.1) for p in points], "s:", color="#d55e00", markersize=3)
        memory.set_ylabel("MB beyond the data", color="#d55e00")
        memory.set_ylim(0, 250)
    figure.savefig(ROOT / "docs/scaling.svg", metadata={"Date": None})


def main() -> None:
    """Measure along each axis, or (in a process of its own) a single point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("axes", nargs="*", default=list(AXES), help=f"of {', '.join(AXES)}")
    parser.add_argument("--point", help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help="write docs/scaling.md and docs/scaling.svg")
    options = parser.parse_args()
    if options.write and options.axes != list(AXES):
        parser.error("--write makes the whole page: do not choose axes with it")
    if options.point:
        print(json.dumps(measure(json.loads(options.point))))
        return
    base = ", ".join(f"{k} {v:,}" for k, v in BASE.items() if v)
    lines = [
        "# How time and memory grow on one machine",
        "",
        "How long does an epoch take, and how much memory, as a table or a network grows?",
        "[Large tables](scale.md) says what to do where one machine is not enough.",
        "",
        "Generated by `python -m benchmarks.scaling --write`, from epochs of `MLPClassifier` with Adam in float32. One",
        f"quantity varies at a time. The others are: {base}, all threads.",
        "",
        "![scaling](scaling.svg)",
    ]
    results: dict[str, list[dict[str, Any]]] = {}
    for axis in options.axes:
        results[axis] = [measured({**BASE, axis: value}) for value in AXES[axis]]
        found = ["", f"## {axis.capitalize()}", "", *table(axis, results[axis])]
        print(*found, sep="\n", flush=True)
        lines += found
    if options.write:
        plot(results)
        (ROOT / "docs/scaling.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
