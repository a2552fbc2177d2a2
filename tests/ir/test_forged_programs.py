"""Programs in which single numbers are forged are refused, or run without reading or writing outside their memory."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.reliability.attempts import ACCEPTED, REFUSED, ends_here
from benchmarks.reliability.programs import FENCE, Subject, programs, subjects


@pytest.mark.parametrize("seed", range(10))
def test_forged_programs_are_refused_or_run(seed: int) -> None:
    assert set(ends_here(programs, 60, seed)) == {ACCEPTED, REFUSED}  # not in another process, for the sanitizers


@pytest.mark.parametrize(("number", "ways"), [(0, "train shuffle evaluate"), (1, "train shuffle"), (2, "forward")])
def test_what_is_not_forged_runs(number: int, ways: str) -> None:
    subject = subjects()[number]
    for how in ways.split():
        subject.run(subject.arguments, how, 0)


def test_a_write_outside_the_memory_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def outside(subject: Subject, session: object, memory: np.ndarray) -> dict[str, object]:
        return {"train": lambda: memory.base.__setitem__(slice(-FENCE, None), 1)}

    subject = subjects()[0]
    monkeypatch.setattr("benchmarks.reliability.programs.ways", outside)
    with pytest.raises(AssertionError, match="it wrote outside its memory"):
        subject.run(subject.arguments, "train", 0)
