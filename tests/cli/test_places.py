"""Where commands may write: the same places are refused by all of them, in the same words, and before the work."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

SHORT = ("--epochs", "2", "--members", "1", "--hidden", "4")
LEARN = ("rents.csv", "--target", "rent")
COMMANDS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "train": (("train", *LEARN), "--out", "st"),
    "tune": (("tune", *LEARN), "--out", "st"),
    "predict": (("predict", "m.st", "rents.csv"), "--out", "csv"),
    "report": (("report", "m.st", "rents.csv"), "--out", "md"),
    "report of train": (("train", *LEARN, "--out", "n.st"), "--report", "md"),
    "export": (("export", "m.st"), "--out", "c"),
}


@pytest.fixture
def place(cli: Any) -> Any:
    """Makes a place by its kind, in a folder with a model m.st; its name."""
    assert cli("train", *LEARN, *SHORT, "--out", "m.st", "--quiet")[0] == 0

    def make(kind: str, ending: str) -> str:
        name = Path(f"{kind}.{ending}")
        if kind == "folder":
            name.mkdir()
        elif kind == "pipe":
            os.mkfifo(name)
        elif kind == "lost":
            name.symlink_to(f"none/new.{ending}")
        return f"none/x.{ending}" if kind == "nowhere" else str(name)

    return make


SAID = {
    "folder": "is a folder; give a file name.",
    "pipe": "is a device or a pipe; give a file name.",
    "nowhere": "there is no folder none to write x.",
    "lost": "/none to write lost.",
}


@pytest.mark.parametrize(("arguments", "option", "ending"), COMMANDS.values(), ids=COMMANDS)
def test_places_that_no_command_writes_to(
    arguments: tuple[str, ...], option: str, ending: str, cli: Any, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for work in ("tables.task.read_table", "persistence.save_load.load_predictor"):
        monkeypatch.setattr(f"rosenblatt.{work}", lambda *_, **__: pytest.fail("it read before it looked"))
    for kind, said in SAID.items():
        name = place(kind, ending)
        before = sorted(os.listdir())
        code, _, err = cli(*arguments, option, name)
        assert (code, said in err.splitlines()[-1]) == (2, True), err
        assert sorted(os.listdir()) == before


def test_links_in_a_circle_are_no_place_of_a_traceback(cli: Any, place: Any) -> None:
    Path("circle.csv").symlink_to("circle.csv")
    code, _, err = cli("predict", "m.st", "rents.csv", "--out", "circle.csv")
    assert (code, "Traceback" in err) == (0, False)
    assert Path("circle.csv").is_file()
