"""The examples run and give their figures."""

import functools
import importlib.util
import math
import pathlib
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "book"
sys.path.insert(0, str(EXAMPLES))  # as for a script there: examples import from each other


def load(name, folder=EXAMPLES):
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@functools.cache
def figures(name):
    return load(name).main()


def test_custom_loss_learns_a_quantile():
    assert load("custom_loss", EXAMPLES.parent).main() == pytest.approx(0.9, abs=0.08)


def test_autodiff_gives_the_books_figures():
    assert load("autodiff").main() == (42.0, 24.0, 10.0)


def test_program_holds_its_own_derivative_and_update():
    ops = [instruction.op for instruction in load("program", EXAMPLES.parent).training_step().instructions]
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


def test_the_books_other_derivatives():
    found = load("autodiff").fixtures()
    assert [found[f"hessian {name}"] for name in ("dx_dx", "dx_dy", "dy_dx", "dy_dy")] == [8, 6, 6, 0]
    assert found["forward difference"] == pytest.approx(24.0004, abs=1e-6)
    assert found["slope of sin(x²)"] == pytest.approx(6 * math.cos(9), rel=1e-12)
    assert found["loop f"] == pytest.approx(-0.2125392, abs=1e-7)
    assert found["loop df_dx"] == pytest.approx(-1.1388495, abs=2e-5), "the book computes in 32 bits"
    assert found["loop df_dy"] == pytest.approx(0.19671397, abs=5e-6)


def test_moons_are_learned_by_mini_batches_and_resumed_exactly():
    found = figures("moons")
    assert found["linear"] == pytest.approx(0.875, abs=0.01)
    assert found["polynomial"] >= 0.98
    assert found["resumed_exactly"] == 1
    assert found["sweep_best"] >= 0.99
    assert found["sweep_worst"] <= 0.95


def test_pictures_are_drawn_on_demand_only(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib").use("Agg")
    pictures, drawn = load("_pictures"), []
    for options, shown in (([], 0), (["--full"], 0), (["--picture"], 1), (["--picture", "--full"], 2)):
        monkeypatch.setattr(sys, "argv", ["moons.py", *options])
        pictures.show(drawn.append, options)
        assert len(drawn) == shown
    path = tmp_path / "picture.svg"
    monkeypatch.setattr(sys, "argv", ["moons.py", "--picture", str(path)])
    pictures.show(pictures.heat_map, np.eye(3), "abc", "def", ylabel="learning rate")
    assert "learning rate" in path.read_text()
    for draw, values in ((pictures.curves, [1.0, 2.0]), (pictures.bars, 3.0), (pictures.points, np.eye(2))):
        path.unlink()
        pictures.show(draw, {"name": values}, title="loss")
        assert "loss" in path.read_text()
    pictures.new_axes().figure.clear()


@pytest.mark.parametrize("path", sorted(EXAMPLES.parent.glob("*/[a-z]*.py")), ids=lambda path: path.name)
def test_examples_are_short_and_have_the_title_of_a_page(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 80
    assert lines[0].startswith('"""')
    assert lines[1] == "=" * (len(lines[0]) - 3)
    assert lines[2] == ""


def test_activations_have_the_means_and_flat_parts_of_theory():
    found = figures("activations")
    assert found["relu mean"] == pytest.approx(1 / math.sqrt(2 * math.pi), abs=0.01)
    assert found["relu zero slope"] == pytest.approx(0.5, abs=0.01)
    assert found["step zero slope"] == 1
    assert found["elu zero slope"] == found["logistic zero slope"] == 0
    assert abs(found["selu mean"]) < 0.02
    assert found["hard_tanh zero slope"] == pytest.approx(0.3173, abs=0.01)
    assert found["logistic ends"] in (37, 38)


def test_shapes_follow_the_formula_with_its_activations():
    found = figures("shapes_10_50_3")
    assert found["parameters"] == 10 * 50 + 50 + 50 * 3 + 3
    assert found["error"] < 1e-5
    assert found["error_without_activations"] > 1
    assert found["mistakes_are_named"] == 1


@pytest.mark.long
def test_made_spam_is_found():
    found = figures("spam")
    assert found["accuracy"] >= 0.98
    assert found["precision"] >= 0.95
    assert found["recall"] >= 0.9


@pytest.mark.long
def test_smearing_removes_the_bias_of_the_exponential():
    found = figures("housing")
    assert found["factor"] == pytest.approx(math.exp(0.6**2 / 2), rel=0.03)
    assert found["exp_bias"] < -0.1
    assert abs(found["smeared_bias"]) < 0.04
    assert found["exp_error"] < found["smeared_error"], "the exponential is nearer to the median"


def test_small_digits_are_recognized_and_resumed_exactly():
    found = figures("mnist")
    assert found["median"] >= 0.95
    assert found["resumed_exactly"] == 1


def test_equal_neurons_work_like_one():
    found = figures("symmetry")
    assert found["refused"] == 1
    assert found["equal: spread"] < 1e-3
    assert found["random"] >= 0.99
    assert found["equal, random behind"] >= 0.99
    assert abs(found["equal"] - found["one neuron"]) < 0.03
    assert found["equal"] < 0.95


@pytest.fixture
def book(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return importlib.import_module("benchmarks.book")


@pytest.mark.long
def test_every_figure_of_the_book_is_one_of_an_example(book):
    deep = {example for _, example, _, _ in book.ROWS}  # tests/test_examples_deep.py looks at these
    for row in (row for row in book.BOOK if row.example not in deep):
        found = figures(row.example) if row.function == "main" else getattr(load(row.example), row.function)()
        assert format(found[row.figure], row.form), row
    assert [row.name for row in book.chosen(["spam"], False)] == ["spam"] * 3
    assert not any(row.flags for row in book.chosen([], False))
    with pytest.raises(ValueError, match="no figure of nothing; there are: moons, "):
        book.chosen(["nothing"], True)


def test_the_table_of_the_book_has_a_line_for_each_figure(book, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["book", "shapes_10_50_3"])
    book.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 2
    assert "| 10.5 | `python examples/book/shapes_10_50_3.py` | parameters | 703, from its shapes | 703 |" in lines[2]
