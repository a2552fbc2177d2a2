"""Connections of strangers: they end by themselves, keep nobody out, and write nothing to the terminal."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from rosenblatt.playground_page import connections
from rosenblatt.playground_page.serving import PlaygroundServer, make_server

UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlaygroundServer]:
    """A server that is patient for half a second, with few connections."""
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.5)
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 8)
    found = make_server()
    thread = threading.Thread(target=found.serve_until_stopped)
    thread.start()
    yield found
    found.stop()
    thread.join()


def said(client: socket.socket) -> bytes:
    """All that the server sends until it ends the connection."""
    client.settimeout(10)
    try:
        return b"".join(iter(lambda: client.recv(4096), b""))
    except ConnectionResetError:
        return b""


def status(server: PlaygroundServer) -> int:
    """What the owner's browser is answered."""
    browser = http.client.HTTPConnection("127.0.0.1", server.access.port, timeout=10)
    browser.request("GET", f"/{server.access.token}/")
    found = browser.getresponse().status
    browser.close()
    return found


@pytest.mark.parametrize(
    "start", ["", "GET / HTTP/1.1\r\nHo", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"]
)
def test_connections_without_a_request_end(start: str, server: PlaygroundServer) -> None:
    with socket.create_connection(("127.0.0.1", server.access.port)) as client:
        client.sendall(start.encode())
        started = time.monotonic()
        said(client)
        assert time.monotonic() - started < 2


def test_many_connections_keep_nobody_out(server: PlaygroundServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 60)
    address = ("127.0.0.1", server.access.port)
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(address)) for _ in range(40)]
        assert said(clients[0]) == b"", "the oldest is ended"
        assert status(server) == 200
        for client in [stack.enter_context(socket.create_connection(address)) for _ in range(40)]:
            client.sendall(f"GET /socket HTTP/1.1\r\nHost: x\r\n{UPGRADE}\r\n".encode())
        assert status(server) == 200
        assert len(server.server_state.connections) <= 9


@pytest.mark.parametrize("body", ["zzz\r\n", "1\r\nab\r\n", "-1\r\n"])
@pytest.mark.parametrize("path", ["", "table?name=a.csv", "socket"])
def test_broken_requests_are_cut_off_in_silence(
    body: str, path: str, server: PlaygroundServer, capfd: Any, caplog: Any
) -> None:
    origin = f"127.0.0.1:{server.access.port}"
    lines = [f"POST /{server.access.token}/{path} HTTP/1.1", f"Host: {origin}", f"Origin: http://{origin}"]
    with socket.create_connection(("127.0.0.1", server.access.port)) as client:
        client.sendall("\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""]).encode())
        time.sleep(0.05)  # in which the answer has begun
        client.sendall(body.encode())
        said(client)
    assert status(server) == 200
    assert capfd.readouterr().err == ""
    assert not caplog.records
