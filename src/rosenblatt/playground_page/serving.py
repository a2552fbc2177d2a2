"""The server: a socket that listens, and a loop that answers.

Takes a host, a port, and the table to begin with. Returns when it is stopped. Never uses the processor while no page
asks for anything.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from contextlib import suppress
from types import FrameType
from typing import Any

import uvicorn

from rosenblatt._warnings import warn_user
from rosenblatt.playground_page.app import create_app
from rosenblatt.playground_page.connections import BACKLOG, Connected
from rosenblatt.playground_page.messages import MAX_MESSAGE
from rosenblatt.playground_page.security import Access

__all__ = ["DEFAULT_PORT", "PlaygroundServer", "listen", "make_server", "warn_of_port"]

DEFAULT_PORT = 8958
MAX_PORT = 65_535
N_TRIED = 50
"""Ports that are tried, one after the other."""
QUEUE = 128
"""Connections that the system keeps until they are taken."""
POLL_SECONDS = 1.0
ABORT_SECONDS, STOP_SECONDS = 0.5, 2
"""So long, a server that is stopped waits for pages that do not read, and for what it is still computing."""


def listen(host: str = "127.0.0.1", port: int | None = None) -> tuple[socket.socket, int]:
    """A socket that listens at the port, or at the next one that is free; and its port. OSError if there is none."""
    wanted = DEFAULT_PORT if port is None else port
    family, _, _, _, address = find_address(host)
    for number in range(wanted, min(wanted + N_TRIED, MAX_PORT + 1)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            return bound(listener, (address[0], number, *address[2:])), number
        except OSError as error:
            listener.close()
            if not is_taken(error):
                raise OSError(f"the playground cannot listen at {host}:{number} ({describe(error)}).") from None
    raise OSError(f"the ports {wanted} to {min(wanted + N_TRIED - 1, MAX_PORT)} of {host} are all in use.")


def find_address(host: str) -> Any:
    """What the system knows of a host."""
    try:
        if not host:  # which the system would take for all addresses
            raise OSError
        return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError):
        raise OSError(
            f"host is {host!r}, which is no address of this machine; give 127.0.0.1, or 0.0.0.0 for all addresses."
        ) from None


def bound(listener: socket.socket, address: Any) -> socket.socket:
    """The socket, listening."""
    if os.name == "posix":  # elsewhere, two servers could share the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(QUEUE)
    listener.setblocking(False)
    return listener


def is_taken(error: OSError) -> bool:
    """Whether a port is used by someone else, or reserved."""
    return error.errno in (errno.EADDRINUSE, errno.EACCES)


def describe(error: OSError) -> str:
    """What the system says."""
    return (error.strerror or str(error)).lower()


class PlaygroundServer(uvicorn.Server):
    """A server for one listening socket; `stop` ends it, from any thread."""

    def __init__(self, listener: socket.socket, access: Access, table: Any = None, encoding: str = "utf-8") -> None:
        super().__init__(
            uvicorn.Config(
                create_app(access, table, encoding),
                loop="asyncio",
                http=Connected,
                ws="websockets-sansio",
                ws_max_size=MAX_MESSAGE,
                ws_per_message_deflate=False,
                log_config=None,
                log_level="critical",  # a request that is none is not worth a line
                access_log=False,
                backlog=BACKLOG,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        self.listener, self.access = listener, access
        self.loop: asyncio.AbstractEventLoop | None = None
        self.stopped = asyncio.Event()

    def serve_until_stopped(self) -> None:
        """Answer requests; Ctrl-C in the main thread is raised afterwards."""
        self.run(sockets=[self.listener])

    async def main_loop(self) -> None:
        """Wait until the server is stopped; unlike the inherited loop, it wakes up once a second only."""
        self.loop = asyncio.get_running_loop()
        self.listener.listen(QUEUE)  # which the loop has set to the number that it takes at a time
        while not self.should_exit:
            try:
                await asyncio.wait_for(self.stopped.wait(), POLL_SECONDS)
            except TimeoutError:
                continue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close all connections; those on which nobody reads cannot be told, and are cut."""
        asyncio.get_running_loop().call_later(ABORT_SECONDS, self.cut_connections)
        await super().shutdown(sockets)

    def cut_connections(self) -> None:
        """Drop what is still connected, and what was not sent."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    def stop(self) -> None:
        """End the server."""
        self.should_exit = True
        if self.loop is not None:
            with suppress(RuntimeError):  # the loop was closed: the server has ended
                self.loop.call_soon_threadsafe(self.stopped.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ctrl-C: stop, and at the second time at once."""
        super().handle_exit(sig, frame)
        self.stop()


def make_server(
    host: str = "127.0.0.1",
    port: int | None = None,
    *,
    table: Any = None,
    encoding: str = "utf-8",
    embeddable: bool = False,
) -> PlaygroundServer:
    """A server that listens, and does not answer yet; its `access` has the address."""
    listener, number = listen(host, port)
    return PlaygroundServer(listener, Access(host, number, embeddable), table, encoding)


def warn_of_port(port: int, wanted: int | None) -> None:
    """Say that another port was taken than the one that was wanted."""
    if wanted is not None and port != wanted:
        warn_user(f"port {wanted} is in use; {port}, the next free one, is taken instead.")
