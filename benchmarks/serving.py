"""What a saved model costs in another process: cold starts, memory, and requests to a server.

    python -m benchmarks.serving [--quick] [--repeats N]

Prints, for each kind of model, the median time in which a new process imports, loads and predicts one row, beside
scikit-learn's MLPClassifier from joblib (and onnxruntime, if it is installed, with the same network), all in turn; then
the requests of one row that `examples/serve.py` answers in a second. Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path
from socket import create_connection, socket
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
N_COLUMNS, N_ROWS = 10, 500
NUMBERS_ROW = "[[0.5] * 10]"
TABLE_ROW = '[{"x": 0.5, "c": "a"}]'
OURS = "import rosenblatt; found = rosenblatt.{load}({path!r}).predict({row})"
THEIRS = "import joblib; found = joblib.load({path!r}).predict({row})"
ONNX = (
    "import numpy, onnxruntime; s = onnxruntime.InferenceSession({path!r}); "
    "found = s.run(None, {{s.get_inputs()[0].name: numpy.full((1, 10), 0.5, 'float32')}})"
)
MEMORY = "; print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
"""Not `ru_maxrss`, which begins with the memory of the process that forked."""


def make_models(folder: Path) -> dict[str, str]:
    """Save a model of each kind; the code that loads and predicts each in a new process, by what it is called."""
    import joblib
    from sklearn.neural_network import MLPClassifier

    import rosenblatt
    from rosenblatt import nn

    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, N_COLUMNS)).astype(np.float32)
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    table = {"x": X[:, 0], "c": rng.choice(["a", "b"], N_ROWS)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = {
            "network": nn.Network(nn.NetworkSpec(N_COLUMNS, (100,), 1, output="logistic")),
            "MLPClassifier": rosenblatt.MLPClassifier(max_iter=5).fit(X, y),
            "TabularClassifier": rosenblatt.TabularClassifier(max_iter=3).fit(table, y),
        }
        joblib.dump(MLPClassifier(max_iter=5).fit(X, y), folder / "joblib")
    code = {"scikit-learn, joblib": THEIRS.format(path=str(folder / "joblib"), row=NUMBERS_ROW)}
    for name, model in models.items():
        rosenblatt.save(model, folder / name)
        row = {"network": "__import__('numpy').full((1, 10), 0.5)", "TabularClassifier": TABLE_ROW}.get(
            name, NUMBERS_ROW
        )
        for load in ("load_predictor", "load"):
            code[f"{load}, {name}"] = OURS.format(load=load, path=str(folder / name), row=row)
    with suppress(ImportError):  # of ONNX, which is an extra
        from rosenblatt.export import to_onnx

        if find_spec("onnxruntime") is not None:
            to_onnx(models["MLPClassifier"], folder / "model.onnx")
            code["onnxruntime, MLPClassifier"] = ONNX.format(path=str(folder / "model.onnx"))
    return code


def cold(code: str) -> tuple[float, float]:
    """Seconds and megabytes of a new process that runs the code."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code + MEMORY], capture_output=True, text=True, check=True)
    return time.perf_counter() - start, float(done.stdout.split()[-1]) / 1024


def print_cold_starts(code: dict[str, str], repeats: int) -> None:
    """The medians of several processes of each kind, started in turn."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in code}
    for _ in range(repeats):
        for name, text in code.items():
            found[name].append(cold(text))
    base = statistics.median(seconds for seconds, _ in found["scikit-learn, joblib"])
    print(f"cold start: import, load, predict one row; medians of {repeats} processes each, started in turn")
    print(f"{'':36}{'ms':>7}{'relative':>10}{'MB':>6}")
    for name, runs in found.items():
        seconds, megabytes = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{name:36}{1000 * seconds:7.0f}{seconds / base:10.2f}{megabytes:6.0f}")


def free_port() -> int:
    with closing(socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Return when the server listens."""
    while server.poll() is None:
        with suppress(OSError), create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.005)
    raise RuntimeError("the server ended")


def ask(port: int) -> float:
    """The seconds of a request of one row."""
    start = time.perf_counter()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/predict", TABLE_ROW.encode()) as response:
        json.load(response)
    return time.perf_counter() - start


def rate(port: int, clients: int, seconds: float) -> tuple[float, list[float]]:
    """Requests a second of so many clients at once, and the seconds that each took."""
    end = time.perf_counter() + seconds

    def client(_: int) -> list[float]:
        times = []
        while time.perf_counter() < end:
            times.append(ask(port))
        return times

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        times = [one for of_client in pool.map(client, range(clients)) for one in of_client]
    return len(times) / (time.perf_counter() - start), times


def print_requests(path: Path, seconds: float) -> None:
    """Cold start to the first answer, then requests a second by one client and by four."""
    port, start = free_port(), time.perf_counter()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command: list[Any] = [sys.executable, ROOT / "examples" / "serve.py", path, "--port", str(port)]
    with subprocess.Popen(command, env=environment) as server:
        try:
            wait_for(port, server)
            ask(port)
            print(f"\nexamples/serve.py, a TabularClassifier: first answer after {time.perf_counter() - start:.2f} s")
            for clients in (1, 4):
                found, times = rate(port, clients, seconds)
                middle, last = np.quantile(times, (0.5, 0.99)) * 1000
                print(f"{clients} clients: {found:.0f} requests/s of one row; {middle:.1f} ms (99 %: {last:.1f} ms)")
        finally:
            server.terminate()


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one process of each kind, and a second of requests")
    parser.add_argument("--repeats", type=int, default=9)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        code = make_models(Path(folder))
        print_cold_starts(code, 1 if given.quick else given.repeats)
        print_requests(Path(folder) / "TabularClassifier", 0.5 if given.quick else 5.0)


if __name__ == "__main__":
    main()
