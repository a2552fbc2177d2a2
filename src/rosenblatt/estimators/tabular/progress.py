"""The progress of an ensemble's training: a bar in a terminal or a notebook, lines in a file or a pipe.

Takes a `MemberEpoch` after each epoch, from one thread at a time. Returns nothing: it writes to a console. Never
decides anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rosenblatt.estimators.tabular.member import MemberEpoch

__all__ = ["PlainProgress", "live_progress", "shown_progress"]

WIDE, BAR, NARROW_BAR = 112, 24, 10
"""Columns of a terminal that has room for the whole sentence, and columns of the bar."""
SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def shown_progress(
    console: Any = None, write: Callable[[str], None] | None = None
) -> Iterator[Callable[[MemberEpoch], None]]:
    """A function to call after each epoch: it draws a live line in a terminal or a notebook, and elsewhere adds lines.

    Parameters
    ----------
    console : rich.console.Console, optional
        Default: standard output.
    write : callable, optional
        What writes a line where no line can be replaced. Default: the console.
    """
    from rich.console import Console
    from rich.text import Text

    console = console or Console(highlight=False)
    if console.is_terminal or (console.is_jupyter and find_spec("ipywidgets")):  # which rich needs there
        with live_progress(console) as show:
            yield show
        return
    plain = PlainProgress(write or (lambda line: console.print(Text(line), soft_wrap=True)))
    try:
        yield plain.show
    finally:
        plain.close()


class PlainProgress:
    """A line for each network when it is finished and, while none is, a line every ten seconds."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self.write, self.written_at = write, time.monotonic()
        self.unwritten: dict[int, MemberEpoch] = {}

    def show(self, epoch: MemberEpoch) -> None:
        """An epoch is over."""
        self.unwritten[epoch.member] = epoch
        if epoch.number == epoch.epochs or time.monotonic() - self.written_at >= SECONDS_BETWEEN_LINES:
            self._write(epoch)

    def close(self) -> None:
        """Training is over, for some networks perhaps before their last epoch."""
        for member in sorted(self.unwritten):
            self._write(self.unwritten[member])

    def _write(self, epoch: MemberEpoch) -> None:
        del self.unwritten[epoch.member]
        self.written_at = time.monotonic()
        self.write(str(epoch))


@contextmanager
def live_progress(console: Any) -> Iterator[Callable[[MemberEpoch], None]]:
    """One line that is replaced after each epoch, and stays at the end: the epoch, a bar, the time that is left."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    is_wide = console.width >= WIDE
    bar = BarColumn(bar_width=BAR if is_wide else NARROW_BAR)
    columns = (TextColumn("{task.description}", markup=False), bar, TimeRemainingColumn(compact=not is_wide))
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("network 1", total=None)
        done: dict[int, int] = {}

        def show(epoch: MemberEpoch) -> None:
            done[epoch.member] = epoch.number
            text = str(epoch) if is_wide else short(epoch)
            progress.update(task, total=epoch.members * epoch.epochs, completed=sum(done.values()), description=text)

        yield show
        progress.refresh()  # in a notebook, rich would leave the last line undrawn


def short(epoch: MemberEpoch) -> str:
    """The epoch in a line that fits 80 columns beside a bar."""
    where = f"network {epoch.member} of {epoch.members}, epoch {epoch.number:>3} of {epoch.epochs}"
    return f"{where}: held-out {epoch.held_out:.4f}"
