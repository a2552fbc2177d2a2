"""docs/diagnosis.md: its snippets run, one after the other."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "diagnosis.md").read_text(encoding="utf-8")


def test_the_snippets_run(capsys):
    names: dict[str, object] = {}
    snippets = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    assert len(snippets) == 3
    for snippet in snippets:
        exec(compile(snippet, "diagnosis.md", "exec"), names)
    assert "State: learning rate too low" in capsys.readouterr().out
