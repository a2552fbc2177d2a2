"""The small form of `benchmarks.reliability`: nothing that is damaged, forged or fails ends in another error."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from benchmarks.reliability import PARTS, Attempt, attempts, run
from benchmarks.reliability.attempts import Part, Rng

DAMAGED = {"files": 100, "checkpoints": 100, "records": 100}
FAILING = {"programs": 400, "disks": 40, "diverging": 40}
RIGHT = {"gradients": 10}
"""Attempts of the short run: of what is mostly refused, of what may be, and of what never is."""
MORE = {"files": 1500, "checkpoints": 1500, "records": 1000, "programs": 2000, "gradients": 100}
MORE |= {"disks": 100, "diverging": 100, "kills": 1}
"""Attempts of the long run."""


def test_every_part_is_tested() -> None:
    assert set(PARTS) == set(MORE)


SHORT = {**DAMAGED, **FAILING, **RIGHT}.items()
LONG = [pytest.param(name, n, marks=pytest.mark.long) for name, n in MORE.items()]


@pytest.mark.parametrize(("name", "n"), [*SHORT, *LONG])
def test_only_documented_errors_come_out(name: str, n: int) -> None:
    tally = run(name, n, seed=n)
    assert tally.failures == []
    assert tally.refused + tally.accepted == n
    assert tally.accepted > 0
    assert (tally.refused > 0) == (name in {**DAMAGED, **FAILING})
    assert tally.refused > n / 2 or name not in DAMAGED


def ending(rng: Rng) -> Iterator[Attempt]:
    yield Attempt("works", lambda: None)
    yield Attempt("aborts", os.abort)
    yield Attempt("divides", lambda: 1 // 0)
    yield Attempt("is refused", lambda: int("x"), (ValueError,))


def test_an_attempt_that_ends_its_process_is_named_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PARTS, "ending", Part(ending, apart=True))
    tally = run("ending", 4)
    assert (tally.accepted, tally.refused) == (1, 1)
    aborted, divided = tally.failures
    assert aborted == "aborts: it ended the process with exit code -6"
    assert divided.startswith("divides: ZeroDivisionError")


def endless(rng: Rng) -> Iterator[Attempt]:
    yield Attempt("sleeps", lambda: time.sleep(1000))
    yield Attempt("works", lambda: None)


@pytest.mark.long
def test_an_attempt_that_does_not_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PARTS, "endless", Part(endless, apart=True))
    monkeypatch.setattr(attempts, "LIMIT", 20.0)
    tally = run("endless", 2)
    assert (tally.accepted, tally.failures) == (1, ["sleeps: it still ran after 20 s"])


@pytest.mark.long
def test_a_part_that_cannot_begin_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PARTS, "broken", Part(broken, apart=True))
    with pytest.raises(RuntimeError, match="ended before it had made one"):
        run("broken", 2)


def broken(rng: Rng) -> Iterator[Attempt]:
    raise OSError("this part cannot begin")
