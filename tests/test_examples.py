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
