"""Attempts at making the library fail, and what came of them.

Takes the name of a part and a number of attempts. Returns a `Tally`. A part is a function that takes a generator of
random numbers and yields an `Attempt` after the other, without end; the decorator `part` adds it. An attempt draws no
random numbers itself, so that equal seeds give equal attempts, whichever of them are made.
"""

from __future__ import annotations

import multiprocessing
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

__all__ = ["ACCEPTED", "PARTS", "REFUSED", "Attempt", "Part", "Rng", "Tally", "ends_here", "part", "run"]

Rng = np.random.Generator
LIMIT = 100.0
"""Seconds after which an attempt of a part in a process of its own counts as one that does not end."""
ACCEPTED, REFUSED = "accepted", "refused"


@dataclass(frozen=True)
class Attempt:
    """Something that may raise one of the `allowed` errors, and nothing else."""

    what: str
    act: Callable[[], object]
    allowed: tuple[type[Exception], ...] = ()


@dataclass
class Tally:
    """What came of the attempts; `failures` are those with another error, or that ended their process."""

    refused: int = 0
    accepted: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, end: str) -> None:
        """Count how an attempt ended."""
        self.accepted += end == ACCEPTED
        self.refused += end == REFUSED
        if end not in (ACCEPTED, REFUSED):
            self.failures.append(end)


Attempts = Callable[[Rng], Iterator[Attempt]]


@dataclass(frozen=True)
class Part:
    """Attempts of one kind; `apart`: in a process of their own, which one of them may end."""

    attempts: Attempts
    apart: bool = False


PARTS: dict[str, Part] = {}


def part(name: str, *, apart: bool = False) -> Callable[[Attempts], Attempts]:
    """Add a part under this name."""

    def add(attempts: Attempts) -> Attempts:
        PARTS[name] = Part(attempts, apart)
        return attempts

    return add


def run(name: str, n: int, seed: int = 0) -> Tally:
    """`n` attempts of a part; equal seeds give equal attempts."""
    tally, given = Tally(), PARTS[name]
    ends = ends_apart if given.apart else ends_here
    for end in ends(given.attempts, n, seed):
        tally.add(end)
    return tally


def ends_here(attempts: Attempts, n: int, seed: int, first: int = 0) -> Iterator[str]:
    """How the attempts from number `first` on end in this process."""
    return (end for _, end in begun_and_ended(attempts, n, seed, first) if end)


def begun_and_ended(attempts: Attempts, n: int, seed: int, first: int) -> Iterator[tuple[str, str]]:
    """For each attempt, what it is as it begins, and then how it ended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for attempt in islice(attempts(np.random.default_rng(seed)), first, n):
            yield attempt.what, ""
            yield "", end_of(attempt)


def end_of(attempt: Attempt) -> str:
    """How an attempt ends: accepted, refused, or a sentence about what it should not have raised."""
    try:
        attempt.act()
    except attempt.allowed:
        return REFUSED
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        return f"{attempt.what}: {type(error).__name__}: {str(error)[:200]} ({place})"
    return ACCEPTED


def ends_apart(attempts: Attempts, n: int, seed: int) -> Iterator[str]:
    """How the attempts end in a process that begins again after each attempt that ended it."""
    made = 0
    while made < n:
        before = made
        for end in ends_of_child(attempts, n, seed, made):
            made += 1
            yield end
        if made == before:
            raise RuntimeError("the process of the attempts ended before it had made one")


def ends_of_child(attempts: Attempts, n: int, seed: int, first: int) -> Iterator[str]:
    """How the attempts from number `first` on end in one process, until one ends it."""
    context = multiprocessing.get_context("spawn")  # a process that has threads should not fork
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=tell, args=(sender, attempts, n, seed, first), daemon=True)
    child.start()
    sender.close()
    what = ""
    try:
        while receiver.poll(LIMIT):
            what, end = receiver.recv()
            if end:
                yield end
        yield f"{what}: it still ran after {LIMIT:g} s"
        return
    except EOFError:
        child.join()
    finally:
        child.kill()
        child.join()
    if what:
        yield f"{what}: it ended the process with exit code {child.exitcode}"


def tell(sender: Connection, attempts: Attempts, n: int, seed: int, first: int) -> None:
    """In the process of the attempts: send what each is as it begins, and then how it ended."""
    for news in begun_and_ended(attempts, n, seed, first):
        sender.send(news)
