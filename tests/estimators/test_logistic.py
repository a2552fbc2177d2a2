"""LogisticRegression against scikit-learn's, for all penalties, weights and kinds of target."""

import pickle

import numpy as np
import pytest
import sklearn.linear_model as reference
from scipy.sparse import csr_matrix
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.preprocessing import StandardScaler

from rosenblatt.estimators import DivergenceError, LogisticRegression

TIGHT = {"tol": 1e-9, "max_iter": 5000}


@pytest.fixture(params=["cancer", "wine"])
def data(request):
    X, y = {"cancer": load_breast_cancer, "wine": load_wine}[request.param](return_X_y=True)
    return StandardScaler().fit_transform(X), y


def assert_same(ours, theirs, X, atol=1e-4):
    assert ours.coef_.shape == theirs.coef_.shape
    assert ours.intercept_.shape == theirs.intercept_.shape
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=atol)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=atol)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=atol)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=20 * atol)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def objective(model, X, y):
    """The sum that the class docstring gives, divided by C."""
    share, w = model.l1_ratio, model.coef_
    penalty = (1 - share) / 2 * (w**2).sum() + share * np.abs(w).sum()
    return -model.predict_log_proba(X)[np.arange(len(y)), y].sum() + penalty / model.C


@pytest.mark.parametrize("C", [0.01, 1.0, 30.0])
def test_l2(data, C):
    X, y = data
    assert_same(LogisticRegression(C=C, **TIGHT).fit(X, y), reference.LogisticRegression(C=C, **TIGHT).fit(X, y), X)


@pytest.mark.parametrize("weights", ["sample", "balanced", "dict", "sample and balanced"])
def test_weights(data, weights):
    X, y = data
    sample_weight = np.random.default_rng(0).uniform(0, 2, len(y)) if "sample" in weights else None
    class_weight = {"balanced": "balanced", "dict": {0: 3.0, 1: 0.5}}.get(weights.split()[-1])
    ours = LogisticRegression(class_weight=class_weight, **TIGHT).fit(X, y, sample_weight)
    theirs = reference.LogisticRegression(class_weight=class_weight, **TIGHT).fit(X, y, sample_weight)
    assert_same(ours, theirs, X)


def test_without_intercept(data):
    X, y = data
    ours = LogisticRegression(fit_intercept=False, **TIGHT).fit(X, y)
    assert (ours.intercept_ == 0).all()
    assert_same(ours, reference.LogisticRegression(fit_intercept=False, **TIGHT).fit(X, y), X)


@pytest.mark.parametrize("l1_ratio", [1, 0.3])
@pytest.mark.parametrize("C", [0.05, 0.5])
def test_l1(data, l1_ratio, C):
    X, y = data
    ours = LogisticRegression(C=C, l1_ratio=l1_ratio, **TIGHT).fit(X, y)
    theirs = reference.LogisticRegression(
        C=C, l1_ratio=l1_ratio, solver="saga", tol=1e-7, max_iter=50000, random_state=0
    ).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=5e-4)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=3e-4)
    np.testing.assert_array_equal(ours.coef_ == 0, np.abs(theirs.coef_) < 1e-7)
    assert (ours.coef_ == 0).any()


def test_no_penalty():
    X, y = load_iris(return_X_y=True)
    y = y == 1
    theirs = reference.LogisticRegression(C=np.inf, **TIGHT).fit(X, y)
    ours = LogisticRegression(C=np.inf, **TIGHT).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-4)


@pytest.mark.parametrize(
    ("settings", "instead", "said"),
    [
        ({"penalty": "l2", "l1_ratio": 0.5}, {}, r"write l1_ratio=0\. It overrules l1_ratio"),
        ({"penalty": "l1"}, {"l1_ratio": 1}, "write l1_ratio=1"),
        ({"penalty": "elasticnet", "l1_ratio": 0.3}, {"l1_ratio": 0.3}, "write l1_ratio alone"),
        ({"penalty": None, "C": 0.1}, {"C": np.inf}, r"write C=math.inf\. It overrules C"),
    ],
    ids=str,
)
def test_penalty_is_deprecated_and_means_what_it_meant(data, settings, instead, said):
    X, y = data
    with pytest.warns(FutureWarning, match=said):
        ours = LogisticRegression(**settings, **TIGHT).fit(X, y)
    np.testing.assert_array_equal(ours.coef_, LogisticRegression(**instead, **TIGHT).fit(X, y).coef_)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize(("l1_ratio", "C"), [(0, 0.1), (0, 1.0), (0.5, 0.5)])
def test_mini_batches_reach_the_same_minimum(data, solver, l1_ratio, C):
    X, y = data
    exact = LogisticRegression(l1_ratio=l1_ratio, C=C, **TIGHT).fit(X, y)
    settings = {"solver": solver, "learning_rate_init": 0.02, "batch_size": 64, "max_iter": 2000, "tol": 1e-6}
    ours = LogisticRegression(l1_ratio=l1_ratio, C=C, random_state=0, **settings).fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), exact.predict_proba(X), atol=0.03)
    assert objective(ours, X, y) <= objective(exact, X, y) * 1.005
    assert ours.n_iter_ == len(ours.loss_curve_) < 2000


def test_sparse_equals_dense(data):
    X, y = data
    X = np.where(np.abs(X) < 0.7, 0, X)
    dense, sparse = LogisticRegression(**TIGHT).fit(X, y), LogisticRegression(**TIGHT).fit(csr_matrix(X), y)
    np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-6)
    np.testing.assert_allclose(sparse.predict_proba(X), sparse.predict_proba(csr_matrix(X)), rtol=1e-9)
    np.testing.assert_allclose(sparse.decision_function(csr_matrix(X)), dense.decision_function(X), atol=1e-5)


def test_float32(data):
    X, y = data
    narrow = LogisticRegression(**TIGHT).fit(X.astype(np.float32), y)
    assert narrow.coef_.dtype == np.float32
    assert narrow.predict_proba(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(narrow.coef_, LogisticRegression(**TIGHT).fit(X, y).coef_, atol=1e-4)


def test_parameters_are_writable(data):
    X, y = data
    model = LogisticRegression().fit(X, y)
    model.coef_[:] = 0
    model.intercept_ = np.arange(len(model.intercept_), dtype=float)
    proba = model.predict_proba(X)
    assert np.ptp(proba, axis=0).max() == 0
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), proba)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(proba))
    assert len(pickle.dumps(model)) < 4000


def test_warm_start(data):
    X, y = data
    model = LogisticRegression(warm_start=True, **TIGHT).fit(X, y)
    first = model.n_iter_
    assert model.fit(X, y).n_iter_ < first / 2
    with pytest.raises(ValueError, match="needs the classes of the previous fit"):
        model.fit(X, y + 1)


def test_labels_of_any_kind(data):
    X, y = data
    named = np.array(["low", "mid", "top"])[y]
    model = LogisticRegression().fit(X, named)
    assert model.classes_.tolist() == sorted(set(named))
    assert model.score(X, named) > 0.97


def test_convergence_warning(data):
    with pytest.warns(ConvergenceWarning, match="L-BFGS ended before it converged, after 2 iterations"):
        LogisticRegression(max_iter=2).fit(*data)


def test_divergence_leaves_the_model(data):
    X, y = data
    model = LogisticRegression(solver="sgd", warm_start=True, learning_rate_init=0.1, max_iter=2000).fit(X, y)
    before = model.coef_.copy()
    with pytest.raises(DivergenceError, match="smaller learning_rate_init"):
        model.fit(X * 1e300, y)
    np.testing.assert_array_equal(model.coef_, before)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"penalty": "l3"}, "Did you mean 'l"),
        ({"solver": "lbgfs"}, "Did you mean 'lbfgs'"),
        ({"C": 0.0}, "'C' parameter"),
        ({"solver": "adam", "fit_intercept": False}, "fit_intercept=False needs solver='lbfgs'"),
        ({"class_weight": "balance"}, "Did you mean 'balanced'"),
        ({"l1_ratio": 2}, "l1_ratio"),
    ],
    ids=str,
)
def test_bad_parameters(data, parameters, message):
    with pytest.raises(ValueError, match=message):
        LogisticRegression(**parameters).fit(*data)


def test_bad_data(data):
    X, y = data
    with pytest.raises(ValueError, match="only one class"):
        LogisticRegression().fit(X, np.zeros(len(y)))
    with pytest.raises(ValueError, match="at least 0"):
        LogisticRegression().fit(X, y, -np.ones(len(y)))
    with pytest.raises(ValueError, match="no row with a positive weight has the label 0"):
        LogisticRegression(class_weight="balanced").fit(X, y, (y != 0).astype(float))
    with pytest.raises(ValueError, match="continuous"):
        LogisticRegression().fit(X, X[:, 0])
    with pytest.raises(NotFittedError):
        LogisticRegression().predict(X)
    assert not hasattr(LogisticRegression(), "coef_")


def test_decision_function_does_not_depend_on_the_other_rows(data):
    X, y = data
    model = LogisticRegression().fit(X, y)
    apart = np.concatenate([model.decision_function(X[i : i + 7]) for i in range(0, len(X), 7)])
    np.testing.assert_array_equal(apart, model.decision_function(X))
