"""Reading ahead: while one item is worked on, a thread makes the next.

Takes any iterable, such as the blocks of a table. Returns its items in their order, and says how long they took to
make. Never holds more than the item that is worked on and the one after it, and leaves no thread behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any, Generic, TypeVar

__all__ = ["ReadAhead"]

T = TypeVar("T")
END: Any = object()


class ReadAhead(Generic[T]):
    """The items of an iterable, each made by a thread while the one before is worked on.

    Attributes
    ----------
    seconds : float
        The time that making them took until now, whether or not somebody waited for it.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self.items, self.seconds = items, 0.0

    def __iter__(self) -> Iterator[T]:
        """Iterate once more; what the iterable raises is raised when the item is asked for.

        When the iteration ends, also by an exception or because nobody goes on, it waits for the thread.
        """
        items = iter(self.items)
        try:
            with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as pool:
                ahead = pool.submit(self._next, items)
                while (item := ahead.result()) is not END:
                    ahead = pool.submit(self._next, items)
                    yield item
                    del item  # which would be a third one in memory
        finally:
            if hasattr(items, "close"):  # of a generator, which then closes its files
                items.close()

    def _next(self, items: Iterator[T]) -> T:
        start = perf_counter()
        try:
            return next(items, END)
        finally:
            self.seconds += perf_counter() - start
