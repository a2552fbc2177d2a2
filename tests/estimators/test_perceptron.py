"""Perceptron: the classical rule, scikit-learn's results, and no probabilities."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model as reference
from sklearn.datasets import load_iris, load_wine, make_moons
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from rosenblatt.estimators import LogisticRegression, Perceptron


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
        AttributeError,
        match=f"Perceptron has no {method}: .* does not minimize the log loss.*LogisticRegression.*to_logistic",
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


def test_explains_convergence_of_two_classes():
    X, y = load_iris(return_X_y=True)
    text = Perceptron().fit(X, y == 0).explain_convergence(X, y == 0)
    assert "Training converged" in text
    assert "False and True are linearly separable, with a margin of 0.5879" in text
    text = Perceptron().fit(X, y == 1).explain_convergence(sp.csr_matrix(X), y == 1)
    assert "did not converge in" in text
    assert "not linearly separable: a weighted mean of 3 rows of True" in text


def test_explains_convergence_of_each_class():
    X, y = load_iris(return_X_y=True)
    lines = Perceptron().fit(X, y).explain_convergence(X, y).splitlines()
    assert len(lines) == 4
    assert lines[1].startswith("'0' and 'not 0' are linearly separable")
    assert "'1' and 'not 1' are not linearly separable" in lines[2]
    assert "'2' and 'not 2' are not linearly separable" in lines[3]


def test_a_margin_is_no_promise_of_convergence():
    """Separable, but stopped before: the text says both."""
    X, y = load_iris(return_X_y=True)
    text = Perceptron(max_iter=1, tol=None).fit(X, y == 0).explain_convergence(X, y == 0)
    assert "did not converge in 1 passes" in text
    assert "are linearly separable" in text


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("labels", [["no", "yes"], ["setosa", "versicolor", "virginica"]])
def test_logistic_regression_starts_from_the_weights(labels, dtype):
    X, y = load_iris(return_X_y=True)
    X, y = X.astype(dtype), np.array(labels)[np.minimum(y, len(labels) - 1)[::-1]]
    model = Perceptron(max_iter=20, tol=None, class_weight="balanced", random_state=4).fit(X, y)
    logistic = model.to_logistic()
    assert isinstance(logistic, LogisticRegression)
    np.testing.assert_array_equal(logistic.coef_, model.coef_)
    np.testing.assert_array_equal(logistic.intercept_, model.intercept_.astype(dtype))
    np.testing.assert_array_equal(logistic.predict(X), model.predict(X))
    assert logistic.coef_.dtype == dtype
    assert (logistic.class_weight, logistic.random_state, logistic.n_iter_) == ("balanced", 4, 0)
    logistic.coef_[:] = 0
    assert model.coef_.any()  # a copy


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_regression_goes_on_to_the_optimum(n_classes):
    X, y = load_iris(return_X_y=True)
    y = (y == 1).astype(int) if n_classes == 2 else y
    logistic = Perceptron(max_iter=100, tol=None).fit(X, y).to_logistic(max_iter=2000, C=10.0, l1_ratio=0, tol=1e-6)
    before = log_loss(y, logistic.predict_proba(X))
    after = log_loss(y, logistic.fit(X, y).predict_proba(X))
    oracle = reference.LogisticRegression(C=10.0, max_iter=5000, tol=1e-8).fit(X, y)
    assert after < before
    assert logistic.n_iter_ > 0
    assert after == pytest.approx(log_loss(y, oracle.predict_proba(X)), rel=1e-3)


@pytest.mark.parametrize("data", ["moons", "wine"])
def test_log_loss_falls_from_the_weights_without_a_penalty(data):
    X, y = make_moons(200, noise=0.2, random_state=0) if data == "moons" else load_wine(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    logistic = Perceptron().fit(X, y).to_logistic()
    before = log_loss(y, logistic.predict_proba(X))
    assert log_loss(y, logistic.fit(X, y).predict_proba(X)) < before


def test_logistic_regression_takes_parameters_and_column_names():
    frame, y = load_iris(return_X_y=True, as_frame=True)
    logistic = Perceptron(fit_intercept=False).fit(frame, y).to_logistic(C=3.0, warm_start=False)
    assert (logistic.C, logistic.warm_start, logistic.fit_intercept) == (3.0, False, False)
    assert list(logistic.feature_names_in_) == list(frame.columns)
    assert not logistic.intercept_.any()
    assert (logistic.predict(frame) == y).mean() > 0.6
