"""Copy as Python: scripts that repeat the page's losses to the last bit, in one other process."""

import ast
import json
import subprocess
import sys

import numpy as np
import pytest

from rosenblatt.playground_page.lessons import lessons
from rosenblatt.playground_page.own_tables import PlaygroundTable
from rosenblatt.tables import read_table

DEEP = [{"units": 6, "dropout": 0.2}, {"units": 4, "activation": "relu", "initializer": "he_normal"}]
RUNS = {
    "default": {},
    "dropout, momentum": {"layers": DEEP, "momentum": 0.9},
    "adam, cosine": {"optimizer": "adam", "schedule": "cosine", "schedule_steps": 700, "learning_rate": 0.01},
    "warm-up, rmsprop": {"optimizer": "rmsprop", "momentum": 0.5, "schedule": "warmup", "learning_rate": 0.003},
    "penalties": {"l1": 0.001, "l2": 0.01, "output": {"initializer": "small"}},
    "classes": {"data": {"source": "spirals", "classes": 4, "noise": 12, "rows": 300}, "loss": "focal"},
    "regression": {
        "data": {"source": "multi_gauss", "seed": 5},
        "loss": "huber",
        "features": ["x2", "x1_x2", "sin_x1"],
    },
    "perceptron": {"data": {"source": "gauss", "noise": 40}, "layers": [], "optimizer": "perceptron", "batch_size": 1},
    "step": {
        "layers": [{"activation": "step"}, *[{"initializer": name} for name in ("equal", "zeros", "he_normal")] * 3]
    },
    "edits": {"layers": DEEP, "optimizer": "adam", "schedule": "exponential", "l2": 0.01},
    "one large batch": {"data": {"rows": 2000}, "batch_size": 5000, "learning_rate": 0.5},
    "divergence": {"data": {"source": "plane"}, "layers": [], "learning_rate": 100},
    "table": {
        "data": {"source": "table", "columns": ["a", "b"], "target": 'it\'s "c"', "others": "inputs", "rows": 90}
    },
    "table of numbers": {
        "data": {"source": "table", "columns": ["a", "day"], "target": "b"},
        "features": ["x1", "x2_squared"],
    },
}


@pytest.fixture(scope="module")
def table_file(tmp_path_factory):
    """A CSV file with missing cells, a date and a name that has to be quoted."""
    rng, path = np.random.default_rng(0), tmp_path_factory.mktemp("tables") / "own.csv"
    a, b = rng.normal(size=(2, 120)).round(3)
    lines = ['a,b,day,size,"it\'s ""c"""']
    for i in range(120):
        kind = "" if i == 7 else ["x", "y", "z"][int(a[i] > 0) + int(b[i] > 0)]
        lines.append(f"{'' if i == 3 else a[i]},{b[i]},2024-01-{i % 28 + 1:02},{['big', 'small', ''][i % 3]},{kind}")
    path.write_text("\n".join(lines) + "\n")
    return path


def trained(run, name):
    """Some steps, in odd pieces; with changes on the way for "edits"."""
    run.advance(37, 0)
    if name == "edits":
        run.change({"learning_rate": 0.01})
        run.edit(1, 0, 3, 0.7)
        run.edit(2, None, 1, -1.5)
        run.advance(13, 0)
        run.change({"batch_size": 7, "l1": 0.003})
        run.advance(50, 0)
        run.change({"l2": 0})
        run.edit(3, 2, 0, 1e-3)
    run.advance(164, 0)
    return run


@pytest.fixture(scope="module")
def outcomes(table_file):
    """The losses of the page, and those that the scripts print, by name of the run."""
    from rosenblatt.playground_page.runs import Run
    from rosenblatt.playground_page.settings import Settings

    table = PlaygroundTable.of(read_table(table_file), "own.csv")
    runs = {name: trained(Run(Settings.from_json(given, table), table), name) for name, given in RUNS.items()}
    scripts = {name: run.script() for name, run in runs.items()}
    code = (
        "import contextlib, io, json, sys\n"
        "found = {}\n"
        "for name, text in json.load(sys.stdin).items():\n"
        "    with contextlib.redirect_stdout(io.StringIO()) as out:\n"
        "        exec(compile(text, name, 'exec'), {'__name__': '__main__'})\n"
        "    found[name] = out.getvalue()\n"
        "print(json.dumps(found))\n"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(table_file)]
    done = subprocess.run(command, input=json.dumps(scripts), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    return {name: (run.losses, scripts[name], printed[name]) for name, run in runs.items()}


@pytest.mark.parametrize("name", RUNS)
def test_a_script_ends_with_the_losses_of_the_page(outcomes, name):
    losses, _, printed = outcomes[name]
    assert printed == f"training loss: {losses[0]}\ntest loss: {losses[1]}\n"
    assert np.isfinite(losses).all() == (name != "divergence")


def test_a_script_is_plain(outcomes):
    for _, script, _ in outcomes.values():
        tree = ast.parse(script)
        assert ast.get_docstring(tree)
        assert all(len(line) <= 120 for line in script.splitlines())
        assert "\n\n\n\n" not in script
    default = outcomes["default"][1]
    assert "train(201, 0.03)" in default
    assert "make_trainer" not in default
    assert 'activation="tanh"' in default


def test_scripts_of_all_lessons_end_with_the_losses_of_the_page(run_of, capsys):
    for lesson in lessons():
        for given in lesson["runs"]:
            run = run_of(given)
            run.advance(lesson["steps"], 0)
            exec(compile(run.script(), lesson["id"], "exec"), {})
            losses = run.losses
            assert capsys.readouterr().out == f"training loss: {losses[0]}\ntest loss: {losses[1]}\n", lesson["id"]


def test_names_cannot_become_code(run_of):
    evil = "a\"; import os; os.abort() #\n'\\"
    rng = np.random.default_rng(0)
    columns = {evil: rng.normal(size=30), "b": rng.normal(size=30), evil + "2": ["u", "v", "w"] * 10}
    table = PlaygroundTable.of(read_table(columns), f'{evil}"""')
    data = {"source": "table", "columns": [evil, "b"], "target": evil + "2", "others": "inputs"}
    script = run_of({"data": data}, table).script()
    imported = [node for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Import)]
    assert {alias.name for node in imported for alias in node.names} == {"sys", "numpy"}
    constants = {node.value for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Constant)}
    assert {evil, evil + "2", f'{evil}"""'} <= constants
