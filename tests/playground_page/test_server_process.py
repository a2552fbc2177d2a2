"""The real server, in a process of its own: sessions, clients that are killed, Ctrl-C, ports, no work when idle."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.playground_page.server_tools import CONFIGURE, header
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from rosenblatt.playground_page.messages import MAX_MESSAGE

SECONDS = 30


class Server:
    """``rosenblatt playground`` as a process."""

    def __init__(self, *arguments: str, folder: Path | None = None, env: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-u", "-m", "rosenblatt", "playground", "--no-browser", *arguments]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**os.environ, **(env or {})},
        )
        assert self.process.stdout is not None
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if line.startswith("address"):
                break
        found = re.search(r"^address +(http://\S+)$", self.said, re.M)
        if found is None:
            raise AssertionError(self.said + self.process.communicate()[1])
        self.url = found[1]
        self.origin = self.url.rsplit("/", 2)[0]

    @property
    def port(self) -> int:
        return int(self.origin.rpartition(":")[2])

    @contextmanager
    def page(self) -> Iterator[ClientConnection]:
        """A page, which was welcomed."""
        address = self.url.replace("http:", "ws:") + "socket"
        with connect(address, origin=self.origin, max_size=None) as found:  # type: ignore[arg-type]
            assert json.loads(found.recv())["type"] == "welcome"
            yield found

    def status(self, name: str) -> int:
        """A number of the process that the system keeps."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1])  # type: ignore[index]

    def seconds(self) -> float:
        """Seconds of a processor that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C: the exit code, and what it wrote as an error."""
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, err

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def servers() -> Iterator[Any]:
    """Starts servers, which are gone afterwards."""
    started: list[Server] = []

    def start(*arguments: str, **options: Any) -> Server:
        started.append(Server(*arguments, **options))
        return started[-1]

    yield start
    for server in started:
        server.kill()


def test_a_session_and_ctrl_c_while_it_trains(servers: Any) -> None:
    server = servers()
    with server.page() as page:
        page.send(json.dumps(CONFIGURE))
        assert json.loads(page.recv())["network"]["layers"] == [2, 3, 1]
        assert header(page.recv())["step"] == 0
        for done in (40, 80):
            page.send('{"type": "advance", "run": 0, "steps": 40}')
            assert header(page.recv())["step"] == done
        page.send('{"type": "advance", "run": 0, "steps": 100000}')
        started = time.monotonic()
        assert server.interrupt() == (130, "")
        assert time.monotonic() - started < 5


WIDE_CSV = (",".join(f"c{i}" for i in range(10_000)) + "\n" + ("1," * 9_999 + "1\n") * 1000).encode()
LONG_JSON = b'{"a": [' + b"1.5," * 6_000_000 + b"1]}"
"""Of the one, column after column is read; the other is parsed in one step of about a second."""


@pytest.mark.long
@pytest.mark.parametrize("table", [WIDE_CSV, LONG_JSON], ids=["CSV", "JSON"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_the_server_ends_while_it_reads_a_table(
    sent: signal.Signals, table: bytes, servers: Any, tmp_path: Path
) -> None:
    server = servers(env={"TMPDIR": str(tmp_path)})
    path = server.url.removeprefix(server.origin)
    fields = [f"Host: 127.0.0.1:{server.port}", f"Origin: {server.origin}", f"Content-Length: {len(table)}", "", ""]
    with server.page(), socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall("\r\n".join([f"POST {path}table?name=a.csv HTTP/1.1", *fields]).encode() + table)
        time.sleep(0.5)
        assert list(tmp_path.iterdir()) != []
        started = time.monotonic()
        server.process.send_signal(sent)
        assert server.process.communicate(timeout=SECONDS)[1] == ""
        assert time.monotonic() - started < 5
        assert server.process.returncode in (130, -sent)  # for a shell, the one is the other
    assert list(tmp_path.iterdir()) == []


CLIENT = """
import json, sys, time
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
with connect(sys.argv[1], origin=sys.argv[2], max_size=None) as page:
    page.recv()
    page.send(sys.argv[3])
    page.recv(), page.recv()
    print("HERE", flush=True)
    while True:
        page.send('{"type": "advance", "run": 0, "steps": 100000}')
        page.recv()
"""


@pytest.mark.long
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_killed_client_leaves_nothing_behind(servers: Any) -> None:
    server = servers()
    wide = {
        **CONFIGURE,
        "settings": {"layers": [{"units": 512}, {"units": 512}], "data": {"source": "xor", "rows": 9000}},
    }

    def killed() -> None:
        arguments = [server.url.replace("http:", "ws:") + "socket", server.origin, json.dumps(wide)]
        client = subprocess.Popen([sys.executable, "-c", CLIENT, *arguments], stdout=subprocess.PIPE, text=True)
        assert client.stdout is not None
        assert client.stdout.readline() == "HERE\n"
        client.kill()
        client.communicate()

    def settled() -> tuple[int, int]:
        used = server.seconds()
        for _ in range(100):
            time.sleep(0.1)
            if (now := server.seconds()) == used:
                break
            used = now
        return server.status("VmRSS"), server.status("Threads")

    killed()
    memory, threads = settled()
    for _ in range(3):
        killed()
    later, also = settled()
    assert also <= threads + (os.cpu_count() or 1)  # the server's own threads are started when they are needed
    assert later < memory + 40_000, (memory, later)  # kB; a page of this kind takes more
    before = server.seconds()
    time.sleep(0.5)
    assert server.seconds() - before <= 0.02, "an idle server computes"


@pytest.mark.long
def test_a_port_in_use_is_left_to_its_owner(servers: Any) -> None:
    with socket.socket() as owner:
        owner.bind(("127.0.0.1", 0))
        owner.listen()
        port = owner.getsockname()[1]
        server = servers("--port", str(port))
        assert server.port > port
        assert f"port {port} is in use; {server.port}, the next free one, is taken instead" in server.said


@pytest.mark.long
def test_pages_are_answered_beside_a_page_that_trains(servers: Any) -> None:
    server = servers()
    with server.page() as busy, server.page() as page:
        for one in (busy, page):
            one.send(json.dumps(CONFIGURE))
            one.recv(), one.recv()
        slowest = 0.0
        for _ in range(20):
            busy.send('{"type": "advance", "run": 0, "steps": 100000}')
            started = time.monotonic()
            page.send('{"type": "advance", "run": 0, "steps": 1}')
            page.recv()
            slowest = max(slowest, time.monotonic() - started)
            busy.recv()
        assert slowest < 0.5


def masked(text: str) -> bytes:
    """A text as a frame of a client."""
    data = text.encode()
    length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
    return b"\x81" + length + bytes(4) + data


def send_for_ever(client: socket.socket, message: bytes) -> None:
    """Send without reading; TimeoutError when nothing can be sent any more."""
    while True:
        client.sendall(message)


def ask(page: ClientConnection, text: str) -> Any:
    """Send a text; what comes back."""
    page.send(text)
    return page.recv()


@pytest.mark.long
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_client_that_does_not_read_waits_itself_and_is_cut_by_ctrl_c(servers: Any) -> None:
    server = servers()
    lines = [
        f"GET {server.url.removeprefix(server.origin)}socket HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        f"Origin: {server.origin}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}",
        "Sec-WebSocket-Version: 13",
    ]
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        assert client.recv(12) == b"HTTP/1.1 101"
        client.sendall(masked(json.dumps(CONFIGURE)))
        time.sleep(0.5)
        before = server.status("VmRSS")
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            send_for_ever(client, masked('{"type": "advance", "run": 0, "steps": 1}'))
        assert server.status("VmRSS") < before + 60_000
        with server.page() as page:
            page.send(json.dumps(CONFIGURE))
            page.recv()
            page.recv()
        assert server.interrupt() == (130, "")


@pytest.mark.long
def test_a_message_that_is_too_long_is_not_read(servers: Any) -> None:
    server = servers()
    with server.page() as page, pytest.raises(ConnectionClosed):
        ask(page, "x" * (MAX_MESSAGE + 1))
    with server.page() as page:
        assert json.loads(ask(page, '{"type": "forget_table"}'))["type"] == "table"


@pytest.mark.long
@pytest.mark.parametrize("length", [None, 1 << 40])
def test_a_file_that_is_too_long_is_refused_on_the_way(length: int | None, servers: Any) -> None:
    server = servers()
    with server.page(), socket.create_connection(("127.0.0.1", server.port)) as client:
        path = server.url.removeprefix(server.origin)
        size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        fields = [f"Host: 127.0.0.1:{server.port}", f"Origin: {server.origin}", size, "", ""]
        client.sendall("\r\n".join([f"POST {path}table?name=a.csv HTTP/1.1", *fields]).encode())
        with suppress(OSError):
            for _ in range(100 if length is None else 3):
                client.sendall(b"100000\r\n" + bytes(1 << 20) + b"\r\n" if length is None else bytes(1 << 20))
        client.settimeout(SECONDS)
        assert client.recv(12) == b"HTTP/1.1 413"
