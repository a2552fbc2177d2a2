"""One network on several ranks: ``python -m benchmarks.mpi``, which starts ``mpiexec`` by itself.

Measures, on 1 and 2 ranks of this machine with one thread each: sums over ranks (latency and bandwidth), the parts of a
step, and steps of the same batch (strong scaling) and of a batch for each rank (weak scaling), beside those of an
ordinary process with one thread. Prints them beside the predictions of `benchmarks.mpi_model`, then what the model says
of 4 to 256 ranks on named networks, from which batch on several ranks pay, and what an overlap of the sums with the
backward pass could save. Equal bits are promised for 1, 2, 4 and 8 ranks; numbers beyond are the model's alone.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.mpi_model import (
    NETWORKS,
    Network,
    StepParts,
    fitted_network,
    least_batch,
    overlap_gain,
    step_seconds,
    sum_seconds,
)

ROOT = Path(__file__).parent.parent
FEATURES, CLASSES = 50, 3
WIDTHS = (64, 256, 1024)
BATCHES = (256, 1024, 8192)
SUMS = tuple(4 << i for i in range(0, 23, 2))
"""Bytes of the sums that are timed."""
MAX_WORK = 1 << 30
"""Width squared times rows of a step that is measured: a fifth of a second or so."""
STEPS = 4
"""Steps of an epoch."""
RANKS = (4, 8, 16, 64, 256)
SHOWN = 1024
"""The batch whose predictions are shown."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or be one of the ranks that measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small networks, once: whether it runs, not how fast")
    parser.add_argument(
        "--repeats", type=int, default=5, help="rounds of 1 and 2 ranks in turn, of which medians count"
    )
    parser.add_argument("--seconds", type=float, default=0.5, help="time of each measurement")
    parser.add_argument("--write", type=Path, help="a file for all numbers, as JSON")
    parser.add_argument("--rank-of", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.quick:
        given.repeats, given.seconds = 1, 0.02
    if given.rank_of is not None:
        measure_as_rank(given)
        return
    found = measured(given)
    print("\n".join(report(found, given.quick)))
    if given.write is not None:
        given.write.write_text(json.dumps(found, indent=1) + "\n")


def sizes(quick: bool) -> list[tuple[int, int]]:
    """(width, batch) of all networks: two hidden layers of this width."""
    if quick:
        return [(64, 256)]
    return [(width, batch) for width in WIDTHS for batch in BATCHES if width**2 * batch <= MAX_WORK]


def measured(given: Any) -> dict[str, dict[str, float]]:
    """The medians of all rounds, by the number of ranks; "0" stands for an ordinary process."""
    rounds: dict[str, list[dict[str, float]]] = {"0": [], "1": [], "2": []}
    for _ in range(given.repeats):
        for n_ranks, results in rounds.items():
            results.append(run_ranks(int(n_ranks), given))
    return {n: {key: float(np.median([r[key] for r in of])) for key in of[0]} for n, of in rounds.items()}


def run_ranks(n_ranks: int, given: Any) -> dict[str, float]:
    """What so many ranks measure, each with one thread."""
    mpiexec = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if mpiexec is None:
        raise SystemExit("there is no mpiexec: pip install 'rosenblatt[mpi]'")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "numbers.json")
        command = [sys.executable, "-m", "benchmarks.mpi", "--rank-of", str(out), "--seconds", str(given.seconds)]
        command += ["--quick"] if given.quick else []
        launcher = [mpiexec, "-n", str(n_ranks)] if n_ranks else []
        threads = {"ROSENBLATT_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        subprocess.run([*launcher, *command], cwd=ROOT, check=True, env={**os.environ, **threads})
        found: dict[str, float] = json.loads(out.read_text())
    return found


def measure_as_rank(given: Any) -> None:
    """The measurements of one rank, which rank 0 writes; without mpiexec, those of an ordinary process."""
    from rosenblatt.distributed import together

    found: dict[str, float] = {}
    with together() as ranks:
        if ranks.size > 1:
            found |= {f"sum {n}": time_of_sum(ranks, n, given.seconds) for n in SUMS[:: 5 if given.quick else 1]}
        for width, batch in sizes(given.quick):
            found |= step_times(ranks, width, batch, given.seconds)
            found |= {f"weak {width} {batch}": step_time(ranks, width, batch * ranks.size, given.seconds)}
        if ranks.is_first:
            given.rank_of.write_text(json.dumps(found))


def agreed_mean(ranks: Any, seconds: float, work: Callable[[int], object]) -> float:
    """Seconds of one of the calls that ``work(n)`` makes; all ranks make equally many."""
    work(1)
    n = 1
    while True:
        began = time.perf_counter()
        work(n)
        taken = ranks.until(lambda began=began: time.perf_counter() - began)
        if taken >= seconds:
            return taken / n
        n = max(n + 1, min(10 * n, math.ceil(1.2 * n * seconds / max(taken, 1e-9))))


def time_of_sum(ranks: Any, n_bytes: int, seconds: float) -> float:
    """Seconds of a sum of so many bytes of float32."""
    array = np.zeros(n_bytes // 4, np.float32)
    return agreed_mean(ranks, seconds, lambda n: [ranks.communicator.allreduce(array) for _ in range(n)])


def trainer_of(width: int, batch: int) -> Any:
    """A trainer of two hidden layers with random rows for all steps of an epoch."""
    from rosenblatt import nn
    from rosenblatt.training.sharded import trainer_class

    rng = np.random.default_rng(0)
    X = rng.standard_normal((STEPS * batch, FEATURES), np.float32)
    network = nn.Network(nn.NetworkSpec(FEATURES, (width, width), CLASSES, output="softmax"), seed=0)
    made = trainer_class()(network, "softmax_cross_entropy", nn.Adam(), batch_size=batch)
    made.set_data(X, rng.integers(0, CLASSES, len(X)).astype(np.int32))
    return made


def step_time(ranks: Any, width: int, batch: int, seconds: float) -> float:
    """Seconds of a step."""
    made = trainer_of(width, batch)
    return agreed_mean(ranks, seconds, lambda n: [made.epochs(1, 1e-3) for _ in range(n)]) / STEPS


def step_times(ranks: Any, width: int, batch: int, seconds: float) -> dict[str, float]:
    """Seconds of a step, and on ranks those of its parts, with the bytes of its message."""
    key = f"{width} {batch}"
    found = {f"step {key}": step_time(ranks, width, batch, seconds)}
    if not ranks.are_together:
        return found
    made = trainer_of(width, batch)
    session = made._session
    spent = {name: Timed(getattr(session.session, name)) for name in ("gradient", "update")}
    session.session = SimpleNamespace(**spent)
    made.epochs(1, 1e-3)
    for timed in spent.values():
        timed.seconds, timed.calls = 0.0, 0
    agreed_mean(ranks, seconds, lambda n: [made.epochs(1, 1e-3) for _ in range(n)])
    n_steps = spent["update"].calls
    found |= {f"{name} {key}": timed.seconds / n_steps for name, timed in spent.items()}
    return found | {f"bytes {key}": float(session.message.nbytes)}


class Timed:
    """A function that adds up the time of its calls."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.seconds, self.calls = function, 0.0, 0

    def __call__(self, *arguments: Any) -> Any:
        began = time.perf_counter()
        result = self.function(*arguments)
        self.seconds += time.perf_counter() - began
        self.calls += 1
        return result


def report(found: dict[str, dict[str, float]], quick: bool) -> list[str]:
    """Tables of all measurements and predictions, in Markdown."""
    n_bytes = [int(key.split()[1]) for key in found["2"] if key.startswith("sum ")]
    here = fitted_network("this machine", n_bytes, [found["2"][f"sum {n}"] for n in n_bytes])
    parts = {size: parts_of(found["1"], *size) for size in sizes(quick)}
    return [
        *sums_table(found, here, n_bytes),
        *scaling_table(found, here, parts),
        *prediction_table(found, here, parts),
        *least_table(found, here, parts),
    ]


def parts_of(one: dict[str, float], width: int, batch: int) -> StepParts:
    """The parts of a step on one rank; what is neither gradient nor update is overhead."""
    key = f"{width} {batch}"
    gradient, update = one[f"gradient {key}"], one[f"update {key}"]
    return StepParts(
        batch, gradient, update, max(0.0, one[f"step {key}"] - gradient - update), int(one[f"bytes {key}"])
    )


def micro(seconds: float) -> str:
    """Microseconds."""
    return f"{seconds * 1e6:,.1f}" if seconds < 1e-4 else f"{seconds * 1e6:,.0f}"


def sums_table(found: dict[str, dict[str, float]], here: Network, n_bytes: list[int]) -> list[str]:
    """Sums over two ranks, measured and fitted."""
    rows = [f"| {n:,} | {micro(found['2'][f'sum {n}'])} | {micro(sum_seconds(here, 2, n))} |" for n in n_bytes]
    said = f"Latency {here.latency * 1e6:.1f} µs, bandwidth {here.bandwidth / 1e9:.2f} GB/s."
    return ["Sums over 2 ranks", "", "| bytes | µs | µs, fitted |", "|---:|---:|---:|", *rows, "", said, ""]


def scaling_table(
    found: dict[str, dict[str, float]], here: Network, parts: dict[tuple[int, int], StepParts]
) -> list[str]:
    """Steps on 1 and 2 ranks beside those of an ordinary process, the prediction, and the parts."""
    rows = []
    for (width, batch), of in parts.items():
        key = f"{width} {batch}"
        alone, one, two = (found[n][f"step {key}"] for n in "012")
        predicted, weak = step_seconds(of, here, 2), found["2"][f"weak {key}"] / found["1"][f"weak {key}"]
        rows.append(
            f"| {width} | {batch:,} | {micro(alone)} | {micro(one)} | {micro(two)} | {micro(predicted)} | "
            f"{predicted / two - 1:+.0%} | {alone / two:.2f} | {1 / weak:.0%} | {micro(of.gradient)} | "
            f"{micro(of.update)} | {micro(of.overhead)} | {of.n_bytes:,} |"
        )
    return [
        "Steps in µs: two hidden layers, one thread a rank. Strong scaling: the speed-up of 2 ranks over an ordinary "
        "process. Weak scaling: the efficiency with twice the batch on 2 ranks.",
        "",
        "| width | batch | ordinary | 1 rank | 2 ranks | predicted | error | strong | weak | gradient | update | "
        "overhead | bytes |",
        "|" + "---:|" * 13,
        *rows,
        "",
    ]


def prediction_table(
    found: dict[str, dict[str, float]], here: Network, parts: dict[tuple[int, int], StepParts]
) -> list[str]:
    """What the model says of more ranks, for one batch of each width."""
    rows = []
    shown = [size for size in parts if size[1] == SHOWN] or list(parts)
    for width, batch in shown:
        of, alone = parts[width, batch], found["0"][f"step {width} {batch}"]
        for network in (here, *NETWORKS):
            speedups = " | ".join(f"{alone / step_seconds(of, network, n):.2f}" for n in RANKS)
            gain = overlap_gain(of, network, 8)
            rows.append(f"| {width} | {batch:,} | {network.name} | {speedups} | {gain:.0%} |")
    return [
        "Modelled speed-up over an ordinary process, and the share of the step on 8 ranks that an overlap of the sums "
        "with the backward pass could save at most.",
        "",
        f"| width | batch | network | {' | '.join(f'{n} ranks' for n in RANKS)} | overlap |",
        "|---:|---:|---|" + "---:|" * (len(RANKS) + 1),
        *rows,
        "",
    ]


def least_table(
    found: dict[str, dict[str, float]], here: Network, parts: dict[tuple[int, int], StepParts]
) -> list[str]:
    """From which batch on several ranks pay."""
    rows = []
    for width in dict.fromkeys(width for width, _ in parts):
        batch = max(b for w, b in parts if w == width)  # whose parts are measured best
        of, alone = parts[width, batch], found["0"][f"step {width} {batch}"]
        for network in (here, *NETWORKS):
            least = [least_batch(of, alone, network, n) for n in (4, 8)]
            shown = " | ".join("never" if n is None else f"{n:,}" for n in least)
            rows.append(f"| {width} | {network.name} | {shown} |")
    return [
        "The smallest batch with at least half of the ideal speed-up (2 for 4 ranks, 4 for 8), by the model.",
        "",
        "| width | network | 4 ranks | 8 ranks |",
        "|---:|---|---:|---:|",
        *rows,
        "",
    ]


if __name__ == "__main__":
    main()
