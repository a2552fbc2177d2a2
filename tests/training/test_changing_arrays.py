"""Arrays that the user's callback, or another thread, changes while native code runs."""

import threading
from contextlib import contextmanager, suppress

import numpy as np
import pytest
import scipy.sparse

from rosenblatt import LogisticRegression, MLPClassifier, nn

N, LEVELS, WIDTH = 300, 5, 12
FAR = 500_000_000
"""An index that lies far outside each table."""


def problem():
    """A mapping of dense rows, codes and sparse rows, and labels."""
    rng = np.random.default_rng(0)
    words = scipy.sparse.random(N, WIDTH, 0.3, "csr", np.float32, random_state=1)
    X = {
        "numbers": rng.normal(size=(N, 3)).astype(np.float32),
        "town": rng.integers(0, LEVELS, N).astype(np.int32),
        "words": words,
    }
    return X, (X["numbers"][:, 0] > 0).astype(np.int32)


def network():
    numbers, town = nn.input(3, "numbers"), nn.Embedding(4)(nn.codes(LEVELS, "town"))
    words = nn.Dense(4)(nn.input(WIDTH, "words", sparse=True))
    return nn.Network(nn.Dense(2)(nn.Dense(6, "relu")(nn.Concat()(numbers, town, words))), output="softmax")


def changed(place, X, y):
    """The array of integers that is to change."""
    return {"codes": X["town"], "labels": y, "columns": X["words"].indices, "offsets": X["words"].indptr}[place]


PLACES = pytest.mark.parametrize("place", ["codes", "labels", "columns", "offsets"])
WRONG = pytest.mark.parametrize("wrong", [FAR, -1])


@PLACES
@WRONG
@pytest.mark.parametrize("validated", [False, True])
def test_what_a_callback_changes_does_not_reach_the_training(place, wrong, validated):
    expected = network()
    (X, y), held_out = problem(), problem()
    options = {"epochs": 3, "batch_size": 32, "callbacks": [lambda epoch: None]}
    expected.fit(X, y, validation=held_out, **options)

    def change(epoch):
        changed(place, *(held_out if validated else (X, y)))[...] = wrong

    found = network()
    found.fit(X, y, validation=held_out, **options | {"callbacks": [change]})
    assert np.array_equal(found.parameters, expected.parameters)


@contextmanager
def changing(array, wrong):
    """In this block another thread makes the array wrong and right again, over and over."""
    right, ended = array.copy(), threading.Event()

    def change():
        while not ended.is_set():
            array[...] = wrong
            array[...] = right

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@PLACES
@WRONG
def test_another_thread_may_change_the_data_of_a_training(place, wrong):
    X, y = problem()
    with changing(changed(place, X, y), wrong):
        for _ in range(10):
            with suppress(ValueError):  # wrong when the training began
                network().fit(X, y, epochs=2, batch_size=32)


@pytest.mark.parametrize("place", ["codes", "columns", "offsets"])
@WRONG
def test_another_thread_may_change_the_rows_to_predict(place, wrong):
    X, y = problem()
    trained = network()
    with changing(changed(place, X, y), wrong):
        for _ in range(30):
            with suppress(ValueError):  # wrong when the prediction began
                assert np.isfinite(trained.predict(X)).all()
                trained.input_gradients(X, at=["numbers"])


@pytest.mark.parametrize(
    "estimator", [MLPClassifier((6,), max_iter=30, tol=0, n_iter_no_change=30), LogisticRegression()]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_another_thread_may_change_the_values_of_an_estimators_rows(estimator):
    X, y = problem()
    with changing(X["words"].data, 1.0):
        estimator.fit(X["words"], y)
        assert np.isfinite(estimator.predict_proba(X["words"])).all()


def test_arrays_may_be_replaced_by_shorter_ones():
    (X, y), expected = problem(), network()
    options = {"epochs": 3, "batch_size": 32}
    expected.fit(X, y, **options, callbacks=[lambda epoch: None])

    def shorten(epoch):
        words = X["words"]
        words.data, words.indices, words.indptr = (
            words.data[:1].copy(),
            words.indices[:1].copy(),
            words.indptr[:2].copy(),
        )
        y.resize(1, refcheck=False)

    found = network()
    found.fit(X, y, **options, callbacks=[shorten])
    assert np.array_equal(found.parameters, expected.parameters)
