"""Gradient norms, dead units, histograms."""

import numpy as np
import pytest

from rosenblatt.playground_page.statistics import dead_units, histogram, slopes


def test_gradient_norms_are_those_of_numpy(run_of, read_frame):
    run = run_of({"layers": [{"units": 5, "dropout": 0.5}], "l2": 0.1})
    run.frame(0, statistics=True)  # what is computed later is not what was computed first
    run.advance(30, 0)
    norms = read_frame(run.frame(0, statistics=True))[1]["gradient_norms"]
    X, y = run.problem.X[run.problem.train].astype(float), run.problem.y[run.problem.train][:, None]
    (w1, w2), (b1, b2) = run.network.weights, run.network.biases
    hidden = np.tanh(X @ w1 + b1)
    error = (1 / (1 + np.exp(-(hidden @ w2 + b2))) - y) / len(X)
    first = X.T @ ((error @ w2.T) * (1 - hidden**2))
    np.testing.assert_allclose(norms, [np.linalg.norm(first), np.linalg.norm(hidden.T @ error)], rtol=1e-4)


def test_dead_units_are_flat_for_all_rows(run_of, read_frame):
    run = run_of({"layers": [{"units": 3, "activation": "relu"}, {"units": 2, "activation": "logistic"}]})
    assert read_frame(run.frame(0, statistics=True))[1]["dead1"].tolist() == [0, 0, 0]
    run.edit(1, None, 1, -1000)
    run.edit(2, None, 0, 1000)
    arrays = read_frame(run.frame(0, statistics=True))[1]
    assert arrays["dead1"].tolist() == [0, 1, 0]
    assert arrays["dead2"].tolist() == [1, 0]
    run.edit(1, None, 0, -1000)
    run.edit(1, None, 2, -1000)  # the second layer's inputs are constant, and its second unit as steep as before
    assert read_frame(run.frame(0, statistics=True))[1]["dead2"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("activation", "sums", "dead"),
    [
        ("logistic", [[9.0, 0.0, -9.0], [-9.0, 0.0, 1.0]], [1, 0, 0]),
        ("relu", [[-1.0, 0.5, -2.0], [-9.0, 0.5, 1.0]], [1, 0, 0]),
        ("elu", [[-2.0, -2.0, 3.0], [-2.0, -3.0, 3.0]], [0, 0, 0]),
        ("step", [[-2.0, 1.0, 3.0], [-2.0, -1.0, np.inf]], [1, 1, 1]),
        ("identity", [[0.0, 1.0, np.nan]], [0, 0, 0]),
    ],
)
def test_a_unit_is_dead_by_its_slope(activation, sums, dead):
    assert dead_units(np.array(sums), activation).tolist() == dead


def test_slopes_are_those_of_numpy():
    z = np.linspace(-8, 8, 101)
    np.testing.assert_allclose(slopes(z, "tanh"), 1 - np.tanh(z) ** 2, atol=1e-5)
    np.testing.assert_allclose(slopes(z, "softplus"), 1 / (1 + np.exp(-z)), atol=1e-5)


@pytest.mark.parametrize(
    "weights", [np.array([-1.0, 0.5, 2.0]), np.zeros((2, 2)), np.full(3, 1e30), np.array([np.inf])]
)
def test_histograms_count_all_weights(weights):
    counts, (low, high) = histogram(weights)
    assert counts.sum() == weights.size
    assert counts.dtype == np.uint32
    assert low < high


def test_histograms_of_a_frame_are_those_of_numpy(run_of, read_frame):
    run = run_of()
    arrays = read_frame(run.frame(0, statistics=True))[1]
    for k, w in enumerate(run.network.weights, 1):
        counts, edges = np.histogram(w.astype(float), 20)
        np.testing.assert_array_equal(arrays[f"histogram{k}"], counts)
        np.testing.assert_allclose(arrays[f"histogram_range{k}"], edges[[0, -1]])
