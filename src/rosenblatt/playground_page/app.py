"""The server's application: the page's files, its socket, and uploads.

Takes who may enter and, if there is one, the table to begin with. Returns an ASGI application. Of what a client names,
nothing is looked up on the disk: files are found among those that the package has.
"""

from __future__ import annotations

import asyncio
import logging
import mimetypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from rosenblatt.playground_page.background import Background
from rosenblatt.playground_page.connection import Connection, Pages
from rosenblatt.playground_page.security import Access, Guard
from rosenblatt.playground_page.uploads import Reading, TooLarge, clean_name, require_size

__all__ = ["STATIC", "create_app"]

STATIC = Path(__file__).parent / "static"
"""What the front end's sources build."""
NOT_BUILT = "The page is not built: run npm ci && npm run build in the folder playground of the sources."
WITHOUT_SOCKET = (
    "This address is for websockets alone. If the page sent you here, its browser, or something between it and this "
    "server, knows none."
)
MAX_UPLOADS = 2
"""Uploads that are read at a time."""
UPLOAD_SECONDS = 300.0
DRAIN_SECONDS = 1.0
"""So long, the rest of a refused upload is thrown away, because browsers show an answer only to what they have sent."""
WATCH_SECONDS = 0.2
"""So often, the server looks whether someone still waits for a table that is read."""

LOGGER = logging.getLogger("rosenblatt.playground")


def create_app(access: Access, table: Any = None, encoding: str = "utf-8") -> Guard:
    """The application; pages begin with `table`, and uploads are read as `encoding`."""
    pages = Pages(Background(max(2, os.cpu_count() or 1)), table)
    uploads = Uploads(pages, encoding)
    routes = [
        WebSocketRoute("/socket", pages.serve),
        Route("/socket", explain_socket),
        Route("/table", uploads.receive, methods=["POST"]),
        Route("/{name:path}", static_file),
    ]
    return Guard(Starlette(routes=routes, exception_handlers={Exception: failed}), access)


def failed(_: Request, error: Exception) -> Response:
    """The answer after an error here."""
    LOGGER.error("the playground failed to answer a request", exc_info=error)
    return refusal(500, "an error in the server, which wrote the details to its terminal.")


def explain_socket(_: Request) -> Response:
    """What someone reads who opens the socket's address as a page."""
    return PlainTextResponse(WITHOUT_SOCKET, 426, {"connection": "upgrade", "upgrade": "websocket"})


def static_file(request: Request) -> Response:
    """A file of the page, by its name."""
    files = {path.relative_to(STATIC).as_posix(): path for path in STATIC.rglob("*") if path.is_file()}
    name = request.path_params["name"] or "index.html"
    if name not in files:
        return PlainTextResponse(NOT_BUILT if name == "index.html" else "There is no such file.", 404)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(files[name].read_bytes(), media_type="text/javascript" if name.endswith(".js") else kind)


class Uploads:
    """Tables for the pages."""

    def __init__(self, pages: Pages, encoding: str) -> None:
        self.pages, self.encoding, self.running = pages, encoding, 0
        self.background = Background(MAX_UPLOADS)

    async def receive(self, request: Request) -> Response:
        """Read a table, and give it to the page that sent it."""
        connection = self.page_of(request)
        if connection is None:
            return refusal(409, "say which page the table is for, by the name that the page was given: page=...")
        if self.running >= MAX_UPLOADS:
            return refusal(429, "other tables are being read; try again in a moment.")
        self.running += 1
        try:
            async with asyncio.timeout(UPLOAD_SECONDS):
                return await self.read(request, connection)
        except TooLarge as error:
            await drain(request)
            return refusal(413, str(error))
        except TimeoutError:
            return refusal(408, f"the file did not arrive within {UPLOAD_SECONDS:g} seconds.")
        except ClientDisconnect:
            return refusal(400, "the file did not arrive, or its page was closed.")
        except MemoryError:
            return refusal(507, "there is not enough memory for this table. Keep fewer rows or columns.")
        except ValueError as error:  # among others, a table that cannot be read
            return refusal(400, str(error))
        finally:
            self.running -= 1

    async def read(self, request: Request, connection: Connection) -> Response:
        """The table, as the page is told."""
        length = request.headers.get("content-length", "")
        require_size(int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0)
        name = clean_name(request.query_params.get("name", ""))
        with Reading(name, self.encoding) as reading:
            await reading.write(request.stream(), lambda: connection.is_open)
            work = asyncio.create_task(self.background.run(reading.table))
            while not (await asyncio.wait([work], timeout=WATCH_SECONDS))[0]:
                if not connection.is_open or await request.is_disconnected():
                    work.cancel()
                    raise ClientDisconnect
            found = work.result()
        await connection.show_table(found)
        return JSONResponse({"table": connection.page.described()})

    def page_of(self, request: Request) -> Connection | None:
        """The page that sends a table: the one that it names, or the only one."""
        pages = self.pages.open
        name = request.query_params.get("page")
        return pages.get(name) if name is not None else next(iter(pages.values())) if len(pages) == 1 else None


def refusal(status: int, words: str) -> Response:
    """An upload that is refused; the connection is closed, because the rest of the body was not read."""
    return JSONResponse({"error": words}, status, {"connection": "close"})


async def drain(request: Request) -> None:
    """Throw away what is still sent, for a moment."""
    with suppress(TimeoutError, ClientDisconnect, RuntimeError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while (await request.receive()).get("more_body"):
                await asyncio.sleep(0)  # where time can run out
