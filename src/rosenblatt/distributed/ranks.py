"""The ranks that train one network together, and what they agree upon.

Takes a communicator. Returns decisions that are the same on all ranks: rank 0's clock and files decide, an interrupt
of one is one of all. In an ordinary process, and in threads other than the main one, there is one rank and nothing
changes. Never leaves other ranks waiting for one that failed.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rosenblatt.distributed.communicator import SHARDS, Alone, Communicator
from rosenblatt.distributed.mpi import is_launched, local_ranks, world
from rosenblatt.threads import share_processors

__all__ = ["Ranks", "alone", "ranks", "together", "together_on"]

T = TypeVar("T")
GRACE = 5.0
"""Seconds that a rank with an error waits for the others to have one, too, before it ends the job."""


class Ranks:
    """The ranks of a training.

    Parameters
    ----------
    communicator : Communicator
    are_together : bool
        Whether they train one network by the order of shards; False in an ordinary process.
    """

    def __init__(self, communicator: Communicator, are_together: bool = True) -> None:
        self.communicator, self.are_together = communicator, are_together
        self.rank, self.size = communicator.rank, communicator.size
        self.interrupt: tuple[Any, ...] | None = None  # the arguments of a signal that is held
        self._holds = False
        self._before: Any = None

    @property
    def is_first(self) -> bool:
        """Whether this rank prints, writes files and measures time for all."""
        return self.rank == 0

    @property
    def n_local(self) -> int:
        """Ranks on this machine."""
        return min(self.size, local_ranks())

    @property
    def shards(self) -> range:
        """The shards of this rank."""
        return range(self.rank * SHARDS // self.size, (self.rank + 1) * SHARDS // self.size)

    def part(self, n_rows: int, block: int) -> slice:
        """The rows of which this rank computes something: whole blocks, as one rank would compute them, too."""
        n_blocks = -(-n_rows // block)
        start, stop = (min(n_rows, block * (n_blocks * rank // self.size)) for rank in (self.rank, self.rank + 1))
        return slice(start, stop)

    def share(self, rows: NDArray[Any], own: slice) -> None:
        """Fill in the rows that other ranks have computed. Sums of integers do so, in which no bit changes."""
        if self.size > 1:
            rows[: own.start], rows[own.stop :] = 0, 0
            self.communicator.allreduce(rows.reshape(-1).view(f"u{rows.itemsize}"))

    def first(self, action: Callable[[], T]) -> T:
        """What `action` returns, or raises, on rank 0, which alone calls it."""
        if self.size == 1:
            return action()
        made: tuple[Any, BaseException | None] = None, None
        if self.is_first:
            try:
                made = action(), None
            except BaseException as error:
                made = None, error
        value, failure = self.communicator.broadcast((made[0], carried(made[1])))
        if failure is not None:
            raise made[1] if made[1] is not None else failure
        return value  # type: ignore[no-any-return]

    def until(self, seconds: Callable[[], float]) -> float:
        """Rank 0's `seconds`; a `KeyboardInterrupt` on all ranks if one of them was interrupted."""
        told = np.array([self.interrupt is not None, seconds() if self.is_first else 0.0])
        self.communicator.allreduce(told)
        if told[0]:
            self.raise_interrupt()
        return float(told[1])

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep Ctrl-C for the next moment at which all ranks look for it, as `until` and each step do."""
        main = threading.current_thread() is threading.main_thread()
        if not self.are_together or self._holds or not main or not callable(signal.getsignal(signal.SIGINT)):
            yield
            return
        self._before = signal.signal(signal.SIGINT, self._hold)
        self._holds = True
        try:
            yield
            self.until(lambda: 0.0)
        finally:
            self._holds, self.interrupt = False, None
            signal.signal(signal.SIGINT, self._before)

    def _hold(self, *arguments: Any) -> None:
        self.interrupt = arguments

    def raise_interrupt(self) -> None:
        """Raise `KeyboardInterrupt` as Ctrl-C would have done, also where another rank received it."""
        arguments, self.interrupt = self.interrupt or (signal.SIGINT, None), None
        if callable(self._before):
            self._before(*arguments)
        raise KeyboardInterrupt

    def require_same(self, parts: Mapping[str, str]) -> None:
        """Refuse, on all ranks, a training of which one rank has other `parts` than rank 0; a `ValueError` names it."""
        if self.size == 1:
            return
        theirs = self.communicator.broadcast(dict(parts))
        names = [name for name in {**theirs, **parts} if theirs.get(name) != parts.get(name)]
        differing = np.zeros(self.size)
        differing[self.rank] = bool(names)
        self.communicator.allreduce(differing)
        if differing.any():
            wrong = int(np.flatnonzero(differing)[0])
            names = self.communicator.broadcast(names, wrong)
            raise ValueError(
                f"rank {wrong} of {self.size} would train something else than rank 0; what differs: "
                f"{', '.join(names)}. All ranks of one training need the same program, data, settings and versions."
            )


def carried(error: BaseException | None) -> BaseException | None:
    """An error that other ranks can raise, too."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"rank 0: {type(error).__name__}: {error}")
    return error


ALONE = Ranks(Alone(), are_together=False)
_present: ContextVar[Ranks | None] = ContextVar("ranks", default=None)


def ranks() -> Ranks:
    """The ranks that train together where this is called; by default this process alone."""
    return _present.get() or ALONE


@contextmanager
def alone() -> Iterator[None]:
    """Train as in an ordinary process, each rank by itself, for programs that use the ranks for something else.

    Examples
    --------
    >>> import rosenblatt
    >>> with rosenblatt.distributed.alone():
    ...     pass  # what is fitted here is fitted by this process
    """
    token = _present.set(ALONE)
    try:
        yield
    finally:
        _present.reset(token)


@contextmanager
def together() -> Iterator[Ranks]:
    """All ranks of the job if ``mpiexec`` started this process, unless `alone` holds or another thread asks."""
    is_main = threading.current_thread() is threading.main_thread()
    is_child = multiprocessing.current_process().name != "MainProcess"
    if _present.get() is not None or not is_main or is_child or not is_launched():
        yield ranks()
        return
    with together_on(job()) as found:
        yield found


@contextmanager
def together_on(found: Ranks) -> Iterator[Ranks]:
    """These ranks train together. An error that not all of them have ends the job with its message."""
    token = _present.set(found)
    try:
        yield found
    except BaseException as error:
        fail_together(found, error)
        raise
    finally:
        _present.reset(token)


def fail_together(found: Ranks, error: BaseException) -> None:
    """Wait until all ranks have failed, or else end the job: nobody would answer the others."""
    if found.communicator.barrier(GRACE):
        return
    places = traceback.extract_tb(error.__traceback__)
    where = f" ({places[-1].filename}, line {places[-1].lineno})" if places else ""
    found.communicator.abort(
        f"{type(error).__name__}: {error}{where}. The other ranks had no error within {GRACE:g} seconds: the job ends."
    )


@cache
def job() -> Ranks:
    """The ranks of this job; from now on an error that ends this process ends the job, too."""
    found, show = Ranks(world()), sys.excepthook

    def end(kind: Any, error: Any, trace: Any) -> None:
        show(kind, error, trace)
        fail_together(found, error)

    if found.size > 1:
        sys.excepthook = end
        share_processors(local_ranks())
    return found
