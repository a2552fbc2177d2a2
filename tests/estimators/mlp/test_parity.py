"""Training equals scikit-learn's: same loss curve, same weights, same predictions, from the same random_state."""

import warnings

import numpy as np
import pytest
import sklearn.neural_network as reference
from scipy.sparse import csr_matrix
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_linnerud,
    load_wine,
    make_multilabel_classification,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler, scale

from rosenblatt import estimators

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return X, scale(y)


def linnerud():
    X, y = load_linnerud(return_X_y=True)
    return scale(X), scale(y)


def counts():
    X, y = load_diabetes(return_X_y=True)
    return X, np.floor(y / 40)


def of(name):
    loaders = {"digits": load_digits, "cancer": load_breast_cancer, "wine": load_wine}
    if name in loaders:
        X, y = loaders[name](return_X_y=True)
        return StandardScaler().fit_transform(X), y
    if name == "multilabel":
        return make_multilabel_classification(n_samples=120, random_state=0)
    return {"diabetes": diabetes, "linnerud": linnerud, "counts": counts}[name]()


def pair(class_name, **parameters):
    parameters = {"random_state": 3, "hidden_layer_sizes": (17, 5), **parameters}
    return getattr(estimators, class_name)(**parameters), getattr(reference, class_name)(**parameters)


def assert_same(ours, theirs, X, rtol=1e-6):
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=rtol)
    assert (ours.n_iter_, ours.t_, ours.n_layers_, ours.n_outputs_, ours.out_activation_) == (
        theirs.n_iter_, theirs.t_, theirs.n_layers_, theirs.n_outputs_, theirs.out_activation_,
    )  # fmt: skip
    np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=rtol)
    for a, b in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("data", ["digits", "cancer", "wine", "multilabel"])
def test_classifier_has_scikit_learns_loss_curve(data, solver):
    X, y = of(data)
    ours, theirs = pair("MLPClassifier", solver=solver, max_iter=50, tol=0.0)
    assert_same(ours.fit(X, y), theirs.fit(X, y), X)
    assert len(ours.loss_curve_) == 50
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(ours.best_loss_, theirs.best_loss_)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("data", ["diabetes", "linnerud"])
def test_regressor_has_scikit_learns_loss_curve(data, solver):
    X, y = of(data)
    ours, theirs = pair("MLPRegressor", solver=solver, max_iter=50, tol=0.0)
    assert_same(ours.fit(X, y), theirs.fit(X, y), X)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_losses_and_activations(activation, loss):
    X, y = of("counts")
    ours, theirs = pair("MLPRegressor", loss=loss, activation=activation, max_iter=20, tol=0.0)
    assert_same(ours.fit(X, y), theirs.fit(X, y), X)


@pytest.mark.parametrize(
    "settings",
    [
        {"learning_rate": "invscaling", "learning_rate_init": 0.5, "power_t": 0.3},
        {"learning_rate": "adaptive", "learning_rate_init": 0.3, "tol": 1e-2, "n_iter_no_change": 2, "max_iter": 200},
        {"nesterovs_momentum": False, "learning_rate_init": 0.05},
        {"momentum": 0.0, "shuffle": False, "batch_size": 50},
        {"alpha": 3.0, "batch_size": 7, "max_iter": 10},
        {"early_stopping": True, "learning_rate_init": 0.1, "n_iter_no_change": 3},
        {"early_stopping": True, "validation_fraction": 0.4, "shuffle": False},
        {"solver": "adam", "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
        {"solver": "adam", "early_stopping": True, "tol": 1e-3},
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": 9, "activation": "logistic"},
    ],
    ids=str,
)
@pytest.mark.parametrize("data", ["wine", "cancer"])
def test_settings(settings, data):
    X, y = of(data)
    ours, theirs = pair("MLPClassifier", **{"solver": "sgd", "max_iter": 30, **settings})
    assert_same(ours.fit(X, y), theirs.fit(X, y), X)
    assert ours.validation_scores_ == theirs.validation_scores_
    assert ours.best_validation_score_ == theirs.best_validation_score_
    assert (ours.best_loss_ is None) == (theirs.best_loss_ is None)


@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"solver": "sgd", "batch_size": 30}], ids=str)
@pytest.mark.parametrize("data", ["wine", "diabetes"])
def test_sample_weight(settings, data):
    X, y = of(data)
    weight = np.random.default_rng(0).uniform(0.1, 3.0, len(y))
    ours, theirs = pair("MLPClassifier" if data == "wine" else "MLPRegressor", max_iter=30, **settings)
    assert_same(ours.fit(X, y, weight), theirs.fit(X, y, weight), X)
    if settings.get("early_stopping"):
        np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_, rtol=1e-6)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_sparse_input(solver):
    X, y = load_digits(return_X_y=True)
    X = csr_matrix(X[:400] / 16)
    ours, theirs = pair("MLPClassifier", solver=solver, max_iter=20, early_stopping=True)
    assert_same(ours.fit(X, y[:400]), theirs.fit(X, y[:400]), X)
    np.testing.assert_array_equal(ours.predict(X.toarray()), ours.predict(X))
    np.testing.assert_array_equal(ours.predict(X.tocsc()), ours.predict(X))


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_partial_fit_and_warm_start(solver):
    X, y = of("wine")
    ours, theirs = pair("MLPClassifier", solver=solver, max_iter=4, warm_start=True)
    for model in (ours, theirs):
        model.fit(X, y)
        for start in range(3):
            model.partial_fit(X[start::3], y[start::3])
            model.partial_fit(X, y)
        model.fit(X, y)
        model.partial_fit(X, y, np.linspace(0.5, 1.5, len(y)))
        model.partial_fit(X, y)
    assert_same(ours, theirs, X)


@pytest.mark.parametrize("data", ["wine", "cancer", "diabetes", "counts"])
def test_lbfgs(data):
    X, y = of(data)
    kind = "MLPClassifier" if data in ("wine", "cancer") else "MLPRegressor"
    loss = {"loss": "poisson"} if data == "counts" else {}
    ours, theirs = pair(kind, solver="lbfgs", activation="tanh", max_iter=15, alpha=0.1, **loss)
    ours.fit(X, y)
    theirs.fit(X, y)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=1e-6)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-4, atol=1e-6)


def test_warnings_are_given_where_scikit_learn_gives_them():
    X, y = of("wine")
    for settings in (
        {"max_iter": 2},
        {"max_iter": 2, "solver": "lbfgs"},
        {"max_iter": 300, "tol": 0.1},
        {"batch_size": 999},
    ):
        found = []
        for model in pair("MLPClassifier", **settings):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                model.fit(X, y)
            found.append(sorted(w.category.__name__ for w in caught))
        assert found[0] == found[1], settings
    assert issubclass(ConvergenceWarning, UserWarning)


def test_verbose_prints_the_same_numbers(capsys):
    X, y = of("wine")
    printed = []
    for model in pair("MLPClassifier", verbose=True, max_iter=3, early_stopping=True):
        model.fit(X, y)
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
