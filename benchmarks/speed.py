"""Training steps beside PyTorch, JAX and scikit-learn: ``python -m benchmarks.speed``."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.cases import CASES

PEERS = ("rosenblatt", "torch", "jax", "sklearn")


class Process:
    """A peer in a process of its own, with a number of threads."""

    def __init__(self, peer: str, threads: int) -> None:
        self.peer, self.threads = peer, threads
        environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peers", peer, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=Path(__file__).parent.parent,
        )

    def measure(self, case: int, seconds: float) -> float:
        """Microseconds of a step."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"case": case, "seconds": seconds}), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.peer} ended; see its message above")
        return float(json.loads(answer)["us"])

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each measurement")
    parser.add_argument("--peers", nargs="+", default=PEERS, choices=PEERS)
    parser.add_argument("--cases", nargs="+", type=int, default=range(len(CASES)))
    options = parser.parse_args()
    modules = [p for p in options.peers if p == "rosenblatt" or importlib.util.find_spec(p) is not None]
    n_cores = len(os.sched_getaffinity(0))
    threads = sorted({1, n_cores})
    processes = [Process(peer, n) for peer in modules for n in threads]
    for number in options.cases:
        case = CASES[number]
        times: dict[tuple[str, int], list[float]] = {(p.peer, p.threads): [] for p in processes}
        for _ in range(options.repeats):
            for p in processes:
                times[p.peer, p.threads].append(p.measure(number, options.seconds))
        print(f"{case.name}, batch {case.batch}")
        ours = min(min(t) for (peer, _), t in times.items() if peer == "rosenblatt")
        for (peer, n), t in times.items():
            rate = case.products / min(t) / 1e3
            cells = f"{min(t):>10.1f} ({statistics.median(t):.1f}) µs {rate:>7.1f} GFLOP/s"
            print(f"    {peer:<12}{n} {cells} {min(t) / ours:>8.2f}")
        sys.stdout.flush()
    for p in processes:
        p.close()


if __name__ == "__main__":
    main()
