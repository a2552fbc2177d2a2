"""Who may talk to the server: the address with its token, and the headers Host and Origin.

Takes a request as ASGI describes it. Hands it on, or answers that it is refused. Every answer gets the headers that
keep a browser from running, loading or embedding what is not the page's own. Never says whether a token was nearly
right, and compares it in constant time.

A page of another site cannot read the token. Host is checked because of DNS rebinding: such a site may let its own name
point to this machine, and would then be of the same origin as the server; its name stays in Host, however. Origin must
be that of the page for sockets and for whatever is sent (POST). Requests that only read may lack it, since browsers
leave it out there.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Access", "Guard", "is_loopback", "new_token"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

NOTEBOOKS = "'self' http://localhost:* http://127.0.0.1:* https://localhost:* https://127.0.0.1:* vscode-webview:"
"""Pages that may embed the playground if a notebook asked for it: those that this machine serves itself."""
READING = ("GET", "HEAD")


def new_token() -> str:
    """A token of 256 random bits."""
    return secrets.token_urlsafe(32)


def is_loopback(host: str) -> bool:
    """Whether an address or a name stands for this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@dataclass(frozen=True)
class Access:
    """What opens the server that is bound to a host and a port; `embeddable` says whether notebooks may embed it."""

    host: str
    port: int
    embeddable: bool = False
    token: str = field(default_factory=new_token, repr=False)

    @property
    def address(self) -> str:
        """The address of the page."""
        everywhere = self.host in ("0.0.0.0", "::", "")
        host = socket.gethostname() if everywhere else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/{self.token}/"

    def admits_host(self, header: str) -> bool:
        """Whether the header Host names this server.

        On another address than loopback it may be any number (which no site can rebind), or this machine's name.
        """
        name, port = split_host(header)
        if port != self.port or "%" in name:  # what follows it in an address may be any text
            return False
        if name in ("localhost", self.host.lower()):
            return True
        try:
            number = ipaddress.ip_address(name)
        except ValueError:
            return not is_loopback(self.host) and name == socket.gethostname().lower()
        return number.is_loopback or not is_loopback(self.host)

    def admits_token(self, given: str) -> bool:
        """Whether this is the token; the time that it takes does not depend on how much of it is right."""
        return secrets.compare_digest(given.encode(errors="replace"), self.token.encode())


def split_host(header: str) -> tuple[str, int]:
    """The host and the port of a header, in lower case and without brackets; port 80 if there is none."""
    host, colon, port = header.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = header, "80"
    is_port = port.isascii() and port.isdigit() and len(port) < 6
    return host.removeprefix("[").removesuffix("]").lower(), int(port) if is_port else -1


class Guard:
    """An ASGI application in front of another: it hands on what may pass, with the token as the root of the path."""

    def __init__(self, app: Any, access: Access) -> None:
        self.app, self.access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the application answer it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if not self.access.admits_host(host):
            return await refuse(scope, send, 421, "This server answers only under the address that it printed.")
        token, slash, _ = scope["path"].removeprefix("/").partition("/")
        if not self.access.admits_token(token):
            return await refuse(scope, send, 404, "There is nothing here: the address must hold the server's token.")
        send = with_headers(send, self.policy(host))
        if not self.admits_origin(scope, headers.get("origin"), host):
            return await refuse(scope, send, 403, "Only the page of this server may do that: Origin is another.")
        if not slash and scope["type"] == "http":
            return await refuse(scope, send, 307, "", [(b"location", f"/{token}/".encode())])
        await self.app({**scope, "root_path": f"/{token}"}, receive, send)

    def admits_origin(self, scope: Scope, origin: str | None, host: str) -> bool:
        """Whether the header Origin is that of the page; requests that only read may lack it."""
        if origin is None:
            return scope["type"] == "http" and scope["method"] in READING
        return origin.lower() == f"http://{host}".lower()

    def policy(self, host: str) -> list[tuple[bytes, bytes]]:
        """The headers of every answer; `host` was admitted."""
        ancestors = NOTEBOOKS if self.access.embeddable else "'none'"
        directives = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
            f"connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
        )
        return [
            (b"content-security-policy", directives.encode("latin-1")),
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"cache-control", b"no-store"),
        ]


def with_headers(send: Send, headers: list[tuple[bytes, bytes]]) -> Send:
    """A function that sends what it gets, with more headers at the start of an answer."""

    async def call(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *headers]}
        await send(message)

    return call


async def refuse(
    scope: Scope, send: Send, status: int, words: str, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    """Answer with a status and a sentence; a socket is refused before it is opened, which is always status 403."""
    if scope["type"] == "websocket":
        return await send({"type": "websocket.close", "code": 1008, "reason": words})
    body = words.encode()
    length = (b"content-length", str(len(body)).encode())
    fields = [(b"content-type", b"text/plain; charset=utf-8"), length, *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
