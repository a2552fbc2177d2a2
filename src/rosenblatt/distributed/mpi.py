"""The communicator of processes that ``mpiexec`` has started.

Takes nothing but what MPI knows. Returns an `MPICommunicator`. mpi4py is imported, and MPI initialized, on first use.
Never waits for a rank that is gone: MPI ends the job if it died, and the rank that waits does if it ended by itself.
"""

from __future__ import annotations

import functools
import math
import os
import pickle
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from rosenblatt._launch import SIZE_VARIABLES
from rosenblatt.distributed.communicator import require_size, tree_sum

__all__ = [
    *("MPICommunicator", "begun_mpi", "import_mpi", "launched_rank", "launched_size", "local_ranks"),
    *("say_goodbye", "world"),
]

RANK_VARIABLES = ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK", "PMIX_RANK")
LOCAL_VARIABLES = ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE", "MV2_COMM_WORLD_LOCAL_SIZE")
SPINS = 2_000
"""Looks at a message before the processor is given to others, which may be the ranks that one waits for."""
PAUSE = 0.01
"""Seconds between two looks for ranks that are late."""
LOOK = 0.5
"""Seconds of waiting between two looks for ranks that have ended."""
GOODBYE = 5.0
"""Seconds that a rank which never trained with the others waits for them at its end."""
ENDED: dict[int, int] = {}
"""Ranks that have ended, and how many messages of all ranks they had taken part in."""
END_TAG = 31_847
"""Of the message of a rank that ends; MPI promises tags up to 32,767."""


def launched_rank() -> int:
    """The rank that the launcher gave to this process, without MPI; 0 without a launcher."""
    return next((int(os.environ[name]) for name in RANK_VARIABLES if os.environ.get(name, "").isdecimal()), 0)


def launched_size() -> int:
    """The number of ranks, as far as the launcher says without MPI; else 1."""
    return next((int(os.environ[name]) for name in SIZE_VARIABLES[:3] if os.environ.get(name, "").isdecimal()), 1)


def local_ranks() -> int:
    """Ranks on this machine, as far as the launcher says; else 1."""
    return next((int(os.environ[name]) for name in LOCAL_VARIABLES if os.environ.get(name, "").isdecimal()), 1)


def import_mpi() -> Any:
    """``mpi4py.MPI``; an `ImportError` that says what to install."""
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise ImportError(
            "this process was started by an MPI launcher, such as mpiexec, but mpi4py cannot be imported "
            f"({error}), so its ranks cannot train one network: pip install 'rosenblatt[mpi]', start one process "
            "without mpiexec, or train where `with rosenblatt.distributed.alone():` holds"
        ) from None
    return MPI


def begun_mpi() -> Any:
    """``mpi4py.MPI`` between its beginning and its end, else None; does not import it."""
    mpi = sys.modules.get("mpi4py.MPI")
    return mpi if mpi is not None and mpi.Is_initialized() and not mpi.Is_finalized() else None


def say_goodbye(mpi: Any) -> None:
    """Tell all other ranks that this one ends, and hear it from them, since no message may be left when MPI ends.

    Ranks that have a communicator in common wait for each other, as MPI does when it ends. Others wait for a while:
    there may be ranks that never import rosenblatt.
    """
    comm, begun = mpi.COMM_WORLD, world.cache_info().currsize
    done, end = np.array([world().done if begun else 0]), math.inf if begun else time.monotonic() + GOODBYE
    others = set(range(comm.Get_size())) - {comm.Get_rank()}
    hear_goodbyes(mpi)
    requests = [comm.Isend(done.view(np.uint8), rank, END_TAG) for rank in others - (set() if begun else set(ENDED))]
    while not (mpi.Request.Testall(requests) and others <= set(ENDED)) and time.monotonic() < end:
        time.sleep(PAUSE)
        hear_goodbyes(mpi)


def hear_goodbyes(mpi: Any) -> None:
    """Note which ranks have ended, and how many messages of all ranks they had taken part in."""
    comm, done, status = mpi.COMM_WORLD, np.empty(1, np.int64), mpi.Status()
    while comm.Iprobe(mpi.ANY_SOURCE, END_TAG, status):
        comm.Recv(done.view(np.uint8), status.Get_source(), END_TAG)
        ENDED[status.Get_source()] = int(done[0])


@functools.cache
def world() -> MPICommunicator:
    """The communicator of all ranks of this job, a duplicate that no other messages use."""
    comm = import_mpi().COMM_WORLD
    require_size(comm.Get_size())
    return MPICommunicator(comm)


class MPICommunicator:
    """A duplicate of a communicator of mpi4py; see `rosenblatt.distributed.communicator.Communicator`.

    Attributes
    ----------
    done : int
        Messages of all ranks that this one has taken part in; another that has ended with fewer will not take part.
    """

    def __init__(self, comm: Any) -> None:
        self.rank, self.size, self.done = comm.Get_rank(), comm.Get_size(), 0
        self._test = import_mpi().Request.Testall
        self._received: dict[np.dtype[Any], NDArray[Any]] = {}
        self.comm, request = comm.Idup()
        self._wait(request.Test)
        self.done += 1

    def _wait(self, is_done: Callable[[], bool]) -> None:
        """Let other processes run while nothing comes, and end the job if a rank has ended that should come."""
        spins, look = 0, 0.0
        while not is_done():
            spins += 1
            if spins <= SPINS:
                continue
            os.sched_yield() if hasattr(os, "sched_yield") else time.sleep(0)
            if spins % 256 == 0 and (now := time.monotonic()) >= look:
                if look:
                    self._require_all()
                look = now + LOOK

    def _require_all(self) -> None:
        """Abort if a rank has ended before the message for which this one waits."""
        hear_goodbyes(import_mpi())
        if gone := [rank for rank, done in ENDED.items() if done <= self.done]:
            self.abort(
                f"rank {gone[0]} has ended, but this rank still waits for it in a training: all ranks must fit the "
                "same models in the same order, and none may end before. The job ends."
            )

    def allreduce(self, array: NDArray[Any]) -> None:
        """Sum in place, in the order of `tree_sum`."""
        if self.size == 1:
            return
        flat = array.reshape(-1)
        room = self._received.get(flat.dtype)
        if room is None or room.size < flat.size:
            room = self._received[flat.dtype] = np.empty(flat.size, flat.dtype)
        tree_sum(flat, room[: flat.size], self.rank, self.size, self._exchange)
        self.done += 1

    def _exchange(self, send: NDArray[Any], receive: NDArray[Any], partner: int) -> None:
        """Send and receive at once."""
        requests = [self.comm.Irecv(receive.view(np.uint8), partner), self.comm.Isend(send.view(np.uint8), partner)]
        self._wait(lambda: self._test(requests))

    def broadcast(self, value: Any, root: int = 0) -> Any:
        """The value of the rank `root`."""
        packed = np.frombuffer(pickle.dumps(value) if self.rank == root else b"", np.uint8)
        n_bytes = np.array([packed.size])
        self._wait(self.comm.Ibcast(n_bytes.view(np.uint8), root).Test)
        packed = packed if self.rank == root else np.empty(int(n_bytes[0]), np.uint8)
        self._wait(self.comm.Ibcast(packed, root).Test)
        self.done += 1
        return value if self.rank == root else pickle.loads(packed.data)

    def barrier(self, seconds: float = math.inf) -> bool:
        """Wait for all ranks, at most so long."""
        request, end = self.comm.Ibarrier(), time.monotonic() + seconds
        if seconds == math.inf:
            self._wait(request.Test)
            self.done += 1
            return True
        while not request.Test():
            if time.monotonic() >= end:
                return False
            time.sleep(PAUSE)
        return True

    def abort(self, message: str) -> NoReturn:
        """Print the message with the number of this rank, and end the job."""
        print(f"rosenblatt: rank {self.rank} of {self.size}: {message}", file=sys.__stderr__, flush=True)
        self.comm.Abort(1)
        raise SystemExit(1)  # MPI has ended the process
