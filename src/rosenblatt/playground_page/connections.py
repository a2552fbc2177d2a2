"""Connections of the server that nobody uses.

Takes what connects. Ends connections on which no request arrives in time, and where there are too many, the one that
has waited longest, so that whoever has the address still gets in. Never writes to the terminal what a client did wrong.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["BACKLOG", "Connected"]

IDLE_SECONDS = 10.0
"""So long, a connection may be without a request that has arrived as far as its body."""
MAX_CONNECTIONS = 128
BACKLOG = 16
"""Connections that are taken at a time, before those that are too many are ended."""


class Connected(H11Protocol):
    """A connection over HTTP; a socket of a page is another once it is open."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room, and wait for a request."""
        super().connection_made(transport)
        self.since = self.loop.time()
        self.loop.call_later(IDLE_SECONDS, self.end_if_idle)
        if len(self.connections) > MAX_CONNECTIONS:
            waiting = [one for one in self.connections if isinstance(one, Connected) and one.is_idle()]
            min(waiting, key=lambda one: one.since).abort()

    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def end_if_idle(self) -> None:
        """End the connection; one that is in use is looked at again later."""
        if self not in self.connections:  # it has ended, or is a page's socket
            return
        if self.is_idle():
            self.abort()
        else:
            self.loop.call_later(IDLE_SECONDS, self.end_if_idle)

    def abort(self) -> None:
        """End the connection at once."""
        self.connections.discard(self)
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take what was sent; whoever breaks the rules within a request is cut off."""
        try:
            super().data_received(data)
        except h11.LocalProtocolError:  # an answer to it has begun already
            self.abort()
