"""The progress of a perceptron's training on a live line.

Takes what scikit-learn prints of each pass. Returns nothing: it writes to a console. Never changes scikit-learn's lines
where no line can be replaced, never reads what is drawn on the console, and leaves out what joblib says of its tasks.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rosenblatt.training.output import Outlet, replaced
from rosenblatt.training.progress import LiveLine, live_line

__all__ = ["shown_passes"]

PASS = re.compile(r"-- Epoch (\d+)")
LOSS = re.compile(r"Avg\. loss: ([-+.\w]+)")
OTHER = re.compile(r"Total training time|Convergence after|Norm: ")


@contextmanager
def shown_passes(verbose: object, max_iter: int) -> Iterator[None]:
    """Turn scikit-learn's lines about passes into one that is replaced, where that is possible."""
    if not verbose:
        yield
        return
    with live_line() as line:
        if line is not None:
            line.start()  # rich must have replaced the streams before they are replaced here
        out = WithoutTasks(sys.stdout)
        reader = out if line is None else PassReader(line, max_iter, out)
        with replaced("stdout", reader), replaced("stderr", WithoutTasks(sys.stderr)):
            yield


class WithoutTasks(Outlet):
    """A stream that hands on all but joblib's lines about the tasks of the classes."""

    def write(self, text: str) -> int:
        """Part of a line, or some lines; joblib writes one at a time."""
        return len(text) if text.startswith("[Parallel(") else super().write(text)


class PassReader(Outlet):
    """A stream that reads scikit-learn's lines, of which a pass has two, and hands all others on.

    It must not be what the line is drawn on: it draws while it is locked.
    """

    def __init__(self, line: LiveLine, max_iter: int, rest: Any) -> None:
        super().__init__(rest)
        self.line, self.max_iter = line, max_iter
        self.done, self.lock, self.started = 0, threading.Lock(), ""  # classes may train in threads

    def write(self, text: str) -> int:
        """Part of a line, or some lines."""
        with self.lock:
            *lines, self.started = (self.started + text).split("\n")
            others = [f"{line}\n" for line in lines if not self._read(line)]
        super().write("".join(others))
        return len(text)

    def flush(self) -> None:
        """Nothing waits but an unfinished line."""

    def _read(self, line: str) -> bool:
        """Whether this is a line of scikit-learn's, which is shown or left out."""
        if found := PASS.match(line):
            self.done = int(found[1])
        elif found := LOSS.search(line):
            loss, done = found[1], self.done
            self.line.show(done, self.max_iter, lambda: f"pass {done} of {self.max_iter}: average loss {loss}")
        return bool(found or OTHER.match(line))
