"""What a rank tells the others when its process ends, so that nobody waits for it.

Takes the moment at which Python ends. Sends each rank a message that no program of a user's looks for. Never begins
MPI, and does nothing in an ordinary process.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
import time
from functools import cache
from typing import Any

from rosenblatt.distributed.mpi import begun_mpi, launched_rank, launched_size, say_goodbye

__all__ = ["end_job", "watch"]

PAUSE = 1.0
"""Seconds in which other ranks can say the same before the job ends."""


@cache
def watch() -> None:
    """From now on, a rank that ends says so to ranks that wait for it; called as soon as rosenblatt is imported."""
    if multiprocessing.current_process().name != "MainProcess":
        return
    process, show = os.getpid(), sys.excepthook

    def announce() -> None:
        if os.getpid() == process and (mpi := begun_mpi()) is not None:
            say_goodbye(mpi)

    def end(kind: Any, error: Any, trace: Any) -> None:
        show(kind, error, trace)
        if os.getpid() == process and not issubclass(kind, KeyboardInterrupt):  # of which Python dies by itself
            time.sleep(PAUSE)
            end_job(signal.SIGTERM)

    atexit.register(announce)
    sys.excepthook = end


def end_job(number: int, reason: str = "") -> None:
    """End this process by a signal, and with it all ranks, if MPI has not begun: only the launcher can tell them then.

    Does nothing if there is one rank, or if MPI has begun, so that this rank can tell the others itself.
    """
    if launched_size() == 1 or begun_mpi() is not None:
        return
    if reason:
        where = f"rank {launched_rank()} of {launched_size()}"
        print(f"rosenblatt: {where}: {reason} The job ends.", file=sys.__stderr__, flush=True)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
