"""Learning from pairs
===================

Two networks learn whether two images show different digits; one of them, frozen, then learns digits from few labels.

A and B have five layers of 100 ELU neurons each, and each sees one image. A hidden layer of 10 and a logistic output
compare their outputs. One can label a pair as different without knowing what it shows, so such labels are cheap. What A
has learned from them improves a softmax that is trained on 500 labelled images of each digit.
"""

import numpy as np
from _data import digits, is_full
from _deep import accuracy, few
from _pictures import bars, show

from rosenblatt import nn


def pairs(X: np.ndarray, y: np.ndarray, n_pairs: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Images a and b that show the same digit (label 0) in half of the pairs, and different digits (1) in the other.

    When sorted by digit, the images of a digit are adjacent, so a partner is drawn by its distance from that range.
    """
    rng, order = np.random.default_rng(seed), np.argsort(y, kind="stable")
    a, different = np.arange(n_pairs) % len(y), rng.permutation(n_pairs) % 2
    start, count = np.searchsorted(y[order], y[a]), np.bincount(y)[y[a]]
    position = np.argsort(order)[a] - start
    same = start + (position + 1 + rng.integers(count - 1)) % count  # never the image itself
    other = (start + count + rng.integers(len(y) - count)) % len(y)
    b = order[np.where(different, other, same)]
    return {"a": X[a], "b": X[b]}, different.astype(np.float32)


def tower(n_inputs: int, letter: str) -> nn.Node:
    """Five hidden layers with He initialization and batch normalization, on inputs that are noisy during training."""
    h = nn.GaussianNoise(0.2)(nn.Dropout(0.1)(nn.input(n_inputs, letter)))
    for i in range(1, 6):
        h = nn.BatchNorm()(nn.Dense(100, weights="he_normal")(h))
        h = nn.Activate("elu", name=f"{letter}{i}")(h)
    return h


def comparer(n_inputs: int) -> nn.Network:
    """A and B in parallel, a hidden layer of 10, and the probability that the digits differ."""
    both = nn.Concat()(tower(n_inputs, "a"), tower(n_inputs, "b"))
    joint = nn.Dense(10, "elu", name="joint")(both)
    return nn.Network(nn.Dense(1, name="different")(joint), output="logistic")


def main(full: bool = False) -> dict[str, float]:
    """Train on pairs, then on a few labels with and without the trained layers; print and return the figures."""
    data = digits(full)
    training = pairs(data.X, data.y, (4 if full else 20) * len(data.y), seed=0)
    validation, test = pairs(data.X_val, data.y_val, 10_000, seed=1), pairs(data.X_test, data.y_test, 10_000, seed=2)
    net = comparer(data.X.shape[1])
    cycle = {"schedule": "one_cycle", "learning_rate": 0.006}
    net.fit(*training, validation=validation, epochs=15, batch_size=500 if full else 100, **cycle)

    X, y = few(data.X, data.y, 500 if full else 20)
    lower = net.truncate_at("a5")  # A alone, in prediction mode: without noise
    head = nn.Network(nn.Dense(10)(nn.input(100)), output="softmax")
    labelled = {"epochs": 60, "batch_size": 50 if full else 20, **cycle}
    head.fit(lower.predict(X), y, validation=(lower.predict(data.X_val), data.y_val), **labelled)

    scratch = nn.Network(nn.Dense(10)(tower(data.X.shape[1], "a")), output="softmax")
    scratch.fit(X, y, validation=(data.X_val, data.y_val), **labelled)
    figures = {
        "pairs.validation": accuracy(net, *validation),
        "pairs.test": accuracy(net, *test),
        "frozen.test": accuracy(head, lower.predict(data.X_test), data.y_test),
        "scratch.test": accuracy(scratch, data.X_test, data.y_test),
    }
    print(*(f"{name:18}{value:.2%}" for name, value in figures.items()), sep="\n")
    show(bars, figures, xlabel="accuracy")
    return figures


if __name__ == "__main__":
    main(is_full())
