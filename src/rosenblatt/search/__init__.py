"""Choosing hyperparameters: many networks, each in one thread, the worse ones stopped early.

Takes an estimator, a space of parameters, and data. Returns the best parameters, and the estimator fitted with them.
"""

from rosenblatt.search.default_spaces import default_space
from rosenblatt.search.importance import hyperparameter_importance
from rosenblatt.search.journal import RecordError
from rosenblatt.search.search_cv import MLPSearchCV
from rosenblatt.search.spaces import Conditional, Instance, Layers, LogUniform, PerLayer

__all__ = [
    "Conditional",
    "Instance",
    "Layers",
    "LogUniform",
    "MLPSearchCV",
    "PerLayer",
    "RecordError",
    "default_space",
    "hyperparameter_importance",
]
