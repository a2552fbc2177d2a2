"""The progress of an ensemble's training: a bar in a terminal or a notebook, lines in a file or a pipe.

Takes a `MemberEpoch` after each epoch, from one thread at a time. Returns nothing: it writes to a console. Never
decides anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rosenblatt.training.progress import LiveLine, live_line, standard_console

if TYPE_CHECKING:
    from rosenblatt.estimators.tabular.member import MemberEpoch

__all__ = ["LiveProgress", "PlainProgress", "shown_progress"]

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def shown_progress(
    console: Any = None, write: Callable[[str], None] | None = None
) -> Iterator[PlainProgress | LiveProgress]:
    """What to call after each epoch: it draws a live line in a terminal or a notebook, and elsewhere adds lines.

    Before training, its method `passed` is for the passes over a table that is larger than memory.

    Parameters
    ----------
    console : rich.console.Console, optional
        Default: standard output.
    write : callable, optional
        What writes a line where no line can be replaced. Default: the console.
    """
    from rich.text import Text

    console = console or standard_console()
    with live_line(console) as line:
        if line is not None:
            yield LiveProgress(line)
            return
        plain = PlainProgress(write or (lambda text: console.print(Text(text), soft_wrap=True)))
        try:
            yield plain
        finally:
            plain.close()


class PlainProgress:
    """A line for each network when it is finished and, while none is, a line every ten seconds."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self.write, self.written_at = write, time.monotonic()
        self.unwritten: dict[int, MemberEpoch] = {}

    def passed(self, what: str, done: int, n_rows: int) -> None:
        """So many rows of a pass are behind."""
        if done == n_rows or time.monotonic() - self.written_at >= SECONDS_BETWEEN_LINES:
            self.written_at = time.monotonic()
            self.write(rows_done(what, done, n_rows))

    def show(self, epoch: MemberEpoch) -> None:
        """An epoch is over."""
        self.unwritten[epoch.member] = epoch
        if epoch.number == epoch.epochs or time.monotonic() - self.written_at >= SECONDS_BETWEEN_LINES:
            self._write(epoch)

    def __call__(self, epoch: MemberEpoch) -> None:
        """The same as `show`."""
        self.show(epoch)

    def close(self) -> None:
        """Training is over, for some networks perhaps before their last epoch."""
        for member in sorted(self.unwritten):
            self._write(self.unwritten[member])

    def _write(self, epoch: MemberEpoch) -> None:
        del self.unwritten[epoch.member]
        self.written_at = time.monotonic()
        self.write(str(epoch))


class LiveProgress:
    """The epochs of all networks on one line: the last one, a bar, the time that is left."""

    def __init__(self, line: LiveLine) -> None:
        self.line = line
        self.done: dict[int, int] = {}

    def passed(self, what: str, done: int, n_rows: int) -> None:
        """So many rows of a pass are behind."""
        self.line.show(done, n_rows, lambda: rows_done(what, done, n_rows))

    def show(self, epoch: MemberEpoch) -> None:
        """An epoch is over."""
        self.done[epoch.member] = epoch.number
        done, total = sum(self.done.values()), epoch.members * epoch.epochs
        self.line.show(done, total, lambda: str(epoch) if self.line.is_wide else short(epoch))

    def __call__(self, epoch: MemberEpoch) -> None:
        """The same as `show`."""
        self.show(epoch)


def rows_done(what: str, done: int, n_rows: int) -> str:
    """How much of a pass is done."""
    return f"{what}: {done:,} of {n_rows:,}"


def short(epoch: MemberEpoch) -> str:
    """The epoch in a line that fits 80 columns beside a bar."""
    where = f"network {epoch.member} of {epoch.members}, epoch {epoch.number:>3} of {epoch.epochs}"
    return f"{where}: held-out {epoch.held_out:.4f}"
