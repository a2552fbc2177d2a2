"""Reads at a place in a file: what they fill, from several threads, with and without the system's call for it."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from rosenblatt.tables.positioned_reads import read_fully

CONTENT = bytes(i * 7 % 251 for i in range(100_000))


@pytest.fixture(params=["the system's call", "short reads", "moved positions"])
def descriptor(request, tmp_path, monkeypatch):
    if request.param == "moved positions":
        monkeypatch.delattr(os, "preadv")
    elif request.param == "short reads":
        whole = os.preadv
        monkeypatch.setattr(os, "preadv", lambda file, views, start: whole(file, [views[0][:999]], start))
    (tmp_path / "rows").write_bytes(CONTENT)
    with open(tmp_path / "rows", "rb") as file:
        yield file.fileno()


def test_threads_read_what_they_asked_for(descriptor):
    def piece(start):
        found = bytearray(5_000)
        read_fully(descriptor, memoryview(found), start)
        return found == CONTENT[start : start + 5_000]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(piece, list(range(0, 95_000, 517)) * 3))


def test_a_file_that_is_too_short_is_refused(descriptor):
    with pytest.raises(OSError, match="the file is shorter than it was"):
        read_fully(descriptor, memoryview(bytearray(20)), len(CONTENT) - 10)
