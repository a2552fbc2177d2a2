"""In which parameters two fitted estimators differ."""

import numpy as np

import rosenblatt
from rosenblatt.estimators.tabular.parameter_changes import changed_parameters

X = np.random.default_rng(0).normal(size=(60, 2))
SMALL = {"members": 2, "hidden_layer_sizes": (4,), "max_iter": 1}


def fitted(**more):
    return rosenblatt.TabularRegressor(**SMALL, **more).fit(X, X.sum(1))


def test_changes_are_those_between_settings():
    one, same, other = (
        fitted(),
        fitted(dropout=0.1, time_budget=60),
        fitted(learning_rate_init=0.1, loss="absolute_error"),
    )
    assert changed_parameters(one, same) == {}
    expected = {"learning_rate_init": (0.4, 0.1), "loss": ("squared_error", "absolute_error")}
    assert changed_parameters(one, other) == expected
    other.average_with([one], X.sum(1))
    assert changed_parameters(one, other) == {**expected, "networks": (2, 4)}


def test_of_two_kinds_of_models_the_common_parameters_are_compared():
    other = rosenblatt.TabularClassifier(**{**SMALL, "max_iter": 2}).fit(X, X.sum(1) > 0)
    found = changed_parameters(fitted(), other)
    assert found["max_iter"] == (1, 2)
    assert "loss" not in found
    assert "metric" not in found
