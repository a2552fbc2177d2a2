"""What tests of the playground's server share: an application without a network, and a client that talks ASGI to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from rosenblatt.playground_page.app import create_app
from rosenblatt.playground_page.security import Access

PORT = 8958
HOST = f"127.0.0.1:{PORT}"
ORIGIN = f"http://{HOST}"
ACCESS = Access("127.0.0.1", PORT, token="secret")
SMALL = {"layers": [{"units": 3}], "data": {"source": "xor", "rows": 40}}
CONFIGURE = {"type": "configure", "run": 0, "settings": SMALL}
SECONDS = 20.0
"""After so long, an answer counts as one that does not come."""


class Refused(Exception):
    """A socket that was not opened."""


@dataclass(frozen=True)
class Answered:
    """An answer to a request."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Client:
    """Talks to an application; its loop runs while it waits for an answer only."""

    def __init__(self, table: Any = None, access: Access = ACCESS) -> None:
        self.loop = asyncio.new_event_loop()
        self.app: Any = create_app(access, table)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.run(settled())
        self.loop.close()

    def run(self, work: Any) -> Any:
        """What a coroutine returns."""
        return self.loop.run_until_complete(asyncio.wait_for(work, SECONDS))

    def scope(self, kind: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
        """The description of a request."""
        name, _, query = path.partition("?")
        fields = {"host": HOST, **headers}
        return {
            "type": kind,
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http" if kind == "http" else "ws",
            "path": unquote(name),
            "raw_path": name.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(key.encode(), value.encode("latin-1")) for key, value in fields.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", PORT),
            "subprotocols": [],
            "state": {},
        }

    def request(
        self, method: str, path: str, chunks: Any = (), headers: dict[str, str] | None = None, lost: bool = False
    ) -> Answered:
        """The answer to a request whose body comes in chunks; `lost`: the connection breaks after them."""
        return Answered(*self.run(self.begin(method, path, chunks, headers, lost)))

    def begin(
        self, method: str, path: str, chunks: Any = (), headers: dict[str, str] | None = None, lost: bool = False
    ) -> asyncio.Task[tuple[int, Any, str]]:
        """A request that goes on while others are made."""
        scope = {**self.scope("http", path, headers or {}), "method": method}
        return self.loop.create_task(self._exchange(scope, iter(chunks), lost))

    def get(self, path: str, **headers: str) -> Answered:
        return self.request("GET", path, headers=headers)

    async def _exchange(self, scope: dict[str, Any], chunks: Iterator[bytes], lost: bool) -> tuple[int, Any, str]:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            for chunk in chunks:
                return {"type": "http.request", "body": chunk, "more_body": True}
            return {"type": "http.disconnect"} if lost else {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        headers = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
        return sent[0]["status"], headers, b"".join(part.get("body", b"") for part in sent[1:]).decode()

    @contextmanager
    def page(self, path: str = "/secret/socket", **headers: str) -> Iterator[Socket]:
        """An open page."""
        socket = self.open(path, **headers)
        try:
            yield socket
        finally:
            socket.leave()

    def open(self, path: str = "/secret/socket", **headers: str) -> Socket:
        """An open page, which has to be left."""
        return Socket(self, self.scope("websocket", path, headers or {"origin": ORIGIN}))


class Socket:
    """The socket of a page, whose first answer is its `welcome`; while it does not `read`, nothing leaves."""

    def __init__(self, client: Client, scope: Any) -> None:
        self.client, self.to_app, self.from_app = client, asyncio.Queue[Any](), asyncio.Queue[Any]()
        self.reads = True
        self.to_app.put_nowait({"type": "websocket.connect"})
        self.task = client.loop.create_task(client.app(scope, self.to_app.get, self.deliver))
        first = self.event()
        if first["type"] != "websocket.accept":
            raise Refused(first)
        self.welcome = self.answer()

    async def deliver(self, event: Any) -> None:
        """What the application calls to send an event."""
        while not self.reads:
            await asyncio.sleep(0.001)
        await self.from_app.put(event)

    def event(self) -> Any:
        """The next event that the application sends."""
        return self.client.run(self.from_app.get())

    def answer(self) -> Any:
        """The next answer as an object: of a frame, its header; or the event that closes the socket."""
        event = self.event()
        if event["type"] == "websocket.close":
            return event
        return json.loads(event["text"]) if event.get("text") is not None else header(event["bytes"])

    def send(self, text: str | bytes) -> None:
        """Send a text or bytes."""
        self.to_app.put_nowait({"type": "websocket.receive", "text" if isinstance(text, str) else "bytes": text})

    def ask(self, kind: str, **fields: Any) -> Any:
        """Send a message, and return the first answer."""
        self.send(json.dumps({"type": kind, **fields}))
        return self.answer()

    def configure(self, run: int = 0, **settings: Any) -> Any:
        """Configure a small run; what was made of it."""
        configured = self.ask("configure", run=run, settings={**SMALL, **settings})
        assert configured["type"] == "configured", configured
        assert self.answer()["step"] == 0
        return configured

    def leave(self) -> None:
        """Close the page."""
        self.to_app.put_nowait({"type": "websocket.disconnect", "code": 1001})
        self.client.run(self.task)


async def settled() -> None:
    """Let the loop do what is due."""
    for _ in range(3):
        await asyncio.sleep(0)


def header(frame: bytes) -> Any:
    """The header of a frame."""
    return json.loads(frame[4 : 4 + int.from_bytes(frame[:4], "little")])
