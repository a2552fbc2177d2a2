"""Processes of their own, with their memory and what they print, as they run; and what the machine can do.

Takes the name of a module and a request. Returns its answer, when each of its lines came, and how much anonymous memory
it had meanwhile. Never counts pages of files, which the system can take back: `ru_maxrss` does. Needs Linux.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = [
    "Machine",
    "Run",
    "drop_cached",
    "machine",
    "megabytes_of",
    "read_rate",
    "run_task",
    "unnamed_files",
    "watch",
]

ROOT = Path(__file__).parent.parent
SECONDS_BETWEEN_SAMPLES = 0.05
PIECE = 1 << 23


@dataclass
class Run:
    """What was seen of a process.

    Attributes
    ----------
    lines : list of (float, str)
        What it printed, and when, in seconds since it began.
    memory : list of (float, float)
        Its anonymous memory, in MB (10**6 bytes).
    unnamed : list of (float, int)
        The bytes of the files without a name that it had open.
    """

    lines: list[tuple[float, str]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    unnamed: list[tuple[float, int]] = field(default_factory=list)
    seconds: float = 0.0
    status: int = 0
    errors: str = ""

    @property
    def answer(self) -> dict[str, Any]:
        """The last line, which is JSON."""
        return dict(json.loads(self.lines[-1][1]))

    def time_of(self, text: str) -> float:
        """When the first line that begins with this text came."""
        return next(when for when, line in self.lines if line.startswith(text))

    def times_of(self, text: str) -> list[float]:
        """When each line that begins with this text came."""
        return [when for when, line in self.lines if line.startswith(text)]

    def peak(self, until: str | None = None) -> float:
        """The most anonymous memory, in MB, before the line that begins with this text."""
        end = self.seconds if until is None else self.time_of(until)
        return max((megabytes for when, megabytes in self.memory if when <= end), default=0.0)

    def writing(self) -> tuple[float, float] | None:
        """When a file without a name began to grow, and when it grew last; None if there was none."""
        grown = [self.unnamed[k][0] for k in range(1, len(self.unnamed)) if self.unnamed[k][1] > self.unnamed[k - 1][1]]
        return (grown[0], grown[-1]) if grown else None


def megabytes_of(pid: int | str = "self") -> float:
    """The anonymous memory of a process, in MB; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("RssAnon")), 0.0)


def unnamed_files(pid: int | str = "self") -> dict[int, int]:
    """The open files of a process that have no name any more, but its standard streams: descriptors, and bytes."""
    found = {}
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            if (
                int(entry.name) > 2
                and " (deleted)" in os.readlink(entry.path)
                and (status := os.stat(entry.path)).st_size
            ):
                found[int(entry.name)] = status.st_size
    except OSError:  # it has ended, or a descriptor was closed meanwhile
        pass
    return found


def watch(command: list[str], **how: Any) -> Run:
    """Run a command to its end and look at it twenty times a second."""
    run, began = Run(), time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT, **how)
        assert process.stdout is not None
        ended = threading.Event()

        def sample() -> None:
            while not ended.wait(SECONDS_BETWEEN_SAMPLES):
                now = time.perf_counter() - began
                run.memory.append((now, megabytes_of(process.pid)))
                run.unnamed.append((now, sum(unnamed_files(process.pid).values())))

        sampler = threading.Thread(target=sample)
        sampler.start()
        try:
            for line in process.stdout:
                run.lines.append((time.perf_counter() - began, line.rstrip("\n")))
            run.status = process.wait()
        finally:
            process.kill()  # after Ctrl-C
            process.wait()
            process.stdout.close()
            ended.set()
            sampler.join()
        run.seconds = time.perf_counter() - began
        errors.seek(0)
        run.errors = errors.read()
    return run


def run_task(name: str, **request: Any) -> Run:
    """A task of `benchmarks.out_of_core_tasks` in a process of its own; a `RuntimeError` shows how it failed."""
    given = {key: str(value) if isinstance(value, Path) else value for key, value in request.items()}
    run = watch([sys.executable, "-u", "-m", "benchmarks.out_of_core_tasks", name, json.dumps(given)])
    if run.status:
        raise RuntimeError(f"the task {name} ended with status {run.status}:\n{run.errors[-3000:]}")
    return run


def drop_cached(descriptor: int) -> None:
    """Let the system forget its cached pages of an open file, once they are written."""
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def read_rate(files: Iterable[Path], *, cached: bool, limit: int = 2 << 30) -> float:
    """MB (10**6 bytes) a second of reading files in order, from the page cache or from the disk."""
    read, seconds = 0, 0.0
    for path in files:
        with path.open("rb", buffering=0) as file:
            if not cached:
                drop_cached(file.fileno())
            began = time.perf_counter()
            buffer = bytearray(PIECE)
            while n := file.readinto(buffer):
                read += n
            seconds += time.perf_counter() - began
        if read >= limit:
            break
    return read / 1e6 / seconds


@dataclass(frozen=True)
class Machine:
    """What the numbers depend on: cores, GB of memory, MB a second of reading from the disk and the page cache."""

    cores: int
    memory: float
    disk: float
    cache: float

    def __str__(self) -> str:
        return (
            f"{self.cores} cores, {self.memory:.1f} GB of memory, sequential reading {self.disk:,.0f} MB/s from disk, "
            f"{self.cache:,.0f} MB/s from the page cache"
        )


def machine(files: list[Path]) -> Machine:
    """The machine that runs this; the rates are those of reading these files."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    disk = read_rate(files, cached=False)
    read_rate(files, cached=True)  # what was evicted is read again
    return Machine(len(os.sched_getaffinity(0)), memory, disk, read_rate(files, cached=True))
