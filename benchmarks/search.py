"""Searching 100 configurations beside scikit-learn and Optuna over PyTorch: ``python -m benchmarks.search``.

The same configurations (networks up to 100-50, batches of 32 and 64, Adam), folds and epochs for all: scikit-learn's
`RandomizedSearchCV` over its own MLP, Optuna's loop over an eager PyTorch network, and ours with one and two threads;
then halving, with three times the epochs, whose best score and epochs stand beside those of a random search. The tables
are in the folder ROSENBLATT_DATA, else ``../shared/data``. ``--quick``: eight configurations on the digits. Seconds are
of the clock: run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.model_selection import RandomizedSearchCV, StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier as PeerClassifier
from sklearn.preprocessing import StandardScaler

from rosenblatt import MLPClassifier, MLPSearchCV

FOLDS = 3
SIZES = [(25,), (50,), (100,), (50, 25), (100, 50)]
SPACE: dict[str, Any] = {
    "hidden_layer_sizes": SIZES,
    "alpha": [1e-6, 1e-5, 1e-4, 1e-3, 1e-2],
    "learning_rate_init": [3e-4, 1e-3, 3e-3, 1e-2],
    "batch_size": [32, 64],
}


def data(name: str) -> tuple[Any, Any]:
    """Standardized rows and labels."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
    else:
        import pandas as pd

        frame = pd.read_parquet(folder() / f"{name}.parquet")
        X, y = frame.iloc[:, :-1].to_numpy(float), np.unique(frame.iloc[:, -1], return_inverse=True)[1]
    return StandardScaler().fit_transform(X).astype(np.float32), y


def folder() -> pathlib.Path:
    """Where the tables are."""
    return pathlib.Path(os.environ.get("ROSENBLATT_DATA", "../shared/data"))


def fixed(epochs: int) -> dict[str, Any]:
    """What no configuration changes: exactly so many epochs."""
    return {"max_iter": epochs, "tol": 0.0, "n_iter_no_change": 10**6, "random_state": 0}


def ours(X: Any, y: Any, n_trials: int, epochs: int, n_jobs: int, strategy: str = "random") -> Any:
    """A search of this library."""
    options: dict[str, Any] = {"strategy": strategy, "n_jobs": n_jobs, "refit": False, "cv": StratifiedKFold(FOLDS)}
    return MLPSearchCV(MLPClassifier(**fixed(epochs)), SPACE, n_trials=n_trials, **options).fit(X, y)


def scikit_learn(X: Any, y: Any, candidates: list[dict[str, Any]], epochs: int) -> Any:
    """Its random search over its own network, two processes; the space is the candidates that were drawn for ours."""
    options: dict[str, Any] = {"cv": StratifiedKFold(FOLDS), "n_jobs": 2, "refit": False, "random_state": 0}
    space = [{name: [value] for name, value in one.items()} for one in candidates]
    return RandomizedSearchCV(PeerClassifier(**fixed(epochs)), space, n_iter=len(space), **options).fit(X, y)


class Torch(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An eager PyTorch network with scikit-learn's interface, as a user would write it."""

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        alpha: float = 1e-4,
        learning_rate_init: float = 1e-3,
        batch_size: int = 32,
        epochs: int = 10,
    ) -> None:
        self.hidden_layer_sizes, self.alpha, self.batch_size = hidden_layer_sizes, alpha, batch_size
        self.learning_rate_init, self.epochs = learning_rate_init, epochs

    def fit(self, X: Any, y: Any) -> Torch:
        """Adam on reshuffled mini-batches."""
        import torch

        torch.manual_seed(0)
        self.classes_ = np.unique(y)
        sizes = [X.shape[1], *self.hidden_layer_sizes]
        layers: list[Any] = []
        for a, b in zip(sizes, sizes[1:], strict=False):
            layers += [torch.nn.Linear(a, b), torch.nn.ReLU()]
        self.net_ = torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], len(self.classes_)))
        step = torch.optim.Adam(self.net_.parameters(), self.learning_rate_init, weight_decay=self.alpha)
        loss, inputs, labels = torch.nn.CrossEntropyLoss(), torch.as_tensor(X), torch.as_tensor(y)
        for _ in range(self.epochs):
            for rows in torch.randperm(len(y)).split(self.batch_size):
                step.zero_grad()
                loss(self.net_(inputs[rows]), labels[rows]).backward()
                step.step()
        return self

    def predict(self, X: Any) -> Any:
        """The most probable class."""
        import torch

        with torch.no_grad():
            return self.classes_[self.net_(torch.as_tensor(X)).argmax(dim=1).numpy()]


def optuna_torch(X: Any, y: Any, candidates: list[dict[str, Any]], epochs: int) -> Any:
    """Optuna's loop over the same candidates, one after the other; PyTorch with one thread, which is quickest here."""
    import optuna
    import torch

    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def score(trial: Any) -> float:
        chosen = {k: v[trial.suggest_categorical(k, list(range(len(v))))] for k, v in SPACE.items()}
        return float(cross_val_score(Torch(**chosen, epochs=epochs), X, y, cv=StratifiedKFold(FOLDS)).mean())

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    for one in candidates:
        study.enqueue_trial({name: SPACE[name].index(value) for name, value in one.items()})
    study.optimize(score, n_trials=len(candidates))
    return study


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came of it."""
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = run()
    return time.perf_counter() - began, found


def race(X: Any, y: Any, n_trials: int, n_peer: int, epochs: int) -> None:
    """Seconds of all ways over the same candidates."""
    one, found = timed(lambda: ours(X, y, n_trials, epochs, 1))
    two, _ = timed(lambda: ours(X, y, n_trials, epochs, 2))
    print(f"  ours, 1 thread       {one:8.1f} s  best {found.best_score_:.4f}")
    print(f"  ours, 2 threads      {two:8.1f} s  {one / two:.2f} x as quick", flush=True)
    candidates = found.cv_results_["params"][:n_peer]
    mine = found.cv_results_["seconds"]
    share = float(np.sum(mine[:n_peer]) / np.sum(mine))
    for label, run in (("scikit-learn, 2 jobs", scikit_learn), ("Optuna over PyTorch", optuna_torch)):
        try:
            took, peer = timed(lambda: run(X, y, candidates, epochs))  # noqa: B023
        except ModuleNotFoundError as error:
            print(f"  {label}: skipped, there is no {error.name}")
            continue
        best = peer.cv_results_["mean_test_score"].max() if run is scikit_learn else peer.best_value
        print(f"  {label:<20} {took / share:8.1f} s  best {best:.4f}, {took / share / two:.1f} x ours", flush=True)


def compare_halving(X: Any, y: Any, n_trials: int, epochs: int) -> None:
    """Best scores and epochs of halving and of a random search."""
    _, everything = timed(lambda: ours(X, y, n_trials, epochs, 2))
    seconds, halved = timed(lambda: ours(X, y, n_trials, epochs, 2, "halving"))
    splits = [f"split{k}_test_score" for k in range(FOLDS)]
    a, b = (np.array([s.cv_results_[name][s.best_index_] for name in splits]) for s in (everything, halved))
    error = float(np.std(b - a, ddof=1) / FOLDS**0.5)
    share = float(np.sum(halved.cv_results_["epochs"]) / (n_trials * epochs))
    better = int(np.sum(everything.cv_results_["mean_test_score"] > halved.best_score_ + 1e-12))
    print(f"  {epochs} epochs: all of them {everything.best_score_:.4f}; halving {halved.best_score_:.4f} "
          f"(difference {np.mean(b - a):+.4f} +- {error:.4f}, {better} better ones of {n_trials}) "
          f"with {share:.2f} of the epochs, {seconds:.1f} s", flush=True)  # fmt: skip


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--epochs", type=int, default=27)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--peer-trials", type=int, help="of the peers; their seconds are scaled to all by ours")
    o = parser.parse_args()
    n_trials = 8 if o.quick else o.trials
    names = ["digits"] + (["spambase"] if not o.quick and (folder() / "spambase.parquet").exists() else [])
    os.environ["PYTHONWARNINGS"] = "ignore"  # of scikit-learn's processes
    for name in names:
        X, y = data(name)
        print(f"{name}: {n_trials} configurations, {FOLDS} folds, {o.epochs} epochs")
        race(X, y, n_trials, min(n_trials, o.peer_trials or n_trials), o.epochs)
        compare_halving(X, y, n_trials, 3 * o.epochs)


if __name__ == "__main__":
    main()
