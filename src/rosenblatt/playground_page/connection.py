"""The socket of a page.

Takes a websocket. Answers one message after the other; few may wait, so that a page that sends quickly waits itself,
and one that does not read holds up itself alone. Training is done in threads, so that the server answers other pages
meanwhile. When the page is gone, so are its runs, and messages that wait are never answered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from rosenblatt.playground_page.background import Background
from rosenblatt.playground_page.messages import MAX_ORDINARY, MessageError, parse_message
from rosenblatt.playground_page.page import Page

__all__ = ["MAX_PAGES", "Pages"]

MAX_PAGES = 16
MAX_WAITING = 16
"""Messages of a page that wait for an answer."""
SEND_SECONDS = 30.0
"""A page that does not read what it is sent for so long is closed."""
INVALID, FAILED, FULL = 1008, 1011, 1013
"""Codes of closed sockets: a message that is none; an error here; too many pages."""
MAX_REASON = 120
"""Bytes of the reason for which a socket is closed."""
LOGGER = logging.getLogger("rosenblatt.playground")


class Pages:
    """All open pages. A new one begins with `table`; `background` has the threads that train."""

    def __init__(self, background: Background, table: Any = None) -> None:
        self.background, self.table = background, table
        self.open: dict[str, Connection] = {}

    async def serve(self, websocket: WebSocket) -> None:
        """Talk to a page until it is closed."""
        await websocket.accept()
        if len(self.open) >= MAX_PAGES:
            return await websocket.close(FULL, f"{MAX_PAGES} pages are open already; close one of them, and reload.")
        connection = Connection(websocket, Page(self.table), self.background)
        self.open[connection.page.id] = connection
        try:
            await connection.talk()
        finally:
            connection.is_open = False
            del self.open[connection.page.id]


class Connection:
    """A page and its socket."""

    def __init__(self, websocket: WebSocket, page: Page, background: Background) -> None:
        self.websocket, self.page, self.background = websocket, page, background
        self.is_open = True

    async def talk(self) -> None:
        """Answer messages until one is not valid, or the page is gone."""
        messages: asyncio.Queue[Any] = asyncio.Queue(MAX_WAITING)
        tasks = [asyncio.create_task(work) for work in (self.listen(messages), self.answer(messages))]
        try:
            await asyncio.gather(*tasks)
        except MessageError as error:
            await self.close(INVALID, str(error))
        except (WebSocketDisconnect, TimeoutError):
            return
        except Exception:
            LOGGER.exception("the playground failed to answer a message")
            await self.close(FAILED, "an error in the server, which wrote the details to its terminal.")
        finally:
            while tasks:  # of which none is kept, since its error would keep this page in memory
                tasks.pop().cancel()

    async def listen(self, messages: asyncio.Queue[Any]) -> None:
        """Receive messages until the page is gone; long ones only where no other waits, since they take memory."""
        while True:
            given = await self.receive()
            if len(given) > MAX_ORDINARY:
                await messages.join()
            await messages.put(given)

    async def answer(self, messages: asyncio.Queue[Any]) -> None:
        """Answer what was received."""
        await self.send([await self.background.run(self.page.welcome)])
        while True:
            given = await messages.get()
            await self.send(await self.background.run(self.respond, given))
            messages.task_done()

    def respond(self, given: Any) -> Iterable[str | bytes]:
        """The answer to a message as it came."""
        return self.page.answer(parse_message(given))

    async def receive(self) -> Any:
        """The next message: a text, or bytes."""
        event = await self.websocket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code") or 1005)
        text = event.get("text")
        return event.get("bytes") if text is None else text

    async def send(self, parts: Iterable[str | bytes]) -> None:
        """Send texts and frames; TimeoutError if they are not read."""
        async with asyncio.timeout(SEND_SECONDS):
            for part in parts:
                if isinstance(part, str):
                    await self.websocket.send_text(part)
                else:
                    await self.websocket.send_bytes(part)

    async def show_table(self, table: Any) -> None:
        """Give the page a table of its own."""
        self.page.table = table
        await self.send([await self.background.run(self.page.table_message)])

    async def close(self, code: int, reason: str) -> None:
        """Close the socket, with a reason of at most so many bytes as fit."""
        short = reason.encode(errors="replace")[:MAX_REASON].decode(errors="ignore")
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self.websocket.close(code, short)
        except (WebSocketDisconnect, RuntimeError, TimeoutError):
            return  # the page is gone already
