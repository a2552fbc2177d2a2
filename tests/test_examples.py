"""The examples run and give their figures."""

import importlib.util
import pathlib

import pytest

EXAMPLES = pathlib.Path(__file__).parents[1] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_custom_loss_learns_a_quantile():
    assert load("custom_loss").main() == pytest.approx(0.9, abs=0.08)


def test_autodiff_gives_the_books_figures():
    assert load("autodiff").main() == (42.0, 24.0, 10.0)


def test_program_holds_its_own_derivative_and_update():
    ops = [instruction.op for instruction in load("program").training_step().instructions]
    assert ops[0] == "matmul"
    assert ops.count("matmul") == 2
    assert ops[-1] == "sgd_update"


def test_exclusive_or_needs_two_layers():
    n_equal, point, (before, after) = load("xor").main()
    assert n_equal == 3
    assert point.tolist() == pytest.approx([0.5, 0.5])
    assert after < 0.1 * before


def test_a_perceptron_converges_on_separable_classes_only():
    found = load("perceptron_vs_logistic").main()
    assert {name: figures["converged"] for name, figures in found.items()} == {
        "setosa": True,
        "versicolor": False,
        "moons": False,
    }
    assert found["setosa"]["last_mistakes"] == 0
    assert found["versicolor"]["last_mistakes"] > 20
    assert all(figures["same_predictions"] for figures in found.values())
    assert all(figures["loss_after"] < figures["loss_before"] for figures in found.values())
    assert found["versicolor"]["loss_after"] == pytest.approx(0.4836, abs=1e-3)
