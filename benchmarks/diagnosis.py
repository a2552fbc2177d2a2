"""How often `diagnose` names the state that a case was made to be in, and what its first remedy does, over seeds.

`python -m benchmarks.diagnosis [--seeds 10] [--held-out] [--truth]`. The first cases are those by which the questions
were chosen; the held-out ones have other generators, real tables and regressors. For each seed, the model as it was and
the model that `remedy` gives are trained from the same initial weights on the same five new splits of the table; no
diagnosis has used these seeds. Where no remedy helps, the two are one model. `--truth` shows that the cases of too few
rows are that: what the best restraint, twice and ten times the rows do to the error on 4,000 rows more.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
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
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.preprocessing import StandardScaler

from rosenblatt import MLPClassifier, MLPRegressor, diagnose, remedy
from rosenblatt.diagnosis.runs import MAX_ERROR, FitTask, Run, run
from rosenblatt.training import DivergenceError

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


def wide(seed: int, n: int) -> tuple[Any, Any]:
    return make_classification(
        n, 40, n_informative=30, n_redundant=0, n_clusters_per_class=2, flip_y=0, class_sep=1.5, random_state=seed
    )


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
    "100 rows of 40": ("too few rows", lambda s: (classifier(64), *wide(s, 100))),
}


def breast(seed: int, share: float = 0.0) -> tuple[Any, Any]:
    X, y = load_breast_cancer(return_X_y=True)
    return scaled(X), flipped(y, share, seed)


def digits(seed: int, n: int = 1797, share: float = 0.0) -> tuple[Any, Any]:
    X, y = load_digits(return_X_y=True)
    rows = np.random.default_rng(seed).permutation(len(y))[:n]
    return X[rows] / 16, flipped(y[rows], share, seed)


def quantiles(seed: int, n: int, n_features: int, n_classes: int = 2) -> tuple[Any, Any]:
    return make_gaussian_quantiles(n_samples=n, n_features=n_features, n_classes=n_classes, random_state=seed)


def sines(seed: int, n: int) -> tuple[Any, Any]:
    X = np.random.default_rng(seed).normal(size=(n, 5))
    return X, np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + np.sin(2 * X[:, 3])


def linear(seed: int) -> tuple[Any, Any]:
    X, y = make_regression(300, 30, n_informative=10, noise=150.0, random_state=seed)
    return X, (y - y.mean()) / y.std()


def laplace(seed: int) -> tuple[Any, Any]:
    X, y = friedman(seed, 1000, 0.0)
    return X, y + np.random.default_rng(seed).laplace(0, 0.5, len(y))


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
    "linear, noise": ("overfit", lambda s: (regressor(128, alpha=0.0, tol=0.0), *linear(s))),
    "friedman, Laplace": ("overfit", lambda s: (regressor(128, alpha=0.0, tol=0.0), *laplace(s))),
    "three rings, 3000": ("good", lambda s: (classifier(32), *quantiles(s, 3000, 2, 3))),
    "digits, 100 rows": ("too few rows", lambda s: (classifier(64), *digits(s, 100))),
    "friedman, 200 rows": ("too few rows", lambda s: (regressor(64, alpha=1.0), *friedman(s, 200, 0.1))),
    "quantiles, 120 rows": ("too few rows", lambda s: (classifier(64), *quantiles(s, 120, 6))),
    "quantiles, 300 rows": ("too few rows", lambda s: (classifier(64), *quantiles(s, 300, 8))),
    "sines, 200 rows": ("too few rows", lambda s: (regressor(64), *sines(s, 200))),
}

FEW: dict[str, tuple[int, Any, Callable[[int, int], tuple[Any, Any]]]] = {
    "100 rows of 40": (80, classifier(64), wide),
    "digits, 100 rows": (80, classifier(64), digits),
    "friedman, 200 rows": (160, regressor(64, alpha=1.0), lambda s, n: friedman(s, n, 0.1)),
    "quantiles, 120 rows": (96, classifier(64), lambda s, n: quantiles(s, n, 6)),
    "quantiles, 300 rows": (240, classifier(64), lambda s, n: quantiles(s, n, 8)),
    "sines, 200 rows": (160, regressor(64), sines),
}
"""Training rows of a split, the model and the generator of the cases of too few rows."""


RESTRAINTS: list[dict[str, Any]] = [
    {},
    *({"alpha": alpha} for alpha in (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)),
    *({"hidden_layer_sizes": (width,)} for width in (8, 16, 32)),
    *({"dropout": share} for share in (0.2, 0.5)),
]


def true_errors(name: str, seed: int) -> list[float]:
    """The error (1 = best constant) on rows that no diagnosis sees: as given, restrained, with more rows."""
    n, model, make = FEW[name]
    X, y = make(seed, 10 * n + 4000)
    rest = np.arange(min(10 * n, len(y) // 2), len(y))
    target = np.eye(y.max() + 1)[y] if y.dtype.kind == "i" else y[:, None]
    spread = float(((target - target.mean(axis=0)) ** 2).sum(axis=1).mean())

    def trained(rows: int, changes: dict[str, Any]) -> Run:
        estimator = clone(model).set_params(random_state=seed, **changes)
        return run(FitTask(0, estimator, X.astype(np.float32), y, np.arange(rows), rest, spread, "held out"))

    restrained = min(min(trained(n, changes).val_errors) for changes in RESTRAINTS)
    return [trained(n, {}).error, restrained, trained(2 * n, {}).error, trained(10 * n, {}).error]


def print_truth(n_seeds: int) -> None:
    """The mean of these errors over seeds."""
    print(f"{'case':22} {'as given':>9} {'regularized':>11} {'2x rows':>8} {'10x rows':>9}")
    for name in FEW:
        given, restrained, twice, tenfold = np.mean([true_errors(name, seed) for seed in range(n_seeds)], axis=0)
        print(f"{name:22} {given:9.3f} {restrained:11.3f} {twice:8.3f} {tenfold:9.3f}", flush=True)


N_SPLITS, FIRST_NEW_SEED = 5, 10_000


def new_scores(models: list[Any], X: Any, y: Any, seed: int) -> list[float]:
    """The mean score of each model on held-out rows, over splits and initial weights that no diagnosis has used."""
    kind = StratifiedShuffleSplit if is_classifier(models[0]) else ShuffleSplit
    splits = kind(N_SPLITS, test_size=0.2, random_state=FIRST_NEW_SEED + seed).split(X, y)
    scores = np.empty((N_SPLITS, len(models)))
    for i, (train, rest) in enumerate(splits):
        for j, model in enumerate(models):
            model.set_params(random_state=FIRST_NEW_SEED + N_SPLITS * seed + i)
            scores[i, j] = score_of(model, X[train], y[train], X[rest], y[rest])
    return list(scores.mean(axis=0))


def score_of(model: Any, X: Any, y: Any, X_rest: Any, y_rest: Any) -> float:
    """Accuracy or R2, cut as a diagnosis cuts it; a training that diverges has the worst score."""
    worst = 0.0 if is_classifier(model) else 1 - MAX_ERROR
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            return max(worst, model.fit(X, y).score(X_rest, y_rest))
        except DivergenceError:
            return worst


def print_case(name: str, state: str, make: Callable[[int], Case], n_seeds: int, verbose: bool) -> tuple[int, int]:
    """Print a row of the table: for how many seeds the first remedy is no worse, and for how many there is one."""
    found, seconds, pairs = Counter[str](), 0.0, []
    for seed in range(n_seeds):
        model, X, y = make(seed)
        begun = time.perf_counter()
        diagnosis = diagnose(model, X, y, random_state=seed)
        seconds += time.perf_counter() - begun
        found[diagnosis.state] += 1
        pairs.append(new_scores([clone(model), remedy(diagnosis)] if diagnosis.best else [clone(model)], X, y, seed))
        if verbose:
            print(diagnosis, pairs[-1], sep="\n")
    right = f"{found.pop(state, 0)}/{n_seeds}"
    before, after = np.mean([(pair[0], pair[-1]) for pair in pairs], axis=0)
    no_worse, helped = sum(pair[-1] >= pair[0] for pair in pairs), sum(len(pair) > 1 for pair in pairs)
    others = ", ".join(f"{other} {n}" for other, n in found.most_common())
    print(
        f"{name:22} {state:24} {right:>6} {before:7.3f} {after:7.3f} {helped:7} {no_worse:>5}/{n_seeds}"
        f" {seconds / n_seeds:8.1f}  {others}",
        flush=True,
    )
    return no_worse, helped


def main() -> None:
    """Print a row for each case: how many seeds were named rightly, scores, seconds for one, what else was said."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--case", help="run this case only, and print each diagnosis")
    parser.add_argument("--truth", action="store_true")
    options = parser.parse_args()
    if options.truth:
        print_truth(options.seeds)
        return
    cases = HELD_OUT if options.held_out else CASES
    chosen = {name: cases[name] for name in cases if options.case in (None, name)}
    print(
        f"{'case':22} {'state':24} {'right':>6} {'before':>7} {'after':>7} {'remedy':>7} {'no worse':>8} {'seconds':>8}"
        "  otherwise"
    )
    counts = [print_case(name, *case, options.seeds, options.case is not None) for name, case in chosen.items()]
    no_worse, helped = np.sum(counts, axis=0)
    n = options.seeds * len(chosen)
    print(f"first remedies: {helped} of {n} diagnoses have one; no worse in {no_worse} of {n} ({no_worse / n:.1%})")


if __name__ == "__main__":
    main()
