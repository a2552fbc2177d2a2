"""A pytest plugin: scikit-learn's own tests import rosenblatt's classes in place of scikit-learn's.

``pytest -p sklearn_swap --pyargs sklearn.neural_network.tests.test_mlp`` with this folder on PYTHONPATH.
"""

import sklearn.linear_model
import sklearn.neural_network

from rosenblatt.estimators import MLPClassifier, MLPRegressor, Perceptron

PRIVATE = {"test_gradient": "calls the private method _loss_grad_lbfgs; our gradients are tested against PyTorch"}

sklearn.neural_network.MLPClassifier = MLPClassifier
sklearn.neural_network.MLPRegressor = MLPRegressor
sklearn.linear_model.Perceptron = Perceptron


def pytest_collection_modifyitems(config, items):
    skipped = [item for item in items if item.name in PRIVATE]
    config.hook.pytest_deselected(items=skipped)
    items[:] = [item for item in items if item.name not in PRIVATE]
