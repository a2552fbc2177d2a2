"""What fits a terminal: names and kinds are never cut, details are."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from rosenblatt.cli.display import Display
from rosenblatt.cli.layout import aligned, counted, cut, wrapped
from rosenblatt.estimators.tabular.member import MemberEpoch
from rosenblatt.estimators.tabular.progress import PlainProgress

NAME = "the district of the town in which the house stands"


def columns() -> list[dict[str, object]]:
    used = {"used": True, "check": ""}
    return [
        {"name": NAME, "kind": "categorical", "missing": 12, "detail": "40 levels: a, b, c, " + "d" * 60, **used},
        {"name": "大きさ", "kind": "numeric", "missing": 0, "detail": "1 to 8", **used},
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_names_and_kinds_are_whole_and_details_fit(width: int) -> None:
    stream = io.StringIO()
    Display(Console(file=stream, width=width, force_terminal=True, color_system=None)).columns(columns(), 99)
    lines = stream.getvalue().splitlines()
    row = next(line for line in lines if NAME in line)
    assert re.match(rf"{NAME} +categorical +12 +40", row)
    assert row.endswith("…")
    assert len(row) <= width


@pytest.mark.parametrize("terminal", [True, False])
def test_a_table_sends_no_command_to_the_terminal(terminal: bool) -> None:
    stream = io.StringIO()
    display = Display(Console(file=stream, force_terminal=terminal, color_system=None, width=200))
    evil = "a\x1b[31mb\nc\x9bd\u202ee"
    display.columns([{"name": evil, "kind": evil, "missing": 0, "detail": evil, "used": True, "check": evil}], 80)
    display.target({"name": evil, "classes": [evil]})
    display.text(f"{evil.replace(chr(10), '')}\nnext")
    shown = stream.getvalue()
    assert shown.count(r"a\x1b[31mb\nc\x9bd\u202ee") == 6
    assert {sign for sign in shown if not sign.isprintable()} == {"\n"}
    assert shown.endswith("e\nnext\n")


def test_one_has_no_plural() -> None:
    assert [counted(n, "row") for n in (0, 1, 1200)] == ["0 rows", "1 row", "1,200 rows"]


def test_wide_characters_count_twice() -> None:
    assert aligned([("大", "1"), ("ab", "22")], 80, right=(1,)) == ["大    1", "ab   22"]
    assert cut("大きさ", 4) == "大…"


def test_long_sentences_are_wrapped_between_words_in_a_terminal_only() -> None:
    assert wrapped("one two three four five", 13) == ["one two three", "four five"]
    sentence = "word " * 40
    texts = {}
    for terminal in (True, False):
        stream = io.StringIO()
        console = Console(file=stream, width=80, force_terminal=terminal, color_system=None, soft_wrap=True)
        Display(console).line("note", sentence.strip())
        texts[terminal] = stream.getvalue().splitlines()
    assert [len(line) <= 80 for line in texts[True]] == [True] * 3
    assert texts[True][1].startswith(" " * 10 + "word")
    assert len(texts[False]) == 1


@pytest.mark.parametrize("width", [80, 120])
def test_the_live_line_is_whole(width: int) -> None:
    stream = io.StringIO()
    display = Display(Console(file=stream, force_terminal=True, width=width, _environ={"TERM": "xterm"}))
    with display.progress() as on_epoch:
        for number in (1, 63, 64):
            on_epoch(MemberEpoch(3, 5, number, 64, 0.5, 0.6, 1))
    assert "epoch  64 of 64" in stream.getvalue()
    assert "held-out 0.6000" in stream.getvalue()
    assert "…" not in stream.getvalue()


def test_a_pipe_hears_of_slow_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    now, written = [0.0], list[str]()
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    progress = PlainProgress(written.append)
    for second in range(25):
        now[0] = float(second)
        progress.show(MemberEpoch(1, 5, second + 1, 64, 0.5, 0.6, 1))
    assert [line.split(",")[1].split()[1] for line in written] == ["11", "21"]
