"""Independent jobs on the workers of a Dask cluster.

Takes a function and items. Returns results by number. What they refer to is sent once to each worker that needs it,
arrays by content, and is released at the end. A job whose worker is lost is run again elsewhere. Never leaves a task or
data on the cluster, and never waits forever for one that is gone.
"""

from __future__ import annotations

import hashlib
import pickle
import queue
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.distributed.dask_cluster import (
    ClusterError,
    check_client,
    import_distributed,
    require_open,
)
from rosenblatt.distributed.dask_members import Members
from rosenblatt.distributed.dask_worker import TOPIC, JobEnd, Ticket, run_job, stop_run
from rosenblatt.distributed.jobs import Done, Hear, Jobs, Running, Work
from rosenblatt.distributed.kept import forget

__all__ = ["DaskJobs"]

POLL_SECONDS = 0.05
"""Time between two looks at the jobs."""
LOOK_SECONDS = 2.0
"""Time between two looks at the workers."""
GONE_SECONDS = 60.0
"""How long a cluster may be without workers while jobs wait."""
STOP_SECONDS = 10.0
"""How long jobs that were told to stop may take to hand over what they have."""
MAX_AHEAD = 256
"""Jobs that are submitted before the results of earlier ones have come."""
MAX_ATTEMPTS = 4
"""How often a job is submitted whose data or result is lost with a worker."""
SHARED_BYTES = 1 << 16
"""Arrays of at least this size are sent by themselves, once to a worker."""


class DaskJobs(Jobs):
    """The workers of a client's cluster, each of whose threads runs a job; at most `n_jobs` at once.

    Raises
    ------
    TypeError, ValueError, ModuleNotFoundError, ClusterError
        For a client that cannot be used, or a cluster that cannot do the work.
    """

    shares_memory = False

    def __init__(self, client: Any, n_jobs: int | None = None) -> None:
        self.client, self.n_jobs, self.name = check_client(client), n_jobs, uuid.uuid4().hex[:12]
        self.members = Members(client)
        self.shared: dict[str, Any] = {}
        """Futures of what was sent, by content."""
        self.leaves = False
        """Whether a work was started whose jobs keep something in their processes for later ones."""

    def width(self, n_jobs: int) -> int:
        n_threads = sum(self.members.threads().values())
        return max(1, min(n_threads, self.n_jobs or n_threads, n_jobs))

    def start(self, work: Work, items: Iterable[Any], hear: Hear, *, timed: bool = False) -> Running:
        return RunningOnDask(self, work, items, hear, timed)

    def share(self, array: NDArray[np.uint8]) -> Any:
        """The future of an array, which the scheduler brings to the workers that need it.

        `TimeoutError` if there is no worker.
        """
        content = hashlib.blake2b(array.data, digest_size=20).hexdigest()
        known = self.shared.get(content)
        if known is None or known.status != "finished":  # or its only holder is gone
            key = f"rosenblatt-data-{self.name}-{content}-{uuid.uuid4().hex[:8]}"
            places = self.members.allowed()
            try:
                sent = self.client.scatter({key: array}, timeout=LOOK_SECONDS, workers=places)[key]
            except KeyError as error:  # the scheduler does not know one of these any more
                raise TimeoutError(f"worker {error} has left") from None
            release(known)
            known = self.shared[content] = sent
        return known

    def packed(self, thing: Any) -> list[NDArray[np.uint8]]:
        """The pickle of anything, and the large arrays that were taken out of it, all as bytes."""
        import cloudpickle  # type: ignore[import-untyped,import-not-found,unused-ignore]

        arrays: list[NDArray[np.uint8]] = []

        def keep_inside(buffer: pickle.PickleBuffer) -> bool:
            raw = np.frombuffer(buffer.raw(), np.uint8)
            if raw.nbytes >= SHARED_BYTES:
                arrays.append(raw)
            return raw.nbytes < SHARED_BYTES

        inside = cloudpickle.dumps(thing, protocol=5, buffer_callback=keep_inside)
        return [np.frombuffer(inside, np.uint8), *arrays]

    def close(self) -> None:
        if self.leaves:
            self._tell_to_forget()
        for future in self.shared.values():
            release(future)
        self.shared.clear()

    def _tell_to_forget(self) -> None:
        """Tell all workers that no more jobs come; whoever waits here does not wait long for one that is silent."""

        def tell() -> None:
            with suppress(Exception):  # the cluster may be gone
                self.client.run(forget, self.name, on_error="ignore")

        told = threading.Thread(target=tell, daemon=True)
        told.start()
        told.join(LOOK_SECONDS)


def release(future: Any) -> None:
    """Let the scheduler forget what nobody here needs any more, at once: not when Python finds that it is garbage."""
    if future is not None:
        with suppress(Exception):  # the cluster may be gone
            future.release()


class RunningOnDask(Running):
    """Jobs of one work."""

    def __init__(self, jobs: DaskJobs, work: Work, items: Iterable[Any], hear: Hear, timed: bool) -> None:
        super().__init__()
        self.jobs, self.client, self.hear, self.timed = jobs, jobs.client, hear, timed
        self.run = uuid.uuid4().hex[:12]
        self.waiting: Iterator[tuple[int, Any]] = enumerate(items)
        self.of_work = jobs.packed(work)
        jobs.leaves |= bool(getattr(work, "keeps", False))
        self.of_items: dict[int, list[NDArray[np.uint8]]] = {}
        self.running: dict[int, Any] = {}
        self.allowed: dict[int, list[str] | None] = {}
        """The workers that a job may run on; None for any."""
        self.attempts: dict[int, int] = {}
        self.heard: dict[tuple[int, str], int] = {}
        """How many messages of a job's attempt were heard."""
        self.messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.stops_at = self.room = float("inf")
        self.looked_at, self.seen_at = -float("inf"), time.monotonic()
        listen(self.client, self.run, self.messages.put)

    def wait(self) -> list[Done]:
        self._look()
        self._fill()
        self._hear_all(POLL_SECONDS)
        found = [done for number in [*self.running] if (done := self._ended(number)) is not None]
        self._fill()
        self.over = not self.running or time.monotonic() >= self.stops_at
        return found

    def _look(self) -> None:
        """Count the workers every other second; `ClusterError` if there were none for a minute."""
        now = time.monotonic()
        if now < self.looked_at + LOOK_SECONDS:
            return
        threads = self.jobs.members.threads()
        refused = self.jobs.members.refused
        self._call_back(threads)
        self.looked_at = time.monotonic()
        self.seen_at = self.looked_at if threads else self.seen_at
        self.room = self.jobs.n_jobs or (max(1, sum(threads.values())) if self.timed or refused else MAX_AHEAD)
        if self.looked_at >= self.seen_at + GONE_SECONDS:
            raise ClusterError(
                f"all workers of the Dask cluster have been gone for {GONE_SECONDS:.0f} seconds, with "
                f"{len(self.running)} jobs waiting. Start workers and fit again; with `checkpoint`, what was trained "
                "is continued." + "".join(f" Not used: {reason}" for reason in refused.values())
            )

    def _call_back(self, workers: Collection[str]) -> None:
        """Let jobs wait again whose only workers are gone."""
        for number, allowed in self.allowed.items():
            if number in self.running and allowed is not None and not any(place in workers for place in allowed):
                release(self.running[number])
                self.running[number] = None

    def _fill(self) -> None:
        """Submit jobs while there is room."""
        while self.stops_at == float("inf") and len(self.running) < self.room:
            number, item = next(self.waiting, (None, None))
            if number is None:
                return
            self.of_items[number] = self.jobs.packed(item)
            self._submit(number)

    def _submit(self, number: int) -> None:
        """Submit a job, for the first time or again; it waits if there is no worker that data can be sent to."""
        require_open(self.client)
        inside, *arrays = self.of_items[number]
        release(self.running.get(number))
        self.running[number] = None
        allowed = self.allowed[number] = self.jobs.members.allowed()
        if allowed == []:
            return
        try:  # the pickle of an item belongs to one job, and is small
            parts = [self.jobs.share(part) for part in self.of_work]
            parts += [inside, *(self.jobs.share(array) for array in arrays)]
        except TimeoutError:
            return
        attempt = self.attempts[number] = self.attempts.get(number, 0) + 1
        ticket = Ticket(self.run, number, str(attempt), len(self.of_work), self.jobs.name)
        key = f"rosenblatt-{self.run}-{number}-{attempt}"
        self.running[number] = self.client.submit(run_job, ticket, *parts, key=key, pure=False, workers=allowed)

    def _hear_all(self, seconds: float) -> None:
        """Hear the messages that have come; waits so long for the first."""
        with suppress(queue.Empty):
            said = self.messages.get(timeout=seconds)
            while True:
                if said["number"] in self.running:
                    self._hear_new(said["number"], said["attempt"], said["first"], said["messages"])
                said = self.messages.get_nowait()

    def _hear_new(self, number: int, attempt: str, first: int, messages: list[bytes]) -> None:
        """Hear each message of an attempt once, in order."""
        heard = self.heard.get((number, attempt), 0)
        if first > heard:  # something was lost on the way: the result brings all
            return
        for message in messages[heard - first :]:
            self.heard[number, attempt] = self.heard.get((number, attempt), 0) + 1
            self.hear(number, pickle.loads(message))

    def _ended(self, number: int) -> Done | None:
        """The end of a job, if it has come; one that was lost is submitted again."""
        future = self.running[number]
        if future is None:
            self._submit(number)
            return None
        if future.status == "pending":
            return None
        if future.status == "finished":
            return self._taken(number, future)
        if future.status == "error":
            return self._failed(number, future)
        return self._again(number)

    def _taken(self, number: int, future: Any) -> Done | None:
        """The result of a job, unless it is lost on its way here."""
        try:
            end: JobEnd = future.result(timeout=LOOK_SECONDS)
        except TimeoutError:
            return None  # its worker may be gone: the scheduler finds out, and runs the job again
        except Exception:
            return self._again(number)
        done = Done(number, end.value, KeyboardInterrupt() if end.was_cancelled else None)
        self._end(done)
        self._hear_new(number, end.attempt, 0, end.messages)
        return done

    def _end(self, done: Done) -> None:
        """Keep how a job has ended, and free what it needed."""
        self.ended[done.number] = done
        release(self.running.pop(done.number))
        del self.of_items[done.number]

    def _failed(self, number: int, future: Any) -> Done | None:
        """The error of a job, in words where it is the cluster's; one whose worker cannot do the work runs again."""
        error = future.exception(timeout=LOOK_SECONDS)
        if isinstance(error, import_distributed().KilledWorker):
            error = ClusterError(
                f"{error.last_worker.address} was the last of several workers that died while they ran job "
                f"{number + 1}: is their memory large enough? Their logs say more."
            )
        else:
            self.jobs.members.threads()  # asks a worker that has just joined
            if self.jobs.members.may_have_refused(self.allowed[number]):
                return self._again(number)
        done = Done(number, None, error)
        self._end(done)
        return done

    def _again(self, number: int) -> Done | None:
        """Submit a job again whose data or result was lost with a worker."""
        require_open(self.client)  # its end loses all jobs at once
        if self.attempts[number] >= MAX_ATTEMPTS:
            raise ClusterError(
                f"job {number + 1} was lost {self.attempts[number]} times with the worker that ran it, or with its "
                "data: why do workers end? Their logs say more. With `checkpoint`, what was trained is continued."
            )
        self._submit(number)
        return None

    def stop(self) -> None:
        self.stops_at = min(self.stops_at, time.monotonic() + STOP_SECONDS)
        # A worker that does not answer must not delay whoever waits here.
        threading.Thread(target=self._tell_workers, daemon=True).start()

    def _tell_workers(self) -> None:
        """Tell all workers to end the jobs."""
        with suppress(Exception):  # the cluster may be gone
            self.client.run(stop_run, self.run, on_error="ignore")

    def close(self) -> None:
        unlisten(self.client, self.run)
        futures, self.running = [future for future in self.running.values() if future is not None], {}
        if futures:
            with suppress(Exception):  # the cluster may be gone
                self.client.cancel(futures, force=True)
        for future in futures:
            release(future)


LISTENERS: weakref.WeakKeyDictionary[Any, dict[str, Callable[[dict[str, Any]], None]]] = weakref.WeakKeyDictionary()
"""Who hears of which run, by client: a client has one handler for a topic."""
LISTENERS_LOCK = threading.Lock()


def listen(client: Any, run: str, hear: Callable[[dict[str, Any]], None]) -> None:
    """Call `hear` with each message of a run, in the client's own thread."""
    with LISTENERS_LOCK:
        runs = LISTENERS.setdefault(client, {})
        runs[run] = hear
        if len(runs) > 1:
            return

    def handler(event: tuple[float, dict[str, Any]]) -> None:
        hear = runs.get(event[1]["run"])
        if hear is not None:
            hear(event[1])

    client.subscribe_topic(TOPIC, handler)


def unlisten(client: Any, run: str) -> None:
    """Forget who hears of a run."""
    with LISTENERS_LOCK:
        runs = LISTENERS.get(client, {})
        runs.pop(run, None)
        if not runs:
            LISTENERS.pop(client, None)
            with suppress(Exception):  # the client may be closed
                client.unsubscribe_topic(TOPIC)
