"""Independent jobs by whatever backend of joblib is active: processes (loky), Ray, Spark.

Takes a function and items. Returns results by number. Never reaches a job that runs: its messages come with its result.
"""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Any

from rosenblatt.distributed.jobs import Done, Hear, Jobs, Running, Work

__all__ = ["JoblibJobs"]


@dataclass(frozen=True)
class JoblibJobs(Jobs):
    """The active backend, with `n_jobs` jobs at once; None: as many as the backend is configured for."""

    n_jobs: int | None = None
    shares_memory = False

    def width(self, n_jobs: int) -> int:
        import joblib  # type: ignore[import-untyped]

        return max(1, min(int(joblib.effective_n_jobs(self.n_jobs)), n_jobs))

    def start(self, work: Work, items: Iterable[Any], hear: Hear, *, timed: bool = False) -> Running:
        return RunningByJoblib(work, items, hear, self.n_jobs, timed)


class RunningByJoblib(Running):
    """Jobs of one `joblib.Parallel`."""

    def __init__(self, work: Work, items: Iterable[Any], hear: Hear, n_jobs: int | None, timed: bool) -> None:
        super().__init__()
        self.hear = hear
        options = {"pre_dispatch": "n_jobs", "batch_size": 1} if timed else {}
        self.results = results_of(work, items, {"n_jobs": n_jobs, **options})

    def wait(self) -> list[Done]:
        for number, value, messages in self.results:
            done = self.ended[number] = Done(number, value)  # first: it is kept if hearing is interrupted
            for message in messages:
                self.hear(number, message)
            return [done]
        self.over = True
        return []

    def stop(self) -> None:
        self.close()  # nothing can be told to a job that runs: those that have ended are kept
        self.over = True

    def close(self) -> None:
        self.results.close()


def results_of(work: Work, items: Iterable[Any], options: dict[str, Any]) -> Generator[tuple[int, Any, list[Any]]]:
    """What `run_alone` returns for each item: as they end or, where a backend cannot, all of them at the end."""
    import joblib
    from joblib.parallel import get_active_backend  # type: ignore[import-untyped]

    backend, _ = get_active_backend()
    as_they_end = {"return_as": "generator_unordered"} if backend.supports_return_generator else {}
    jobs = (joblib.delayed(run_alone)(work, number, item) for number, item in enumerate(items))
    yield from joblib.Parallel(**options, **as_they_end)(jobs)


@dataclass
class Letterbox:
    """The link of a job that nobody reaches: messages wait for its end."""

    messages: list[Any] = field(default_factory=list)
    owner: str = ""

    @property
    def place(self) -> str:
        """The process and its machine."""
        return f"process {os.getpid()} on {platform.node()}"

    def memory_limit(self) -> float:
        """Unknown here: that of the machine."""
        return math.inf

    def send(self, message: Any) -> None:
        """Keep the message."""
        self.messages.append(message)

    def stopped(self) -> bool:
        """Unknown here: the process is ended instead."""
        return False

    def cancelled(self) -> bool:
        """Unknown here: the process is ended instead."""
        return False


def run_alone(work: Work, number: int, item: Any) -> tuple[int, Any, list[Any]]:
    """Run a job, perhaps in another process; its number, its result and its messages."""
    link = Letterbox()
    value = work(item, link)
    return number, value, link.messages
