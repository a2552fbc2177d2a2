"""The snippets of docs/logic.md run and print what their comments say."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "logic.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, re.S)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_snippet_runs(snippet, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if "plot" in snippet:
        pytest.importorskip("matplotlib").use("Agg")
    exec(compile(snippet, "logic.md", "exec"), {})
    printed = capsys.readouterr().out
    for line in snippet.splitlines():
        if line.startswith("print(") and "#" in line:
            said = line.split("# ")[1].removeprefix("and ")
            assert "linear program" in said or said in printed
        elif line.startswith("# "):
            assert line.removeprefix("# ") in printed


def test_figures_of_the_page():
    namespace = {}
    exec(SNIPPETS[-1], namespace)
    assert namespace["model"].mistakes_ == [7, 0, 0, 0, 0, 0, 0]
