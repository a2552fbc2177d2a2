"""Independent jobs, several at once: in the threads of this process, or wherever another engine runs them.

Takes a function and what each job calls it with. Returns results by number, as they come. Never decides what a job
does, and never lets a result depend on where it was computed.
"""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol, Self

from rosenblatt.threads import get_num_threads, threads_with_room

__all__ = ["Done", "Hear", "Jobs", "Link", "Running", "ThisThread", "Threads", "Work"]

POLL_SECONDS = 0.2
"""Time between two checks for signals: a Ctrl-C during a wait is only noticed at its end."""
QUEUE_DEPTH = 8
"""Jobs per thread that are queued before their results are read."""


class Link(Protocol):
    """What a running job has in common with whoever waits for it.

    Attributes
    ----------
    owner : str
        Whoever sent the job: what it keeps for later jobs in the same process belongs to this owner (see `kept`).
    place : str
        Where the job runs, for messages.
    """

    @property
    def owner(self) -> str:
        """See above."""

    @property
    def place(self) -> str:
        """See above."""

    def memory_limit(self) -> float:
        """Bytes that this process may take in all; infinite where nothing but the machine limits it."""

    def send(self, message: Any) -> None:
        """Tell something, which arrives in order and before the result."""

    def stopped(self) -> bool:
        """Whether the job should end soon, with what it has."""

    def cancelled(self) -> bool:
        """Whether the job should end soon, because nobody wants its result."""


Work = Callable[[Any, Link], Any]
"""``work(item, link)`` is one job. Engines that share no memory send it by pickle, with all that it refers to.

An attribute ``keeps`` that is true says that jobs keep something in their process for later ones (see `kept`).
"""
Hear = Callable[[int, Any], object]
"""``hear(number, message)`` is called for each message of a job, one at a time."""


@dataclass(frozen=True)
class Done:
    """A job that has ended: its number, and its result or the error that ended it."""

    number: int
    value: Any = None
    error: BaseException | None = None

    def result(self) -> Any:
        """The result; the error is raised if there was one."""
        if self.error is not None:
            raise self.error
        return self.value


class Running(ABC):
    """Jobs that were started, a context that ends them.

    Attributes
    ----------
    ended : dict of int to Done
        All jobs that have ended, by number.
    over : bool
        Whether there is nothing to wait for any more.
    """

    def __init__(self) -> None:
        self.ended: dict[int, Done] = {}
        self.over = False

    @abstractmethod
    def wait(self) -> list[Done]:
        """The jobs that have ended since the last call; waits a moment for one, and starts more."""

    @abstractmethod
    def stop(self) -> None:
        """Start no more jobs, and ask those that run to end with what they have; `wait` gets their results."""

    @abstractmethod
    def close(self) -> None:
        """End everything; results that were not waited for are thrown away."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Jobs(ABC):
    """An engine that runs independent jobs, a context that frees what it holds.

    Attributes
    ----------
    shares_memory : bool
        Whether jobs run in this process, so that they may use its objects.
    """

    shares_memory = True

    @abstractmethod
    def width(self, n_jobs: int) -> int:
        """How many of so many jobs run at once."""

    def at_most(self, n_jobs: int) -> Jobs:
        """The engine, with no more jobs at once than the memory of this process allows, where they share it."""
        return self

    @abstractmethod
    def start(self, work: Work, items: Iterable[Any], hear: Hear, *, timed: bool = False) -> Running:
        """Start a job for each item, which are numbered from 0.

        Items are taken when there is room for them; if they are `timed`, not before a job can begin.
        """

    def close(self) -> None:  # noqa: B027 - most engines hold nothing
        """Free what is held for later jobs."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@dataclass
class LocalLink:
    """The link of a job in this process: messages are heard at once, by one thread at a time."""

    number: int
    hear: Hear
    lock: threading.RLock
    stop: threading.Event
    owner: str = ""
    place: str = "this process"

    def memory_limit(self) -> float:
        """That of the machine."""
        return math.inf

    def send(self, message: Any) -> None:
        """Call `hear` in this thread."""
        with self.lock:
            self.hear(self.number, message)

    def stopped(self) -> bool:
        """Whether the jobs were stopped."""
        return self.stop.is_set()

    def cancelled(self) -> bool:
        """The same: nobody throws results away while threads still run."""
        return self.stop.is_set()


@dataclass(frozen=True)
class Threads(Jobs):
    """Threads of this process: `count` of them, by default as many as `get_num_threads` says."""

    count: int | None = None

    def width(self, n_jobs: int) -> int:
        return max(1, min(self.count or get_num_threads(), n_jobs))

    def at_most(self, n_jobs: int) -> Jobs:
        return Threads(self.width(n_jobs))

    def start(self, work: Work, items: Iterable[Any], hear: Hear, *, timed: bool = False) -> Running:
        return RunningThreads(work, items, hear, self.count or get_num_threads())


class RunningThreads(Running):
    """Jobs in a pool of threads."""

    def __init__(self, work: Work, items: Iterable[Any], hear: Hear, n_threads: int) -> None:
        super().__init__()
        self.work, self.hear, self.n_threads = work, hear, threads_with_room(n_threads)
        self.lock, self.stopped = threading.RLock(), threading.Event()
        self.waiting: Iterator[tuple[int, Any]] = enumerate(items)
        self.running: dict[Future[Any], int] = {}
        self.pool = ThreadPoolExecutor(self.n_threads)

    def _fill(self) -> None:
        """Submit jobs as long as there is room in the queue."""
        if not self.stopped.is_set():
            for number, item in islice(self.waiting, QUEUE_DEPTH * self.n_threads - len(self.running)):
                link = LocalLink(number, self.hear, self.lock, self.stopped)
                self.running[self.pool.submit(self.work, item, link)] = number

    def wait(self) -> list[Done]:
        self._fill()
        found = []
        for future in wait(self.running, POLL_SECONDS, return_when=FIRST_COMPLETED).done:
            number, error = self.running[future], future.exception()
            done = Done(number, None if error else future.result(), error)
            self.ended[number] = done
            del self.running[future]  # last: whatever interrupts this, the result is not lost
            found.append(done)
        self._fill()
        self.over = not self.running
        return found

    def stop(self) -> None:
        self.stopped.set()

    def close(self) -> None:
        self.stopped.set()
        self.pool.shutdown(cancel_futures=True)


class ThisThread(Jobs):
    """The thread that waits, where Ctrl-C ends a job at any moment."""

    def width(self, n_jobs: int) -> int:
        return 1

    def start(self, work: Work, items: Iterable[Any], hear: Hear, *, timed: bool = False) -> Running:
        return RunningHere(work, enumerate(items), hear)


@dataclass
class RunningHere(Running):
    """Jobs that run while they are waited for, one after another."""

    work: Work
    waiting: Iterator[tuple[int, Any]]
    hear: Hear
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__()

    def wait(self) -> list[Done]:
        for number, item in self.waiting:
            link = LocalLink(number, self.hear, threading.RLock(), self.stopped)
            done = self.ended[number] = Done(number, self.work(item, link))
            return [done]
        self.over = True
        return []

    def stop(self) -> None:
        self.stopped.set()
        self.waiting = iter(())

    def close(self) -> None:
        self.stop()
