"""The help of each command: whole sentences, choices, an example, completion in a shell."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import SMALL

from rosenblatt.cli.app import app
from rosenblatt.cli.commands import COMMANDS

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", ["80", "120"])
@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_has_sentences_and_an_example(name: str, width: str, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setenv("TERMINAL_WIDTH", width)
    code, out, err = cli(*filter(None, [name]), "--help")
    assert (code, err) == (0, "")
    assert re.search(rf"Example:\s+rosenblatt {name or 'train'} \w+", out)
    assert "…" not in out
    if name == "":
        assert "Exit codes: 0" in out
        assert all(re.search(rf"│ {command} +[A-Z].*\.", out) for command in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained_in_whole_sentences(name: str) -> None:
    signature = COMMANDS[name][0].__signature__  # type: ignore[attr-defined]
    for parameter in signature.parameters.values():
        text = parameter.annotation.__metadata__[0].help
        assert text[0].isupper(), (name, parameter.name)
        assert text.endswith("."), (name, parameter.name)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_its_texts_as_they_are_written(name: str, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    shown = re.sub(r"[\s│]", "", cli(name, "--help")[1])
    function, example = COMMANDS[name]
    options = function.__signature__.parameters.values()  # type: ignore[attr-defined]
    texts = [str(function.__doc__), example, *(option.annotation.__metadata__[0].help for option in options)]
    assert [text for text in texts if re.sub(r"\s", "", text) not in shown] == []


def test_paragraphs_of_help_are_wrapped_by_the_terminal_alone() -> None:
    texts = {command.name: command.help or "" for command in app.registered_commands}
    assert {name for name, text in texts.items() if "\n" in text.replace("\n\n", " ") or "  " in text} == set()
    assert set(texts) == set(COMMANDS)


def test_the_help_says_what_tables_larger_than_memory_need(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    shown = {name: " ".join(re.sub("│", " ", cli(name, "--help")[1]).split()) for name in ("train", "predict")}
    for text in shown.values():
        assert "a folder of files" in text
        assert "needs quotes" in text
        assert "larger than memory" in text
    for words in (
        "at least 100",
        "result depends on how many",
        "TMPDIR",
        "train 'sales/*.parquet'",
        "Refused for a table",
    ):
        assert words in shown["train"], words


def test_choices_are_shown_and_the_nearest_is_suggested(cli: Any) -> None:
    assert "fast|default|best" in cli("train", "--help")[1]
    for option, given, near in (
        ("preset", "fst", "fast"),
        ("loss", "squared", "squared_error"),
        ("task", "regress", "regression"),
    ):
        code, out, err = cli("train", "rents.csv", "--target", "rent", f"--{option}", given)
        assert (code, out) == (2, "")
        assert re.fullmatch(rf"rosenblatt: --{option}: '{given}' is none of .*\. Did you mean '{near}'\?\n", err)


@pytest.mark.parametrize(
    ("words", "completed"),
    [("tr", "train"), ("train --pre", "--preset"), ("train --preset b", "best"), ("train --metric a", "auc")],
)
def test_a_shell_completes_commands_options_and_choices(
    words: str, completed: str, cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_ROSENBLATT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"rosenblatt {words}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split())))
    code, out, _ = cli()
    assert (code, out.split()) == (0, [completed])


@pytest.mark.long
def test_the_first_line_comes_before_heavy_imports() -> None:
    script = (
        "import sys\n"
        "sys.argv = ['rosenblatt', 'evaluate', 'no.st', 'no.csv']\nfrom rosenblatt.cli import display, main\n"
        "heavy = {'sklearn', 'scipy', 'pyarrow', 'pandas'}\n"
        "def line(self, label, text):\n    print(label, sorted(heavy & set(sys.modules)))\n"
        "display.Display.line = line\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "reading []\n")


def test_the_page_names_every_option_and_key(cli: Any, found: Any) -> None:
    assert all(f"\n## {name}\n" in PAGE for name in COMMANDS)
    for name, (command, _) in COMMANDS.items():
        for parameter in command.__signature__.parameters.values():  # type: ignore[attr-defined]
            is_option = type(parameter.annotation.__metadata__[0]).__name__ == "OptionInfo"
            assert not is_option or f"--{parameter.name.replace('_', '-')}" in PAGE, (name, parameter.name)
    train = found("train", "rents.csv", "--target", "high", "--out", "m.st", *SMALL)
    others = (found(name, "m.st", "rents.csv") for name in ("evaluate", "explain"))
    for data in (train, *others, found("inspect", "m.st"), found("predict", "m.st", "rents.csv", "--out", "p.csv")):
        for key in (*data, *data.get("scores", ()), *data.get("training", ()), *data.get("importance", ())):
            assert f"`{key}`" in PAGE, key


def test_the_page_shows_what_commands_write(cli: Any) -> None:
    exec(re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)[0], {})
    examples = r"^    \$ rosenblatt (train .*|evaluate .*csv|predict .*|explain .*)\n((?:    .*\n|\n)+)"
    for shown in re.findall(examples, PAGE, re.M):
        code, out, _ = cli(*shown[0].split())
        assert code == 0
        said = [line.split()[0] for line in shown[1].splitlines() if line.strip()]
        assert sorted(said) == sorted(line.split()[0] for line in out.splitlines() if line.strip())
