"""The example reads model files with safetensors, JSON and NumPy alone."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import rosenblatt

PATH = Path(__file__).parents[2] / "examples" / "read_model_file.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("read_model_file", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_predicts_what_the_library_predicts(example, capsys):
    assert example.main() < 1e-12
    assert "size: categorical, 2 levels: small, large" in capsys.readouterr().out


def test_it_knows_every_form_of_a_value(example, tmp_path):
    words = [f"wörd {i}" for i in range(40)]
    table = {"word": words * 3, "number": np.arange(120.0) ** 2 % 7}
    target = np.random.default_rng(0).normal(size=120)
    model = rosenblatt.TabularRegressor("fast", max_iter=2, kinds={"word": "categorical"}).fit(table, target)
    rosenblatt.save(model, tmp_path / "m")
    kind, state, tensors = example.read(tmp_path / "m")
    assert kind == "tabular estimator"
    assert state["fitted"]["feature_names_in_"] == ["word", "number"]
    assert sorted(state["preparation"]["encoders"][0]["levels"]) == sorted(words)
    assert tensors["residuals"].shape == (1001, 1)


def test_it_notices_that_a_file_was_changed(example, tmp_path):
    rosenblatt.save(rosenblatt.Perceptron().fit([[0.0], [1.0]], [0, 1]), tmp_path / "m")
    data = bytearray((tmp_path / "m").read_bytes())
    data[-1] ^= 1
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(ValueError, match="was changed"):
        example.read(tmp_path / "m")
