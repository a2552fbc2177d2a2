"""Work beside the server's loop.

Takes functions. Returns what they return, computed in threads, of which only so many run at a time. Never holds up the
end of the server: whoever waits can be cancelled. A thread that still computes holds up the end of the process, since
compiled code must not outlive Python; `all_ended` tells whether there is one.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

__all__ = ["Background", "all_ended"]

T = TypeVar("T")
NAME = "rosenblatt-playground-work"


def all_ended(seconds: float) -> bool:
    """Wait for the threads of all that was begun, so long at most; whether they have ended."""
    deadline = time.monotonic() + seconds
    working = [thread for thread in threading.enumerate() if thread.name == NAME]
    for thread in working:
        thread.join(max(0.0, deadline - time.monotonic()))
    return not any(thread.is_alive() for thread in working)


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

        threading.Thread(target=work, name=NAME, daemon=False).start()
        return await found
