"""How often `diagnose` names the state that a case was made to be in, over seeds.

`python -m benchmarks.diagnosis [--seeds 10] [--held-out]`. The first cases are those by which the questions were
chosen; the held-out ones have other generators, real tables and regressors, and were only run afterwards.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_wine,
    make_circles,
    make_classification,
    make_friedman1,
    make_gaussian_quantiles,
    make_moons,
    make_regression,
)
from sklearn.preprocessing import StandardScaler

from rosenblatt import MLPClassifier, MLPRegressor, diagnose

Case = tuple[Any, Any, Any]


def moons(seed: int, n: int = 500, noise: float = 0.2) -> tuple[Any, Any]:
    return make_moons(n, noise=noise, random_state=seed)


def flipped(y: Any, share: float, seed: int) -> Any:
    """Labels of which a share is another one."""
    rng = np.random.default_rng(seed)
    rows = rng.random(len(y)) < share
    k = y.max() + 1
    return np.where(rows, (y + rng.integers(1, k, len(y))) % k, y)


def classifier(*sizes: int, **settings: Any) -> MLPClassifier:
    return MLPClassifier(sizes, **{"learning_rate_init": 0.01, "max_iter": 200, **settings})


def regressor(*sizes: int, **settings: Any) -> MLPRegressor:
    return MLPRegressor(hidden_layer_sizes=sizes, **{"learning_rate_init": 0.01, "max_iter": 200, **settings})


def scaled(X: Any) -> Any:
    return StandardScaler().fit_transform(X)


def noisy_classes(seed: int) -> Case:
    X, y = make_classification(800, 10, n_informative=8, n_redundant=0, class_sep=2.0, flip_y=0, random_state=seed)
    return classifier(32), X, flipped(y, 0.25, seed)


def few_rows(seed: int) -> Case:
    X, y = make_classification(
        100, 40, n_informative=30, n_redundant=0, n_clusters_per_class=2, flip_y=0, class_sep=1.5, random_state=seed
    )
    return classifier(64), X, y


def overfit(seed: int) -> Case:
    X, y = moons(seed, 600, 0.35)
    rng = np.random.default_rng(seed)
    return classifier(128, alpha=0.0, tol=0.0), np.hstack([X, rng.normal(size=(600, 10))]), y


CASES: dict[str, tuple[str, Callable[[int], Case]]] = {
    "moons": ("good", lambda s: (classifier(16, alpha=0.01), *moons(s, 800))),
    "two neurons": ("underfit", lambda s: (classifier(1, learning_rate_init=0.03, max_iter=500), *moons(s, 500, 0.1))),
    "alpha 1000": ("underfit", lambda s: (classifier(32, alpha=1000.0), *moons(s))),
    "moons and noise": ("overfit", overfit),
    "rate 10": ("learning rate too high", lambda s: (classifier(32, learning_rate_init=10.0), *moons(s))),
    "rate to NaN": (
        "learning rate too high",
        lambda s: (
            regressor(32, solver="sgd", learning_rate_init=100.0),
            *make_regression(400, 10, noise=5.0, random_state=s),
        ),
    ),
    "rate 1e-6": ("learning rate too low", lambda s: (classifier(32, learning_rate_init=1e-6), *moons(s))),
    "sgd 1e-5": (
        "learning rate too low",
        lambda s: (classifier(32, solver="sgd", learning_rate_init=1e-5), *moons(s)),
    ),
    "25 % flipped": ("noisy labels suspected", noisy_classes),
    "100 rows of 40": ("too few rows", few_rows),
}


def breast(seed: int, share: float = 0.0) -> tuple[Any, Any]:
    X, y = load_breast_cancer(return_X_y=True)
    return scaled(X), flipped(y, share, seed)


def digits(seed: int, n: int = 1797, share: float = 0.0) -> tuple[Any, Any]:
    X, y = load_digits(return_X_y=True)
    rows = np.random.default_rng(seed).permutation(len(y))[:n]
    return X[rows] / 16, flipped(y[rows], share, seed)


def friedman(seed: int, n: int, noise: float) -> tuple[Any, Any]:
    X, y = make_friedman1(n, 10, noise=noise, random_state=seed)
    return scaled(X), (y - y.mean()) / y.std()


def shuffled_targets(seed: int) -> Case:
    X, y = friedman(seed, 1000, 0.1)
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(rng.random(len(y)) < 0.2)
    y[rows] += rng.normal(0, 4, len(rows))
    return regressor(32), X, y


def diabetes(seed: int) -> Case:
    X, y = load_diabetes(return_X_y=True)
    rows = np.random.default_rng(seed).permutation(len(y))
    return regressor(128, alpha=0.0, tol=0.0), scaled(X)[rows], ((y - y.mean()) / y.std())[rows]


HELD_OUT: dict[str, tuple[str, Callable[[int], Case]]] = {
    "breast cancer": ("good", lambda s: (classifier(16, alpha=1.0, learning_rate_init=0.003), *breast(s))),
    "digits": ("good", lambda s: (classifier(64, alpha=0.1), *digits(s))),
    "wine": (
        "good",
        lambda s: (
            classifier(16),
            *(f(a) for f, a in zip((scaled, np.array), load_wine(return_X_y=True), strict=True)),
        ),
    ),
    "friedman, 1 neuron": ("underfit", lambda s: (regressor(1, max_iter=500), *friedman(s, 600, 0.5))),
    "circles, no layer": (
        "underfit",
        lambda s: (classifier(), *make_circles(500, noise=0.1, factor=0.5, random_state=s)),
    ),
    "digits, dropout .9": ("underfit", lambda s: (classifier(8, dropout=0.9), *digits(s, 800))),
    "diabetes, 128": ("overfit", diabetes),
    "friedman, noise 3": ("overfit", lambda s: (regressor(128, alpha=0.0, tol=0.0), *friedman(s, 1000, 3.0))),
    "digits, rate 3": ("learning rate too high", lambda s: (classifier(32, learning_rate_init=3.0), *digits(s, 800))),
    "friedman, rate 1e-5": (
        "learning rate too low",
        lambda s: (regressor(32, learning_rate_init=1e-5), *friedman(s, 600, 0.5)),
    ),
    "breast, 25 % flipped": ("noisy labels suspected", lambda s: (classifier(32), *breast(s, 0.25))),
    "digits, 25 % flipped": ("noisy labels suspected", lambda s: (classifier(64), *digits(s, 1797, 0.25))),
    "friedman, 20 % wrong": ("noisy labels suspected", shuffled_targets),
    "digits, 60 rows": ("too few rows", lambda s: (classifier(64), *digits(s, 100))),
    "friedman, 50 rows": ("too few rows", lambda s: (regressor(64, alpha=0.0), *friedman(s, 60, 0.1))),
    "quantiles, 120 rows": (
        "too few rows",
        lambda s: (classifier(64), *make_gaussian_quantiles(n_samples=120, n_features=6, n_classes=2, random_state=s)),
    ),
}


def main() -> None:
    """Print a row for each case: how many seeds were named rightly, what else was said, seconds for one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--case", help="run this case only, and print each diagnosis")
    options = parser.parse_args()
    cases = HELD_OUT if options.held_out else CASES
    print(f"{'case':22} {'state':24} {'right':>6} {'seconds':>8}  otherwise")
    for name, (state, make) in cases.items():
        if options.case not in (None, name):
            continue
        begun, found = time.perf_counter(), Counter[str]()
        for seed in range(options.seeds):
            diagnosis = diagnose(*make(seed), random_state=seed)
            found[diagnosis.state] += 1
            if options.case:
                print(diagnosis)
        seconds = (time.perf_counter() - begun) / options.seeds
        right = f"{found.pop(state, 0)}/{options.seeds}"
        others = ", ".join(f"{other} {n}" for other, n in found.most_common())
        print(f"{name:22} {state:24} {right:>6} {seconds:8.1f}  {others}", flush=True)


if __name__ == "__main__":
    main()
