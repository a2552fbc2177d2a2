"""scikit-learn's interface to the engine: fit, predict, score.

Goes in: arrays, CSR matrices and data frames. Comes out: fitted estimators. The loop that trains is in
`rosenblatt.training`; nothing here computes a gradient.
"""

from ._base import DivergenceError
from .logistic import LogisticRegression
from .mlp_classifier import MLPClassifier
from .mlp_regressor import MLPRegressor
from .perceptron import Perceptron

__all__ = ["DivergenceError", "LogisticRegression", "MLPClassifier", "MLPRegressor", "Perceptron"]
