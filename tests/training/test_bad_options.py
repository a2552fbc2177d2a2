# ruff: noqa: E501 (one case per line: the catalogue reads as a table)
"""Bad options and data of `Network.fit` and of networks: what the message says."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from rosenblatt import nn

X = np.random.default_rng(0).normal(size=(40, 3))
NUMBERS = X @ [1.0, 2.0, 3.0]
LABELS = np.arange(40) % 3


def network(n_outputs=1, output="identity", **options):
    return nn.Network(nn.NetworkSpec(3, (4,), n_outputs, output=output, **options))


def frozen():
    net = nn.Network(nn.Dense(1, name="out")(nn.Dense(4, "relu", name="h1")(nn.input(3))))
    return net.freeze("h1")


def fit(X=X, y=NUMBERS, net=None, **options):
    return (net or network()).fit(X, y, **{"epochs": 2, "batch_size": 8, **options})


def classify(y, **options):
    return fit(X, y, network(3, "softmax"), **options)


CASES = {
    "y of two columns": (lambda: fit(y=np.c_[NUMBERS, NUMBERS]), r"^y has shape \(40, 2\); this network and its loss take \(n_rows,\) or \(n_rows, 1\)"),
    "y of two columns, own loss": (lambda: fit(y=np.c_[NUMBERS, NUMBERS], loss=lambda b, p, t: b.square(b.sub(p, t))), r"^y has shape \(40, 2\)"),
    "y of three axes": (lambda: fit(y=NUMBERS.reshape(-1, 1, 1)), r"^y has shape \(40, 1, 1\)"),
    "y too short": (lambda: fit(y=NUMBERS[:9]), "X has 40 rows, but y has 9"),
    "one number as y": (lambda: fit(y=3.0), "y is a single value"),
    "no y": (lambda: fit(y=None), "y is None; it must be an array of numbers"),
    "complex y": (lambda: fit(y=NUMBERS + 1j), "y has the type complex128; it must be an array of real numbers"),
    "y of words": (lambda: fit(y=["a"] * 40), "y contains 'a'; it must be an array of numbers"),
    "a class too many": (lambda: classify(LABELS + 1), r"^y contains 3 in row 2 \(from 0\); the network has 3 outputs, for the class numbers 0 to 2"),
    "a negative class": (lambda: classify(LABELS - 1), r"^y contains -1 in row 0"),
    "half a class": (lambda: classify(LABELS / 2), r"^y contains 0.5 in row 1 \(from 0\); .* class numbers 0 to 2"),
    "one-hot classes": (lambda: classify(np.eye(3)[LABELS]), r"^y has shape \(40, 3\); this loss takes class numbers of shape \(n_rows,\)"),
    "a class too many to validate": (lambda: classify(LABELS, validation=(X, LABELS + 1)), "^y_val contains 3 in row 2"),
    "y by wrong names": (lambda: fit(y={"a": NUMBERS}), "heads prediction; give y as a mapping"),
    "complex X": (lambda: fit(X + 1j), "X has the type complex128"),
    "dates": (lambda: fit(X.astype("M8[s]")), "X has the type datetime64"),
    "words": (lambda: fit([["a", 1, 2]] * 40), "X contains 'a'; it must be an array of numbers"),
    "ragged rows": (lambda: fit([[1, 2, 3], [1, 2]], [1, 2]), "X has rows of different lengths"),
    "None in X": (lambda: fit([[None, 1, 2]] * 40), r"X contains NaN in row 0, column 0"),
    "no X": (lambda: fit(None), "X is None"),
    "integers beyond floats": (lambda: fit([[10**400, 1, 1]] * 40), "X contains an integer that is too large for a float"),
    "sparse X": (lambda: fit(csr_matrix(X)), r"X is a sparse matrix, but this input of the network takes dense arrays; toarray\(\)"),
    "dense X": (lambda: fit(net=network(sparse_input=True)), "X is ndarray, but this input of the network takes CSR matrices"),
    "words as weights": (lambda: fit(sample_weight=["a"] * 40), "sample_weight contains 'a'; it must be an array of numbers"),
    "X too large": (lambda: fit(np.where(X[2, 1] == X, 1e39, X)), r"X contains 1e\+39 in row 2, column 1 \(from 0\), which is too large for float32 \(at most 3.4e\+38\): scale it, or use dtype='float64'"),
    "sparse X too large": (lambda: fit(csr_matrix(np.where(X[2, 1] == X, -1e39, X)), net=network(sparse_input=True)), r"X contains -1e\+39 in row 2, column 1"),
    "y too large": (lambda: fit(y=np.where(NUMBERS[2] == NUMBERS, 1e39, NUMBERS)), r"y contains 1e\+39 in row 2 \(from 0\), which is too large"),
    "a weight too large": (lambda: fit(sample_weight=np.where(NUMBERS[2] == NUMBERS, 1e39, 1)), r"sample_weight contains 1e\+39 in row 2"),
    "validation too large": (lambda: fit(validation=(1e39 * X, NUMBERS)), "X_val contains .* too large for float32"),
    "too large to predict": (lambda: network().predict(1e39 * X), "X contains .* too large for float32"),
    "too large to differentiate": (lambda: network().input_gradients(1e39 * X), "X contains .* too large for float32"),
    "too large for frozen layers": (lambda: fit(1e39 * X, net=frozen(), cache_frozen=True), "^X contains .* too large for float32"),
    "frozen layers that overflow": (lambda: fit(1e38 * X, net=huge_weights(), cache_frozen=True), "the output of the frozen layer 'h1' for X contains"),
    "NaN before frozen layers": (lambda: fit(np.full((40, 3), np.nan), net=frozen(), cache_frozen=True), "^X contains NaN in row 0, column 0"),
    "y too short behind frozen layers": (lambda: fit(y=NUMBERS[:9], net=frozen(), cache_frozen=True), "^X has 40 rows, but y has 9"),
    "factors of an unknown layer": (lambda: fit(net=frozen(), cache_frozen=True, learning_rate_factors={"oot": 2}), "'oot' matches no layer .* The names are: 'h1', 'h1.weights'"),
    "a set of factors": (lambda: fit(learning_rate_factors={"h1"}), r"learning_rate_factors is \{'h1'\}; it must be a mapping of names to numbers"),
    "a number of factors": (lambda: fit(weight_decay_factors=3), "weight_decay_factors is 3; it must be a mapping"),
    "a list of heads": (lambda: fit(head_weights=[1]), r"head_weights is \[1\]; it must be a mapping"),
    "shuffle": (lambda: fit(shuffle="no"), "shuffle is 'no'; it must be True or False"),
    "verbose": (lambda: fit(verbose=None), "verbose is None; it must be True or False"),
    "restore_best": (lambda: fit(restore_best="no"), "restore_best is 'no'"),
    "gradient_statistics": (lambda: fit(gradient_statistics=2), "gradient_statistics is 2"),
    "cache_frozen": (lambda: fit(cache_frozen="no"), "cache_frozen is 'no'"),
    "anneal_regularization": (lambda: fit(anneal_regularization=0.5), "anneal_regularization is 0.5"),
    "patience": (lambda: fit(patience=0), "patience is 0; it must be a positive integer, or None"),
    "optimizer": (lambda: fit(optimizer="adm"), "did you mean 'adam'[?] allowed: sgd, .*, lbfgs, or an instance"),
    "lbfgs": (lambda: fit(optimizer="lbfsg"), "did you mean 'lbfgs'[?]"),
    "schedule": (lambda: fit(schedule="cos"), "did you mean 'cosine' or 'coslog'[?]"),
    "validation of three": (lambda: fit(validation=(X, NUMBERS, X)), r"validation must be a pair \(X, y\)"),
    **{f"seed {s!r:.11}": (lambda s=s: fit(seed=s), r"seed is .*; it must be an integer in \[0, 2\*\*64\), or None") for s in (-1, 2**70, 1.5, True, "a", np.random.RandomState(0), np.random.default_rng(0))},
    **{f"network of seed {s!r:.11}": (lambda s=s: nn.Network(nn.NetworkSpec(3, (4,), 1), seed=s), r"seed is .*; it must be an integer in \[0, 2\*\*64\), or None") for s in (-1, 2**70, 1.5, True, "a", np.random.RandomState(0))},
    "initialize without a seed": (lambda: network().initialize(None), "seed is None; give an integer"),
    "an unknown dtype": (lambda: nn.Network(nn.NetworkSpec(3, (4,), 1), dtype="foo"), "dtype is 'foo'; it must be float32 or float64"),
    "nested sizes": (lambda: nn.NetworkSpec(3, ((8,),), 1), r"hidden is \(\(8,\),\); every layer needs at least one neuron, and whole ones"),
    "sizes as text": (lambda: nn.NetworkSpec("3", (8,), 1), "n_inputs is '3'; every layer needs"),
}  # fmt: skip


def huge_weights():
    net = frozen()
    net["h1.weights"][...] = 1e38
    return net


@pytest.mark.parametrize(("attempt", "message"), CASES.values(), ids=CASES)
def test_bad_options_are_refused(attempt, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        attempt()


def test_what_is_allowed_works():
    for seed in (None, 0, np.int64(3), np.uint8(4), 2**64 - 1):
        fit(seed=seed)
    fit(X.tolist(), NUMBERS.tolist(), sample_weight=tuple([1] * 40), validation=[X.tolist(), NUMBERS.tolist()])
    fit(verbose=0, shuffle=np.True_, batch_size=10**30, patience=10**30)
    classify(LABELS.tolist())
    classify(LABELS.astype(float))
    assert network().predict([[10**30, 1, 1]]).shape == (1, 1)


def test_factors_of_frozen_layers_are_allowed_where_these_are_cached():
    factors = {"learning_rate_factors": {"h1": 2, "out": 3, "*.biases": 0.5}, "weight_decay_factors": {"h1.weights": 0}}
    plain, cached = frozen(), frozen()
    fit(net=plain, **factors)
    fit(net=cached, cache_frozen=True, **factors)
    np.testing.assert_allclose(cached.block, plain.block, rtol=1e-6)
