"""The learning-rate range test of estimators: that of their network, and it leaves them as they are."""

import copy

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from rosenblatt import MLPClassifier, MLPRegressor, nn, plots, training

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 3))
TARGET = X @ [1.0, -2.0, 0.5]


def test_it_is_the_test_of_the_network_that_fit_starts_from():
    model = MLPRegressor(hidden_layer_sizes=(), solver=nn.SGD(0.0), alpha=0.0, batch_size=50, random_state=1)
    found = model.find_learning_rate(X, TARGET, low=1e-5)
    start = model.set_params(max_iter=1, learning_rate_init=1e-30)
    with pytest.warns(match="Maximum iterations"):
        network = start.fit(X, TARGET).network
    expected = training.find_learning_rate(
        network, X, TARGET, loss=model.network_loss(), optimizer=nn.SGD(0.0), low=1e-5, batch_size=50
    )
    np.testing.assert_allclose(found.losses, expected.losses, rtol=1e-6)
    # Plain descent on a quadratic of curvature 1 falls fastest near a rate of 1 and diverges beyond 2.
    assert 0.02 < found.suggestion < 1.5
    plots.plot_learning_rates(found)


def test_the_estimator_stays_as_it_is():
    labels = np.where(TARGET > 0, "yes", "no")
    model = MLPClassifier((8,), random_state=0, max_iter=3)
    found = model.find_learning_rate(X, labels, steps=50)
    assert model.learning_rate_init == 0.001
    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    with pytest.warns(match="Maximum iterations"):
        model.fit(X, labels)
    before = copy.deepcopy(model.network.parameters), list(vars(model))
    again = model.find_learning_rate(X, labels, steps=50)
    assert again == found
    assert np.array_equal(model.network.parameters, before[0])
    assert list(vars(model)) == before[1]
    weighted = model.find_learning_rate(X, labels, np.arange(400.0), steps=50)
    assert weighted.losses != found.losses


def test_what_it_refuses():
    for parameters, options, message in (
        ({"solver": "lbfgs"}, {}, "solver='lbfgs' has no learning rate"),
        ({"alpha": -1.0}, {}, "alpha"),
        ({}, {"low": 1.0, "high": 0.1}, r"low is 1.0 and high is 0.1; they must satisfy 0 < low < high"),
        ({}, {"low": "small"}, "low is 'small'; it must be a number"),
        ({}, {"smoothing": 1}, r"smoothing is 1; it must be a number in \[0, 1\)"),
        ({}, {"smoothing": -1}, r"smoothing is -1; it must be a number in \[0, 1\)"),
        ({}, {"steps": 9}, r"steps is 9; it must be an integer in \[10, inf\)"),
    ):
        with pytest.raises(ValueError, match=message):
            MLPRegressor(hidden_layer_sizes=(4,), **parameters).find_learning_rate(X, TARGET, **options)
    with pytest.raises(TypeError, match=r"no parameter 'lowest'\. Did you mean 'low'"):
        MLPRegressor().find_learning_rate(X, TARGET, lowest=1)
    with pytest.raises(ValueError, match="X has 400 rows, but y has 399"):
        MLPRegressor().find_learning_rate(X, TARGET[1:])
