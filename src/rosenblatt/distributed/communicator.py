"""What the processes of one job say to each other: six methods, and sums that do not depend on their number.

Takes arrays and small Python values. Returns the same to every rank. Never sums in another order than that of one
binary tree over eight shards: ranks 1, 2, 4 and 8 give the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHARDS", "SIZES", "Alone", "Communicator", "Exchange", "require_size", "tree_sum"]

SHARDS = 8
"""Parts of every batch, whatever the number of ranks."""
SIZES = (1, 2, 4, 8)
"""Numbers of ranks that hold equally many shards, each a subtree of the same tree."""
LARGE = 1 << 13
"""Elements from which an array is summed in halves: less is sent, in twice as many messages."""

Exchange = Callable[[NDArray[Any], NDArray[Any], int], None]
"""``exchange(send, receive, partner)``: sends one array to a rank while it receives another of that size from it."""


class Communicator(Protocol):
    """One rank's connection to all ranks of a job."""

    rank: int
    size: int

    def allreduce(self, array: NDArray[Any]) -> None:
        """Replace a contiguous array, in place, by the sum of the arrays of all ranks, in the order of `tree_sum`."""

    def broadcast(self, value: Any, root: int = 0) -> Any:
        """The value of the rank `root`, which pickle can carry."""

    def barrier(self, seconds: float = math.inf) -> bool:
        """Wait for all ranks, at most so long; whether all of them came."""

    def abort(self, message: str) -> NoReturn:
        """Print a message that names this rank, and end the processes of all ranks."""


class Alone:
    """The communicator of a process that is all there is."""

    rank, size = 0, 1

    def allreduce(self, array: NDArray[Any]) -> None:
        """Leave the sum of one array as it is."""

    def broadcast(self, value: Any, root: int = 0) -> Any:
        """The value."""
        return value

    def barrier(self, seconds: float = math.inf) -> bool:
        """Nobody has to be waited for."""
        return True

    def abort(self, message: str) -> NoReturn:
        """End the process with a message."""
        raise SystemExit(message)


def require_size(size: int) -> None:
    """Refuse a number of ranks that would not give the bits of one rank, in a `ValueError`."""
    if size not in SIZES:
        raise ValueError(
            f"{size} ranks were started; one network trains on 1, 2, 4 or 8 ranks, which give equal results: use "
            "mpiexec -n with one of these, or train where `with rosenblatt.distributed.alone():` holds, where each "
            "rank trains by itself"
        )


def tree_sum(array: NDArray[Any], received: NDArray[Any], rank: int, size: int, exchange: Exchange) -> None:
    """Sum the arrays of all ranks in place, each element as ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)).

    The partner is first the rank ^ 1, then ^ 2, then ^ 4. Small arrays are exchanged whole (recursive doubling). Of
    large ones the partners sum a half each, then halves of these, which are then put together in the reverse order
    (recursive halving and doubling; Thakur, Rabenseifner and Gropp 2005). Addition commutes in floating point, so that
    both partners have the same bits.

    Parameters
    ----------
    array : ndarray of shape (n,)
    received : ndarray of shape (n,)
        Room for what the partners send.
    rank, size : int
        The size is a power of two.
    exchange : callable
    """
    if array.size >= LARGE:
        halved_sum(array, received, rank, size, exchange)
        return
    distance = 1
    while distance < size:
        exchange(array, received, rank ^ distance)
        np.add(array, received, out=array)
        distance *= 2


def halved_sum(array: NDArray[Any], received: NDArray[Any], rank: int, size: int, exchange: Exchange) -> None:
    """`tree_sum` by recursive halving and doubling."""
    start, stop, distance = 0, array.size, 1
    parts: list[tuple[slice, slice]] = []
    while distance < size:
        middle = (start + stop) // 2
        own, other = slice(start, middle), slice(middle, stop)
        if rank & distance:
            own, other = other, own
        exchange(array[other], received[own], rank ^ distance)
        np.add(array[own], received[own], out=array[own])
        parts.append((own, other))
        start, stop, distance = own.start, own.stop, distance * 2
    for own, other in reversed(parts):
        distance //= 2
        exchange(array[own], array[other], rank ^ distance)
