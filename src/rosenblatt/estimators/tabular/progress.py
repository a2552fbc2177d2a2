"""The progress of an ensemble's training: a bar in a terminal or a notebook, lines in a file or a pipe.

Takes epochs of members as they end. Returns nothing: it writes to a console. Never decides anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rosenblatt.estimators.tabular.member import MemberEpoch

__all__ = ["shown_progress"]

BAR_WIDTH = 24


@contextmanager
def shown_progress(console: Any = None) -> Iterator[Callable[[MemberEpoch], None]]:
    """A function to call after each epoch, by one thread at a time.

    Where the console is a terminal or a notebook, one live line shows the last epoch, a bar, and the remaining time.
    Elsewhere there is a line for each network when it is finished.

    Parameters
    ----------
    console : rich.console.Console, optional
        Default: standard output.
    """
    from rich.console import Console

    console = console or Console(highlight=False, soft_wrap=True)
    if console.is_terminal or console.is_jupyter:
        with live_line(console) as show:
            yield show
        return
    last: dict[int, MemberEpoch] = {}

    def note(epoch: MemberEpoch) -> None:
        last[epoch.member] = epoch
        if epoch.number == epoch.epochs:
            write_line(console, last.pop(epoch.member))

    try:
        yield note
    finally:
        for member in sorted(last):  # they ended before their last epoch
            write_line(console, last[member])


def write_line(console: Any, epoch: MemberEpoch) -> None:
    """The last epoch of a network."""
    from rich.text import Text

    console.print(Text(str(epoch)), soft_wrap=True)


@contextmanager
def live_line(console: Any) -> Iterator[Callable[[MemberEpoch], None]]:
    """A line that is drawn again after each epoch, and stays when training has ended."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=BAR_WIDTH), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("network 1", total=None)
        done: dict[int, int] = {}

        def show(epoch: MemberEpoch) -> None:
            done[epoch.member] = epoch.number
            total = epoch.members * epoch.epochs
            progress.update(task, total=total, completed=sum(done.values()), description=str(epoch))

        yield show
