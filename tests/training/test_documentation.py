"""docs/training.md: its snippets run, one after the other."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_snippets_run(capsys):
    names: dict[str, object] = {}
    snippets = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    assert len(snippets) == 6
    for snippet in snippets:
        exec(compile(snippet, "training.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "vanishing 100%" in printed
    assert re.search(r"falls fastest near \d", printed)
