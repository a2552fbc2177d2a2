"""A table that is larger than memory: ``python -m benchmarks.out_of_core [--quick] [--rows N] [--columns N]``.

Makes a table of Parquet files once (`benchmarks.large_table`; about 3 GB for 40 million rows of 20 columns), and then
measures, each in a process of its own: anonymous memory and time of the streamed fit, beside the same network on rows
in memory; the same with a cold page cache, beside the disk; its score beside that of equal rows in memory; LightGBM and
XGBoost on the same files; streaming prediction beside reading alone. Memory is the largest RssAnon of 20 samples a
second: pages of files, which the system takes back when it needs them, are not counted.

The peers are measured if they are there: ``pip install lightgbm xgboost``. Needs Linux and the extra "parquet".
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median, stdev
from typing import Any

from benchmarks.large_table import TEST_BLOCK, VALIDATION_BLOCK, make_other_file, make_table, rows_per_file
from benchmarks.processes import Run, machine, run_task, watch

MAX_HELD_OUT = 2**17
GOAL_MEGABYTES, GOAL_RATIO = 600, 1.5
PARTS = ("fit", "cold", "score", "peers", "predict")


class Setting:
    """What is measured, and the files for it."""

    def __init__(self, options: argparse.Namespace, scratch: Path) -> None:
        self.options, self.scratch, self.rows = options, scratch, options.rows
        self.first_rows = min(self.rows, rows_per_file(self.rows))
        folder = options.folder / f"{options.rows}x{options.columns}"
        self.train = folder / "train"
        self.files = make_table(self.train, options.rows, options.columns)
        self.test = folder / f"test-{options.test_rows}.parquet"
        make_other_file(self.test, TEST_BLOCK, options.test_rows, options.columns)
        self.machine = machine(self.files)
        self.model = scratch / "model.rosenblatt"
        self.network = {"epochs": options.epochs, "window": options.window, "memory_limit": options.memory_limit}

    def beside(self, seed: int) -> Run:
        """The fit in memory of as many rows of the first file as a streamed fit of it trains on."""
        held, columns = held_out(self.first_rows), self.options.columns
        path = self.test.parent / f"validation-{held}.parquet"
        common: dict[str, Any] = {"test": self.test, "seed": seed, "epochs": self.options.epochs}
        common["validation"] = make_other_file(path, VALIDATION_BLOCK, held, columns)
        return run_task("in_memory", source=self.files[0], rows=self.first_rows - held, **common)


def held_out(rows: int) -> int:
    """The rows that a streamed fit holds out of so many."""
    return min(MAX_HELD_OUT, rows // 5)


def epoch_seconds(run: Run) -> float:
    """The median time between the ends of epochs."""
    ends = run.times_of("epoch ")
    return median(after - before for before, after in zip(ends, ends[1:], strict=False))


def per_row(run: Run, rows: int) -> float:
    """Nanoseconds of an epoch for each row that it trains on."""
    return epoch_seconds(run) / rows * 1e9


def phases(run: Run) -> str:
    """The times of both passes and of an epoch."""
    begin, epochs = run.time_of("begin"), run.times_of("epoch ")
    writing = run.writing()
    if writing is None:
        return (
            f"no prepared file was seen; first epoch after {epochs[0] - begin:.1f} s, others {epoch_seconds(run):.1f} s"
        )
    start, end = writing
    return (
        f"pass one {start - begin:.1f} s, pass two {end - start:.1f} s, each of {len(epochs)} epochs "
        f"{epoch_seconds(run):.1f} s, all {run.time_of('fitted') - begin:.1f} s"
    )


def run_fit(s: Setting, **more: Any) -> Run:
    """The streamed fit, of the whole table unless another source is given."""
    return run_task("streamed", **{"source": s.train, "seed": 0, **s.network, **more})


def measure_fit(s: Setting) -> None:
    """Memory and time of the streamed fit, and the time of a row beside that in memory."""
    run = run_fit(s, model=s.model)
    rows = s.rows - held_out(s.rows)
    ours = per_row(run, rows)
    print(f"streamed, {s.rows:,} rows, window {s.options.window:,}, memory_limit {s.options.memory_limit}")
    print(f"  {phases(run)}")
    peak = run.peak("fitted")
    print(f"  anonymous memory at most {peak:,.0f} MB (wanted: below {GOAL_MEGABYTES}){judged(peak < GOAL_MEGABYTES)}")
    prepared = max((n for _, n in run.unnamed), default=0)
    print(f"  prepared file {prepared / 1e9:.2f} GB, {prepared / rows:.0f} bytes a row")
    n, beside = s.first_rows - held_out(s.first_rows), s.beside(seed=0)
    ratio = ours / per_row(beside, n)
    print(f"  {ours:,.0f} ns a row and epoch; {per_row(beside, n):,.0f} ns for {n:,} rows in memory", end=": ")
    print(f"{ratio:.2f} times (wanted: at most {GOAL_RATIO}){judged(ratio <= GOAL_RATIO)}")
    print(f"  in memory the process takes {beside.peak('fitted'):,.0f} MB", flush=True)


def judged(is_reached: bool) -> str:
    """Whether a goal is reached."""
    return "" if is_reached else "  MISSED"


def measure_cold(s: Setting) -> None:
    """The rate of epochs that begin with a cold page cache."""
    run = run_fit(s, drop=True)
    size = max((n for _, n in run.unnamed), default=0) / 1e6
    seconds = epoch_seconds(run)
    print(
        f"epochs that begin with a cold page cache: {seconds:.1f} s each, {size / seconds:,.0f} MB/s of {size:,.0f} MB"
    )
    print(f"  reading as much from the disk alone takes {size / s.machine.disk:.1f} s", flush=True)


def measure_score(s: Setting) -> None:
    """The AUC of streamed and in-memory fits of the same rows, over seeds."""
    n = s.first_rows
    if n <= s.options.window:
        print(f"the first file has {n:,} rows, which one window holds: both fits are in memory")
    scores: dict[str, list[float]] = {"streamed": [], "in memory": []}
    for seed in range(s.options.seeds):
        scores["streamed"].append(run_fit(s, source=s.files[0], seed=seed, test=s.test).answer["auc"])
        scores["in memory"].append(s.beside(seed).answer["auc"])
    for name, found in scores.items():
        spread = f" ± {stdev(found):.5f} over {len(found)} seeds" if len(found) > 1 else ""
        print(f"AUC {name}, {n:,} rows: {sum(found) / len(found):.5f}{spread}")
    difference = (sum(scores["streamed"]) - sum(scores["in memory"])) / s.options.seeds
    print(f"  difference {difference:+.5f}", flush=True)


def measure_peers(s: Setting) -> None:
    """Time, memory and AUC of gradient-boosted trees, and ours."""
    o = s.options
    rows = [("rosenblatt", run_fit(s, test=s.test))]
    how = f"{o.rounds} trees of 63 leaves, 255 bins, learning rate 0.1, {o.threads} threads"
    for name in ("lightgbm", "xgboost"):
        if importlib.util.find_spec(name) is None:
            print(f"{name} is not installed: skipped (pip install {name})")
            continue
        cache = s.scratch / name
        common: dict[str, Any] = {"threads": o.threads, "rounds": o.rounds, "test": s.test, "cache": cache}
        rows.append((name, run_task(name, files=[str(path) for path in s.files], columns=o.columns, **common)))
    print(f"{s.rows:,} rows, scored on {o.test_rows:,} others; trees: {how}; network: {o.epochs} epochs")
    print(f"  {'':<12} {'load s':>8} {'fit s':>8} {'MB':>8} {'AUC':>8}")
    for name, run in rows:
        begin, end = run.time_of("begin"), run.time_of("fitted")
        loaded = run.time_of("loaded") if run.times_of("loaded") else (run.writing() or (begin, begin))[1]
        times = f"{loaded - begin:>8.1f} {end - loaded:>8.1f}"
        print(f"  {name:<12} {times} {run.peak('fitted'):>8,.0f} {run.answer['auc']:>8.5f}", flush=True)


def measure_predict(s: Setting) -> None:
    """Rows a second of streaming prediction, beside reading alone."""
    if not s.model.exists():
        run_fit(s, model=s.model, epochs=2)
    reading = run_task("reading", files=[str(path) for path in s.files]).answer
    out = s.scratch / "predictions.parquet"
    run = watch([sys.executable, "-m", "rosenblatt", "predict", str(s.model), str(s.train), "--out", str(out)])
    if run.status:
        raise RuntimeError(f"rosenblatt predict ended with status {run.status}:\n{run.errors[-3000:]}")
    shown = [line.strip() for _, line in run.lines if "rows a second" in line]
    print(*shown, sep="\n")
    print(f"predict: {s.rows:,} rows in {run.seconds:.1f} s, {s.rows / run.seconds:,.0f} rows a second with starting")
    print(f"  anonymous memory at most {run.peak():,.0f} MB; reading alone {reading['seconds']:.1f} s", end=", ")
    print(f"{reading['rows'] / reading['seconds']:,.0f} rows a second", flush=True)


MEASURES: dict[str, Callable[[Setting], None]] = {
    **{"fit": measure_fit, "cold": measure_cold, "score": measure_score},
    **{"peers": measure_peers, "predict": measure_predict},
}


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=[], help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="300,000 rows, windows of 50,000, one seed")
    parser.add_argument("--folder", type=Path, help="where the table is kept; default: a temporary one")
    for name, value in {"rows": 40_000_000, "columns": 20, "test-rows": 1_000_000}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    for name, value in {"window": 2**20, "epochs": 4, "seeds": 3, "rounds": 200, "threads": 2}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--memory-limit", default="500MB")
    options = parser.parse_args()
    wrong = [part for part in options.parts if part not in PARTS]
    if wrong:
        parser.error(f"unknown part {wrong[0]!r}; parts: {', '.join(PARTS)}")
    if options.quick:
        small = {"rows": 300_000, "test_rows": 50_000, "window": 50_000}
        vars(options).update(small, epochs=2, seeds=1, rounds=5)
    return options


def main() -> None:
    """Make the table, then measure and print part by part."""
    options = parsed()
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        options.folder = options.folder or Path(scratch)
        s = Setting(options, Path(scratch))
        size = sum(path.stat().st_size for path in s.files)
        print(f"{s.rows:,} rows × {options.columns} columns and a target: {len(s.files)} files, {size / 1e9:.2f} GB")
        print(s.machine, flush=True)
        for part in options.parts or PARTS:
            MEASURES[part](s)


if __name__ == "__main__":
    main()
