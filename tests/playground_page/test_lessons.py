"""Each lesson shows what it says, and good settings are good."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris, load_wine

from rosenblatt.playground_page.good_settings import GOOD, good_settings
from rosenblatt.playground_page.lessons import lessons
from rosenblatt.playground_page.own_tables import PlaygroundTable
from rosenblatt.playground_page.settings import Settings
from rosenblatt.tables import read_table

LESSONS = {lesson["id"]: lesson for lesson in lessons()}


@pytest.fixture
def shown(run_of):
    """A function that trains the runs of a lesson for its steps, and calls another after each tenth of them."""

    def train(name, look=lambda run: None):
        lesson = LESSONS[name]
        runs = [run_of(given) for given in lesson["runs"]]
        seen = [[look(run)] for run in runs]
        for run, found in zip(runs, seen, strict=True):
            for _ in range(10):
                run.advance(lesson["steps"] // 10, 0)
                found.append(look(run))
        return runs, seen

    return train


@pytest.fixture
def statistics(read_frame):
    """A function that gives the arrays of a frame with statistics."""
    return lambda run: read_frame(run.frame(0, statistics=True))[1]


def test_lessons_have_three_sentences_and_few_steps():
    for lesson in LESSONS.values():
        assert len(lesson["text"]) == 3
        assert all(sentence.endswith(".") for sentence in [*lesson["text"], lesson["watch"]])
        assert 1 <= len(lesson["runs"]) <= 2
        assert lesson["steps"] <= 10_000
        assert isinstance(lesson["statistics"], bool)
        assert all(Settings.from_json(run).to_json() == run for run in lesson["runs"])


def test_a_single_neuron_guesses_at_xor_and_a_hidden_layer_solves_it(shown):
    (single, hidden), _ = shown("xor")
    assert 0.4 < single.state()["test_score"] < 0.6
    assert hidden.state()["test_score"] >= 0.95


def test_the_perceptron_comes_to_rest_only_where_a_line_parts_the_classes(shown):
    (parted, mixed), (at_rest, restless) = shown("perceptron", lambda run: run.network.parameters.copy())
    assert parted.state()["train_score"] == 1
    assert (at_rest[-1] == at_rest[-2]).all()
    assert (at_rest[-2] == at_rest[-3]).all()
    assert mixed.state()["train_score"] < 1
    assert all((a != b).any() for a, b in zip(restless, restless[1:], strict=False))


def test_logistic_gradients_vanish_and_those_of_relu_do_not(shown, statistics):
    runs, norms = shown("vanishing", lambda run: statistics(run)["gradient_norms"])
    logistic, relu = ([found[0] / found[-1] for found in each] for each in norms)
    assert logistic[0] < 1e-4
    assert np.median(logistic) < 1e-3
    assert min(relu) > 0.05
    assert runs[0].state()["train_score"] < 0.6
    assert runs[1].state()["train_score"] > 0.95


def test_no_gradient_passes_a_step(shown, statistics):
    (hard, soft), (at_step, at_logistic) = shown("step", lambda run: statistics(run)["gradient_norms"])
    assert all(norms[0] == 0 < norms[1] for norms in at_step)
    assert all(norms[0] > 0 for norms in at_logistic)
    assert hard.state()["test_score"] < 0.8 < 0.95 < soft.state()["test_score"]


def test_equal_weights_stay_exactly_equal(shown):
    def spread(run):
        return max(np.ptp(run.network.weights[0], axis=1).max(), np.ptp(run.network.weights[1]))

    (equal, random), (spreads, others) = shown("equal", spread)
    assert spreads == [0] * 11
    assert min(others) > 0
    assert not (equal.network.weights[0] == 0.5).all()
    assert equal.state()["test_score"] < 0.8 < 0.95 < random.state()["test_score"]


def test_relu_units_die_and_those_of_elu_do_not(shown, statistics):
    def dead(run):
        found = statistics(run)
        return sum(int(found[f"dead{k}"].sum()) for k in (1, 2))

    (relu, elu), (of_relu, of_elu) = shown("dead", dead)
    assert of_relu[0] <= 1
    assert of_relu[-1] >= 6
    assert of_elu == [0] * 11
    assert relu.state()["test_score"] < 0.85 < 0.95 < elu.state()["test_score"]


def test_a_large_network_overfits_and_a_price_on_weights_helps(shown):
    (free, priced), _ = shown("overfitting")
    of_free, of_priced = free.state(), priced.state()
    assert of_free["train_loss"] < 0.05
    assert of_free["test_loss"] > 10 * of_free["train_loss"]
    assert of_priced["test_loss"] < 0.6 * of_free["test_loss"]


@pytest.mark.parametrize(
    "remedy",
    [
        {"l1": 0.01},
        {"layers": [{"units": 32, "activation": "relu", "dropout": 0.5}] * 2},
        {"layers": [{"units": 4, "activation": "relu"}]},
        {"data": LESSONS["overfitting"]["runs"][0]["data"] | {"rows": 2000}},
    ],
)
def test_the_other_remedies_against_overfitting_help_too(run_of, remedy):
    lesson = LESSONS["overfitting"]
    free, helped = (run_of(lesson["runs"][0] | change) for change in ({}, remedy))
    for run in (free, helped):
        run.advance(lesson["steps"], 0)
    assert helped.losses[1] < 0.6 * free.losses[1]


def test_rates_can_be_too_low_and_too_high(shown, run_of):
    (_, high), (of_low, of_high) = shown("rate", lambda run: run.losses[0])
    assert of_low[0] - of_low[-1] < 0.1
    assert max(of_high[1:]) > 2 * of_high[0] or high.diverged
    right = run_of(LESSONS["rate"]["runs"][0] | {"learning_rate": 0.1})
    right.advance(2000, 0)
    assert right.losses[0] < 0.1


def test_small_batches_are_noisy(run_of):
    rises = []
    for given in LESSONS["batch"]["runs"]:
        run, losses = run_of(given), []
        for _ in range(100):
            run.advance(5, 0)
            losses.append(run.losses[0])
        rises.append((np.diff(losses) > 0).mean())
    assert rises[0] > 0.3
    assert rises[1] == 0


@pytest.mark.parametrize("source", [source for source in GOOD if source != "table"])
def test_good_settings_are_good(run_of, source):
    run = run_of(good_settings(source))
    assert run.settings.to_json() == good_settings(source)
    run.advance(run.settings.schedule_steps, 0)
    assert run.finished
    assert run.state()["test_score"] >= 0.95


@pytest.mark.parametrize(("load", "least"), [(load_iris, 0.93), (load_wine, 0.93), (load_diabetes, 0.4)])
def test_good_settings_are_good_for_tables(run_of, load, least):
    table = PlaygroundTable.of(read_table(load(as_frame=True).frame), "own")
    settings = good_settings("table")
    settings["data"] |= {"columns": table.suggested["columns"], "target": table.suggested["target"], "others": "inputs"}
    run = run_of(settings, table)
    run.advance(run.settings.schedule_steps, 0)
    assert run.state()["test_score"] >= least
