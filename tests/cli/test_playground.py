"""``rosenblatt playground``: the address, the table, the browser, ports and Ctrl-C."""

from __future__ import annotations

import json
import re
import socket
import threading
import webbrowser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rosenblatt.playground_page.serving import PlaygroundServer

ADDRESS = r"http://127\.0\.0\.1:(\d+)/[\w-]{43}/"


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> list[PlaygroundServer]:
    """The servers that were started, which Ctrl-C ends at once."""
    servers: list[PlaygroundServer] = []

    def serve(server: PlaygroundServer) -> None:
        servers.append(server)
        server.listener.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(PlaygroundServer, "serve_until_stopped", serve)
    return servers


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a browser was asked to open."""
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", addresses.append)
    monkeypatch.setenv("DISPLAY", ":0")
    return addresses


def test_the_address_is_shown_and_opened_and_ctrl_c_ends_quietly(cli: Any, served: Any, opened: list[str]) -> None:
    code, out, err = cli("playground")
    assert (code, err) == (130, "")
    shown = re.search(rf"(?m)^address +({ADDRESS})$", out)  # a note stands before it where the port is in use
    assert shown is not None
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and "open" in thread.name:
            thread.join(5)
    assert opened == [shown[1]] == [served[0].access.address]
    assert not served[0].access.embeddable


def test_no_browser_is_opened_where_none_is_wanted_or_shown(cli: Any, opened: Any, monkeypatch: Any) -> None:
    cli("playground", "--no-browser")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    cli("playground")
    assert opened == []


def test_a_file_is_read_before_the_server_starts(cli: Any, served: Any) -> None:
    code, out, _ = cli("playground", "rents.csv", "--target", "high", "--no-browser")
    assert code == 130
    lines = [line.split(None, 1) for line in out.splitlines()]
    assert lines[0] == ["reading", "rents.csv"]
    assert lines[1] == ["table", "rents.csv: 90 rows, 6 columns"]
    assert lines[-2][0] == "address"


def test_the_page_begins_with_the_table_and_its_target(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tables: list[Any] = []
    from rosenblatt.playground_page import serving

    create = serving.create_app

    def note(access: Any, table: Any, encoding: str) -> Any:
        tables.append((table.describe(), encoding))
        return create(access, table, encoding)

    monkeypatch.setattr(serving, "create_app", note)
    cli("playground", "rents.csv", "--target", "rent", "--no-browser", "--encoding", "latin-1")
    ((table, encoding),) = tables
    assert encoding == "latin-1"
    assert (table["name"], table["rows"], table["suggested"]["target"]) == ("rents.csv", 90, "rent")
    assert table["suggested"]["task"] == "regression"
    assert "rent" not in table["suggested"]["columns"]


def test_of_many_rows_a_sample_is_taken_and_said(cli: Any) -> None:
    rng = np.random.default_rng(0)
    pd.DataFrame(rng.normal(size=(12_000, 3)).round(2), columns=["a", "b", "c"]).to_csv("many.csv", index=False)
    _, out, _ = cli("playground", "many.csv", "--target", "c", "--no-browser")
    assert "table     many.csv: 12,000 rows, 3 columns\n" in out
    assert re.search(r"^note +A sample of 10,000 of 12,000 rows", out, re.M)


def test_a_port_in_use_is_said_and_the_next_is_taken(cli: Any, served: Any) -> None:
    with socket.socket() as owner:
        owner.bind(("127.0.0.1", 0))
        owner.listen()
        port = owner.getsockname()[1]
        _, out, _ = cli("playground", "--port", port, "--no-browser")
    taken = served[0].access.port
    assert port < taken < port + 50
    assert f"note      port {port} is in use; {taken}, the next free one, is taken instead\n" in out


def test_json_and_quiet_give_the_address_alone(cli: Any) -> None:
    code, out, err = cli("playground", "rents.csv", "--target", "high", "--json", "--quiet", "--no-browser")
    found = json.loads(out)
    assert (code, err, found["command"]) == (130, "", "playground")
    assert re.fullmatch(ADDRESS, found["address"])
    assert found["table"] == {"source": "rents.csv", "rows": 90, "columns": 6}
    code, out, err = cli("playground", "--quiet", "--no-browser")
    assert re.fullmatch(rf"{ADDRESS}\n", out)
    assert err == ""


def test_another_address_is_warned_of(cli: Any, served: Any) -> None:
    code, out, _ = cli("playground", "--host", "0.0.0.0", "--no-browser")
    assert code == 130
    assert "not encrypted" in out
    assert served[0].access.address.startswith(f"http://{socket.gethostname()}:")
    assert "not encrypted" not in cli("playground", "--host", "localhost", "--no-browser")[1]


def test_a_missing_extra_is_named(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    code, _, err = cli("playground")
    assert (code, err) == (2, "rosenblatt: the playground needs uvicorn: pip install 'rosenblatt[playground]'\n")
