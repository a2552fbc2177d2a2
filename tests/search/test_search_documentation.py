"""docs/search.md: its example runs."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "search.md").read_text(encoding="utf-8")


def test_the_example_runs(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(example, "search.md", "exec"), {})
    found = re.fullmatch(r"0\.(9\d\d) with \{.*'hidden_layer_sizes': \(.*\}\n", capsys.readouterr().out)
    assert found is not None
    assert int(found[1]) > 950
