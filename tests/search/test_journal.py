"""Records of searches: a line that no search wrote is refused by its number, a torn last line is left out."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from rosenblatt.search.journal import Journal, RecordError, Result

GOOD = [Result(0, 0, 3, [0.5, 0.75], seconds=0.1), Result(1, 0, 3, [], "it failed")]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    journal = Journal(tmp_path / "record", "digest", 2)
    for result in GOOD:
        journal.add(result)
    return tmp_path / "record"


def changed(record: Path, number: int, text: bytes) -> None:
    lines = record.read_bytes().splitlines()
    lines[number - 1] = text
    record.write_bytes(b"\n".join(lines) + b"\n")


def entry(**values: Any) -> bytes:
    return json.dumps({**asdict(GOOD[0]), **values}).encode()


def test_what_is_recorded_is_found(record: Path) -> None:
    assert [*Journal(record, "digest", 2).found.values()] == GOOD


@pytest.mark.parametrize("length", range(1, 60, 7))
def test_a_torn_last_line_is_left_out(length: int, record: Path) -> None:
    whole = record.read_bytes()
    record.write_bytes(whole[:-length])
    assert [*Journal(record, "digest", 2).found.values()] == GOOD[:1]
    assert record.read_bytes() == whole[: whole[:-length].rfind(b"\n") + 1]


LINES = {
    "no JSON": (b"x", "this is not the result of a candidate"),
    "an empty line": (b"", "this is not the result of a candidate"),
    "a list": (b"[]", "this is not the result of a candidate"),
    "deep lists": (b"[" * 100_000, "this is not the result of a candidate"),
    "not UTF-8": (b'"\xff"', "this is not the result of a candidate"),
    "an entry less": (json.dumps({"trial": 0}).encode(), "this is not the result of a candidate"),
    "an entry more": (entry(evil=1), "this is not the result of a candidate"),
    "NaN": (entry(scores=[float("nan"), 0.5]), "this is not the result of a candidate"),
    "minus infinity": (entry(scores=[float("-inf"), 0.5]), "this is not the result of a candidate"),
    "nested scores": (entry(scores=[[0.5, 0.5]]), "scores is not a list of finite numbers"),
    "scores of text": (entry(scores=["0.5", "0.5"]), "scores is not a list of finite numbers"),
    "true as a score": (entry(scores=[True, 0.5]), "scores is not a list of finite numbers"),
    "a huge number as a score": (entry(scores=[10**400, 0.5]), "scores is not a list of finite numbers"),
    "scores as a number": (entry(scores=0.5), "scores is not a list of finite numbers"),
    "no scores": (entry(scores=[]), "there are 0 scores; a result has 2, one for each fold, or an error"),
    "too many scores": (entry(scores=[0.5] * 3), "there are 3 scores"),
    "scores of a failure": (entry(error="x"), "there are 2 scores"),
    "a negative trial": (entry(trial=-1), "trial is -1"),
    "a trial of text": (entry(trial="0"), "trial is '0'"),
    "a trial of true": (entry(trial=True), "trial is True"),
    "a fraction of a rung": (entry(rung=0.5), "rung is 0.5"),
    "no epochs": (entry(epochs=0), "epochs is 0"),
    "negative seconds": (entry(seconds=-1.0), "seconds is -1.0"),
    "an error of numbers": (entry(error=3), "error is not a text"),
    "an incomplete result": (entry(complete=False), "complete is not true"),
}


@pytest.mark.parametrize(("text", "message"), LINES.values(), ids=LINES)
def test_a_line_that_no_search_wrote_is_refused_by_its_number(text: bytes, message: str, record: Path) -> None:
    changed(record, 2, text)
    before = record.read_bytes()
    with pytest.raises(RecordError, match=f"record, line 2: .*({message}).*Delete the line, or choose another name"):
        Journal(record, "digest", 2)
    assert record.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is not a record of a search"),
        (b"[]", "is not a record of a search"),
        (b"[" * 100_000, "is not a record of a search"),
        (b'{"format": "rosenblatt search"}', "line 1: this version of rosenblatt does not read it"),
        (b'{"format": "rosenblatt search", "version": 9, "digest": "digest"}', "line 1: this version of rosenblatt"),
        (b'{"format": "rosenblatt search", "version": 1, "digest": []}', "belongs to another search"),
    ],
)
def test_another_first_line_is_refused(text: bytes, message: str, record: Path) -> None:
    changed(record, 1, text)
    with pytest.raises(RecordError, match=message):
        Journal(record, "digest", 2)
