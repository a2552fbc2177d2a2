"""docs/search.md: its examples run, one after the other."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "search.md").read_text(encoding="utf-8")


def test_the_examples_run(capsys):
    pytest.importorskip("pandas")
    first, second, third = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(compile(first, "search.md", "exec"), names)
    found = re.fullmatch(r"0\.(9\d\d) with \{.*'hidden_layer_sizes': \(.*\}\n", capsys.readouterr().out)
    assert found is not None
    assert int(found[1]) > 950
    exec(compile(second, "search.md", "exec"), names)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert re.match(r"0 +1 +0\.9\d+ +9", lines[1])
    exec(compile(third, "search.md", "exec"), names)
    said = capsys.readouterr().out
    assert float(re.search(r"accuracy (0\.\d+)", said)[1]) > 0.93
    assert re.search(r"\d+ networks with hidden layers [\d-]+ (selu|mish|silu)", said)
