"""Work beside the server's loop.

Takes functions. Returns what they return, computed in threads, of which only so many run at a time. Never holds up the
end of the server: whoever waits can be cancelled, and a thread that still computes ends with the process.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

__all__ = ["Background"]

T = TypeVar("T")


class Background:
    """At most `n` threads at a time; what is cancelled before its turn is never begun."""

    def __init__(self, n: int) -> None:
        self.free = asyncio.Semaphore(n)

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """What the function returns, or raises."""
        await self.free.acquire()
        loop = asyncio.get_running_loop()
        found: asyncio.Future[T] = loop.create_future()

        def finish(result: Any, error: BaseException | None) -> None:
            self.free.release()
            if found.done():  # nobody waits any more
                return
            if error is None:
                found.set_result(result)
            else:
                found.set_exception(error)

        def work() -> None:
            try:
                outcome: tuple[Any, BaseException | None] = (function(*arguments), None)
            except BaseException as error:
                outcome = (None, error)
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(finish, *outcome)

        threading.Thread(target=work, name="rosenblatt-playground", daemon=True).start()
        return await found
