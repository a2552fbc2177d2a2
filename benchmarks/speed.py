"""Speed compared with PyTorch, JAX, scikit-learn and OpenBLAS: ``python -m benchmarks.speed``.

Prints tables and, with --write, writes them to docs/performance.md and docs/speed.svg. Each peer runs in its own
process for each number of threads. Measurements of the peers alternate and are repeated, and the best results are
compared. Peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import CASES, PRODUCTS, VARIANTS, Case

ROOT = Path(__file__).parent.parent
OURS = "rosenblatt"
PEERS = ("torch", "jax", "sklearn")
TITLES = {OURS: "rosenblatt", "torch": "PyTorch", "jax": "JAX", "sklearn": "scikit-learn"}
DISTRIBUTIONS = {"sklearn": "scikit-learn"}
N_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Process:
    """A peer in its own process, with a given number of threads."""

    def __init__(self, peer: str, threads: int) -> None:
        self.peer, self.threads = peer, threads
        environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
        if peer == "sklearn":
            environment["OPENBLAS_NUM_THREADS"] = str(threads)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peers", peer, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=ROOT,
        )

    def ask(self, task: str, **options: Any) -> Any:
        """The answer of the peer; see `benchmarks.peers.Peer`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"task": task, **options}), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process of {self.peer} ended; see its message above")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@contextmanager
def processes(*wanted: tuple[str, int]) -> Iterator[list[Process]]:
    """Start the peers, each with a number of threads, and end them afterwards."""
    found = [Process(peer, threads) for peer, threads in wanted]
    try:
        yield found
    finally:
        for process in found:
            process.close()


class Benchmark:
    """How long and how often to measure, and the report so far."""

    def __init__(self, repeats: int, seconds: float) -> None:
        self.repeats, self.seconds = repeats, seconds
        self.peers = [p for p in PEERS if importlib.util.find_spec(p) is not None]
        self.lines: list[str] = []
        self.ratios: dict[str, dict[str, float]] = {}
        self.best: dict[int, float] = {}  # microseconds of our step by case

    def say(self, *lines: str) -> None:
        """Print lines and keep them for the report."""
        print(*lines, sep="\n", flush=True)
        self.lines.extend(lines)

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a Markdown table, row by row as the rows are measured."""
        self.say("", "| " + " | ".join(header) + " |", "|" + "---|" * len(header))
        for row in rows:
            self.say("| " + " | ".join(row) + " |")
        self.say("")

    def alternate(self, calls: Sequence[Callable[[], Any]]) -> list[list[Any]]:
        """The results of each call; the calls alternate and are repeated."""
        results: list[list[Any]] = [[] for _ in calls]
        for _ in range(self.repeats):
            for call, found in zip(calls, results, strict=True):
                found.append(call())
        return results


def steps(bench: Benchmark, cases: Iterable[int]) -> None:
    """Time the training steps of all peers, with one thread and with all."""
    threads = sorted({1, N_CORES})
    wanted = [(OURS, n) for n in threads]
    wanted += [(peer, n) for peer in bench.peers for n in (threads if peer != "jax" else [N_CORES])]
    with processes(*wanted) as running:
        header = ["network", "batch", *(f"{TITLES[p]}, {n} thread{'s' * (n > 1)}" for p, n in wanted)]
        header += [f"{TITLES[peer]} / ours" for peer in bench.peers]
        bench.table(header, (_step_row(bench, number, running) for number in cases))


def _step_row(bench: Benchmark, number: int, running: Sequence[Process]) -> list[str]:
    case = CASES[number]
    times = bench.alternate([lambda p=p: p.ask("step", case=number, seconds=bench.seconds) for p in running])  # type: ignore[misc]
    least: dict[str, float] = {}
    for process, found in zip(running, times, strict=True):
        least[process.peer] = min(min(found), least.get(process.peer, float("inf")))
    bench.best[number] = least[OURS]
    ratios = {peer: least[peer] / least[OURS] for peer in bench.peers}
    bench.ratios[f"{case.name}, {case.batch}"] = ratios
    floors = dict(case.floors)
    cells = [f"{min(found):,.1f} ({statistics.median(found):,.1f})" for found in times]
    for peer in bench.peers:
        cells.append(f"**{ratios[peer]:.1f}**" + (f" (floor: {floors[peer]:g})" if peer in floors else ""))
    return [case.name, str(case.batch), *cells]


def limits(bench: Benchmark) -> None:
    """What each step computes and moves, and how close it is to the limits of the processor."""
    threads = (1, N_CORES)
    with processes(*((peer, n) for n in threads for peer in (OURS, "sklearn"))) as running:
        rates = dict.fromkeys(threads, 0.0)
        for _ in range(bench.repeats):
            for process in running:
                rate = max(process.ask("product", shape=shape, seconds=bench.seconds) for shape in (0, 8))
                rates[process.threads] = max(rates[process.threads], rate)
        bench.say(
            "",
            f"The peak rate of products, the best of ours and OpenBLAS, is {rates[1]:.0f} GFLOP/s on one core and "
            f"{rates[N_CORES]:.0f} on {N_CORES} cores.",
        )
        header = [
            "network",
            "batch",
            "MFLOP",
            "MB moved",
            "GB/s per core",
            "limit, µs",
            "measured, µs",
            "limit / measured",
        ]
        rows = (_limit_row(CASES[n], us, running[1], rates[N_CORES]) for n, us in bench.best.items())
        bench.table(header, rows)


def _limit_row(case: Case, measured: float, one: Process, peak: float) -> list[str]:
    from rosenblatt.ir.cost import instruction_costs
    from rosenblatt.ir.planner import plan
    from rosenblatt.ir.rewrite import fuse
    from rosenblatt.nn import Adam, NetworkSpec
    from rosenblatt.nn.objective import Objective
    from rosenblatt.nn.programs import training_program

    spec = NetworkSpec(case.sizes[0], case.sizes[1:-1], case.sizes[-1], activation=case.activation)
    loss = "softmax_cross_entropy" if case.loss == "softmax" else "squared_error"
    program = fuse(training_program(spec, Objective(loss), Adam(), "float32"))
    planned = plan(program, case.batch)
    # The working set of a core: its part of the rows, and all weights.
    size = planned.persistent_bytes + planned.workspace_bytes // N_CORES
    bandwidth = one.ask("bandwidth", size=max(size, 1 << 14), seconds=0.2)
    costs = instruction_costs(program, case.batch)
    rates = peak * 1e3, bandwidth * 1e3 * N_CORES  # per microsecond
    ideal = sum(max(operations / rates[0], moved / rates[1]) for _, operations, moved in costs)
    operations, moved = sum(c[1] for c in costs), sum(c[2] for c in costs)
    cells = [f"{operations / 1e6:,.2f}", f"{moved / 1e6:,.2f}", f"{bandwidth:.0f}", f"{ideal:,.1f}", f"{measured:,.1f}"]
    return [case.name, str(case.batch), *cells, f"{ideal / measured:.0%}"]


def products(bench: Benchmark) -> None:
    """Compare matrix products with OpenBLAS, with the same number of threads."""
    threads = sorted({1, N_CORES})
    header = [
        "product",
        *(f"{who}, {n} thread{'s' * (n > 1)}" for n in threads for who in ("ours", "OpenBLAS", "ratio")),
    ]
    with processes(*((peer, n) for n in threads for peer in (OURS, "sklearn"))) as running:
        bench.table(header, (_product_row(bench, shape, running) for shape in range(len(PRODUCTS))))


def _product_row(bench: Benchmark, shape: int, running: Sequence[Process]) -> list[str]:
    m, k, n, a_transposed, b_transposed = PRODUCTS[shape]
    rates = bench.alternate([lambda p=p: p.ask("product", shape=shape, seconds=bench.seconds) for p in running])  # type: ignore[misc]
    cells = []
    for ours, theirs in zip(rates[::2], rates[1::2], strict=True):
        cells += [f"{max(ours):.0f}", f"{max(theirs):.0f}", f"**{max(ours) / max(theirs):.2f}**"]
    left, right = f"[{m}, {k}]" + "ᵀ" * a_transposed, f"[{k}, {n}]" + "ᵀ" * b_transposed
    return [f"{left} · {right}", *cells]


def fits(bench: Benchmark) -> None:
    """Time whole fits with scikit-learn's defaults in float64."""
    with processes((OURS, N_CORES), ("sklearn", N_CORES), ("sklearn", 1)) as running:

        def row(dataset: str) -> list[str]:
            found = bench.alternate([lambda p=p: p.ask("fit", dataset=dataset, seconds=0.5) for p in running])  # type: ignore[misc]
            ours, *theirs = (min(answer["seconds"] for answer in answers) for answers in found)
            curves = [answers[0]["curve"] for answers in found]
            same = len(curves[0]) == len(curves[1]) and np.allclose(curves[0], curves[1], rtol=1e-6)
            cells = [f"{ours * 1e3:.1f}", f"{min(theirs) * 1e3:.1f}", f"**{min(theirs) / ours:.1f}** (floor: 5)"]
            return [dataset, str(len(curves[0])), *cells, "the same" if same else "DIFFERENT"]

        header = ["table", "epochs", "ours, ms", "scikit-learn, ms", "ratio", "loss curves to 1e-6"]
        bench.table(header, (row(name) for name in ("iris", "breast_cancer", "digits")))


def variants(bench: Benchmark) -> None:
    """The cost per operation in steps that depart from the regular case."""
    with processes((OURS, 1)) as (one,):
        found = {name: one.ask("variant", name=name, seconds=bench.seconds) for name in VARIANTS}
    regular = next(iter(found.values()))
    rows = ([n, f"{c:.2f}", f"**{c / regular:.2f}**", f"{VARIANTS[n].limit:g}"] for n, c in found.items())
    bench.table(["step", "ps per operation", "relative to the regular case", "allowed"], rows)


def predictions(bench: Benchmark) -> None:
    """Time the prediction of one row, of a thousand and of a million."""
    with processes((OURS, N_CORES), ("sklearn", N_CORES)) as (ours, theirs):

        def row(label: str, rows: int, through: str) -> list[str]:
            ways = ((ours, through), (theirs, "estimator"))
            times = [
                [p.ask("predict", rows=rows, through=way, seconds=0.5) for p, way in ways] for _ in range(bench.repeats)
            ]
            mine, other = (min(column) for column in zip(*times, strict=True))
            return [label, f"{mine:,.1f}", f"{other:,.1f}", f"**{other / mine:.1f}**"]

        work = (
            ("one row, estimator", 1, "estimator"),
            ("one row, `model.network.predict`", 1, "network"),
            ("1,000 rows, estimator", 1000, "estimator"),
            ("1,000,000 rows, estimator", 10**6, "estimator"),
        )
        bench.table(["20-100-2, float32", "ours, µs", "scikit-learn, µs", "ratio"], (row(*w) for w in work))


def start(bench: Benchmark) -> None:
    """Time everything before the first step."""
    with processes((OURS, N_CORES), ("sklearn", N_CORES)) as (ours, theirs):
        mine, other = ([p.ask("fixed", seconds=0.5) for _ in range(bench.repeats)] for p in (ours, theirs))
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.csv"
        X = np.random.default_rng(0).normal(size=(5000, 13))
        X[:, -1] = X[:, 0] + X[:, 1] * X[:, 2] > 0
        np.savetxt(table, X, fmt="%.4f", delimiter=",", header=",".join(f"x{i}" for i in range(13)), comments="")
        train = ["-m", "rosenblatt", "train", str(table), "--target", "x12", "--epochs", "1"]
        commands = {
            "`import numpy`": ["-c", "import numpy"],
            "`import rosenblatt, numpy`": ["-c", "import rosenblatt, numpy"],
            "`from sklearn.neural_network import MLPClassifier`": ["-c", "import sklearn.neural_network"],
            "`from rosenblatt import MLPClassifier`": ["-c", "from rosenblatt import MLPClassifier"],
            "`import torch`": ["-c", "import torch"],
            "`rosenblatt train` on 5,000 rows, one epoch": [
                *train,
                "--out",
                str(Path(folder) / "m.rosenblatt"),
            ],
        }
        times = bench.alternate([lambda c=c: _seconds(c) for c in commands.values()])  # type: ignore[misc]
    rows = [[name, f"{min(found) * 1e3:,.0f}"] for name, found in zip(commands, times, strict=True)]
    rows += [
        [
            "overhead of a fit beyond its epochs, 20-100-50-3 on 1,000 rows",
            f"{min(mine):.1f} (scikit-learn: {min(other):.1f})",
        ]
    ]
    bench.table(["from a new process", "ms"], rows)


def _seconds(arguments: Sequence[str]) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - begin


def machine() -> str:
    """The machine and the versions of the packages, as text."""
    from rosenblatt import engine_info

    info = engine_info()
    names = [line.split(":", 1)[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    packages = [*PEERS, "numpy"]
    found = [f"{TITLES.get(p, p)} {version(DISTRIBUTIONS.get(p, p))}" for p in packages if importlib.util.find_spec(p)]
    processor = names[0] if names else platform.processor()
    python = f"Python {platform.python_version()}"
    return f"{processor}, {N_CORES} cores, kernels for {info['isa']}; {python}, {', '.join(found)}."


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def plot(bench: Benchmark) -> None:
    """Plot the ratios as bars, in docs/speed.svg."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "speed"
    from matplotlib import pyplot as plt

    names = list(bench.ratios)
    figure, axes = plt.subplots(figsize=(8, 0.55 * len(names) + 1.2), layout="constrained")
    for i, (peer, color) in enumerate(zip(bench.peers, ("#d55e00", "#0072b2", "#009e73"), strict=False)):
        values = [bench.ratios[name][peer] for name in names]
        positions = [k + (i - 1) * 0.27 for k in range(len(names))]
        bars = axes.barh(positions, values, height=0.25, color=color, label=TITLES[peer])
        axes.bar_label(bars, fmt="%.1f", padding=2, fontsize=7)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set(xscale="log", yticks=range(len(names)), xlabel="time of a training step, rosenblatt = 1")
    axes.set_yticklabels(names, fontsize=8)
    axes.set_xlim(0.7, max(max(r.values()) for r in bench.ratios.values()) * 2)
    axes.invert_yaxis()
    axes.legend(loc="lower right", fontsize=8, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(ROOT / "docs/speed.svg", metadata={"Date": None})


SECTIONS: dict[str, tuple[str, str]] = {
    "steps": (
        "A training step",
        "Microseconds per step, best (median), in float32. A step gathers a reshuffled mini-batch and computes the "
        "forward pass, the loss, the backward pass and Adam's update. JAX runs one jitted scan over all batches. With "
        "a full batch (4-32-16-4), PyTorch and JAX gather nothing. The last columns are ratios of the best times; the "
        "floor is the smallest ratio that is acceptable.",
    ),
    "limits": (
        "How close to the limits of the processor",
        "The limit of a step is a sum over the instructions of the fused program. Each instruction counts with the "
        "longer of two times: that of its operations at the peak rate of matrix products, and that of the bytes that "
        "it reads and writes at the rate at which a core copies the amount of data that it works on.",
    ),
    "products": ("Matrix products", "GFLOP/s of single float32 products, best."),
    "fits": ("Whole fits", "`MLPClassifier(random_state=0).fit(X, y)` on scaled columns, in float64."),
    "variants": (
        "No cliffs",
        "The time of a step on one thread, divided by its number of operations (those of its products, and ten for "
        "each weight).",
    ),
    "predictions": ("Prediction", "The time of one call."),
    "start": ("Start-up", "Times of whole processes, best."),
}
MARK = "<!-- Everything above is generated; everything below is kept. -->"


def report(bench: Benchmark, page: Path) -> str:
    """The page of the documentation: what was printed, then what the page already has below the mark."""
    kept = page.read_text().partition(MARK)[2] if page.exists() else "\n"
    question = "How long do a training step, a fit, a prediction and the start take beside other libraries?"
    made = "Generated by `python -m benchmarks.speed --write`."
    head = ["# Performance", "", question, made, "", "![ratios](speed.svg)", ""]
    return "\n".join([*head, *bench.lines, MARK]) + kept


def main() -> None:
    """Measure the requested sections."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], default=[], help="default: all")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.4, help="duration of each measurement")
    parser.add_argument("--cases", nargs="+", type=int, default=range(len(CASES)))
    parser.add_argument("--write", action="store_true", help="write docs/performance.md and docs/speed.svg")
    options = parser.parse_args()
    if options.write and options.sections:
        parser.error("--write makes the whole page: do not choose sections with it")
    if "limits" in options.sections and "steps" not in options.sections:
        parser.error("limits uses the times that steps measures: request both, as in steps limits")
    bench = Benchmark(options.repeats, options.seconds)
    functions: dict[str, Callable[[Benchmark], None]] = {
        "steps": lambda b: steps(b, options.cases),
        "limits": limits,
        "products": products,
        "fits": fits,
        "variants": variants,
        "predictions": predictions,
        "start": start,
    }
    bench.say(f"Measured on {machine()}", "")
    for name in options.sections or SECTIONS:
        title, text = SECTIONS[name]
        bench.say(f"## {title}", "", text)
        functions[name](bench)
    if options.write:
        plot(bench)
        page = ROOT / "docs/performance.md"
        page.write_text(report(bench, page))


if __name__ == "__main__":
    main()
