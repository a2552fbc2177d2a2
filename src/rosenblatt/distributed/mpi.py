"""The communicator of processes that ``mpiexec`` has started.

Takes nothing but what MPI knows. Returns an `MPICommunicator`. mpi4py is imported, and MPI initialized, on first use.
Never waits for a rank that is gone: MPI ends the job then.
"""

from __future__ import annotations

import functools
import math
import os
import sys
import time
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from rosenblatt.distributed.communicator import require_size, tree_sum

__all__ = ["MPICommunicator", "import_mpi", "is_launched", "launched_rank", "launched_size", "local_ranks", "world"]

SIZE_VARIABLES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE", "PMIX_RANK")
"""One of them is set by the launchers of MPICH and Intel MPI, Open MPI, MVAPICH, and Slurm with PMIx."""
RANK_VARIABLES = ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK", "PMIX_RANK")
LOCAL_VARIABLES = ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE", "MV2_COMM_WORLD_LOCAL_SIZE")
SPINS = 2_000
"""Looks at a message before the processor is given to others, which may be the ranks that one waits for."""
PAUSE = 0.01
"""Seconds between two looks for ranks that are late."""


def is_launched() -> bool:
    """Whether a launcher of MPI has started this process."""
    return any(name in os.environ for name in SIZE_VARIABLES)


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


@functools.cache
def world() -> MPICommunicator:
    """The communicator of all ranks of this job, a duplicate that no other messages use."""
    return MPICommunicator(import_mpi().COMM_WORLD.Dup())


class MPICommunicator:
    """All ranks of a communicator of mpi4py; see `rosenblatt.distributed.communicator.Communicator`."""

    def __init__(self, comm: Any) -> None:
        require_size(comm.Get_size())
        self.comm, self.rank, self.size = comm, comm.Get_rank(), comm.Get_size()
        self._test = import_mpi().Request.Testall
        self._received: dict[np.dtype[Any], NDArray[Any]] = {}

    def allreduce(self, array: NDArray[Any]) -> None:
        """Sum in place, in the order of `tree_sum`."""
        if self.size == 1:
            return
        flat = array.reshape(-1)
        room = self._received.get(flat.dtype)
        if room is None or room.size < flat.size:
            room = self._received[flat.dtype] = np.empty(flat.size, flat.dtype)
        tree_sum(flat, room[: flat.size], self.rank, self.size, self._exchange)

    def _exchange(self, send: NDArray[Any], receive: NDArray[Any], partner: int) -> None:
        """Send and receive at once, and let other processes run while nothing comes."""
        requests = [self.comm.Irecv(receive.view(np.uint8), partner), self.comm.Isend(send.view(np.uint8), partner)]
        spins = 0
        while not self._test(requests):
            spins += 1
            if spins > SPINS:
                os.sched_yield() if hasattr(os, "sched_yield") else time.sleep(0)

    def broadcast(self, value: Any, root: int = 0) -> Any:
        """The value of the rank `root`."""
        return self.comm.bcast(value, root)

    def barrier(self, seconds: float = math.inf) -> bool:
        """Wait for all ranks, at most so long."""
        request, end = self.comm.Ibarrier(), time.monotonic() + seconds
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
