"""Where progress is written: real terminals, and streams that cannot be written to."""

from __future__ import annotations

import io
import os
import re
import select
import subprocess
import sys
import time
import warnings

import pytest
from tests.training.test_progress import DOORS, X, Y

from rosenblatt import Perceptron
from rosenblatt.training.output import Outlet, replaced

PERCEPTRONS = """
import numpy as np
from sklearn.datasets import load_iris
from rosenblatt import Perceptron
X, y = load_iris(return_X_y=True)
Perceptron(verbose=1, max_iter=30).fit(X, y)
print("three classes")
rng = np.random.default_rng(0)
Perceptron(verbose=1, max_iter=1000, tol=None).fit(rng.normal(size=(20_000, 10)), rng.integers(0, 2, 20_000))
print("two classes")
"""


def in_a_terminal(code: str, seconds: float = 30) -> str:
    """What a program writes to a terminal of its own; it must end in time."""
    pty = pytest.importorskip("pty", exc_type=ImportError)
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code],
        stdin=its,
        stdout=its,
        stderr=its,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(its)
    end, text = time.monotonic() + seconds, b""
    try:
        while (left := end - time.monotonic()) > 0 and select.select([ours], [], [], left)[0]:
            try:
                text += (more := os.read(ours, 65536))
            except OSError:  # how Linux says that the other end is closed
                break
            if not more:
                break
        assert process.wait(timeout=max(0.1, end - time.monotonic())) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return text.decode()


@pytest.mark.long
def test_perceptrons_in_a_terminal_end_and_their_line_moves() -> None:
    first, second = in_a_terminal(PERCEPTRONS).split("three classes")
    assert "average loss" in first
    assert "Parallel" not in first + second
    assert "two classes" in second
    assert any(1 < int(number) < 1000 for number in re.findall(r"pass (\d+) of 1000", second))


class Broken:
    """A stream that cannot be written to and has no `flush`."""

    encoding = None

    def __init__(self, is_terminal: bool) -> None:
        self.isatty = lambda: is_terminal

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize("door", DOORS)
def test_no_training_fails_because_nobody_can_read_of_it(door, is_terminal, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(is_terminal))
    monkeypatch.setattr(sys, "stderr", None)
    streams = sys.stdout, sys.stderr
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        DOORS[door][0]()
    assert (sys.stdout, sys.stderr) == streams


@pytest.mark.parametrize("stream", [None, closed()])
def test_closed_streams_and_none(stream, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    for door in ("Perceptron", "Network.fit", "tabular"):
        DOORS[door][0]()


def test_an_outlet_hands_on_what_it_can() -> None:
    class Plain:
        def write(self, text: str) -> None:
            written.append(text)

    written: list[str] = []
    print("text", file=Outlet(Plain()), flush=True)
    assert "".join(written) == "text\n"
    assert Outlet(Plain()).encoding == "utf-8"
    assert not Outlet(Plain()).isatty()


def test_joblib_says_nothing_of_a_perceptrons_classes(capsys) -> None:
    Perceptron(verbose=1).fit(X, Y)
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.startswith("-- Epoch 1\n")


def test_a_stream_is_restored_unless_another_took_its_place(monkeypatch) -> None:
    before, ours, other = io.StringIO(), io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", before)
    with replaced("stdout", ours):
        assert sys.stdout is ours
    assert sys.stdout is before
    with replaced("stdout", ours):
        sys.stdout = other
    assert sys.stdout is other
