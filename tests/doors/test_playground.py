"""The playground's doors, Python and the command line: what one refuses both refuse, and no server is started."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.doors.doors import CommandError, run

import rosenblatt
from rosenblatt.playground_page import serving
from rosenblatt.playground_page.serving import PlaygroundServer

HEADER = "a,b,kind\n"
ROWS = "".join(f"{i % 7},{i * i % 11},{'yes' if i % 2 else 'no'}\n" for i in range(40))


class Started(Exception):
    """A server was about to listen."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with tables, good and bad ones."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(HEADER + ROWS)
    (tmp_path / "one.csv").write_text("a\n" + "1\n2\n" * 20)
    (tmp_path / "two.csv").write_text("a,b\n" + "1,2\n2,1\n" * 20)
    (tmp_path / "texts.csv").write_text("a,b,c\n" + "".join(f"one {i},two {i},three {i}\n" for i in range(40)))
    (tmp_path / "short.csv").write_text(HEADER + ROWS[:30])
    (tmp_path / "header.csv").write_text(HEADER)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "none").mkdir()
    (tmp_path / "quote.csv").write_text(HEADER + '1,"2,yes\n' + ROWS)
    (tmp_path / "latin.csv").write_bytes((HEADER + ROWS + "1,2,ä\n").encode("latin-1"))
    (tmp_path / "page.html").write_text("<!DOCTYPE html><p>404")
    (tmp_path / "constant.csv").write_text("a,b,kind\n" + "1,2,yes\n1,2,no\n" * 20)
    return tmp_path


@pytest.fixture
def refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may listen."""

    def listen(*_: object) -> None:
        raise Started

    monkeypatch.setattr(serving, "listen", listen)


def by_command(file: str, target: str | None = None) -> str:
    return run("playground", file, *([] if target is None else ["--target", target]), "--no-browser")


DOORS: dict[str, Callable[..., Any]] = {
    "rosenblatt.playground": rosenblatt.playground,
    "rosenblatt playground": by_command,
}

REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "a file that is not there": (("tt.csv",), r"there is no file tt\.csv\. Did you mean t\.csv\?"),
    "a folder without tables": (("none",), r"is a folder; give a CSV or Parquet file"),
    "an address": (("http://example.org/t.csv",), "is an address, not a file"),
    "a wrong target": (("t.csv", "knd"), r"there is no target column 'knd'\. Did you mean 'kind'\?"),
    "an empty file": (("empty.csv",), r"empty\.csv: the file is empty"),
    "a header alone": (("header.csv",), "0 rows|no row|has no"),
    "few rows": (("short.csv",), "the table has [1-9] rows; the page needs at least 10"),
    "one column": (("one.csv",), "the table has 1 column; the page needs three"),
    "two columns": (("two.csv",), "the table has 2 columns; the page needs three"),
    "texts only": (("texts.csv",), "the plane needs two columns of numbers, .* the table has none among 'a', 'b', 'c'"),
    "a target that is an axis": (("t.csv", "a"), "only 'b' beside the target 'a'"),
    "constant columns": (
        ("constant.csv", "kind"),
        "the plane needs two columns of numbers, dates or booleans that vary",
    ),
    "an open quote": (("quote.csv", "kind"), r"quote\.csv: .* in line 2"),
    "another encoding": (("latin.csv", "kind"), "line 42 holds the byte 0xe4"),
    "no table": (("page.html",), r"page\.html: it is an HTML page"),
    "a target of many texts": (("texts.csv", "a"), "40|two columns of numbers"),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("given", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_for_the_page_starts_no_server(door: str, given: Any, words: str, refuses: None) -> None:
    with pytest.raises((ValueError, OSError)) as caught:
        DOORS[door](*given)
    assert re.search(words, str(caught.value)), caught.value
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("target", [None, "kind"])
def test_what_is_a_table_starts_a_server(door: str, target: str | None, refuses: None) -> None:
    with pytest.raises(Started):
        DOORS[door]("t.csv", target)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--port", "0"), "--port is 0; it must be an integer from 1 to 65535"),
        (("--port", "65536"), "--port is 65536; it must be an integer from 1 to 65535"),
        (("--port", "http"), "--port is 'http'; it must be an integer"),
        (("--host", "no.such.host.invalid"), "host is 'no.such.host.invalid', which is no address of this machine"),
        (("--host", "203.0.113.7"), r"the playground cannot listen at 203\.0\.113\.7:8958"),
        (("--host", ""), "host is '', which is no address of this machine"),
        (("--host", "a" * 300), "which is no address of this machine"),
        (("--target", "kind"), "--target names a column of a table; give its FILE, too"),
        (("--encoding", "utf-9"), "--encoding 'utf-9' is unknown"),
        (("--quite",), "No such option: --quite"),
    ],
)
def test_options_of_the_command_are_refused_in_a_line(options: Any, words: str) -> None:
    with pytest.raises(CommandError, match=words) as caught:
        run("playground", "--no-browser", *options)
    assert (caught.value.code, str(caught.value).count("\n")) == (2, 0)


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        ((), {"port": 0}, r"port is 0; it must be an integer in \[1, 65535\]"),
        ((), {"port": 8958.5}, r"port is 8958\.5"),
        ((), {"port": True}, "port is True"),
        ((), {"height": 0}, "height is 0"),
        ((), {"height": "900"}, "height is '900'"),
        ((None, "kind"), {}, "y is given without X"),
        ((np.zeros((40, 2)), "kind"), {}, "y is the name 'kind', but an array's columns have no names"),
        ((np.zeros(40), np.zeros(40)), {}, r"X is an array of shape \(40,\); it must have two dimensions"),
        ((np.zeros((40, 2)), np.zeros(39)), {}, "X has 40 rows, but y has 39"),
        ((np.zeros((40, 2)), np.zeros((40, 2))), {}, r"column 'y' has shape \(40, 2\)"),
        ((7, None), {}, "a table can be a path, .* not int"),
        (({"a": [1, 2], "b": [1]}, "a"), {}, "the columns have different lengths"),
        ((np.arange(80).reshape(40, 2) % 7, [float("nan")] * 40), {}, "y"),
    ],
)
def test_arguments_of_the_function_are_refused(given: Any, options: Any, words: str, refuses: None) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        rosenblatt.playground(*given, **options)


def test_the_port_of_another_process_is_said_at_both_doors(monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(server: PlaygroundServer) -> None:
        server.listener.close()

    monkeypatch.setattr(PlaygroundServer, "serve_until_stopped", serve)
    with socket.socket() as owner:
        owner.bind(("127.0.0.1", 0))
        owner.listen()
        port = owner.getsockname()[1]
        words = f"port {port} is in use; \\d+, the next free one, is taken instead"
        assert re.search(words, run("playground", "--no-browser", "--port", str(port)))
        with pytest.warns(UserWarning, match=words), pytest.raises(OSError, match="did not start"):
            rosenblatt.playground(port=port)


@pytest.mark.long
@pytest.mark.parametrize("door", DOORS)
def test_of_a_million_rows_a_sample_is_taken_and_said(door: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    cells = np.c_[rng.normal(size=(1_000_000, 2)).round(2), rng.integers(0, 2, 1_000_000)]
    np.savetxt(folder / "many.csv", cells, fmt="%g", delimiter=",", header="a,b,kind", comments="")
    notes: list[str] = []

    def make(*_: object, table: Any, **options: Any) -> Any:
        notes.append(table.note)
        raise Started

    monkeypatch.setattr(serving, "make_server", make)
    with pytest.raises(Started):
        DOORS[door]("many.csv", "kind")
    assert notes[0].startswith("A sample of 10,000 of 1,000,000 rows.")
