"""What tests of the playground share."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from rosenblatt.playground_page.runs import Run
from rosenblatt.playground_page.settings import Settings


@pytest.fixture
def client() -> Iterator[Any]:
    """A client of a new application without a table."""
    from tests.playground_page.server_tools import Client

    with Client() as client:
        yield client


@pytest.fixture
def run_of() -> Callable[..., Run]:
    """A function that makes a run of settings as the page sends them."""

    def make(given: Any = None, table: Any = None) -> Run:
        return Run(Settings.from_json({} if given is None else given, table), table)

    return make


@pytest.fixture
def read_frame() -> Callable[[bytes], tuple[dict[str, Any], dict[str, Any]]]:
    """A function that reads a frame as a page does: the header, and arrays by name."""

    def read(frame: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        (length,) = struct.unpack("<I", frame[:4])
        header = json.loads(frame[4 : 4 + length], parse_constant=pytest.fail)
        start, arrays = 4 + length, {}
        for entry in header["arrays"]:
            assert start % 8 == 0
            dtype, n = np.dtype(f"<{entry['dtype']}"), int(np.prod(entry["shape"]))
            arrays[entry["name"]] = np.frombuffer(frame, dtype, n, start).reshape(entry["shape"])
            start += -(-n * dtype.itemsize // 8) * 8
        assert start == len(frame)
        return header, arrays

    return read
