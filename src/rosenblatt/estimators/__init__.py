"""scikit-learn's interface to the engine: fit, predict, score.

Goes in: arrays, CSR matrices and data frames. Comes out: fitted estimators. The loop that trains is in
`rosenblatt.training`; nothing here computes a gradient. Each estimator is imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rosenblatt._lazy import lazy_names

if TYPE_CHECKING:
    from ._base import DivergenceError
    from .logistic import LogisticRegression
    from .mlp_classifier import MLPClassifier
    from .mlp_regressor import MLPRegressor
    from .perceptron import Perceptron
    from .tabular.classifier import TabularClassifier
    from .tabular.learning import learn
    from .tabular.regressor import TabularRegressor

__all__ = [
    "DivergenceError",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "Perceptron",
    "TabularClassifier",
    "TabularRegressor",
    "learn",
]

_HOMES = {
    "DivergenceError": "_base",
    "LogisticRegression": "logistic",
    "MLPClassifier": "mlp_classifier",
    "MLPRegressor": "mlp_regressor",
    "Perceptron": "perceptron",
    "TabularClassifier": "tabular.classifier",
    "TabularRegressor": "tabular.regressor",
    "learn": "tabular.learning",
}


__getattr__ = lazy_names(__name__, _HOMES)
