"""The mistakes of a perceptron: counted as Rosenblatt's rule counts them, in scikit-learn's row orders."""

import copy
import inspect
import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model as reference
from sklearn.datasets import load_iris, make_blobs, make_moons
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from rosenblatt.estimators import Perceptron

MOONS = make_moons(120, noise=0.2, random_state=0)
IRIS = load_iris(return_X_y=True)


def xorshift(state):
    """scikit-learn's generator of row orders (Marsaglia's xorshift with 32 bits)."""
    state ^= (state << 13) & 0xFFFFFFFF
    state ^= state >> 17
    state ^= (state << 5) & 0xFFFFFFFF
    return state


def mistakes_by_the_rule(X, y, n_passes, seed=None, eta0=1.0, row_weight=None):
    """Mistakes of each pass of the rule in plain Python; `seed` shuffles as scikit-learn does."""
    order, w, b, counts = list(range(len(X))), np.zeros(X.shape[1]), 0.0, []
    weight = np.ones(len(X)) if row_weight is None else row_weight
    for _ in range(n_passes):
        state = seed
        for i in range(len(X) - 1) if seed is not None else ():
            state = xorshift(state)
            j = i + state % 2147483648 % (len(X) - i)
            order[i], order[j] = order[j], order[i]
        count = 0
        for i in order:
            if y[i] * (w @ X[i] + b) <= 0:
                step = eta0 * weight[i] * y[i]
                w, b, count = w + step * X[i], b + step, count + (weight[i] > 0)
        counts.append(count)
    return counts


def sklearns_seed(random_state):
    """The seed of the row orders of a binary fit."""
    rng = np.random.RandomState(random_state)
    rng.randint(1, np.iinfo(np.int32).max)
    return rng.randint(np.iinfo(np.int32).max)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sparse", [False, True])
def test_counts_the_mistakes_of_the_rule(dtype, sparse):
    X, y = IRIS[0].astype(dtype), IRIS[1] == 2
    model = Perceptron(max_iter=9, tol=None, shuffle=False, fit_intercept=not sparse)
    model.fit(sp.csr_matrix(X) if sparse else X, y)
    if sparse:
        w, counts = np.zeros(4, dtype), []
        for _ in range(9):
            counts.append(0)
            for x, t in zip(X, np.where(y, 1, -1), strict=True):
                if t * (w.astype(float) @ x) <= 0:
                    w, counts[-1] = w + t * x, counts[-1] + 1
        assert model.mistakes_ == counts
    else:
        assert model.mistakes_ == mistakes_by_the_rule(X.astype(float), np.where(y, 1, -1), 9)
    assert all(isinstance(count, int) for count in model.mistakes_)


def test_counts_in_the_row_orders_of_the_fit():
    X, y = MOONS
    model = Perceptron(max_iter=6, tol=None, random_state=5, eta0=0.3).fit(X, y)
    expected = mistakes_by_the_rule(X, 2 * y - 1, 6, seed=sklearns_seed(5), eta0=0.3)
    assert model.mistakes_ == expected
    assert len(set(expected)) > 1


def test_counts_with_weights_of_rows_and_classes():
    X, y = MOONS
    weight = np.random.default_rng(0).integers(0, 3, len(X)) / 2.0
    model = Perceptron(max_iter=5, tol=None, shuffle=False, class_weight={0: 0.25, 1: 4.0})
    model.fit(X, y, sample_weight=weight)
    row_weight = weight * np.where(y == 1, 4.0, 0.25)
    assert model.mistakes_ == mistakes_by_the_rule(X, 2 * y - 1, 5, row_weight=row_weight)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"tol": None, "max_iter": 30},
        {"early_stopping": True},
        {"early_stopping": True, "random_state": np.random.RandomState(3)},
        {"class_weight": "balanced", "eta0": 0.1},
        {"random_state": None, "fit_intercept": False},
        {"shuffle": False, "n_iter_no_change": 2, "n_jobs": 2},
    ],
)
@pytest.mark.parametrize("data", [MOONS, IRIS], ids=["two classes", "three classes"])
def test_training_is_scikit_learns_and_its_repetition_ends_in_the_same_weights(data, parameters, dtype):
    X, y = data[0].astype(dtype), data[1]
    np.random.seed(7)  # noqa: NPY002 (random_state=None draws from it)
    theirs = reference.Perceptron(**copy.deepcopy(parameters)).fit(X, y)
    np.random.seed(7)  # noqa: NPY002
    ours = Perceptron(**copy.deepcopy(parameters)).fit(X, y)
    for name in ("coef_", "intercept_"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_)
    counts = (
        ours.mistakes_ if len(ours.classes_) > 2 else [ours.mistakes_]
    )  # raises where the repetition ends elsewhere
    assert max(map(len, counts)) == ours.n_iter_
    assert all(0 <= count <= len(X) for one in counts for count in one)


def test_each_class_has_the_passes_that_it_took():
    X, y = IRIS
    counts = Perceptron(shuffle=False).fit(X, y).mistakes_
    assert len(counts) == 3
    for label, one in enumerate(counts):
        assert one == mistakes_by_the_rule(X, np.where(y == label, 1, -1), len(one))
    assert len({len(one) for one in counts}) > 1


def test_warm_start_and_partial_fit_count_their_own_passes():
    X, y = MOONS
    model = Perceptron(max_iter=3, tol=None, shuffle=False, warm_start=True).fit(X, y)
    first = model.mistakes_
    second = model.fit(X, y).mistakes_
    third = model.partial_fit(X, y).mistakes_
    assert first + second + third == mistakes_by_the_rule(X, 2 * y - 1, 7)


def test_a_pass_without_mistakes_means_convergence():
    X, y = make_blobs(60, centers=[[-5, 0], [5, 0]], random_state=0)
    model = Perceptron(tol=None, max_iter=8).fit(X, y)
    assert model.mistakes_[-1] == 0
    assert model.converged_ is True
    assert Perceptron().fit(*MOONS).converged_ is False
    assert Perceptron().fit(*IRIS).converged_ is False
    assert Perceptron().fit(IRIS[0], IRIS[1] == 0).converged_ is True


def test_novikoffs_bound_holds():
    X, y = make_blobs(80, centers=[[-4, 1], [4, 1]], random_state=1)
    from rosenblatt.logic import linear_separability

    model = Perceptron(tol=None, max_iter=50).fit(X, y)
    homogeneous = np.column_stack([X, np.ones(len(X))])
    verdict = linear_separability(X, y)
    w = np.append(verdict.weights, verdict.intercept)
    margin = ((2 * y - 1) * (homogeneous @ w)).min() / np.linalg.norm(w)
    assert sum(model.mistakes_) <= (np.linalg.norm(homogeneous, axis=1).max() / margin) ** 2


@pytest.mark.parametrize("parameters", [{"penalty": "l2"}, {"penalty": "l1"}, {"eta0": 1e-300}])
def test_what_cannot_be_counted_is_none(parameters):
    model = Perceptron(**parameters).fit(*MOONS)
    assert model.mistakes_ is None
    assert model.converged_ is None
    assert "mistakes were not counted" in model.explain_convergence(*MOONS)


def test_data_that_changed_are_noticed():
    X, y = MOONS[0].copy(), MOONS[1]
    model = Perceptron().fit(X, y)
    X[:5] += 3
    with pytest.raises(AttributeError, match=r"X or y .* changed after fit"):
        _ = model.mistakes_
    assert inspect.getmembers(model)  # as a notebook does to show the model


def test_a_pickle_holds_counts_that_were_read_and_no_data():
    X, y = MOONS
    model = Perceptron().fit(X, y)
    assert len(pickle.dumps(model)) < X.nbytes
    with pytest.raises(AttributeError, match="unpickled or loaded before mistakes_ was read"):
        _ = pickle.loads(pickle.dumps(model)).mistakes_
    counts = model.mistakes_
    assert pickle.loads(pickle.dumps(model)).mistakes_ == counts
    assert "_training" not in vars(model)  # the data are let go


def test_mistakes_need_a_fit():
    with pytest.raises(NotFittedError):
        _ = Perceptron().mistakes_
    model = Perceptron()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert model.fit(*MOONS).mistakes_ == model.fit(*MOONS).mistakes_
