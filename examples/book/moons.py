"""Logistic regression in mini-batches
===================================

Logistic regression by mini-batch gradient descent on two interleaved half moons.

A straight line separates the moons badly. With the products of the inputs up to degree 3 as additional inputs, which
scikit-learn computes, the same model separates them almost perfectly. Interrupted and resumed, it ends with the same
bits. `--picture sweep.svg` draws the accuracy for each learning rate and batch size.
"""

import tempfile
import warnings
from contextlib import suppress

import numpy as np
from _data import is_full
from _interruption import InterruptAfter, Interruption
from _pictures import heat_map, show
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from rosenblatt import LogisticRegression

X, Y = make_moons(1000, noise=0.1, random_state=42)
TRAIN, VAL, TEST = slice(0, 600), slice(600, 800), slice(800, 1000)
RATES, BATCH_SIZES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0), (5, 10, 25, 50, 100, 300)


def model(degree: int = 3, rate: float = 0.3, batch_size: int = 50, max_iter: int = 2000, **options) -> Pipeline:
    """Standardized products of the inputs up to a degree, then logistic regression on mini-batches."""
    options |= {"learning_rate_init": rate, "batch_size": batch_size, "max_iter": max_iter, "random_state": 42}
    logistic = LogisticRegression(solver="sgd", C=100, **options)
    return make_pipeline(PolynomialFeatures(degree, include_bias=False), StandardScaler(), logistic)


def resumes_exactly() -> bool:
    """Whether an interrupted training ends with the weights and losses of an uninterrupted one."""
    features = model()[:-1].fit_transform(X[TRAIN])
    whole = model()[-1].fit(features, Y[TRAIN])
    with tempfile.TemporaryDirectory() as folder:
        saved = {"checkpoint": folder, "checkpoint_every": 50}  # steps, so also in the middle of an epoch
        with suppress(Interruption):
            model(**saved)[-1].set_callbacks(InterruptAfter(40)).fit(features, Y[TRAIN])
        resumed = model(**saved)[-1].fit(features, Y[TRAIN])  # resumes in the 38th epoch
    return np.array_equal(resumed.coef_, whole.coef_) and resumed.loss_curve_ == whole.loss_curve_


def accuracy_after(epochs: int, rate: float, batch_size: int) -> float:
    """The accuracy on the validation rows."""
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        return model(3, rate, batch_size, epochs).fit(X[TRAIN], Y[TRAIN]).score(X[VAL], Y[VAL])


def main(full: bool = False) -> dict[str, float]:
    """Test accuracies, whether resuming is exact, and the extremes of the sweep; full mode changes nothing."""
    scores = [model(degree).fit(X[:800], Y[:800]).score(X[TEST], Y[TEST]) for degree in (1, 3)]
    exact = resumes_exactly()
    print(f"test accuracy: linear {scores[0]:.1%}, with products {scores[1]:.1%}; resumed exactly: {exact}")
    sweep = np.array([[accuracy_after(20, rate, size) for size in BATCH_SIZES] for rate in RATES])
    print("validation accuracy by learning rate (rows) and batch size:", *BATCH_SIZES)
    for rate, row in zip(RATES, sweep, strict=True):
        print(f"{rate:>6}", *(f"{accuracy:7.1%}" for accuracy in row))
    labels = {"xlabel": "batch size", "ylabel": "learning rate", "title": "validation accuracy in % after 20 epochs"}
    show(heat_map, sweep * 100, RATES, BATCH_SIZES, **labels)
    figures = {"linear": scores[0], "polynomial": scores[1], "resumed_exactly": float(exact)}
    return figures | {"sweep_best": float(sweep.max()), "sweep_worst": float(sweep.min())}


if __name__ == "__main__":
    main(is_full())
