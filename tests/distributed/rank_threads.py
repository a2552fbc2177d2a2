"""Ranks without MPI: a thread for each, whose messages are queues."""

from __future__ import annotations

import math
import queue
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rosenblatt.distributed.communicator import tree_sum
from rosenblatt.distributed.ranks import Ranks, together_on

SECONDS = 30


class Post:
    """The messages of a job of threads."""

    def __init__(self, size: int) -> None:
        self.size, self.meeting = size, threading.Barrier(size)
        self.boxes: Any = defaultdict(queue.Queue)
        self.aborted: list[str] = []


class ThreadCommunicator:
    """A communicator between threads."""

    def __init__(self, post: Post, rank: int) -> None:
        self.post, self.rank, self.size, self.n_messages = post, rank, post.size, 0

    def allreduce(self, array):
        self.n_messages += 1
        tree_sum(array, array.copy(), self.rank, self.size, self._exchange)

    def _exchange(self, send, receive, partner):
        self.post.boxes[self.rank, partner].put(send.copy())
        receive[...] = self.post.boxes[partner, self.rank].get(timeout=SECONDS)

    def broadcast(self, value, root=0):
        if self.rank == root:
            for other in set(range(self.size)) - {root}:
                self.post.boxes[root, other].put(value)
            return value
        return self.post.boxes[root, self.rank].get(timeout=SECONDS)

    def barrier(self, seconds=math.inf):
        try:
            self.post.meeting.wait(min(seconds, 0.2))
        except threading.BrokenBarrierError:
            return False
        return True

    def abort(self, message):
        self.post.aborted.append(f"rank {self.rank}: {message}")
        raise SystemExit(message)


def on_ranks(size, function, post=None):
    """What ``function(ranks)`` returns on each of so many ranks."""
    post = post or Post(size)

    def one(rank):
        with together_on(Ranks(ThreadCommunicator(post, rank))) as found:
            return function(found)

    with ThreadPoolExecutor(size) as pool:
        return [future.result(SECONDS) for future in [pool.submit(one, rank) for rank in range(size)]]
