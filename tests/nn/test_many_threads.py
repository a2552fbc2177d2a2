"""Many threads at once: each network that they predict with or train gives the bits of a single thread."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rosenblatt import nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(700, 6)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(np.int32)
N_THREADS = 8


def network(number, sizes=(12, 8)):
    """A network of its own architecture: threads compile different programs, and equal ones."""
    hidden = tuple(size + number % 3 for size in sizes)
    return nn.Network(nn.NetworkSpec(6, hidden, 2, output="softmax"), seed=number)


def trained(number):
    """The parameters after a short training, and its losses."""
    made = network(number)
    history = made.fit(X, Y, epochs=3, batch_size=50, learning_rate=0.01, seed=number)
    return made.parameters.tobytes(), np.asarray(history["loss"]).tobytes()


def at_once(work, numbers):
    """The results of `work` for numbers, by threads that begin together."""
    numbers = list(numbers)
    start = threading.Barrier(N_THREADS)

    def waited(number):
        if number < N_THREADS:
            start.wait(timeout=60)
        return work(number)

    with ThreadPoolExecutor(N_THREADS) as pool:
        return list(pool.map(waited, numbers))


def test_threads_that_train_different_networks():
    numbers = range(3 * N_THREADS)
    expected = [trained(number) for number in numbers]
    assert at_once(trained, numbers) == expected
    assert len(set(expected)) == len(expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_that_share_a_network(dtype):
    """Its program is compiled, and its workspaces are made, while all of them ask for it."""
    shared = nn.Network(nn.NetworkSpec(6, (40, 40), 3), dtype=dtype, seed=1)
    alone = nn.Network(nn.NetworkSpec(6, (40, 40), 3), dtype=dtype, seed=1)
    parts = [X[number : number + 1 + 97 * (number % 7)] for number in range(12 * N_THREADS)]
    found = at_once(lambda number: shared.predict(parts[number]), range(len(parts)))
    for part, outputs in zip(parts, found, strict=True):
        np.testing.assert_array_equal(outputs, alone.predict(part))


def test_threads_that_predict_while_others_train():
    shared, numbers = network(0, (64, 64)), range(4 * N_THREADS)
    expected = [shared.predict(X).tobytes() if number % 2 else trained(number) for number in numbers]
    found = at_once(lambda number: shared.predict(X).tobytes() if number % 2 else trained(number), numbers)
    assert found == expected
