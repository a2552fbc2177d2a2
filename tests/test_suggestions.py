"""Unknown keywords get the nearest known one, at every door."""

import numpy as np
import pytest

import rosenblatt as rb
from rosenblatt import nn
from rosenblatt._suggestions import nearest
from rosenblatt.search import LogUniform
from rosenblatt.training import find_learning_rate

X, Y = np.zeros((4, 2)), np.array([0, 1, 0, 1])
TABLE = {"a": [1, 2], "b": [0, 1]}
NETWORK = nn.Network(nn.NetworkSpec(2, (3,), 1))

CALLS = {
    "MLPClassifier": (lambda: rb.MLPClassifier(dropuot=0.1), "MLPClassifier has no parameter 'dropuot'", "dropout"),
    "MLPRegressor": (lambda: rb.MLPRegressor(epoch=3), "MLPRegressor has no parameter 'epoch'", "max_iter"),
    "LogisticRegression": (lambda: rb.LogisticRegression(c=1), "LogisticRegression has no parameter 'c'", "C"),
    "Perceptron": (lambda: rb.Perceptron(eta=1), "Perceptron has no parameter 'eta'", "eta0"),
    "TabularClassifier": (lambda: rb.TabularClassifier(epoch=3), "TabularClassifier has no parameter", "max_iter"),
    "TabularRegressor": (lambda: rb.TabularRegressor(seed=3), "TabularRegressor has no parameter", "random_state"),
    "learn": (lambda: rb.learn(TABLE, "b", epoch=3), "TabularClassifier has no parameter 'epoch'", "max_iter"),
    "MLPSearchCV": (lambda: rb.MLPSearchCV(n_iter=3), "MLPSearchCV has no parameter 'n_iter'", "n_trials"),
    "diagnose": (lambda: rb.diagnose(rb.MLPClassifier(), X, Y, seed=1), "diagnose has no", "random_state"),
    "set_params": (lambda: rb.MLPClassifier().set_params(apha=1), "MLPClassifier has no parameter 'apha'", "alpha"),
    "fit": (lambda: rb.MLPClassifier().fit(X, Y, sample_wieght=1), r"MLPClassifier\.fit has no", "sample_weight"),
    "partial_fit": (lambda: rb.MLPClassifier().partial_fit(X, Y, clases=1), r"partial_fit has no", "classes"),
    "Network": (lambda: nn.Network(NETWORK.spec, sed=1), "Network has no parameter 'sed'", "seed"),
    "Network.fit": (lambda: NETWORK.fit(X, Y, epoch=3), "fit has no parameter 'epoch'", "epochs"),
    "find_learning_rate": (lambda: find_learning_rate(NETWORK, X, Y, los="x"), "has no parameter 'los'", "loss"),
    "NetworkSpec": (lambda: nn.NetworkSpec(3, (4,), 1, droput=1), "NetworkSpec has no parameter", "dropout"),
    "layer": (lambda: nn.Dense(3, activaton="relu"), "Dense has no parameter 'activaton'", "activation"),
    "truncate_at": (lambda: NETWORK.truncate_at("x", outputs="relu"), r"truncate_at has no parameter", "output"),
    "score": (lambda: rb.Perceptron().score(X, Y, sample_weigth=1), "Perceptron.score has no", "sample_weight"),
    "plot": (lambda: rb.plots.plot_history(None, axx=1), "plot_history has no parameter", "ax"),
    "optimizer": (lambda: nn.Adam(beta1=0.5), "Adam has no parameter 'beta1'", "beta_1"),
    "space": (lambda: LogUniform(lo=1, high=2), "LogUniform has no parameter 'lo'", "low"),
}


@pytest.mark.parametrize("door", CALLS)
def test_an_unknown_keyword_gets_the_nearest_one(door):
    call, said, near = CALLS[door]
    with pytest.raises((TypeError, ValueError), match=f"{said}.*Did you mean '{near}'"):
        call()


def test_an_error_inside_a_call_is_left_alone():
    def scorer(network, X, y):
        return {"unknown": 1}.get("unknown", dropuot=1)

    with pytest.raises(TypeError, match="get"):
        NETWORK.fit(X, Y, epochs=1, validation=(X, Y), scorer=scorer)


def test_names_of_other_libraries_are_known_and_far_ones_have_no_nearest():
    assert nearest("lr", ["alpha", "learning_rate"]) == "learning_rate"
    assert nearest("ALPHA", ["alpha"]) == "alpha"
    assert nearest("zzz", ["alpha"]) is None
