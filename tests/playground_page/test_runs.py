"""Runs: steps in any chunks, changes on the way, what the page sees, divergence."""

import math

import numpy as np
import pytest

from rosenblatt import nn
from rosenblatt.playground_page.settings import SettingsError
from rosenblatt.training import Trainer

VARIED = {
    "layers": [{"units": 5, "dropout": 0.3}, {"units": 3, "activation": "relu"}],
    **{"optimizer": "adam", "schedule": "one_cycle", "schedule_steps": 400, "l1": 0.001, "batch_size": 7},
}


@pytest.mark.parametrize("settings", [{}, VARIED])
def test_the_result_does_not_depend_on_how_steps_are_cut(run_of, settings):
    whole, cut = run_of(settings), run_of(settings)
    assert whole.advance(333, 0) == 333
    for steps in (1, 24, 1, 0, 36, 200, 71):
        assert cut.advance(steps, 0) == steps
    np.testing.assert_array_equal(cut.network.parameters, whole.network.parameters)
    assert cut.losses == whole.losses
    assert cut.epoch == whole.epoch


def test_a_run_is_the_trainer_of_the_library(run_of):
    run = run_of({"layers": [{"units": 4}], "batch_size": 25})
    problem = run.problem
    network = nn.Network(nn.NetworkSpec(2, (4,), 1, activation="tanh", output="logistic"), seed=0)
    trainer = Trainer(network, "logistic_cross_entropy", nn.SGD(momentum=0.0, nesterov=False), batch_size=25, seed=0)
    trainer.set_data(problem.X[problem.train], problem.y[problem.train].astype(np.float32))
    trainer.epochs(3, 0.03)
    assert run.advance(30, 0) == 30
    np.testing.assert_array_equal(run.network.parameters, network.parameters)
    assert run.state()["epoch"] == 3


def test_a_step_of_gradient_descent_is_that_of_numpy(run_of):
    run = run_of({"layers": [], "batch_size": 250, "learning_rate": 0.5, "l2": 0.1, "l1": 0.01})
    X, y = run.problem.X[run.problem.train].astype(float), run.problem.y[run.problem.train]
    w, b = run.network.weights[0].astype(float), run.network.biases[0].astype(float)
    error = 1 / (1 + np.exp(-(X @ w + b))) - y[:, None]
    run.advance(1, 0)
    np.testing.assert_allclose(
        run.network.weights[0], w - 0.5 * (X.T @ error / 250 + 0.1 * w + 0.01 * np.sign(w)), rtol=1e-5
    )
    np.testing.assert_allclose(run.network.biases[0], b - 0.5 * error.mean(), rtol=1e-5, atol=1e-7)


def test_the_perceptron_rule_is_rosenblatts(run_of):
    run = run_of(
        {
            "data": {"source": "gauss", "noise": 30},
            "layers": [],
            "optimizer": "perceptron",
            "batch_size": 250,
            "learning_rate": 1,
        }
    )
    X, y = run.problem.X[run.problem.train].astype(float), run.problem.y[run.problem.train]
    w, b = run.network.weights[0][:, 0].astype(float), float(run.network.biases[0][0])
    error = y - (X @ w + b >= 0)
    run.advance(1, 0)
    np.testing.assert_allclose(run.network.weights[0][:, 0], w + X.T @ error / 250, rtol=1e-5)
    np.testing.assert_allclose(run.network.biases[0][0], b + error.mean(), rtol=1e-5)


def test_frames_hold_what_the_network_is(run_of, read_frame):
    run = run_of(
        {"data": {"source": "blobs", "classes": 3}, "layers": [{"units": 70}, {"units": 3, "activation": "relu"}]}
    )
    run.frame(1)  # what is drawn later is not what was drawn first
    run.advance(20, 0)
    header, arrays = read_frame(run.frame(1, first=True))
    assert (header["run"], header["step"], header["steps_done"], header["score_name"]) == (1, 20, 20, "accuracy")
    for k in (1, 2, 3):
        np.testing.assert_array_equal(arrays[f"weights{k}"], run.network.weights[k - 1])
        np.testing.assert_array_equal(arrays[f"biases{k}"], run.network.biases[k - 1])
    assert arrays["map1"].shape == (64, 32, 32)
    side = np.linspace(-6, 6, 100)
    points = np.column_stack([np.tile(side, 100), np.repeat(side, 100)]).astype(np.float32)
    expected = run.network.predict(points).T.reshape(3, 100, 100)
    np.testing.assert_allclose(arrays["plane"], expected, atol=1e-6)
    side = np.linspace(-6, 6, 32)
    points = np.column_stack([np.tile(side, 32), np.repeat(side, 32)])
    first = np.tanh(points @ run.network.weights[0].astype(float) + run.network.biases[0])
    second = np.maximum(first @ run.network.weights[1] + run.network.biases[1], 0)
    for k, values, n in ((0, points, 2), (1, first, 64), (2, second, 3)):
        shown = (arrays[f"map{k}"] / 127.5 - 1) * arrays[f"range{k}"][:, None, None]
        np.testing.assert_allclose(shown.reshape(n, -1).T, values[:, :n], atol=arrays[f"range{k}"].max() / 120)
    assert "map0" not in read_frame(run.frame(0))[1]


def test_scores_of_a_hinge_are_drawn_like_probabilities(run_of, read_frame):
    side = np.linspace(-6, 6, 100)
    points = np.column_stack([np.tile(side, 100), np.repeat(side, 100)]).astype(np.float32)
    run = run_of({"loss": "hinge", "layers": [{"units": 4}], "learning_rate": 0.1})
    run.advance(300, 0)
    header, arrays = read_frame(run.frame(0))
    expected = np.clip(run.network.predict(points) / 2 + 0.5, 0, 1)
    np.testing.assert_allclose(arrays["plane"].reshape(-1, 1), expected, atol=1e-6)
    X, y = run.problem.X[run.problem.test], run.problem.y[run.problem.test]
    right = (run.network.predict(X)[:, 0] >= 0) == (y == 1)
    assert header["test_score"] == right.mean()
    assert ((run.network.predict(X)[:, 0] >= 0.5) == (y == 1)).mean() != right.mean()
    run = run_of({"data": {"source": "blobs", "classes": 3}, "loss": "multiclass_hinge"})
    np.testing.assert_allclose(read_frame(run.frame(0))[1]["plane"].sum(axis=0), 1, atol=1e-5)


def test_the_score_of_a_regression_is_the_share_of_variance(run_of):
    run = run_of({"data": {"source": "multi_gauss"}, "learning_rate": 0.1})
    run.advance(500, 0)
    for score, rows in (("train_score", run.problem.train), ("test_score", run.problem.test)):
        y = run.problem.y[rows]
        errors = run.network.predict(run.problem.X[rows])[:, 0] - y
        assert run.state()[score] == pytest.approx(1 - np.square(errors).mean() / y.var(), abs=1e-6)


def test_regression_is_shown_in_its_own_units(run_of, read_frame):
    run = run_of({"data": {"source": "plane"}, "layers": [], "learning_rate": 0.01})
    run.advance(2000, 0)
    header, arrays = read_frame(run.frame(0))
    assert header["score_name"] == "R²"
    assert header["test_score"] > 0.99
    np.testing.assert_allclose(arrays["plane"][0, [0, -1], [0, -1]], [-1.2, 1.2], atol=0.1)
    assert run.configured()["data"]["classes"] is None


def test_configured_describes_network_and_data(run_of):
    told = run_of({"data": {"rows": 5000, "train_share": 0.1}, "layers": [{"units": 100}]}).configured()
    assert told["network"]["layers"] == [2, 100, 1]
    assert told["network"]["shown"] == [2, 64, 1]
    assert told["network"]["parameters"] == 401
    assert told["network"]["activations"] == ["tanh", "logistic"]
    data = told["data"]
    assert (data["n_train"], data["n_test"], len(data["train"]), len(data["test"])) == (500, 4500, 500, 1000)
    assert data["classes"] == ["0", "1"]


def test_changes_count_from_the_next_step(run_of):
    run, other = run_of(), run_of()
    for one in (run, other):
        one.advance(30, 0)
    run.change({"learning_rate": 1.0})
    run.change({"learning_rate": 0.5, "l2": 0.1})
    assert run.events == [{"step": 30, "changes": {"learning_rate": 0.5, "l2": 0.1}}]
    np.testing.assert_array_equal(run.network.parameters, other.network.parameters)
    run.advance(5, 0)
    assert run.configured()["settings"]["l2"] == 0.1
    assert run.state()["learning_rate"] == 0.5
    run.change({"batch_size": 50})
    assert run.epoch == pytest.approx(35 / 25)
    run.advance(5, 0)
    assert run.epoch == pytest.approx(35 / 25 + 1)
    for wrong in ({"seed": 1}, {"l2": -1}, [], {"learning_rate": 0.2, "l1": "a"}):
        with pytest.raises(SettingsError):
            run.change(wrong)
    assert run.settings.learning_rate == 0.5


def test_an_edit_sets_one_weight_and_nothing_else(run_of):
    run = run_of()
    before = run.network.parameters.copy()
    run.edit(2, 3, 1, 0.25)
    run.edit(2, 3, 1, 0.75)
    run.edit(3, None, 0, -2)
    assert run.network.weights[1][3, 1] == 0.75
    assert run.network.biases[2][0] == -2
    assert (run.network.parameters != before).sum() == 2
    assert [event["edit"][3] for event in run.events] == [0.75, -2.0]


@pytest.mark.parametrize(
    "edit",
    [(0, 0, 0, 1), (4, 0, 0, 1), (1, 2, 0, 1), (1, 0, 4, 1), (1, -1, 0, 1), (1, 0, 0, 1e308), (1, 0, 0, math.nan),
     (True, 0, 0, 1), (1, 0.5, 0, 1), (1, 0, None, 1), ("1", 0, 0, 1), (1, 0, 0, "1"), (1, 0, 0, 10**400)],
)  # fmt: skip
def test_an_edit_of_nothing_is_refused(run_of, edit):
    run = run_of()
    before = run.network.parameters.copy()
    with pytest.raises(SettingsError):
        run.edit(*edit)
    np.testing.assert_array_equal(run.network.parameters, before)
    assert run.events == []


@pytest.mark.parametrize("steps", [-1, 100_001, 1.5, None, True])
def test_wrong_numbers_of_steps_are_refused(run_of, steps):
    with pytest.raises(SettingsError, match="100,000"):
        run_of().advance(steps)


def test_time_ends_an_advance(run_of):
    run = run_of({"layers": [{"units": 512}, {"units": 512}], "batch_size": 250})
    assert 0 < run.advance(100_000, 0.02) < 1000


@pytest.mark.parametrize(
    "settings",
    [
        {"data": {"source": "plane"}, "learning_rate": 10, "layers": [{"units": 8, "activation": "relu"}] * 2},
        {"data": {"source": "plane"}, "learning_rate": 1000, "layers": []},
        {"learning_rate": 1000, "layers": [{"activation": "relu", "initializer": "large", "units": 50}] * 5},
        {"data": {"source": "blobs", "classes": 4}, "learning_rate": 1000, "layers": [{"activation": "identity"}] * 9},
    ],
)
def test_divergence_is_said_and_nothing_raises(run_of, read_frame, settings):
    run = run_of(settings)
    run.advance(3000, 0)
    header, arrays = read_frame(run.frame(0, statistics=True, first=True))
    assert header["diverged"]
    assert all(np.isfinite(array).all() for array in arrays.values())
    assert run.advance(10, 0) == 0
    compile(run.script(), "script", "exec")
    if not np.isfinite(run.network.parameters).all():
        with pytest.raises(SettingsError, match=r"has diverged.*reset it before you save"):
            run.document()
    run.edit(1, 0, 0, 1e9)
    run.change({"batch_size": 3})
    assert read_frame(run.frame(0, statistics=True))[0]["step"] == header["step"]


def test_huge_weights_are_drawn(run_of, read_frame):
    run = run_of({"layers": [{"units": 3, "activation": "relu"}] * 6})
    for layer in range(1, 8):
        run.edit(layer, 0, 0, 1e9)
    header, arrays = read_frame(run.frame(0, statistics=True))
    assert header["diverged"]
    assert all(np.isfinite(array).all() for array in arrays.values())


def test_a_schedule_that_ends_ends_the_run(run_of):
    run = run_of({"schedule": "cosine", "schedule_steps": 50})
    assert run.advance(30, 0) == 30
    assert not run.finished
    assert run.state()["learning_rate"] == pytest.approx(0.03 * 0.5 * (1 + math.cos(0.6 * math.pi)))
    assert run.advance(30, 0) == 20
    assert run.state()["finished"]
    assert run.advance(30, 0) == 0


def test_layers_up_to_a_step_are_frozen(run_of):
    run = run_of({"layers": [{}, {"activation": "step"}, {}]})
    before = [w.copy() for w in run.network.weights]
    run.advance(50, 0)
    changed = [bool((w != old).any()) for w, old in zip(run.network.weights, before, strict=True)]
    assert changed == [False, False, True, True]


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "nadam", "rmsprop", "adagrad"])
def test_every_optimizer_learns(run_of, optimizer):
    rate = {"sgd": 0.1, "adagrad": 0.1}.get(optimizer, 0.01)
    run = run_of({"optimizer": optimizer, "learning_rate": rate, "momentum": 0.5, "layers": [{"units": 6}]})
    run.advance(2000, 0)
    assert run.losses[0] < 0.25
