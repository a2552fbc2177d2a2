"""The progress of a perceptron's training on a live line.

Takes what scikit-learn prints of each pass. Returns nothing: it writes to a console. Never changes what is printed
where no line can be replaced.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TextIO

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
        if line is None:
            yield
            return
        line.start()  # before the reader, which would not be the first to read otherwise
        with redirect_stdout(PassReader(line, max_iter, sys.stdout)):
            yield


class PassReader:
    """A stream that reads scikit-learn's lines, of which a pass has two, and hands all others on."""

    def __init__(self, line: LiveLine, max_iter: int, rest: TextIO) -> None:
        self.line, self.max_iter, self.rest = line, max_iter, rest
        self.done, self.lock, self.started = 0, threading.Lock(), ""  # classes may train in threads

    def write(self, text: str) -> int:
        """Part of a line, or some lines."""
        with self.lock:
            *lines, self.started = (self.started + text).split("\n")
            for line in lines:
                self._read(line)
        return len(text)

    def flush(self) -> None:
        """Nothing waits but an unfinished line."""

    def _read(self, line: str) -> None:
        if found := PASS.match(line):
            self.done = int(found[1])
        elif found := LOSS.search(line):
            loss, done = found[1], self.done
            self.line.show(done, self.max_iter, lambda: f"pass {done} of {self.max_iter}: average loss {loss}")
        elif not OTHER.match(line):
            self.rest.write(line + "\n")
