"""scikit-learn's interface to the engine: fit, predict, score.

Goes in: arrays, CSR matrices and data frames. Comes out: fitted estimators. The loop that trains is in
`rosenblatt.training`; nothing here computes a gradient. Each estimator is imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._base import DivergenceError
    from .logistic import LogisticRegression
    from .mlp_classifier import MLPClassifier
    from .mlp_regressor import MLPRegressor
    from .perceptron import Perceptron

__all__ = ["DivergenceError", "LogisticRegression", "MLPClassifier", "MLPRegressor", "Perceptron"]

_HOMES = {
    "DivergenceError": "_base",
    "LogisticRegression": "logistic",
    "MLPClassifier": "mlp_classifier",
    "MLPRegressor": "mlp_regressor",
    "Perceptron": "perceptron",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rosenblatt.estimators' has no attribute {name!r}")
    value = getattr(import_module(f"rosenblatt.estimators.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
