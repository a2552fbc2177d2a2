"""The progress of training, epoch by epoch.

Takes a `MemberEpoch` after each epoch. Writes a live line that fits the terminal, or plain lines to a file or a pipe.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from rosenblatt.estimators.tabular.member import MemberEpoch

__all__ = ["PlainProgress", "live_progress"]

WIDE, BAR, NARROW_BAR = 112, 24, 10
"""Columns of a terminal that has room for the whole sentence, and columns of the bar."""
SECONDS_BETWEEN_LINES = 10.0


class PlainProgress:
    """A line for each network that has had its last epoch and, while none has, a line every ten seconds."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self.write, self.last = write, time.monotonic()

    def show(self, epoch: MemberEpoch) -> None:
        """An epoch is over."""
        now = time.monotonic()
        if epoch.number == epoch.epochs or now - self.last >= SECONDS_BETWEEN_LINES:
            self.last = now
            self.write(str(epoch))


@contextmanager
def live_progress(console: Console) -> Iterator[Callable[[MemberEpoch], None]]:
    """One line that is replaced after each epoch: what the network reached, a bar, and the time that is left."""
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


def short(epoch: MemberEpoch) -> str:
    """The epoch in at most 58 characters, as long as numbers have few digits."""
    where = f"network {epoch.member} of {epoch.members}, epoch {epoch.number:3} of {epoch.epochs}"
    return f"{where}: held-out {epoch.held_out:.4f}"
