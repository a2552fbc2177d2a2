"""`rosenblatt.playground`: a server in a thread, its frame, and the data that it begins with."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import socket
import subprocess
import sys
import threading
import types
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import pandas as pd
import pytest
from websockets.sync.client import connect

import rosenblatt
from rosenblatt.playground_page import notebook, serving
from rosenblatt.tables.table import TableError

FRAME = pd.DataFrame({"a": np.arange(40) % 7, "b": np.arange(40) ** 2 % 11, "kind": ["yes", "no"] * 20})


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`rosenblatt.playground`, whose servers end with the test."""
    started: list[Any] = []
    monkeypatch.setattr(notebook, "BEGUN", {})

    def begin(*arguments: Any, **options: Any) -> Any:
        started.append(rosenblatt.playground(*arguments, **options))
        return started[-1]

    yield begin
    for page in started:
        page.stop()


def welcome(page: Any) -> Any:
    """What a page of this server is told first."""
    origin = page.url.rsplit("/", 2)[0]
    with connect(page.url.replace("http:", "ws:") + "socket", origin=origin, max_size=None) as found:
        return json.loads(found.recv())


def test_a_script_prints_the_address_and_stops_the_server(begun: Any, capsys: Any) -> None:
    before = set(threading.enumerate())
    page = begun()
    assert capsys.readouterr().out == f"The playground is at {page.url}\n"
    assert repr(page) == f"Playground({page.url})"
    assert page.is_running
    assert all(thread.daemon for thread in set(threading.enumerate()) - before if "playground" in thread.name)
    assert welcome(page)["table"] is None
    page.stop()
    page.stop()
    assert repr(page) == "Playground(stopped)"
    assert not page.is_running
    with pytest.raises(OSError, match=r"refused"):
        urlopen(page.url, timeout=5)


def test_a_notebook_shows_a_frame_that_it_may_embed(begun: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    page = begun(height=700)
    assert capsys.readouterr().out == ""
    found: list[Any] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attributes: Any) -> None:
            found.append((tag, dict(attributes)))

    Reader().feed(page._repr_html_())
    ((tag, attributes),) = found
    assert (tag, attributes["src"]) == ("iframe", page.url)
    assert "height: 700px" in attributes["style"]
    with pytest.raises(OSError, match="404") as answered:  # the page may not be built; its headers count
        urlopen(page.url + "nothing", timeout=5)
    policy = answered.value.headers["content-security-policy"]  # type: ignore[attr-defined]
    answered.value.close()  # type: ignore[attr-defined]
    assert re.search(r"frame-ancestors 'self' http://localhost:\*", policy)
    page.stop()
    assert "iframe" not in page._repr_html_()


def test_the_loop_of_a_notebook_is_not_disturbed(begun: Any) -> None:
    async def cell() -> int:
        loop = asyncio.get_running_loop()
        page = begun()
        assert asyncio.get_running_loop() is loop
        assert welcome(page)["type"] == "welcome"
        return await asyncio.sleep(0, 7)

    assert asyncio.run(cell()) == 7


def test_a_second_call_without_data_shows_the_same_page(begun: Any) -> None:
    page = begun()
    assert begun(height=500) is page
    assert page.height == 500
    other = begun(FRAME, "kind")
    assert other.url != page.url
    assert begun() is page
    page.stop()
    assert begun() is not page


def test_a_server_is_kept_though_nobody_keeps_its_object(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url = begun(FRAME).url
    gc.collect()
    with pytest.raises(OSError, match="404") as answered:
        urlopen(url + "nothing", timeout=5)
    answered.value.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("X", "y", "names", "target"),
    [
        (FRAME, "kind", ["a", "b", "kind"], "kind"),
        (FRAME, "a", ["a", "b", "kind", "c"], "a"),
        (FRAME[["a", "b"]], FRAME["kind"], ["a", "b", "kind"], "kind"),
        (FRAME[["a", "b"]].to_numpy(), FRAME["kind"].to_numpy(), ["x1", "x2", "y"], "y"),
        (FRAME[["a", "b"]].to_numpy().tolist(), FRAME["kind"].tolist(), ["x1", "x2", "y"], "y"),
        (FRAME.rename(columns={"kind": "y"}), FRAME["b"].to_numpy(), ["a", "b", "y", "y (target)"], "y (target)"),
        (FRAME, None, ["a", "b", "kind"], "kind"),
    ],
)
def test_data_are_taken_as_by_the_estimators(X: Any, y: Any, names: Any, target: str) -> None:
    from rosenblatt.playground_page.own_data import given_table

    X = X.assign(c=FRAME["b"] * 2) if "c" in names else X
    table = given_table(X, y)
    assert table is not None
    found = table.describe()
    assert ([column["name"] for column in found["columns"]], found["suggested"]["target"]) == (names, target)


def test_a_path_gives_the_table_its_name(begun: Any, tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "points.csv", index=False)
    table = welcome(begun(tmp_path / "points.csv", "kind"))["table"]
    assert (table["name"], table["rows"], table["suggested"]["target"]) == ("points.csv", 40, "kind")


def test_a_port_in_use_is_left_to_its_owner(begun: Any) -> None:
    with socket.socket() as owner:
        owner.bind(("127.0.0.1", 0))
        owner.listen()
        port = owner.getsockname()[1]
        with pytest.warns(UserWarning, match=rf"port {port} is in use; \d+, the next free one, is taken"):
            page = begun(port=port)
    assert f":{port}/" not in page.url


def test_ports_end_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "N_TRIED", 1)
    with socket.socket() as owner:
        owner.bind(("127.0.0.1", 0))
        owner.listen()
        port = owner.getsockname()[1]
        with pytest.raises(OSError, match=f"the ports {port} to {port} of 127.0.0.1 are all in use"):
            serving.listen("127.0.0.1", port)


def test_waiting_ends_with_the_server(begun: Any) -> None:
    page = begun()
    threading.Timer(0.05, page.stop).start()
    page.wait()
    assert not page.is_running


@pytest.mark.long
def test_a_script_that_waits_ends_at_ctrl_c() -> None:
    script = (
        "import signal, threading, rosenblatt\n"
        "page = rosenblatt.playground()\n"
        "threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()\n"
        "page.wait()\nprint(page)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Playground(stopped)\n")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "starlette", None)
    with pytest.raises(ImportError, match=r"pip install 'rosenblatt\[playground\]'"):
        rosenblatt.playground()


def test_a_wrong_table_starts_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "listen", None)
    with pytest.raises(TableError, match=r"there is no target column 'knd'\. Did you mean 'kind'"):
        rosenblatt.playground(FRAME, "knd")
