"""The examples of deep networks give their figures, in small mode."""

import functools
import importlib
import inspect
import pathlib
import sys

import numpy as np
import pytest

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples" / "book"
pytestmark = pytest.mark.long

NAMES = ["vanishing", "elu_vs_relu", "digits_0_4", "transfer", "pairs", "overfitting"]


@pytest.fixture(autouse=True)
def folder_of_examples(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)


@functools.cache
def figures(name):
    return importlib.import_module(name).main()


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_short_and_give_finite_figures(name):
    found = figures(name)
    assert all(type(value) is float and np.isfinite(value) for value in found.values())
    assert len(inspect.getsource(sys.modules[name]).splitlines()) < 80


def test_the_books_figures_are_figures_of_the_examples(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES.parents[1])
    from benchmarks.book_deep import ROWS

    assert {example for _, example, _, _ in ROWS} == set(NAMES)
    for _, example, figure, _ in ROWS:
        assert figure in figures(example), (example, figure)


def test_gradients_vanish_behind_logistic_functions_only():
    found = figures("vanishing")
    assert found["logistic.first_to_last"] < 1e-4
    assert found["logistic.vanishing"] > 0.9
    for name in ("relu", "selu"):
        assert 0.1 < found[f"{name}.first_to_last"] < 10
        assert found[f"{name}.vanishing"] < 0.2
        assert found[f"{name}.accuracy"] > 0.85 > 0.5 > found["logistic.accuracy"]
    assert found["relu.dead"] > 0 == found["selu.dead"]
    assert found["step.refused"] == 1


def test_units_of_elu_have_means_nearer_zero_and_do_not_die():
    found = figures("elu_vs_relu")
    assert found["elu.initial_mean"] < 0.8 * found["relu.initial_mean"]
    assert found["elu.mean"] < 0.8 * found["relu.mean"]
    assert found["elu.dead"] == found["elu.dead_at_high_rate"] == 0 < found["relu.dead"]
    assert found["relu.loss"] < 0.02 > found["elu.loss"]
    assert found["elu.test_accuracy"] > 0.94


def test_batch_normalization_helps_with_the_digits_0_to_4():
    found = figures("digits_0_4")
    assert found["batch_norm.first_loss"] < found["plain.first_loss"], "it learns faster"
    assert found["batch_norm.test"] > 0.97
    assert found["chosen.test"] > 0.95
    best = min((value, name) for name, value in found.items() if name.endswith("best_loss"))[1]
    assert found["chosen.test"] == found[best.replace("best_loss", "test")]


def test_more_unfrozen_layers_transfer_better_and_caching_changes_nothing():
    found = figures("transfer")
    assert found["frozen_cached.test"] == pytest.approx(found["frozen.test"], abs=0.01)
    assert 0.6 < found["frozen.test"] < found["top_two.test"] - 0.05 < found["all.test"] - 0.05
    assert found["all.test"] > 0.93
    assert found["all.test"] > found["scratch.test"] - 0.01


def test_what_is_learned_from_pairs_helps_with_few_labels():
    found = figures("pairs")
    assert found["pairs.test"] > 0.96
    assert found["frozen.test"] > 0.94
    assert found["frozen.test"] > found["scratch.test"] + 0.01


def test_one_half_of_the_pairs_is_of_the_same_digit_and_no_image_is_its_own_partner():
    pairs = importlib.import_module("pairs").pairs
    y = np.random.default_rng(0).integers(0, 4, 50)
    X = np.arange(50.0).reshape(-1, 1)
    images, different = pairs(X, y, 100_000, seed=3)
    a, b = (images[name][:, 0].astype(int) for name in "ab")
    np.testing.assert_array_equal(different, y[a] != y[b])
    assert different.mean() == 0.5
    assert (a != b).all()
    np.testing.assert_array_equal(np.bincount(a), 2000)
    joined = np.zeros((50, 50), int)
    np.add.at(joined, (a, b), 1)
    assert (joined > 0).sum() == 50 * 49, "every partner is drawn"
    assert not np.array_equal(pairs(X, y, 100_000, seed=4)[0]["b"], images["b"])


def test_few_takes_the_first_rows_of_each_class():
    few = importlib.import_module("_deep").few
    X, y = few(np.arange(8), np.array([1, 0, 1, 1, 0, 0, 1, 0]), 2)
    assert X.tolist() == [1, 4, 0, 2]
    assert y.tolist() == [0, 0, 1, 1]


def test_remedies_narrow_the_gap():
    found = figures("overfitting")
    assert found["none.gap"] > 0.25
    assert found["none.loss"] < 0.01
    for remedy in ("fewer_layers", "dropout", "early_stopping", "more_data"):
        assert found[f"{remedy}.gap"] < found["none.gap"], remedy
    assert found["more_data.gap"] < 0.1
    assert found["more_data.test"] > found["none.test"] + 0.05
    for remedy in ("l1", "l2", "max_norm"):
        assert found[f"{remedy}.loss"] > 10 * found["none.loss"], "the penalty keeps weights small"
