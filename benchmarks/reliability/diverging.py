"""Fits at huge learning rates: they raise `DivergenceError`, or what they learned predicts finite numbers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

import rosenblatt
from benchmarks.reliability.attempts import Attempt, Rng, part
from benchmarks.reliability.data import DATA, LABELS, NUMBERS
from rosenblatt import TabularClassifier, TabularRegressor, nn
from rosenblatt.estimators import LogisticRegression, MLPClassifier, MLPRegressor
from rosenblatt.training import DivergenceError

__all__ = ["DOORS", "Settings", "check_fit", "diverging"]

SOLVERS = ("adam", "adamw", "nadam", "rmsprop", "adagrad", "sgd")
SIZES = ((), (2,), (8, 8, 8), (4, 4, 4, 4, 4, 4))
POSITIVE = NUMBERS - NUMBERS.min() + 1


@dataclass(frozen=True)
class Settings:
    """How a network is trained."""

    solver: str
    learning_rate: float
    sizes: tuple[int, ...]
    dtype: str
    batch_size: int
    epochs: int
    normalization: str | None = None

    def of_estimator(self, folder: Path) -> dict[str, Any]:
        """As parameters of the estimators for arrays."""
        kept = {"random_state": 0, "checkpoint": folder, "checkpoint_every": 2}
        sizes = {"hidden_layer_sizes": self.sizes, "dtype": self.dtype, "normalization": self.normalization}
        steps = {"batch_size": self.batch_size, "max_iter": self.epochs, "n_iter_no_change": 99}
        return {**kept, **sizes, **steps, "solver": self.solver, "learning_rate_init": self.learning_rate}


Steps = list[Callable[[], object]]
"""Calls that fit a model, one after the other."""


def classifier(settings: Settings, folder: Path) -> tuple[Any, Steps]:
    """Three classes."""
    model = MLPClassifier(**settings.of_estimator(folder))
    return model, [lambda: model.fit(DATA, LABELS)]


def by_parts(settings: Settings, folder: Path) -> tuple[Any, Steps]:
    """Three classes, by calls of `partial_fit`."""
    model = MLPClassifier(**settings.of_estimator(folder) | {"checkpoint": None})
    return model, [lambda: model.partial_fit(DATA, LABELS, classes=[0, 1, 2])] * settings.epochs


def regressor(settings: Settings, folder: Path) -> tuple[Any, Steps]:
    """Numbers."""
    model = MLPRegressor(**settings.of_estimator(folder))
    return model, [lambda: model.fit(DATA, NUMBERS)]


def counts(settings: Settings, folder: Path) -> tuple[Any, Steps]:
    """Positive numbers, whose predictions are exponentials."""
    model = MLPRegressor("poisson", **settings.of_estimator(folder))
    return model, [lambda: model.fit(DATA, POSITIVE)]


def logistic(settings: Settings, folder: Path) -> tuple[Any, Steps]:
    """Three classes, without hidden layers."""
    given = settings.of_estimator(folder) | {"solver": "sgd" if settings.solver == "sgd" else "adam"}
    names = ("solver", "learning_rate_init", "batch_size", "max_iter", "random_state", "checkpoint", "checkpoint_every")
    model = LogisticRegression(**{name: given[name] for name in names})
    return model, [lambda: model.fit(DATA, LABELS)]


def network(settings: Settings, folder: Path) -> tuple[Any, Steps]:
    """A network of layers."""
    spec = nn.NetworkSpec(3, settings.sizes, 1, normalization=settings.normalization)
    how = {"epochs": settings.epochs, "batch_size": settings.batch_size, "learning_rate": settings.learning_rate}
    how |= {"optimizer": settings.solver, "checkpoint": folder, "checkpoint_every": 2}
    net = nn.Network(spec, settings.dtype)
    return net, [lambda: net.fit(DATA, NUMBERS, **how)]


def tabular(settings: Settings, folder: Path) -> tuple[Any, Steps]:
    """Tables of three classes, or of numbers."""
    given = {"hidden_layer_sizes": settings.sizes or (3,), "members": 1, "max_iter": settings.epochs, "random_state": 0}
    given |= {"learning_rate_init": settings.learning_rate, "checkpoint": folder}
    kind, y = [(TabularClassifier, LABELS), (TabularRegressor, NUMBERS)][settings.batch_size % 2]
    model = kind(**given)
    return model, [lambda: model.fit(DATA, y)]


Door = Callable[[Settings, Path], tuple[Any, Steps]]
DOORS: dict[str, Door] = {
    each.__name__: each for each in (classifier, by_parts, regressor, counts, logistic, network, tabular)
}
"""Each makes a model, and what fits it."""


def check_fit(door: Door, settings: Settings) -> None:
    """Fit, and save what predicts; a fit that diverges leaves the model as it was, and diverges again."""
    with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        model, steps = door(settings, Path(folder) / "checkpoints")
        before = as_it_was(model)
        try:
            for step in steps:
                step()
                before = as_it_was(model)
        except DivergenceError:
            if as_it_was(model) != before:
                raise AssertionError("the model holds what diverged") from None
            for step in door(settings, Path(folder) / "checkpoints")[1]:
                step()
            raise AssertionError("it diverged, but does not when it is resumed") from None
        found = outputs(model)
        if not np.isfinite(found).all():
            raise AssertionError("a prediction is not finite")
        rosenblatt.save(model, Path(folder) / "model")
        if not np.array_equal(outputs(rosenblatt.load(Path(folder) / "model")), found):
            raise AssertionError("the saved model predicts something else")


def outputs(model: Any) -> Any:
    """All that a model predicts for the rows of the training."""
    return model.predict_proba(DATA) if hasattr(model, "predict_proba") else np.asarray(model.predict(DATA), float)


def as_it_was(model: Any) -> bytes:
    """What distinguishes a fitted model from one that is not."""
    if isinstance(model, nn.Network):
        return model.block.tobytes()
    try:
        return outputs(model).tobytes()
    except NotFittedError:
        return b""


@part("diverging")
def diverging(rng: Rng) -> Iterator[Attempt]:
    """Fit at a learning rate of 1e5 to 1e30."""
    while True:
        door = str(rng.choice(list(DOORS)))
        settings = Settings(
            str(rng.choice(SOLVERS)),
            float(f"{10 ** rng.uniform(5, 30):.3g}"),
            SIZES[rng.integers(len(SIZES))],
            str(rng.choice(["float32", "float64"])),
            int(rng.integers(2, 61)),
            int(rng.integers(1, 4)),
            [None, None, "batch", "layer"][rng.integers(4)],
        )
        yield Attempt(f"{door} with {settings}", partial(check_fit, DOORS[door], settings), (DivergenceError,))
