"""What runs on a Dask worker: one job, and what it is told while it runs.

Takes pickled work and arrays that the scheduler has brought here. Returns the result with all messages of the job.
Never uses more threads than the worker has, and never lets an interrupt reach the worker itself.
"""

from __future__ import annotations

import math
import pickle
import platform
import threading
import time
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rosenblatt._version import __version__
from rosenblatt.threads import get_num_threads, set_num_threads

__all__ = ["TOPIC", "JobEnd", "Ticket", "run_job", "stop_run"]

TOPIC = "rosenblatt"
"""The topic of messages on the scheduler."""
SECONDS_BETWEEN_MESSAGES = 0.1
STOPPED: deque[str] = deque(maxlen=1000)
"""Runs whose jobs end with what they have."""


@dataclass(frozen=True)
class Ticket:
    """Which job of which run this is, and how many of the arrays belong to the work; the others belong to the item."""

    run: str
    number: int
    attempt: str
    n_of_work: int
    owner: str
    version: str = __version__


@dataclass(frozen=True)
class JobEnd:
    """The result of a job, with all that it said, and where; without a result if it was told to end."""

    attempt: str
    worker: str
    messages: list[bytes]
    value: Any = None
    was_cancelled: bool = False


@dataclass
class WorkerLink:
    """The link of a job on a worker. Messages are sent together, at most ten times a second."""

    worker: Any
    key: str
    ticket: Ticket
    messages: list[bytes] = field(default_factory=list)
    n_sent: int = 0
    sent_at: float = -1.0

    @property
    def owner(self) -> str:
        """The engine of the client."""
        return self.ticket.owner

    @property
    def place(self) -> str:
        """The worker and its machine."""
        return f"worker {self.worker.address} on {platform.node()}"

    def memory_limit(self) -> float:
        """What the worker was started with."""
        return getattr(self.worker.memory_manager, "memory_limit", None) or math.inf

    def send(self, message: Any) -> None:
        """Send the message, or keep it until the next one."""
        self.messages.append(pickle.dumps(message))
        if time.monotonic() >= self.sent_at + SECONDS_BETWEEN_MESSAGES:
            ticket, first = self.ticket, self.n_sent
            said = {"run": ticket.run, "number": ticket.number, "attempt": ticket.attempt, "first": first}
            self.worker.log_event(TOPIC, {**said, "messages": self.messages[first:]})
            self.n_sent, self.sent_at = len(self.messages), time.monotonic()

    def stopped(self) -> bool:
        """Whether `stop_run` was called on this worker."""
        return self.ticket.run in STOPPED

    def cancelled(self) -> bool:
        """Whether the client has cancelled the job, or is gone: the scheduler then forgets the task."""
        task = self.worker.state.tasks.get(self.key)
        return task is None or task.state == "cancelled"


def stop_run(run: str) -> None:
    """Tell all jobs of a run, now and later, to end with what they have."""
    STOPPED.append(run)


def run_job(ticket: Ticket, *parts: Any) -> JobEnd:
    """Run a job.

    Parameters
    ----------
    ticket : Ticket
    *parts : arrays of bytes
        The pickled work, its arrays, the pickled item, its arrays.

    Raises
    ------
    RuntimeError
        If this worker, which has joined meanwhile, has another version of rosenblatt.
    """
    from distributed import get_worker

    worker = get_worker()
    if ticket.version != __version__:
        raise RuntimeError(f"worker {worker.address} has rosenblatt {__version__}, the client has {ticket.version}")
    link = WorkerLink(worker, str(worker.get_current_task()), ticket)
    value, was_cancelled = None, link.stopped()
    if not was_cancelled:
        with warnings.catch_warnings(), limited_threads(worker.state.nthreads):
            warnings.simplefilter("ignore")
            try:
                work, item = unpacked(parts[: ticket.n_of_work]), unpacked(parts[ticket.n_of_work :])
                value = work(item, link)
            except KeyboardInterrupt:  # it would end the worker
                was_cancelled = True
    return JobEnd(ticket.attempt, worker.address, link.messages, value, was_cancelled)


def unpacked(parts: Sequence[Any]) -> Any:
    """An object from its pickle and the arrays that were taken out of it."""
    return pickle.loads(parts[0], buffers=parts[1:])


class Limit:
    """How many jobs are running in this process, and how many threads it had before the first."""

    lock = threading.Lock()
    jobs = 0
    before = 1


@contextmanager
def limited_threads(n_threads: int) -> Iterator[None]:
    """Let the engine use at most so many threads, until the last job of this process ends."""
    with Limit.lock:
        if Limit.jobs == 0:
            Limit.before = get_num_threads()
            set_num_threads(min(Limit.before, n_threads))
        Limit.jobs += 1
    try:
        yield
    finally:
        with Limit.lock:
            Limit.jobs -= 1
            if Limit.jobs == 0:
                set_num_threads(Limit.before)
