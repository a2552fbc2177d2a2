"""Held-out scores and times on real tables: ``python -m benchmarks.real_tables`` (``--quick``: one seed, no MNIST).

For each table the default estimator is trained, raw columns in, and beside it scikit-learn's MLP with its defaults
behind the preparation that its guide recommends. MNIST is the same network, batch and optimizer in both libraries.
Means over seeds; each seed draws its own stratified 80/20 split. The tables are read from the folder in
ROSENBLATT_DATA, else from ``../shared/data``; without them the benchmark says what it skips.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import time
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier as PeerClassifier

import rosenblatt
from benchmarks.tabular.fits import mlp, plain, texts_of

TABLES = {"spambase": 0.94, "adult": 0.85, "california_housing": 0.80}


def folder() -> pathlib.Path:
    """Where the tables are."""
    return pathlib.Path(os.environ.get("ROSENBLATT_DATA", "../shared/data"))


def read(name: str) -> tuple[Any, str]:
    """A table and the name of its target, the last column."""
    import pandas as pd

    frame = pd.read_parquet(folder() / f"{name}.parquet")
    return frame, frame.columns[-1]


def run_table(name: str, seed: int) -> dict[str, float]:
    """Score and time of the default estimator, and of scikit-learn's network behind its recommended preparation."""
    frame, target = read(name)
    classify = name != "california_housing"
    train, test = train_test_split(
        frame, test_size=0.2, random_state=seed, stratify=frame[target] if classify else None
    )
    start = time.perf_counter()
    model = rosenblatt.learn(train, target, random_state=seed)
    seconds = time.perf_counter() - start
    score = accuracy_score if classify else r2_score
    found = {"score": float(score(test[target], model.predict(test))), "seconds": seconds}
    return found | peer_scores(train, test, target, classify, seed)


def peer_scores(train: Any, test: Any, target: str, classify: bool, seed: int) -> dict[str, float]:
    """Default settings, scaled numbers, one column for each level."""
    rows, held_out = plain(train, range(len(train)), "mlp"), plain(test, range(len(test)), "mlp")
    texts = [name for name in texts_of(rows) if name != target]
    numbers = [name for name in rows if name not in (target, *texts)]
    peer = mlp(texts, numbers, classify, seed)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        peer.fit(rows.drop(columns=target), rows[target])
    seconds = time.perf_counter() - start
    return {"peer_seconds": seconds, "peer_score": peer.score(held_out.drop(columns=target), held_out[target])}


def mnist(seed: int, epochs: int, peer: bool) -> dict[str, float]:
    """784-300-100-10 on MNIST: 55,000 rows to train on, 5,000 to stop on, the official 10,000 to test on."""
    with np.load(folder() / "mnist.npz") as file:
        images, labels = file["images"].reshape(-1, 784).astype(np.float32) / 255, file["labels"]
    options: dict[str, Any] = {
        "hidden_layer_sizes": (300, 100), "batch_size": 50, "learning_rate_init": 1e-3, "random_state": seed,
        "alpha": 1e-4, "tol": 0.0,
    }  # fmt: skip
    X, y, X_test, y_test = images[5000:60000], labels[5000:60000], images[60000:], labels[60000:]
    model = rosenblatt.MLPClassifier(**options, max_iter=epochs, n_iter_no_change=10, early_stopping=True)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y, X_val=images[:5000], y_val=labels[:5000])
        found = {"seconds": time.perf_counter() - start, "score": model.score(X_test, y_test), "epochs": model.n_iter_}
        if peer:
            start = time.perf_counter()
            other = PeerClassifier(**options, max_iter=2, n_iter_no_change=10**6).fit(X, y)
            found["peer_seconds"] = (time.perf_counter() - start) / 2 * model.n_iter_
            found["peer_score"] = other.score(X_test, y_test)
    return found


def main() -> None:
    """Print one line for each table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one seed, small tables only")
    parser.add_argument("--epochs", type=int, default=40, help="most epochs on MNIST")
    arguments = parser.parse_args()
    if not folder().is_dir():
        print(f"no tables in {folder()}: skipped {', '.join(TABLES)}, mnist; set ROSENBLATT_DATA to their folder")
        return
    seeds = range(1 if arguments.quick else 3)
    print(f"{'table':<20} {'score':>16} {'seconds':>9} {'scikit-learn':>13} {'its seconds':>12} {'ratio':>6}  goal")
    for name, goal in TABLES.items():
        report(name, [run_table(name, seed) for seed in seeds], f"{goal:.2f}")
    if not arguments.quick:
        report("mnist", [mnist(seed, arguments.epochs, peer=seed == 0) for seed in seeds], "0.98")
        print("scikit-learn's MNIST time is that of two epochs scaled to ours; its score is after those two")


def report(name: str, runs: list[dict[str, float]], goal: str) -> None:
    """One line: means over the runs, and the ratio of times on the same work."""
    scores = np.array([run["score"] for run in runs])
    both = [run for run in runs if "peer_seconds" in run]
    ratio = np.mean([run["peer_seconds"] / run["seconds"] for run in both])
    print(
        f"{name:<20} {scores.mean():>8.4f} ±{scores.std():.4f} {np.mean([r['seconds'] for r in runs]):>9.1f} "
        f"{np.mean([r['peer_score'] for r in both]):>13.4f} {np.mean([r['peer_seconds'] for r in both]):>12.1f} "
        f"{ratio:>6.1f}  >= {goal}",
        flush=True,
    )


if __name__ == "__main__":
    main()
