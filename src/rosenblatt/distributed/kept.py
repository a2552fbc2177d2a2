"""What the jobs of one process share because it takes long to make: made by the first that needs it, once.

Takes a function that makes it. Returns the same thing to each job, also where several run at once. Never keeps it for
long after the last job: until whoever sent the jobs says that there are no more, and a few seconds where nobody can.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

__all__ = ["Closable", "forget", "kept"]

POLL_SECONDS = 0.1
"""Time between two looks at whether a job that waits has to end."""
IDLE_SECONDS = 10.0
"""How long a thing is kept that no job uses, if nothing is heard of whoever sent the jobs."""


class Closable(Protocol):
    """What can be kept."""

    def close(self) -> None:
        """Free it."""


AnyClosable = TypeVar("AnyClosable", bound=Closable)


@dataclass
class Entry:
    """One thing, or the place for it before it is made."""

    making: threading.Lock = field(default_factory=threading.Lock)
    value: Any = None
    n_users: int = 0
    n_turns: int = 0  # how many times jobs have begun to use it
    is_forgotten: bool = False


ENTRIES: dict[tuple[str, str], Entry] = {}
"""By owner and name."""
LOCK = threading.Lock()
"""Of the entries, and of the counts in them."""


@contextmanager
def kept(
    owner: str, name: str, make: Callable[[], AnyClosable], waiting: Callable[[], object] = lambda: None
) -> Iterator[AnyClosable]:
    """The thing of this name, for as long as the context lasts.

    Parameters
    ----------
    owner : str
        Who sent the jobs; see `forget`.
    name : str
    make : callable
        Makes it, if no other job has. Its errors are raised, and the next job tries again.
    waiting : callable
        Called several times a second while another job makes the thing; it may raise.
    """
    place = owner, name
    with LOCK:
        entry = ENTRIES.setdefault(place, Entry())
        entry.n_users += 1
        entry.n_turns += 1
    try:
        while not entry.making.acquire(timeout=POLL_SECONDS):
            waiting()
        try:
            if entry.value is None:
                entry.value = make()
        finally:
            entry.making.release()
        yield entry.value
    finally:
        with LOCK:
            entry.n_users -= 1
            if entry.n_users == 0 and (entry.is_forgotten or entry.value is None):
                close(place, entry)
            elif entry.n_users == 0:
                close_later(place, entry)


def forget(owner: str) -> None:
    """Close what the jobs of an owner share, at once or at the end of the last job that uses it."""
    with LOCK:
        for place, entry in [*ENTRIES.items()]:
            if place[0] == owner:
                entry.is_forgotten = True
                if entry.n_users == 0:
                    close(place, entry)


def close(place: tuple[str, str], entry: Entry) -> None:
    """Close a thing, whose lock is held."""
    if ENTRIES.get(place) is entry:
        del ENTRIES[place]
    value, entry.value = entry.value, None
    if value is not None:
        value.close()


def close_later(place: tuple[str, str], entry: Entry) -> None:
    """Close a thing unless a job uses it soon."""

    def close_if_idle(turn: int = entry.n_turns) -> None:
        with LOCK:
            if entry.n_users == 0 and entry.n_turns == turn:
                close(place, entry)

    timer = threading.Timer(IDLE_SECONDS, close_if_idle)
    timer.daemon = True
    timer.start()
