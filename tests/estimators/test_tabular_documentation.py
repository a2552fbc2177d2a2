"""docs/tabular.md: its snippet runs, and its table of columns is true."""

import re
from pathlib import Path

import numpy as np

from rosenblatt import TabularRegressor

PAGE = (Path(__file__).parents[2] / "docs" / "tabular.md").read_text(encoding="utf-8")


def test_the_snippets_run(capsys):
    first, second, third = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(first, "tabular.md", "exec"), {})
    assert re.search(r"R2 0\.[3-6]\d*, of rows by members", capsys.readouterr().out)
    exec(compile(second, "tabular.md", "exec"), {})
    assert re.fullmatch(r"(8[6-9]|9[0-4])% of further rows lie within\n", capsys.readouterr().out)
    exec(compile(third, "tabular.md", "exec"), {})
    printed = capsys.readouterr().out
    assert re.match(r"permutation, 111 rows: drop of the R2.*\nR2 0\.[2-5]", printed)
    assert {"bmi", "s5"} & set(re.findall(r"^\w+", printed.split("(111, 10)")[0], re.MULTILINE)[3:])
    low, middle, high = (float(mean) for mean in re.findall(r"^(?:20|25|30) +([\d.]+) ±", printed, re.MULTILINE))
    assert low < middle < high


def test_the_defaults_are_those_of_the_page():
    settings = TabularRegressor._presets["default"]
    assert settings.hidden == (128, 128, 128)
    assert (settings.members, settings.activation, settings.waves, settings.embedding) == (5, "mish", 8, 8)
    best = TabularRegressor._presets["best"]
    assert (best.hidden, best.members, best.epochs) == ((256, 256, 256), 8, 128)
    assert TabularRegressor._presets["fast"].members == 1


def test_levels_up_to_eight_are_flags():
    X = {"few": np.arange(90) % 8, "many": np.arange(90) % 9}
    model = TabularRegressor("fast", epochs=1, kinds=dict.fromkeys(X, "categorical")).fit(X, np.arange(90.0))
    assert len(model._preparation.flags) == 8
    assert model._preparation.levels == [10]
