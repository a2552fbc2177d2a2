"""Perceptron: the classical rule, scikit-learn's results, and no probabilities."""

import pickle

import numpy as np
import pytest
import sklearn.linear_model as reference
from sklearn.datasets import load_iris

from rosenblatt.estimators import Perceptron


def rosenblatts_rule(X, y, n_epochs):
    """Weights after n_epochs of: where sign(w x + b) is not y, add y x to w and y to b."""
    w, b = np.zeros(X.shape[1]), 0.0
    for _ in range(n_epochs):
        for x, target in zip(X, y, strict=True):
            if target * (w @ x + b) <= 0:
                w, b = w + target * x, b + target
    return w, b


def test_is_the_classical_rule():
    X, y = load_iris(return_X_y=True)
    model = Perceptron(max_iter=7, tol=None, shuffle=False).fit(X, y == 1)
    w, b = rosenblatts_rule(X, np.where(y == 1, 1, -1), 7)
    np.testing.assert_allclose(model.coef_[0], w)
    np.testing.assert_allclose(model.intercept_[0], b)


@pytest.mark.parametrize(
    "parameters", [{}, {"penalty": "elasticnet"}, {"early_stopping": True}, {"class_weight": "balanced", "eta0": 0.1}]
)
def test_equals_scikit_learn(parameters):
    X, y = load_iris(return_X_y=True)
    ours, theirs = Perceptron(**parameters).fit(X, y), reference.Perceptron(**parameters).fit(X, y)
    np.testing.assert_array_equal(ours.coef_, theirs.coef_)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_array_equal(ours.partial_fit(X, y).coef_, theirs.partial_fit(X, y).coef_)


def test_converges_on_separable_data():
    X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    for target in ([0, 0, 0, 1], [0, 1, 1, 1]):
        assert Perceptron(tol=None, max_iter=100).fit(X, target).score(X, target) == 1.0


@pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba"])
def test_refuses_probabilities_with_the_reason(method):
    model = Perceptron().fit([[0.0], [1.0]], [0, 1])
    assert not hasattr(model, method)
    with pytest.raises(
        AttributeError, match=f"Perceptron has no {method}: .* minimizes no log loss.*LogisticRegression"
    ):
        getattr(model, method)


def test_pickle_names_the_version():
    model = Perceptron().fit([[0.0], [1.0]], [0, 1])
    assert pickle.loads(pickle.dumps(model)).predict([[1.0]]) == [1]
    with pytest.warns(UserWarning, match="pickled by rosenblatt 0"):
        Perceptron().__setstate__({**model.__getstate__(), "_rosenblatt_version": "0"})


def test_bad_parameter_names_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'elasticnet'"):
        Perceptron(penalty="elastic").fit([[0.0], [1.0]], [0, 1])
