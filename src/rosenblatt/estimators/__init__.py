"""scikit-learn's interface to the engine: fit, predict, score.

Takes arrays, CSR matrices and data frames. Returns fitted estimators. Never computes a gradient: the training loop is
in `rosenblatt.training`. Each estimator is imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rosenblatt._lazy import lazy_names

if TYPE_CHECKING:
    from rosenblatt.estimators.base import DivergenceError
    from rosenblatt.estimators.logistic import LogisticRegression
    from rosenblatt.estimators.mlp.classifier import MLPClassifier
    from rosenblatt.estimators.mlp.regressor import MLPRegressor
    from rosenblatt.estimators.perceptron import Perceptron
    from rosenblatt.estimators.tabular.classifier import TabularClassifier
    from rosenblatt.estimators.tabular.drift import Drift
    from rosenblatt.estimators.tabular.explain.contributions import RowExplanation
    from rosenblatt.estimators.tabular.explain.importance import Explanation
    from rosenblatt.estimators.tabular.explain.partial_dependence import PartialDependence
    from rosenblatt.estimators.tabular.learn import learn
    from rosenblatt.estimators.tabular.predicted_blocks import PredictedBlock
    from rosenblatt.estimators.tabular.regressor import TabularRegressor
    from rosenblatt.tables.drift import ColumnDrift

__all__ = [
    "ColumnDrift",
    "DivergenceError",
    "Drift",
    "Explanation",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "PartialDependence",
    "Perceptron",
    "PredictedBlock",
    "RowExplanation",
    "TabularClassifier",
    "TabularRegressor",
    "learn",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "base": ("DivergenceError",),
        "logistic": ("LogisticRegression",),
        "mlp.classifier": ("MLPClassifier",),
        "mlp.regressor": ("MLPRegressor",),
        "perceptron": ("Perceptron",),
        "tabular.classifier": ("TabularClassifier",),
        "tabular.drift": ("ColumnDrift", "Drift"),
        "tabular.explain.contributions": ("RowExplanation",),
        "tabular.explain.importance": ("Explanation",),
        "tabular.explain.partial_dependence": ("PartialDependence",),
        "tabular.learn": ("learn",),
        "tabular.predicted_blocks": ("PredictedBlock",),
        "tabular.regressor": ("TabularRegressor",),
    },
)
